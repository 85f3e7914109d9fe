/**
 * The type of the WebAssembly module's exports. `kernel.ts` wraps them; callers use that class.
 *
 * @packageDocumentation
 */

/** The exports of the module, documented in `src/kernel/kernel.ts`. Booleans are 0 and 1. */
export type KernelExports = {
  readonly memory: { readonly buffer: ArrayBuffer };
  // eslint-disable-next-line eslint/max-params -- the module is called with plain numbers
  readonly initialise: (
    windowBytes: number,
    ringBytes: number,
    maxBytes: number,
    rawSize: number,
    seedLow: number,
    seedHigh: number,
  ) => number;
  readonly reset: () => number;
  readonly windowAt: () => number;
  readonly ringAt: () => number;
  readonly scratchAt: () => number;
  readonly listed: (index: number) => number;
  readonly inflateStart: () => void;
  // eslint-disable-next-line eslint/max-params -- the module is called with plain numbers
  readonly inflate: (src: number, srcEnd: number, outBase: number, out: number, outEnd: number) => number;
  readonly inflateWhole: (src: number, srcEnd: number, dst: number, size: number) => number;
  readonly inflateStateBytes: () => number;
  readonly inflateSave: (at: number) => void;
  readonly inflateRestore: (at: number) => void;
  readonly inflateConsumed: () => number;
  readonly inflateProduced: () => number;
  readonly hashStart: (type: number, size: number, context: number) => void;
  readonly hashUpdate: (at: number, length: number, context: number) => void;
  readonly hashFinish: (out: number, context: number) => number;
  readonly hashObject: (type: number, at: number, length: number, out: number) => number;
  readonly batchCapacity: () => number;
  readonly batchAdd: (type: number, at: number, length: number) => number;
  readonly batchRun: () => void;
  readonly batchNameAt: (index: number) => number;
  readonly batchCollision: (index: number) => number;
  readonly batchClear: () => void;
  readonly crc32: (crc: number, at: number, length: number) => number;
  readonly adler32: (adler: number, at: number, length: number) => number;
  // eslint-disable-next-line eslint/max-params -- the module is called with plain numbers
  readonly applyDelta: (
    base: number,
    baseLength: number,
    delta: number,
    deltaLength: number,
    dst: number,
    dstLength: number,
  ) => number;
  readonly deltaSizes: (delta: number, length: number) => number;
  readonly deltaBaseSize: () => number;
  readonly deltaResultSize: () => number;
  readonly oidAdd: (oid: number) => number;
  readonly oidFind: (oid: number) => number;
  readonly oidCount: () => number;
  readonly oidAt: (index: number) => number;
  readonly flagsOf: (index: number) => number;
  readonly setFlags: (index: number, flags: number) => void;
  readonly orFlags: (index: number, flags: number) => void;
  readonly valueOf: (index: number) => number;
  readonly setValue: (index: number, value: number) => void;
  // eslint-disable-next-line eslint/max-params -- the module is called with plain numbers
  readonly scanTree: (tree: number, length: number, base: number, baseLength: number, judged: number) => number;
  readonly suspiciousCount: () => number;
  // eslint-disable-next-line eslint/max-params -- the module is called with plain numbers
  readonly collectTree: (tree: number, length: number, base: number, baseLength: number, wantBlobs: number) => number;
  readonly collectMore: () => number;
  readonly differTrees: (tree: number, length: number, base: number, baseLength: number) => number;
  readonly differMore: () => number;
  readonly difference: (index: number) => number;
  readonly markTree: (tree: number, length: number, mask: number) => number;
};
