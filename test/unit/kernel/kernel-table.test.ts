/**
 * The kernel's table of object names.
 *
 * @module-tag thorough
 */
import { describe, expect, it } from "vitest";
import { LimitExceeded } from "../../../src/bytes/failure.ts";
import { toHex } from "../../../src/bytes/hex.ts";
import type { Kernel } from "../../../src/kernel/kernel.ts";
import { testKernel } from "../../support/kernel.ts";

function put(kernel: Kernel, name: Uint8Array): number {
  kernel.memory.set(name, kernel.scratchAt);
  return kernel.scratchAt;
}

function nameOf(kernel: Kernel, index: number): string {
  const at = kernel.oidAt(index);
  return toHex(kernel.memory, at, at + kernel.rawSize);
}

/** Names like those of hashes, of attackers (all but four bytes are equal), and of counters. */
function* names(rawSize: number, count: number): Generator<Uint8Array> {
  for (let i = 0; i < count; i++) {
    if (i % 2 === 0) {
      const name = new Uint8Array(rawSize);
      const view = new DataView(name.buffer);
      for (let at = 0, word = i; at < rawSize; at += 4) {
        word = Math.imul(word ^ (word >>> 15), 0x2c1b3c6d) + at;
        view.setUint32(at, word);
      }
      yield name;
    } else {
      const name = new Uint8Array(rawSize).fill(i % 4 === 1 ? 0 : 0xff);
      const at = [0, rawSize - 4, 8][i % 3] ?? 0;
      new DataView(name.buffer).setUint32(at, i, i % 8 < 4);
      yield name;
    }
  }
}

describe.each([20, 32])("the name table, with names of %i bytes", (rawSize) => {
  it("finds every name, its flags and its value, while it grows", () => {
    const kernel = testKernel({ rawSize });
    const before = kernel.byteLength;
    const known = new Map<string, number>();
    for (const name of names(rawSize, 200_000)) {
      const hex = toHex(name);
      const at = put(kernel, name);
      const index = kernel.oidFind(at);
      if (index !== (known.get(hex) ?? -1)) expect.fail(`${hex} found as ${index}`);
      const added = kernel.oidAdd(at);
      if (added !== (known.get(hex) ?? known.size)) expect.fail(`${hex} added as ${added}`);
      if (!known.has(hex)) {
        if (kernel.flagsOf(added) !== 0 || kernel.valueOf(added) !== 0) expect.fail("not zero to begin with");
        kernel.setFlags(added, added & 0xff);
        kernel.orFlags(added, 0x8000_0000);
        kernel.setValue(added, ~added);
        known.set(hex, added);
      }
    }
    expect(kernel.oidCount).toBe(known.size);
    expect(known.size).toBeGreaterThan(195_000);
    expect(kernel.byteLength).toBeGreaterThan(before);
    for (const [hex, index] of known) {
      if (nameOf(kernel, index) !== hex) expect.fail(`${index} has become ${nameOf(kernel, index)}`);
      if (kernel.flagsOf(index) !== ((index & 0xff) | 0x8000_0000) >>> 0) expect.fail("flags lost");
      if (kernel.valueOf(index) !== ~index >>> 0) expect.fail("value lost");
    }
    kernel.reset();
    expect(kernel.oidCount).toBe(0);
    expect(kernel.oidFind(kernel.scratchAt)).toBe(-1);
    expect(kernel.oidAdd(kernel.scratchAt)).toBe(0);
    expect(kernel.flagsOf(0)).toBe(0);
  });
});

describe("the name table", () => {
  it("reports that it may not grow, and stays as it was", () => {
    const maxBytes = 4 << 20;
    const kernel = testKernel({ maxBytes });
    const name = new Uint8Array(20);
    const add = (i: number): number => {
      new DataView(name.buffer).setUint32(8, i);
      return kernel.oidAdd(put(kernel, name));
    };
    let count = 0;
    expect(() => {
      for (; count < 1_000_000; count++) add(count);
    }).toThrow(LimitExceeded);
    expect(count).toBeGreaterThan(40_000);
    expect(kernel.byteLength).toBeLessThanOrEqual(maxBytes);
    expect(kernel.oidCount).toBe(count);
    for (let i = 0; i < count; i++) if (add(i) !== i) expect.fail(`${i} lost`);
    expect(() => add(count)).toThrow(LimitExceeded);
    expect(() => testKernel({ maxBytes: 1 << 20 })).toThrow(LimitExceeded);
  });

  it("spreads names that differ in few bits", () => {
    const count = 90_000;
    /** Returns the longest run of taken slots, which bounds the slots that a look-up visits. */
    const longestRun = (nameAt: (i: number, into: DataView) => void): number => {
      const kernel = testKernel();
      const view = new DataView(new ArrayBuffer(20));
      for (let i = 0; i < count; i++) {
        nameAt(i, view);
        kernel.oidAdd(put(kernel, new Uint8Array(view.buffer)));
      }
      expect(kernel.oidCount).toBe(count);
      // The slots are before the entries. Their number is a power of two, and at most three quarters are taken.
      const slots = 2 ** Math.ceil(Math.log2((count * 4) / 3));
      const table = new Uint32Array(kernel.memory.buffer, kernel.oidAt(0) - slots * 4, slots);
      let [longest, run, taken] = [0, 0, 0];
      for (const slot of table) {
        run = slot === 0 ? 0 : run + 1;
        longest = Math.max(longest, run);
        if (slot !== 0) taken += 1;
      }
      expect(taken).toBe(count);
      return longest;
    };
    for (const at of [0, 4, 8, 12, 16]) {
      expect(longestRun((i, view) => view.setUint32(at, i, true))).toBeLessThan(2000);
      expect(longestRun((i, view) => view.setUint32(at, i << 12))).toBeLessThan(2000);
    }
  });
});
