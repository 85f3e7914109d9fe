/**
 * Fuzzing that is guided by coverage: an input that reaches code which none before it reached is kept, and further inputs are made
 * from it. V8 counts what runs; the code of the kernel is WebAssembly, of which it counts nothing.
 *
 * @packageDocumentation
 * @see https://chromedevtools.github.io/devtools-protocol/v8/Profiler/
 */
import { Session, type Profiler } from "node:inspector";
import { pseudoRandom } from "./store.ts";

/** The most inputs that are kept of a target: younger ones take the places of older ones. */
const MOST_KEPT = 2000;
const MOST_EDITS = 4;
/** No input grows longer. */
const MOST_BYTES = 64 * 1024;
/** A place that is passed 1, 2, 3 to 4, 5 to 8 times, and so on, counts as another one. */
const bucketOf = (count: number): number => Math.ceil(Math.log2(count));

/** A parser under test. `read` throws where the parser has a fault. */
export type GuidedTarget = {
  readonly seeds: readonly Uint8Array[];
  /** What is put in oftener than chance would. */
  readonly tokens: readonly string[];
  readonly read: (bytes: Uint8Array<ArrayBuffer>) => void;
};

/** What a run has come to. */
export type GuidedRun = { readonly inputs: number; readonly kept: readonly Uint8Array[]; readonly places: number };

/** What has run of the files below `src/`. One at a time: V8 counts for the whole thread. */
export class RunCode implements Disposable {
  readonly #session = new Session();
  readonly #seen = new Set<string>();

  constructor() {
    this.#session.connect();
    this.#session.post("Profiler.enable");
    this.#session.post("Profiler.startPreciseCoverage", { callCount: true, detailed: true });
  }

  /** The number of places that have run. */
  get places(): number {
    return this.#seen.size;
  }

  /** Returns whether anything has run since the last call that had not run as often before. */
  take(): boolean {
    const before = this.#seen.size;
    let scripts: readonly Profiler.ScriptCoverage[] = [];
    // On the same thread it is answered before the call returns.
    this.#session.post("Profiler.takePreciseCoverage", (error, { result }) => {
      if (error !== null) throw error;
      scripts = result;
    });
    for (const { url, functions } of scripts) {
      if (!url.includes("/src/")) continue;
      for (const { ranges } of functions) {
        for (const { startOffset, endOffset, count } of ranges) {
          if (count > 0) this.#seen.add(`${url} ${startOffset} ${endOffset} ${bucketOf(count)}`);
        }
      }
    }
    return this.#seen.size > before;
  }

  [Symbol.dispose](): void {
    this.#session.disconnect();
  }
}

/** Makes inputs out of others. */
class Mutator {
  readonly #random: (below: number) => number;
  readonly #tokens: readonly Buffer[];

  constructor(seed: number, tokens: readonly string[]) {
    this.#random = pseudoRandom(seed);
    this.#tokens = tokens.map((token) => Buffer.from(token, "latin1"));
  }

  /** Returns one of a list. */
  pick<T>(list: readonly T[]): T | undefined {
    return list[this.#random(list.length)];
  }

  /** Returns an input with some edits; `other` is one from which a piece may come. */
  mutate(input: Uint8Array, other: Uint8Array): Uint8Array<ArrayBuffer> {
    let bytes = Buffer.from(input);
    for (let edits = 1 + this.#random(MOST_EDITS); edits > 0; edits--) bytes = this.#edit(bytes, other);
    return new Uint8Array(bytes.subarray(0, MOST_BYTES));
  }

  #edit(bytes: Buffer, other: Uint8Array): Buffer<ArrayBuffer> {
    const random = this.#random;
    const at = random(bytes.length + 1);
    const end = at + random(random(2) === 0 ? 4 : 64);
    const [before, after] = [bytes.subarray(0, at), bytes.subarray(end)];
    const from = random(other.length + 1);
    switch (random(7)) {
      case 0:
        return Buffer.concat([before, after]);
      case 1:
        return Buffer.concat([before, bytes.subarray(at, end), bytes.subarray(at)]);
      case 2:
        return Buffer.concat([before, other.subarray(from, from + 1 + random(64)), bytes.subarray(at)]);
      case 3:
        return Buffer.concat([before, this.pick(this.#tokens) ?? "", bytes.subarray(random(2) === 0 ? at : end)]);
      case 4:
        return Buffer.concat([before, other.subarray(from)]);
      case 5:
        return Buffer.concat([before, Buffer.from([random(256)]), bytes.subarray(at + 1)]);
      default:
        return Buffer.concat([before, Buffer.from([(bytes[at] ?? 0) ^ (1 << random(8))]), bytes.subarray(at + 1)]);
    }
  }
}

/** How many inputs a target is fed with; or as many as there is time for, in milliseconds, where that is not 0. */
export type GuidedLimit = { readonly inputs: number; readonly time?: number };

/**
 * Feeds a target with inputs: the seeds, and then what is made of those that reached something new.
 *
 * @throws Error with the input, in Base64, that the target has a fault with
 */
export function runGuided({ seeds, tokens, read }: GuidedTarget, limit: GuidedLimit, seed: number): GuidedRun {
  using code = new RunCode();
  const mutator = new Mutator(seed, tokens);
  const kept: Uint8Array[] = [];
  const { time = 0 } = limit;
  const end = Date.now() + time;
  let at = 0;
  for (; time > 0 ? at < seeds.length || Date.now() < end : at < limit.inputs; at++) {
    const made = mutator.mutate(mutator.pick(kept) ?? new Uint8Array(0), mutator.pick(kept) ?? new Uint8Array(0));
    const input = new Uint8Array(seeds[at] ?? made); // Behind the seeds come those that are made.
    try {
      read(new Uint8Array(input));
    } catch (error) {
      const text = Buffer.from(input).toString("base64");
      throw new Error(`input ${at} of seed ${seed} is no good: ${text}`, { cause: error });
    }
    if (!code.take()) continue;
    if (kept.length === MOST_KEPT) kept.shift();
    kept.push(input);
  }
  return { inputs: at, kept, places: code.places };
}
