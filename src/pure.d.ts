/**
 * What rings 0 and 1 may use beyond the language: the few globals that every JavaScript runtime has.
 * Listed by hand so that a codec cannot reach for a stream, a fetch or a clock.
 */
interface TextEncoder {
  encode(input?: string): Uint8Array<ArrayBuffer>;
}
declare var TextEncoder: { new (): TextEncoder };
interface TextDecoder {
  decode(input?: Uint8Array): string;
}
declare var TextDecoder: { new (label?: string, options?: { fatal?: boolean; ignoreBOM?: boolean }): TextDecoder };

declare namespace WebAssembly {
  interface Memory {
    readonly buffer: ArrayBuffer;
    grow(pages: number): number;
  }
  interface Module {}
  interface Instance {
    readonly exports: Record<string, unknown>;
  }
  var Memory: { new (descriptor: { initial: number; maximum?: number }): Memory };
  var Module: { new (bytes: Uint8Array): Module };
  var Instance: { new (module: Module, imports?: Record<string, Record<string, unknown>>): Instance };
}

/** Random numbers, for tables of what strangers send. */
declare var crypto: { getRandomValues(array: Uint32Array<ArrayBuffer>): Uint32Array<ArrayBuffer> };
