/**
 * Scores how similar files are that a side deleted and added.
 *
 * @packageDocumentation
 * @see gitdiffcore(7), "diffcore-rename"
 */
import { canBeSimilar, CHUNK_BYTES, type Chunks, chunksOf, similarity } from "../diff/similarity.ts";
import type { MergeSource } from "./merge-source.ts";
import type { MergeState } from "./merge-state.ts";
import { kindOf, type Version } from "./version.ts";

/** Steps of looking at a pair whose sizes differ too much. */
const PAIR_STEPS = 10;
/** Steps between two reports of work. */
const REPORT_STEPS = 500_000;
/** The bytes in which a NUL makes a file binary. */
const BINARY_PREFIX = 8000;
const NO_BYTES = new Uint8Array(0);

/** The scores of pairs. A file is read once, and its chunks are kept. */
export class SimilarFiles {
  readonly #state: Pick<MergeState, "hold">;
  readonly #source: MergeSource;
  readonly #sizes = new Map<string, number>();
  readonly #chunks = new Map<string, Chunks>();
  #steps = 0;

  constructor(state: MergeState) {
    this.#state = state;
    this.#source = state.source;
  }

  /** Learns the sizes of files. They alone are compared. */
  async learnSizes(versions: readonly Version[]): Promise<void> {
    const oids = versions.filter(({ mode }) => kindOf(mode) === "file").map(({ oid }) => oid);
    const unknown = [...new Set(oids)].filter((oid) => !this.#sizes.has(oid));
    await this.#source.expect(unknown);
    for (const oid of unknown) this.#sizes.set(oid, await this.#source.sizeOf(oid));
  }

  /** Returns the score of two files, or 0 if they are less similar than `least`. */
  async scoreOf(one: Version, two: Version, least: number): Promise<number> {
    const known = this.#scoreAtHand(one, two, least);
    if (known !== undefined && this.#steps < REPORT_STEPS) return known;
    const steps = this.#steps;
    this.#steps = 0;
    await this.#source.work(steps);
    if (known !== undefined) return known;
    const [chunks, others] = [await this.#learn(one), await this.#learn(two)];
    return this.#score(chunks, others, Math.max(this.#sizeOf(one), this.#sizeOf(two)));
  }

  /** Returns the score if it can be told without reading the files. */
  #scoreAtHand(one: Version, two: Version, least: number): number | undefined {
    const [left, right] = [this.#sizeOf(one), this.#sizeOf(two)];
    this.#steps += PAIR_STEPS;
    if (!canBeSimilar(left, right, least)) return 0;
    const [chunks, others] = [this.#chunks.get(one.oid), this.#chunks.get(two.oid)];
    return chunks === undefined || others === undefined
      ? undefined
      : this.#score(chunks, others, Math.max(left, right));
  }

  #score(chunks: Chunks, others: Chunks, larger: number): number {
    this.#steps += chunks.numbers.length + others.numbers.length;
    return similarity(chunks, others, larger);
  }

  /** Returns the size of a file; 0 for anything else, which is similar to nothing. */
  #sizeOf({ mode, oid }: Version): number {
    return kindOf(mode) === "file" ? (this.#sizes.get(oid) ?? 0) : 0; // Only files whose sizes were learnt are compared.
  }

  async #learn({ oid }: Version): Promise<Chunks> {
    const known = this.#chunks.get(oid);
    if (known !== undefined) return known;
    const bytes = (await this.#source.readBlob(oid)) ?? NO_BYTES; // A file that is too large is similar to nothing.
    const chunks = chunksOf(bytes, !bytes.subarray(0, BINARY_PREFIX).includes(0));
    await this.#source.work(bytes.length * 2);
    this.#state.hold(chunks.numbers.length * CHUNK_BYTES);
    this.#chunks.set(oid, chunks);
    return chunks;
  }
}
