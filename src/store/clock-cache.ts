/**
 * Byte arrays by key, bounded in bytes by the CLOCK algorithm. A hit only sets a bit and moves nothing; a piece that
 * was not hit since the last sweep is evicted.
 *
 * @packageDocumentation
 */

/** A piece in the cache, or one that was evicted. */
export class CachedPiece {
  /** The piece, which must not be changed; `undefined` once it was evicted. */
  bytes: Uint8Array<ArrayBuffer> | undefined;
  /** Whether the piece was used since the cache last swept over it. */
  touched = false;

  constructor(bytes: Uint8Array<ArrayBuffer>) {
    this.bytes = bytes;
  }
}

/** The cache. It evicts only when {@link ClockCache.shrink} is called. */
export class ClockCache {
  readonly #pieces = new Map<string, CachedPiece>();
  readonly #onLoss: (bytes: Uint8Array<ArrayBuffer>) => void;
  #bytes = 0;

  /** `onLoss` receives the bytes of each piece that is evicted or replaced. */
  constructor(onLoss: (bytes: Uint8Array<ArrayBuffer>) => void = () => undefined) {
    this.#onLoss = onLoss;
  }

  /** The number of bytes held. */
  get byteLength(): number {
    return this.#bytes;
  }

  /** Returns a piece as the cache keeps it, so that a caller that needs it again and again need not look it up. */
  find(key: string): CachedPiece | undefined {
    const piece = this.#pieces.get(key);
    if (piece !== undefined) piece.touched = true;
    return piece;
  }

  /** Keeps a piece, which must not change from now on, as the youngest. */
  set(key: string, bytes: Uint8Array<ArrayBuffer>): void {
    const old = this.#pieces.get(key);
    if (old !== undefined) {
      this.#pieces.delete(key);
      this.#letGo(old);
    }
    this.#pieces.set(key, new CachedPiece(bytes));
    this.#bytes += bytes.length;
  }

  /** Evicts the pieces whose keys begin with `prefix`. */
  forget(prefix: string): void {
    for (const [key, piece] of this.#pieces) {
      if (!key.startsWith(prefix)) continue;
      this.#pieces.delete(key);
      this.#letGo(piece);
    }
  }

  /** Evicts pieces until about the youngest `bytes` remain. */
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

  /** Empties the cache, and returns all bytes that were in it. */
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
