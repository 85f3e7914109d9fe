/**
 * Decompresses what a client sends, no faster than it is read.
 *
 * The platform's `DecompressionStream` takes all that is written to it, whether or not anybody reads the output. A body of
 * a megabyte became a hundred in memory while its request waited for a turn. Node's stops, with a chunk in hand.
 *
 * @packageDocumentation
 * @see RFC 1952
 */
import { createGunzip, type Gunzip } from "node:zlib";

/** Bytes of compressed input that are given to be decompressed at once. */
const PIECE_BYTES = 8192;
/** Bytes that are decompressed at once, and about as many wait to be read: larger pieces take less time for each byte. */
const CHUNK_BYTES = 65_536;

/** Returns the next piece of a stream; `undefined` at its end. */
export type NextPiece = () => Promise<Uint8Array | undefined>;

/** Data in the format of gzip as it is read: one member or several, behind which nothing may come. */
export class UnzippedStream {
  readonly #gunzip = createGunzip({ chunkSize: CHUNK_BYTES });
  readonly #chunks: AsyncIterator<Uint8Array>;
  #rest: Uint8Array = new Uint8Array(0);
  #taken = 0;

  /** `next` is called when there is room for what comes of its piece. */
  constructor(next: NextPiece) {
    this.#chunks = this.#gunzip[Symbol.asyncIterator]();
    // Whoever reads gets the error.
    this.#feed(next).catch((error: unknown) => this.#gunzip.destroy(asError(error)));
  }

  /** Compressed bytes that were taken so far. */
  get taken(): number {
    return this.#taken;
  }

  /** Copies the next bytes into a buffer, and returns how many they are: 0 at the end. Rejects where the data is broken. */
  async read(buffer: Uint8Array): Promise<number> {
    if (this.#rest.length === 0) {
      const { value, done } = await this.#chunks.next();
      if (done === true) return 0;
      this.#rest = value;
    }
    const bytes = this.#rest.subarray(0, buffer.length);
    buffer.set(bytes);
    this.#rest = this.#rest.subarray(bytes.length);
    return bytes.length;
  }

  /** Lets go of everything. Nothing can be read any more. */
  end(): void {
    this.#gunzip.destroy();
  }

  async #feed(next: NextPiece): Promise<void> {
    for (let input = await next(); input !== undefined; input = await next()) {
      for (let at = 0; at < input.length; at += PIECE_BYTES) {
        const piece = input.subarray(at, at + PIECE_BYTES);
        this.#taken += piece.length;
        if (!(await written(this.#gunzip, piece))) return;
      }
    }
    this.#gunzip.end();
  }
}

/** Writes a piece, and waits until it was decompressed. Returns whether more may be written. */
async function written(gunzip: Gunzip, piece: Uint8Array): Promise<boolean> {
  return await new Promise((resolve) => gunzip.write(piece, (error) => resolve(error === null || error === undefined)));
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error("the stream broke off", { cause: error });
}
