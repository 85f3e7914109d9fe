/**
 * Byte arrays by key, bounded in bytes. Who was not used for a round of letting go is let go of next: to use one moves nothing.
 *
 * @packageDocumentation
 */

/** A piece in the cache, or one that is no longer there. */
export class CachedPiece {
  /** The piece, unchanged; `undefined` once the cache has let go of it. */
  bytes: Uint8Array<ArrayBuffer> | undefined;
  /** Used since the cache last looked for something to let go of. */
  touched = false;

  constructor(bytes: Uint8Array<ArrayBuffer>) {
    this.bytes = bytes;
  }
}

/** The pieces. */
export class ClockCache {
  readonly #pieces = new Map<string, CachedPiece>();
  readonly #onLoss: (bytes: Uint8Array<ArrayBuffer>) => void;
  #bytes = 0;

  /** `onLoss` is given what the cache lets go of. */
  constructor(onLoss: (bytes: Uint8Array<ArrayBuffer>) => void = () => undefined) {
    this.#onLoss = onLoss;
  }

  /** Bytes held. */
  get byteLength(): number {
    return this.#bytes;
  }

  /** Gives a piece as it is kept: who asks again and again need not look it up. */
  find(key: string): CachedPiece | undefined {
    const piece = this.#pieces.get(key);
    if (piece !== undefined) piece.touched = true;
    return piece;
  }

  /** Keeps a piece, from now on unchanged, as the youngest. */
  set(key: string, bytes: Uint8Array<ArrayBuffer>): void {
    const old = this.#pieces.get(key);
    if (old !== undefined) {
      this.#pieces.delete(key);
      this.#letGo(old);
    }
    this.#pieces.set(key, new CachedPiece(bytes));
    this.#bytes += bytes.length;
  }

  /** Lets go of all but about the youngest `bytes`. */
  shrink(bytes: number): void {
    for (const [key, piece] of this.#pieces) {
      if (this.#bytes <= bytes) return;
      this.#pieces.delete(key);
      if (piece.touched) {
        piece.touched = false;
        this.#pieces.set(key, piece);
      } else {
        this.#letGo(piece);
      }
    }
  }

  /** Empties the cache, and gives what was in it. */
  takeAll(): Uint8Array<ArrayBuffer>[] {
    const all: Uint8Array<ArrayBuffer>[] = [];
    for (const piece of this.#pieces.values()) {
      if (piece.bytes !== undefined) all.push(piece.bytes);
      piece.bytes = undefined;
    }
    this.#pieces.clear();
    this.#bytes = 0;
    return all;
  }

  #letGo(piece: CachedPiece): void {
    const { bytes } = piece;
    if (bytes === undefined) return;
    piece.bytes = undefined;
    this.#bytes -= bytes.length;
    this.#onLoss(bytes);
  }
}
