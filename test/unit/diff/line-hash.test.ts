/** The hash of lines, and what lines of one hash take: strangers choose the lines. */
import { expect, it } from "vitest";
import { u32At } from "../../../src/bytes/assert.ts";
import { lineHash, type LineHash, TURN_STEPS } from "../../../src/diff/line-hash.ts";
import { tabulate } from "../../../src/diff/line-table.ts";
import { cutPair, VersionDiffs } from "../../../src/diff/versions.ts";
import { pseudoRandom } from "../../support/store.ts";

/** Of all lines the same. */
const colliding: LineHash = () => 7;
const even = lineHash(0x9e37_79b1, 0x85eb_ca6b, 0x27d4_eb2f);
const LONGEST_LINE = 100;

function bytesOf(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, "latin1"));
}

/** Returns lines that begin alike: what is compared in vain are most of their bytes. */
function lines(from: number, count: number): string {
  return Array.from({ length: count }, (_, at) => `${"begins alike ".repeat(5)}${from + at}\n`).join("");
}

type Run<T> = { readonly value: T; readonly steps: number; readonly most: number };

function finished<T>(search: Generator<number, T, undefined>): Run<T> {
  let [steps, most] = [0, 0];
  for (let next = search.next(); ; next = search.next()) {
    if (next.done === true) return { value: next.value, steps, most };
    steps += next.value;
    most = Math.max(most, next.value);
  }
}

/** Classes the lines of two files, as one that compares two files does. */
function ofFiles(before: string, after: string, hash: LineHash): Run<readonly (readonly number[])[]> {
  const { value, ...rest } = finished(tabulate(bytesOf(before), bytesOf(after), "exact", hash));
  return { ...rest, value: [[...value.before.classes], [...value.after.classes]] };
}

/** Classes the lines of two versions of a file, as a blame does, and compares them. */
function ofVersions(before: string, after: string, hash: LineHash): Run<readonly (readonly number[])[]> {
  const cut = finished(cutPair({ bytes: bytesOf(before), hash }, { bytes: bytesOf(after), hash }, 1_000_000));
  if (cut.value === undefined) throw new Error("a version has too many lines");
  const { value, ...rest } = finished(new VersionDiffs().diff(cut.value));
  return { ...rest, value: [[...value.before.classes], [...value.after.classes]] };
}

it.each([
  ["two files", ofFiles],
  ["versions of a file", ofVersions],
])("of %s, lines of one hash count for what they take, with pauses, and have the same classes", (_, classes) => {
  const [before, after] = [lines(0, 1500), `new\n${lines(500, 1500)}end\n`];
  const [worst, usual] = [classes(before, after, colliding), classes(before, after, even)];
  expect(worst.value).toEqual(usual.value);
  // Each line is compared with each other one at least once: with half of them until it is found, or found to be new.
  const pairs = (1500 * 1500) / 2;
  expect(worst.steps).toBeGreaterThan(pairs);
  // The first report is that of both texts, of 104,000 bytes each.
  expect(worst.most).toBeLessThan(3 * TURN_STEPS);
  expect(usual.steps).toBeLessThan(worst.steps / 10);
});

it("counts what lines of one hash have in common, as far as that is looked at", () => {
  const far = (name: string): string =>
    Array.from({ length: 300 }, (_, at) => `${"x".repeat(LONGEST_LINE)}${name}${at + 100}\n`).join("");
  const near = (name: string): string =>
    Array.from({ length: 300 }, (_, at) => `${name}${at + 100}${"x".repeat(LONGEST_LINE)}\n`).join("");
  const steps = (text: (name: string) => string): number => ofFiles(text("a"), text("b"), colliding).steps;
  expect(steps(far)).toBeGreaterThan(5 * steps(near));
});

it("has other collisions for other numbers", () => {
  const random = pseudoRandom(11);
  const hashes = Array.from({ length: 4 }, () =>
    lineHash(2 * random(2 ** 31) + 1, 2 * random(2 ** 31) + 1, random(2 ** 32)),
  );
  // Pairs of blocks that a hash of one product can't tell apart: the highest bit of a word, and what it becomes.
  let same = 0;
  for (let at = 0; at < 2000; at++) {
    const words = new Uint32Array([random(2 ** 32), random(2 ** 32)]);
    for (const cancel of [0x8000_0000, 0x8001_0000, 0x8000_8000, 1 << (at % 32)]) {
      const other = new Uint32Array([u32At(words, 0) ^ 0x8000_0000, u32At(words, 1) ^ cancel]);
      for (const hash of hashes)
        if (hash(new Uint8Array(words.buffer), 0, 8) === hash(new Uint8Array(other.buffer), 0, 8)) same++;
    }
  }
  expect(same).toBe(0);
});

it("spreads lines that differ little over the slots of a table", () => {
  const slots = new Set<number>();
  for (let at = 0; at < 4096; at++) {
    const bytes = bytesOf(`${at}\n`);
    slots.add(even(bytes, 0, bytes.length) & 0xffff);
  }
  expect(slots.size).toBeGreaterThan(3800);
});
