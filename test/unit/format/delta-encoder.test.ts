import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DeltaBase } from "../../../src/format/delta-encoder.ts";
import { applyDelta } from "../../support/delta.ts";
import { noise } from "../../support/git-fixtures.ts";

describe("DeltaBase", () => {
  it("makes a delta that is right and within its bound, or none", () => {
    const piece = fc.uint8Array({ maxLength: 60 });
    const edits = fc.array(fc.tuple(fc.nat(400), fc.nat(200), piece), { maxLength: 6 });
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), edits, fc.nat(300), (bytes, changes, most) => {
        const target = Uint8Array.from(changes.flatMap(([at, n, added]) => [...bytes.subarray(at, at + n), ...added]));
        const base = new DeltaBase(bytes);
        const unbounded = base.deltaTo(target);
        const delta = base.deltaTo(target, most);
        expect(delta === undefined).toBe((unbounded?.length ?? 0) > most);
        if (delta !== undefined) expect([...applyDelta(bytes, delta)]).toEqual([...target]);
      }),
    );
  });

  it("takes the longest of several places that begin alike", () => {
    const head = noise(32, 1);
    const tails = [2, 3, 4].map((seed) => noise(400, seed));
    const bytes = Uint8Array.from(tails.flatMap((tail) => [...head, ...tail]));
    const target = Uint8Array.from([...head, ...(tails[2] ?? [])]);
    const delta = new DeltaBase(bytes).deltaTo(target);
    expect(delta?.length).toBeLessThan(20);
  });

  it("is done soon with content that repeats itself", () => {
    const base = new DeltaBase(new Uint8Array(200_000));
    const target = new Uint8Array(200_000).fill(0, 0, 100_000);
    target[150_000] = 1;
    const delta = base.deltaTo(target);
    expect(delta?.length).toBeLessThan(100);
    expect(Buffer.from(applyDelta(base.bytes, delta ?? new Uint8Array(0))).equals(Buffer.from(target))).toBe(true);
  });

  it("makes a right delta also where all hashes meet and it stops looking everywhere", () => {
    // With the factor 31, "Aa" and "BB" have one hash, and so has every block of them.
    const words = (seed: number, n: number): Uint8Array =>
      Uint8Array.from([...noise(n, seed)].flatMap((byte) => (byte % 2 === 0 ? [0x41, 0x61] : [0x42, 0x42])));
    const base = new DeltaBase(words(1, 40_000));
    const target = words(2, 40_000);
    const delta = base.deltaTo(target);
    expect(Buffer.from(applyDelta(base.bytes, delta ?? new Uint8Array(0))).equals(Buffer.from(target))).toBe(true);
  });
});
