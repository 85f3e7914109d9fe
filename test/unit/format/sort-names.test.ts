/** Names of objects in the order in which an index has them, few or many, and with beginnings that are alike. */
import { randomBytes } from "node:crypto";
import { expect, it } from "vitest";
import { sortNames } from "../../../src/format/sort-names.ts";
import { atOnce } from "../../../src/bytes/pacer.ts";

const RAW_SIZE = 20;
const STRIDE = 24;

/** Makes names of which each `alike` in a row begin alike, and each tenth is there twice. */
function table(count: number, alike: number): Uint8Array {
  const names = new Uint8Array(count * STRIDE);
  let state = 12_345;
  const next = (): number => (state = (state * 1_103_515_245 + 12_345) & 0x7fffffff) >>> 16;
  for (let entry = 0; entry < count; entry++) {
    for (let at = 0; at < RAW_SIZE; at++) names[entry * STRIDE + at] = next() & 255;
    if (entry % alike !== 0) names.copyWithin(entry * STRIDE, (entry - 1) * STRIDE, (entry - 1) * STRIDE + 8);
    if (entry % 10 === 9) names.copyWithin(entry * STRIDE, (entry - 5) * STRIDE, (entry - 5) * STRIDE + RAW_SIZE);
  }
  return names;
}

it.each([0, 1, 2, 3, 100, 1023, 1024, 1025, 5000])("%i names are in order, and equal ones as they came", (count) => {
  for (const alike of [1, 7]) {
    const names = table(count, alike);
    const nameOf = (entry: number): Buffer => Buffer.from(names.subarray(entry * STRIDE, entry * STRIDE + RAW_SIZE));
    const plain = Array.from({ length: count }, (_, entry) => entry).toSorted(
      (a, b) => Buffer.compare(nameOf(a), nameOf(b)) || a - b,
    );
    expect([...atOnce(sortNames({ names, stride: STRIDE, rawSize: RAW_SIZE }, count))]).toEqual(plain);
  }
});

it("many names are sorted in parts, each of which is a small one", () => {
  const count = 200_000;
  const names = new Uint8Array(randomBytes(count * RAW_SIZE));
  const parts = [...sortNames({ names, stride: RAW_SIZE, rawSize: RAW_SIZE }, count)];
  expect(Math.max(...parts)).toBeLessThan(300_000);
  expect(parts.reduce((sum, steps) => sum + steps, 0)).toBeGreaterThan(10 * count);
});
