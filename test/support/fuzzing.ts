/**
 * What fuzz targets share: inputs that are almost right, and what a parser may do with them.
 *
 * @packageDocumentation
 */
import { type Arbitrary, array, constant, constantFrom, nat, oneof, record, string, uint8Array } from "fast-check";
import { expect } from "vitest";
import { escapedText } from "../../src/object/escaped-bytes.ts";
import type { PktLine } from "../../src/wire/pkt-line.ts";
import { pktLine } from "./pkt.ts";
import { type Side, readTranscript, transcriptNames } from "./transcript.ts";

/** Milliseconds for which each target is tried, where `FUZZ_SECONDS` says so; as often as there is time for, whatever `FUZZ_RUNS` says. */
export const fuzzTime = Number(process.env["FUZZ_SECONDS"] ?? 0) * 1000;

/** More tries than there is time for. */
const NO_END = 2 ** 31 - 1;

type Runs = { numRuns: number; endOnFailure: true; interruptAfterTimeLimit?: number };

/** How often a property is tried: some times in every run of the suite, `FUZZ_RUNS` times or for a time in `npm run fuzz`. */
export function fuzzRuns(few: number): Runs {
  if (fuzzTime > 0) return { numRuns: NO_END, endOnFailure: true, interruptAfterTimeLimit: fuzzTime };
  const wanted = Number(process.env["FUZZ_RUNS"] ?? 0);
  return { numRuns: Math.max(few, wanted), endOnFailure: true };
}

/** The seed of scripts in every run of the suite. `npm run fuzz` takes another one each time; `FUZZ_SEED` names one. */
const SCRIPT_SEED = 20;

/**
 * How often scripts are played: the same ones in every run of the suite, `FUZZ_RUNS` others in `npm run fuzz`. With `FUZZ_SHRINK` set, one that
 * fails is made shorter before it is shown.
 */
export function scriptRuns(few: number): { numRuns: number; endOnFailure: boolean; seed?: number } {
  const { FUZZ_RUNS: wanted, FUZZ_SEED: seed, FUZZ_SHRINK: shrinks } = process.env;
  const chosen = seed ?? (wanted === undefined ? SCRIPT_SEED : undefined);
  return {
    numRuns: Math.max(few, Number(wanted ?? 0)),
    endOnFailure: shrinks === undefined,
    ...(chosen === undefined ? {} : { seed: Number(chosen) }),
  };
}

/**
 * Returns how many scripts have to be taken at least: as many as were `measured` with those of every run of the suite, and one of any
 * others.
 */
export function leastTaken(measured: number): number {
  const { FUZZ_RUNS: wanted, FUZZ_SEED: seed } = process.env;
  return wanted === undefined && seed === undefined ? measured : 1;
}

/** Gives names of any bytes, as escaped text; none of the bytes, one character each, matches `without`. */
export function escapedNames(without: RegExp, { least = 1, most = 30 } = {}): Arbitrary<string> {
  const bytes = uint8Array({ minLength: least, maxLength: most }).filter(
    (some) => !without.test(Buffer.from(some).toString("latin1")),
  );
  const text = string({ unit: "binary", minLength: least, maxLength: most }).filter(
    (some) => some.isWellFormed() && !without.test(some),
  );
  return oneof(
    bytes,
    text.map((some) => Buffer.from(some)),
  ).map((some) => escapedText(some));
}

type Edit = { readonly at: number; readonly drop: number; readonly put: Uint8Array; readonly flip: number };

function edits(tokens: readonly string[]): Arbitrary<Edit[]> {
  const token = constantFrom("", ...tokens).map((text) => new Uint8Array(Buffer.from(text, "latin1")));
  const edit = record({
    // fractions of what there is, as its length is not known here
    at: nat(0xffff),
    drop: oneof(nat(3), nat(40)),
    put: oneof(uint8Array({ maxLength: 4 }), token, constant(new Uint8Array(0))),
    flip: nat(255),
  });
  return array(edit, { minLength: 0, maxLength: 4 });
}

function apply(bytes: Uint8Array, { at, drop, put, flip }: Edit): Uint8Array<ArrayBuffer> {
  const from = Math.floor((at / 0x10000) * (bytes.length + 1));
  const made = Buffer.concat([bytes.subarray(0, from), put, bytes.subarray(from + drop)]);
  const changed = made[from];
  if (drop === 0 && put.length === 0 && changed !== undefined) made[from] = changed ^ flip;
  return new Uint8Array(made);
}

/** Gives inputs that are a seed with a few bytes changed, dropped or put in; `tokens` are put in oftener than chance would. */
export function almost(
  seeds: readonly Uint8Array[],
  tokens: readonly string[] = [],
): Arbitrary<Uint8Array<ArrayBuffer>> {
  return record({ seed: constantFrom(...seeds), edits: edits(tokens) }).map(({ seed, edits: list }) =>
    list.reduce<Uint8Array<ArrayBuffer>>(apply, new Uint8Array(seed)),
  );
}

const CONTROLS = ["0000", "0001", "0002"].map(pktLine);

/** Gives messages whose lines are those of a seed, some of them changed, dropped, doubled or swapped, some put in. */
export function almostLines(seeds: readonly (readonly string[])[], tokens: readonly string[]): Arbitrary<PktLine[]> {
  const payloads = seeds
    .flat()
    .map(pktLine)
    .flatMap((line) => (line.kind === "data" ? [line.payload] : []));
  const strange = almost([new Uint8Array(0), ...payloads], tokens).map((payload): PktLine => ({
    kind: "data",
    payload,
  }));
  const text = string({ maxLength: 12 }).map((typed): PktLine => ({ kind: "data", payload: Buffer.from(typed) }));
  const line = oneof(strange, text, constantFrom(...CONTROLS), constantFrom(...seeds.flat().map(pktLine)));
  const change = record({ at: nat(0xffff), drop: nat(2), put: array(line, { maxLength: 2 }) });
  return record({ seed: constantFrom(...seeds), changes: array(change, { maxLength: 3 }) }).map(({ seed, changes }) => {
    const lines = seed.map(pktLine);
    for (const { at, drop, put } of changes) {
      lines.splice(Math.floor((at / 0x10000) * (lines.length + 1)), drop, ...put);
    }
    return lines;
  });
}

/** The sides of all transcripts that `choose` takes: recorded from git's client and server. */
export function recorded(
  choose: (exchange: ReturnType<typeof readTranscript>[number]) => Side | undefined,
): string[][] {
  const sides = transcriptNames().flatMap((name) => readTranscript(name).map(choose));
  const lines = sides.flatMap((side) => (side === undefined || side.lines.length === 0 ? [] : [side.lines]));
  if (lines.length === 0) throw new Error("no transcript to begin with");
  return lines;
}

/** Runs `read`; gives what it made, or `undefined` where it refused with one of the faults named. Any other fault is a bug. */
export function tryTo<Made>(read: () => Made, ...faults: string[]): Made | undefined {
  try {
    return read();
  } catch (error) {
    expect(faults).toContain(error instanceof Error ? error.name : typeof error);
    return undefined;
  }
}
