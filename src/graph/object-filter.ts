/**
 * Which objects a partial clone does without. A filter is three questions: is it of a type that passes, is a blob small enough, is
 * it near enough to a commit. What was asked for by name always passes.
 *
 * @packageDocumentation
 * @see git-rev-list(1), `--filter`; git's list-objects-filter.c
 */
import { EXEMPT, SELECTED } from "../kernel/object-flags.ts";
import { i32At, u32At } from "../bytes/assert.ts";
import { sizeClassAtPosition, sizesOfClass } from "../format/pack-kinds.ts";
import { KIND_NUMBER, type ObjectKind } from "../object/object-kind.ts";
import { storedObjectSize } from "../store/object-size.ts";
import type { PackHandle } from "../store/pack-handle.ts";
import type { GraphSession } from "./graph-session.ts";

/** A filter. */
export type ObjectFilter = {
  /** Types that pass. */
  readonly kinds: ReadonlySet<number>;
  /** Blobs of fewer bytes pass. */
  readonly blobBytes: number;
  /** Trees and blobs pass at fewer levels below a commit; its tree is at level 0. */
  readonly treeDepth: number;
};

const INFINITE = Number.POSITIVE_INFINITY;
const ALL_KINDS: ReadonlySet<number> = new Set(Object.values(KIND_NUMBER));

/** Lets everything through. */
export const NO_FILTER: ObjectFilter = { kinds: ALL_KINDS, blobBytes: INFINITE, treeDepth: INFINITE };

/** Lets these types through. */
export function kindsFilter(...kinds: readonly ObjectKind[]): ObjectFilter {
  return { ...NO_FILTER, kinds: new Set(kinds.map((kind) => KIND_NUMBER[kind])) };
}

/** Lets through what all the filters let through. */
export function combineFilters(filters: readonly ObjectFilter[]): ObjectFilter {
  return {
    kinds: new Set([...ALL_KINDS].filter((kind) => filters.every(({ kinds }) => kinds.has(kind)))),
    blobBytes: Math.min(INFINITE, ...filters.map(({ blobBytes }) => blobBytes)),
    treeDepth: Math.min(INFINITE, ...filters.map(({ treeDepth }) => treeDepth)),
  };
}

/** Whether blobs may pass at all. */
export function wantsBlobs({ kinds, blobBytes, treeDepth }: ObjectFilter): boolean {
  return kinds.has(KIND_NUMBER.blob) && blobBytes > 0 && treeDepth > 0;
}

/** Whether trees have to be looked into, or at least sent. */
export function wantsTrees(filter: ObjectFilter): boolean {
  return filter.treeDepth > 0 && (filter.kinds.has(KIND_NUMBER.tree) || wantsBlobs(filter));
}

/** Whether the type of an object, and its size, say all: then no tree need be opened. */
export function isByKind({ kinds, treeDepth }: ObjectFilter): boolean {
  const allTrees = treeDepth === INFINITE;
  return kinds.has(KIND_NUMBER.commit) && kinds.has(KIND_NUMBER.tag) && (allTrees || treeDepth === 0);
}

/** The types that pass where {@link isByKind} holds. */
export function passingKinds(filter: ObjectFilter): ReadonlySet<number> {
  return new Set(
    [...filter.kinds].filter((kind) => {
      if (kind === KIND_NUMBER.blob) return wantsBlobs(filter);
      return kind !== KIND_NUMBER.tree || filter.treeDepth > 0;
    }),
  );
}

/** Judges the sizes of a pack's blobs by what is stored beside it, and looks at those in doubt only. */
export class BlobSizes {
  readonly #session: GraphSession;
  readonly #handle: PackHandle;
  readonly #limit: number;
  readonly #kinds: Uint8Array;

  private constructor(session: GraphSession, handle: PackHandle, limit: number, kinds: Uint8Array) {
    this.#session = session;
    this.#handle = handle;
    this.#limit = limit;
    this.#kinds = kinds;
  }

  /** Opens the sizes of a pack; blobs of fewer than `limit` bytes are small. */
  static async open(session: GraphSession, handle: PackHandle, limit: number): Promise<BlobSizes> {
    return new BlobSizes(session, handle, limit, await handle.allKinds());
  }

  /** Whether the blob at a position of the index is small; `undefined` where its entry has to tell. */
  atOnce(position: number): boolean | undefined {
    if (this.#limit === INFINITE) return true;
    const { least, most } = sizesOfClass(sizeClassAtPosition(this.#kinds, position));
    if (most < this.#limit) return true;
    return least >= this.#limit ? false : undefined;
  }

  /** Whether the blob at a position of the index is small. */
  async isSmall(position: number): Promise<boolean> {
    const known = this.atOnce(position);
    if (known !== undefined) return known;
    const { inflating, format } = this.#session;
    const [offset = 0] = await this.#handle.offsets([position]);
    const size = await storedObjectSize({ handle: this.#handle, rawSize: format.rawSize, inflating }, offset);
    return size < this.#limit;
  }
}

/** Takes back the selection of objects that do not pass, unless they are {@link EXEMPT}. */
export async function dropFiltered(session: GraphSession, filter: ObjectFilter): Promise<void> {
  const doubtful: number[] = [];
  for (let node = 0; node < session.kernel.oidCount; node++) {
    if (!session.has(node, SELECTED) || session.has(node, EXEMPT)) continue;
    const kind = await session.kindOf(node);
    if (!filter.kinds.has(kind)) session.unmark(node, SELECTED);
    else if (kind === KIND_NUMBER.blob && filter.blobBytes < INFINITE) doubtful.push(node);
  }
  if (doubtful.length > 0) await dropLarge(session, doubtful, filter.blobBytes);
}

async function dropLarge(session: GraphSession, blobs: readonly number[], limit: number): Promise<void> {
  const { rawSize } = session.format;
  const names = new Uint8Array(blobs.length * rawSize);
  for (const [i, node] of blobs.entries()) names.set(session.nameOf(node), i * rawSize);
  const { packs, positions } = await session.database.locate(names);
  const sizes = new Map<number, BlobSizes>();
  for (const [i, node] of blobs.entries()) {
    const pack = i32At(packs, i);
    const handle = session.database.packs[pack];
    // what is nowhere is left to be found missing
    if (handle === undefined) continue;
    const known = sizes.get(pack) ?? (await BlobSizes.open(session, handle, limit));
    sizes.set(pack, known);
    if (!(await known.isSmall(u32At(positions, i)))) session.unmark(node, SELECTED);
  }
}
