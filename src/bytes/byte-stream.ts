/**
 * The interfaces by which bytes enter and leave a service, whatever carries them (HTTP, a test).
 *
 * @packageDocumentation
 */

/** A source of bytes from which the consumer pulls. */
export interface ByteSource {
  /**
   * Reads the available bytes, at least one, into `buffer`. An empty view means the end. The buffer may be detached and
   * handed back, so use the returned view and not the argument. The view's `buffer` has the length of the given one.
   */
  read(buffer: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>>;
  /** Drops the rest of the stream. Absent if the rest would have to be read for that. */
  skip?(): Promise<void>;
}

/** A sink for a response's bytes, with back-pressure. */
export interface ByteSink {
  /**
   * Writes all of `bytes`. The caller must not change them until the promise settles, and may reuse the buffer then.
   */
  write(bytes: Uint8Array): Promise<void>;
}
