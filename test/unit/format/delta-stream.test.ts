/** A delta that is read in pieces gives the same object as one that is applied whole. */
import { array, assert, nat, property, uint8Array } from "fast-check";
import { describe, expect, it } from "vitest";
import { applyDelta, createDelta } from "../../support/delta.ts";
import { DeltaStream } from "../../../src/format/delta-stream.ts";

/** Applies a delta that comes in pieces. Their lengths are those of `lengths`, over and over. */
function applyInPieces(base: Uint8Array, delta: Uint8Array, lengths: readonly number[]): Uint8Array {
  const stream = new DeltaStream();
  const pieces: Uint8Array[] = [];
  let resultSize = -1;
  for (let at = 0, i = 0; at < delta.length; i++) {
    const length = 1 + (lengths[i % lengths.length] ?? 0);
    for (const step of stream.read(delta.slice(at, at + length))) {
      if (step.kind === "sizes") {
        expect(step.baseSize).toBe(base.length);
        resultSize = step.resultSize;
      } else if (step.kind === "copy") pieces.push(base.subarray(step.offset, step.offset + step.length));
      else pieces.push(step.bytes.slice());
    }
    at += length;
  }
  stream.end();
  const result = Buffer.concat(pieces);
  expect(resultSize).toBe(result.length);
  return result;
}

describe("DeltaStream", () => {
  it("yields the steps that make the target, however the delta is cut", () => {
    const shape = property(
      uint8Array({ minLength: 0, maxLength: 300 }),
      array(nat({ max: 250 }), { minLength: 1, maxLength: 6 }),
      array(nat({ max: 40 }), { minLength: 1, maxLength: 5 }),
      (base, cuts, lengths) => {
        const pieces = cuts.map((cut, i) => (i % 2 === 0 ? base.subarray(cut) : Uint8Array.of(cut, i)));
        const target = Buffer.concat([...pieces, ...pieces]);
        const delta = createDelta(base, target);
        expect(Buffer.compare(applyInPieces(base, delta, lengths), target)).toBe(0);
      },
    );
    assert(shape, { numRuns: 300 });
  });

  it("makes the same object of any bytes as applyDelta does", () => {
    const base = Uint8Array.from({ length: 70_000 }, (_, i) => i % 251);
    const shape = property(uint8Array({ maxLength: 30 }), nat({ max: 5 }), (operations, length) => {
      const resultSize = operations.length * 3;
      const delta = Uint8Array.of(0xf0, 0xa2, 0x04, resultSize, ...operations);
      const outcome = (run: () => Uint8Array): string => {
        try {
          return Buffer.from(run()).toString("latin1");
        } catch (error) {
          return error instanceof Error ? error.name : "";
        }
      };
      const whole = outcome(() => applyDelta(base, delta));
      // The consumer of the steps checks the range of a copy and the size of the result, so refusals may differ.
      if (whole !== "ObjectRejected") expect(outcome(() => applyInPieces(base, delta, [length]))).toBe(whole);
    });
    assert(shape, { numRuns: 1000 });
    expect.hasAssertions();
  });

  it.each([
    ["nothing", []],
    ["one size", [6]],
    ["a size that is cut", [6, 0x80]],
    ["an insert that is cut", [6, 3, 3, 65]],
    ["a copy that is cut", [6, 3, 0x91, 0]],
    ["the reserved operation", [6, 3, 0]],
    ["a size past 2^53", [6, ...Array<number>(8).fill(0xff), 1]],
  ])("refuses %s", (_what, bytes) => {
    const run = (): void => {
      const stream = new DeltaStream();
      for (const byte of bytes) for (const step of stream.read(Uint8Array.of(byte))) expect(step.kind).not.toBe("copy");
      stream.end();
    };
    expect(run).toThrow("failed to apply delta");
  });
});
