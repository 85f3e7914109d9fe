/**
 * How bytes enter and leave a service, whatever carries them (HTTP, WebSocket, a test).
 *
 * @packageDocumentation
 */

/** A stream of bytes, pulled. */
export interface ByteSource {
  /**
   * Reads at least one byte into `buffer`, as many as are at hand; an empty view means the end. The buffer is detached and
   * handed back: use the returned view (its `buffer` has the length of the one given), not the argument.
   */
  read(buffer: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>>;
  /** Forgets the rest: absent where that takes reading it. */
  skip?(): Promise<void>;
}

/** Where an answer goes, with back-pressure. */
export interface ByteSink {
  /** Writes all of `bytes`, which stay unchanged until the promise settles; the caller may then reuse the buffer. */
  write(bytes: Uint8Array): Promise<void>;
}
