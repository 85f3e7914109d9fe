/**
 * Scores how similar files are that a side deleted and added.
 *
 * @packageDocumentation
 * @see gitdiffcore(7), "diffcore-rename"
 */
import { f64At, itemAt } from "../bytes/assert.ts";
import { firstIndex } from "../bytes/first-index.ts";
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

type SizedFile = { readonly size: number; readonly steps: number };

/** Files by their sizes. Those that can be similar to one file lie next to each other. */
class NearSizes {
  readonly #files: readonly SizedFile[];
  /** The steps of all files before each, and of all. */
  readonly #sums: Float64Array;

  constructor(files: readonly SizedFile[]) {
    this.#files = files.toSorted((a, b) => a.size - b.size);
    this.#sums = new Float64Array(files.length + 1);
    for (const [at, { steps }] of this.#files.entries()) this.#sums[at + 1] = f64At(this.#sums, at) + steps;
  }

  /** Returns how many files can be as similar as `least` to one of this size, and their steps together. */
  to(size: number, least: number): { readonly count: number; readonly sum: number } {
    const from = this.#firstOf((other) => other >= size || canBeSimilar(other, size, least));
    const end = this.#firstOf((other) => other > size && !canBeSimilar(other, size, least));
    if (size === 0 || end <= from) return { count: 0, sum: 0 };
    return { count: end - from, sum: f64At(this.#sums, end) - f64At(this.#sums, from) };
  }

  /** Returns the number of files before the first for whose size something holds, which it does for all behind it. */
  #firstOf(holds: (size: number) => boolean): number {
    return firstIndex(this.#files.length, (at) => holds(itemAt(this.#files, at).size));
  }
}

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

  /**
   * Learns the files of all pairs of a source and a target that can be as similar as `least`. How much work their comparison takes is
   * known then, before any is compared: at first from the sources alone, since each of them is counted with every target.
   *
   * @throws LimitExceeded if it is more than may be done.
   */
  async expectPairs(sources: readonly Version[], targets: readonly Version[], least: number): Promise<void> {
    for (const [some, others] of [
      [sources, targets],
      [targets, sources],
    ] as const) {
      const near = new NearSizes(others.map((other) => ({ size: this.#sizeOf(other), steps: this.#stepsOf(other) })));
      let steps = 0;
      for (const one of some) {
        await this.#source.work(PAIR_STEPS);
        const { count, sum } = near.to(this.#sizeOf(one), least);
        if (count > 0) steps += sum + count * (await this.#learn(one)).numbers.length + others.length * PAIR_STEPS;
      }
      this.#source.foresee(steps);
    }
  }

  /** Returns the steps that a file takes in each comparison; 0 of one that was not read yet. */
  #stepsOf({ oid }: Version): number {
    return this.#chunks.get(oid)?.numbers.length ?? 0; // Counted at first from the sources alone.
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
