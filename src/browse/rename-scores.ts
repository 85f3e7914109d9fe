/**
 * Scores how similar deleted files and created files are. A file is read once, and its chunks are kept for all
 * comparisons.
 *
 * @packageDocumentation
 */
import { concat } from "../bytes/chunk.ts";
import { toHex } from "../bytes/hex.ts";
import { canBeSimilar, CHUNK_BYTES, type Chunks, chunksOf, similarity } from "../diff/similarity.ts";
import { isRegular } from "../object/tree.ts";
import { isText, MOST_COMPARED_BYTES } from "./blob.ts";
import type { BrowseSession } from "./browse-session.ts";
import type { FileState } from "./tree-diff.ts";

/** The most bytes of chunks that are kept. */
const MOST_CHUNK_BYTES = 8 * 1024 * 1024;
/** The most steps of one search for renames: about a second. */
const MOST_RENAME_STEPS = 100_000_000;
/** The steps of looking at a pair whose sizes differ too much. */
const PAIR_STEPS = 2;
/** The blobs that are looked up together. */
const BATCH = 64;

/** The scores of pairs of files. Call {@link RenameScores.release} at the end. */
export class RenameScores {
  readonly #session: BrowseSession;
  readonly #sizes = new Map<string, number>();
  readonly #chunks = new Map<string, Chunks | undefined>();
  #heldBytes = 0;
  #steps = 0;

  constructor(session: BrowseSession) {
    this.#session = session;
  }

  /** Whether so much was computed or is held that the search has to end. */
  get isSpent(): boolean {
    return this.#steps > MOST_RENAME_STEPS || this.#heldBytes > MOST_CHUNK_BYTES;
  }

  /** Learns the sizes of files, many at once. */
  async learnSizes(states: readonly FileState[]): Promise<void> {
    const { reader } = this.#session.graph;
    const regular = states.filter(({ mode }) => isRegular(mode));
    for (let at = 0; at < regular.length; at += BATCH) {
      const batch = regular.slice(at, at + BATCH);
      await reader.prefetch(concat(batch.map(({ oid }) => oid)));
      for (const { oid } of batch) this.#sizes.set(toHex(oid), await reader.sizeOf(oid));
    }
  }

  /** Returns the score of two files, or 0 if they are less similar than `least`. */
  async of(one: FileState, two: FileState, least: number): Promise<number> {
    await this.#spend(PAIR_STEPS);
    const [left, right] = [this.#sizeOf(one), this.#sizeOf(two)];
    if (!canBeSimilar(left, right, least) || this.isSpent) return 0;
    const [chunks, others] = [await this.#chunksOf(one), await this.#chunksOf(two)];
    if (chunks === undefined || others === undefined) return 0;
    await this.#spend(chunks.numbers.length + others.numbers.length);
    return similarity(chunks, others, Math.max(left, right));
  }

  /** Lets go of everything. */
  release(): void {
    this.#chunks.clear();
    this.#session.repository.memory.hold(-this.#heldBytes);
    this.#heldBytes = 0;
  }

  /** Returns the size of a regular file; 0 for anything else, which is similar to nothing. */
  #sizeOf({ mode, oid }: FileState): number {
    return isRegular(mode) ? (this.#sizes.get(toHex(oid)) ?? 0) : 0; // Only sizes that were learnt are compared.
  }

  /** Returns the chunks of a file; `undefined` if it is too large to take part. */
  async #chunksOf(state: FileState): Promise<Chunks | undefined> {
    const key = toHex(state.oid);
    if (this.#chunks.has(key)) return this.#chunks.get(key);
    const size = this.#sizeOf(state);
    const copy = size > MOST_COMPARED_BYTES ? undefined : await this.#session.graph.reader.copyIfHeld(state.oid);
    const chunks = copy && chunksOf(copy.bytes, isText(copy.bytes));
    if (chunks !== undefined) {
      const held = chunks.numbers.length * CHUNK_BYTES;
      this.#heldBytes += held;
      this.#session.repository.memory.hold(held);
      await this.#spend(size * 2);
    }
    this.#chunks.set(key, chunks);
    return chunks;
  }

  async #spend(steps: number): Promise<void> {
    this.#steps += steps;
    this.#session.repository.pacer.add(steps);
    if (this.#session.repository.pacer.isDue) await this.#session.work(0);
  }
}
