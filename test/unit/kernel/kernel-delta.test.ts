import { array, assert, nat, oneof, property, tuple, uint8Array } from "fast-check";
import { describe, expect, it } from "vitest";
import { applyDeltaTwin } from "../../support/kernel-twin/delta.ts";
import { DELTA_FAULTS } from "../../support/kernel-faults.ts";
import { testKernel } from "../../support/kernel.ts";

const kernel = testKernel({ ringBytes: 8 << 20 });
const GUARD = 0xa5;

function sizeBytes(size: number): number[] {
  return size < 128 ? [size] : [(size % 128) | 128, ...sizeBytes(Math.floor(size / 128))];
}

/** Encodes a copy, in the shortest form or, if `padded`, with all its bytes. */
function copyBytes(offset: number, length: number, padded: boolean): number[] {
  let instruction = 128;
  const operands: number[] = [];
  const put = (value: number, count: number, firstBit: number): void => {
    for (let i = 0; i < count; i++) {
      const byte = Math.floor(value / 256 ** i) % 256;
      if (byte === 0 && !padded) continue;
      instruction |= 1 << (firstBit + i);
      operands.push(byte);
    }
  };
  put(offset, 4, 0);
  put(length === 0x10000 ? 0 : length, 3, 4);
  return [instruction, ...operands];
}

const instruction = oneof(
  tuple(nat(99_999), nat(400), nat(1)).map(([offset, length, padded]) => ({ copy: { offset, length, padded } })),
  tuple(nat(99_999), nat(0x10fff), nat(1)).map(([offset, length, padded]) => ({ copy: { offset, length, padded } })),
  uint8Array({ minLength: 1, maxLength: 127 }).map((literal) => ({ literal })),
);

/** A base, and a valid delta for it. */
const pairs = tuple(nat({ max: 70_000 }), array(instruction, { minLength: 1, maxLength: 30 })).map(
  ([length, parts]) => {
    const base = Uint8Array.from({ length }, (_, i) => (Math.imul(i, 2654435761) >>> 23) & 255);
    const body: number[] = [];
    let size = 0;
    for (const part of parts) {
      if ("literal" in part) {
        body.push(part.literal.length, ...part.literal);
        size += part.literal.length;
      } else {
        const offset = part.copy.offset % (length + 1);
        const copied = Math.min(part.copy.length, length - offset);
        if (copied === 0) continue;
        body.push(...copyBytes(offset, copied, part.copy.padded === 1));
        size += copied;
      }
    }
    return { base, delta: Uint8Array.from([...sizeBytes(length), ...sizeBytes(size), ...body]), size };
  },
);

/** Applies `delta` with guard bytes around the result. Returns the result, or the code of the fault. */
function apply(base: Uint8Array, delta: Uint8Array, size: number): Uint8Array | number {
  const room = roomFor(base.length, delta.length, size);
  kernel.memory.fill(GUARD, room.result - 64, room.result + size + 64);
  kernel.memory.set(base, room.base);
  kernel.memory.set(delta, room.delta);
  const status = kernel.applyDelta(room.base, base.length, room.delta, delta.length, room.result, size);
  const around = [
    ...kernel.memory.subarray(room.result - 64, room.result),
    ...kernel.memory.subarray(room.result + size, room.result + size + 64),
  ];
  expect(around.every((byte) => byte === GUARD)).toBe(true);
  return status === 0 ? kernel.memory.slice(room.result, room.result + size) : status;
}

function roomFor(base: number, delta: number, size: number): { base: number; delta: number; result: number } {
  expect(base + size + 1000).toBeLessThan(8 << 20);
  expect(delta).toBeLessThan(1 << 20);
  return { base: kernel.ringAt, delta: kernel.windowAt, result: kernel.ringAt + base + 100 };
}

describe("applyDelta", () => {
  it("makes the object that its twin makes", () => {
    assert(
      property(pairs, ({ base, delta, size }) => {
        const twin = applyDeltaTwin(base, delta);
        const result = apply(base, delta, size);
        if (delta.length < 4) expect(result).toBe(-1);
        else expect(Buffer.compare(result as Uint8Array, twin ?? new Uint8Array())).toBe(0);
        expect(twin === undefined).toBe(delta.length < 4);
      }),
      { numRuns: 60 },
    );
  });

  it("refuses what its twin refuses, and never writes outside the result", () => {
    const changes = array(tuple(nat(), nat(255)), { maxLength: 3 });
    assert(
      property(pairs, changes, nat(), ({ base, delta, size }, edits, cut) => {
        const damaged = delta.slice(0, delta.length - (edits.length === 0 ? cut % delta.length : 0));
        for (const [at, value] of edits) damaged[at % damaged.length] = value;
        const twin = applyDeltaTwin(base, damaged);
        const result = apply(base, damaged, size);
        if (twin !== undefined && twin.length === size) expect(Buffer.compare(result as Uint8Array, twin)).toBe(0);
        else expect(DELTA_FAULTS[result as number]).toBeDefined();
      }),
      { numRuns: 200 },
    );
  });

  it.each([
    ["is truncated", [4, 4, 2]],
    ["is truncated", [4, 4, 0x91]],
    ["is truncated", [4, 4, 0x91, 0]],
    ["is for a base", [5, 4, 0x90, 4]],
    ["makes an object", [4, 5, 0x90, 4]],
    ["makes an object", [4, 4, 0x90, 3]],
    ["copies out", [4, 4, 0x91, 1, 4]],
    ["copies out", [4, 4, 0x98, 0xff, 4]],
    ["copies out", [4, 4, 0x80, 0x80]],
    ["copies out", [4, 4, 0x90, 4, 0x90, 1]],
    ["inserts out", [4, 4, 5, 1, 2, 3, 4, 5]],
    ["inserts out", [4, 4, 4, 1, 2, 3]],
    ["has a reserved", [4, 4, 0x90, 4, 0]],
    ["states an", [255, 255, 255, 255, 255, 255, 255, 255, 127, 4, 0x90]],
    ["is truncated", [128, 128, 128, 128]],
  ])("reports that a delta %s: %j", (fault, bytes) => {
    const result = apply(new Uint8Array(4), Uint8Array.from(bytes), 4);
    expect(DELTA_FAULTS[result as number]).toContain(fault);
  });
});

describe("deltaSizes", () => {
  it("reads both sizes exactly, up to 2^53", () => {
    const size = oneof(nat(300), nat({ max: Number.MAX_SAFE_INTEGER }));
    assert(
      property(size, size, (base, result) => {
        const header = [...sizeBytes(base), ...sizeBytes(result)];
        kernel.memory.set([...header, 0x90], kernel.windowAt);
        expect(kernel.deltaSizes(kernel.windowAt, header.length + 1)).toBe(header.length);
        expect([kernel.deltaBaseSize, kernel.deltaResultSize]).toEqual([base, result]);
        expect(kernel.deltaSizes(kernel.windowAt, header.length - 1)).toBe(-1);
      }),
    );
    kernel.memory.set([...sizeBytes(2 ** 53), 0], kernel.windowAt);
    expect(kernel.deltaSizes(kernel.windowAt, 12)).toBe(-7);
  });
});
