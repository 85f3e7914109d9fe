/**
 * Inflating in the kernel, compared with its twin and with zlib.
 *
 * @module-tag thorough
 */
import { constants, deflateSync, inflateSync } from "node:zlib";
import { array, assert, constantFrom, nat, property, record, tuple, uint8Array } from "fast-check";
import { describe, expect, it } from "vitest";
import { inflateTwin } from "../../support/kernel-twin/inflate.ts";
import {
  INFLATE_DONE,
  INFLATE_NEED_INPUT,
  INFLATE_NEED_OUTPUT,
  WHOLE_CORRUPT,
  WHOLE_LONGER,
  WHOLE_NEED_INPUT,
  WHOLE_SHORTER,
} from "../../../src/kernel/kernel.ts";
import { INFLATE_FAULTS } from "../../support/kernel-faults.ts";
import { testKernel } from "../../support/kernel.ts";

const kernel = testKernel();
const GUARD = 0xa5;

/** Text with repetitions at all distances, and stretches that don't compress. */
const content = record({
  pieces: array(tuple(uint8Array({ maxLength: 60 }), nat(2000), nat(300)), { maxLength: 60 }),
  level: constantFrom(0, 1, 6, 9),
  strategy: constantFrom(constants.Z_DEFAULT_STRATEGY, constants.Z_FIXED, constants.Z_HUFFMAN_ONLY, constants.Z_RLE),
  windowBits: constantFrom(9, 12, 15),
}).map(({ pieces, level, strategy, windowBits }) => {
  const bytes: number[] = [];
  for (const [fresh, distance, length] of pieces) {
    bytes.push(...fresh);
    for (let i = 0; i < length && bytes.length > 0; i++) {
      bytes.push(bytes[bytes.length - 1 - (distance % bytes.length)] ?? 0);
    }
  }
  const plain = Uint8Array.from(bytes);
  return { plain, stream: new Uint8Array(deflateSync(plain, { level, strategy, windowBits })) };
});

/**
 * Puts `stream` into the window, `after` behind it, and guards around the output. `intact` tells whether the guards
 * are.
 */
function place(stream: Uint8Array, outBytes: number, after = 0): { src: number; dst: number; intact: () => boolean } {
  const src = kernel.windowAt + 100;
  const dst = kernel.ringAt + 100;
  kernel.memory.fill(0xff, kernel.windowAt, src + stream.length + 200);
  kernel.memory.fill(after, src + stream.length, src + stream.length + 100);
  kernel.memory.set(stream, src);
  kernel.memory.fill(GUARD, kernel.ringAt, dst + outBytes + 100);
  const isGuard = (byte: number): boolean => byte === GUARD;
  return {
    src,
    dst,
    intact: () =>
      kernel.memory.subarray(kernel.ringAt, dst).every(isGuard) &&
      kernel.memory.subarray(dst + outBytes, dst + outBytes + 100).every(isGuard),
  };
}

function isInflatable(stream: Uint8Array): boolean {
  try {
    inflateSync(stream);
    return true;
  } catch {
    return false;
  }
}

describe("inflateWhole", () => {
  it("returns the content and the exact length of the input, whatever follows it", () => {
    assert(
      property(content, nat(255), ({ plain, stream }, after) => {
        const { src, dst, intact } = place(stream, plain.length, after);
        expect(kernel.inflateWhole(src, src + stream.length + 100, dst, plain.length)).toBe(stream.length);
        expect(kernel.memory.slice(dst, dst + plain.length)).toEqual(plain);
        expect(kernel.inflateConsumed).toBe(stream.length);
        expect(kernel.inflateProduced).toBe(plain.length);
        expect(intact()).toBe(true);
        expect(kernel.inflateWhole(src, src + stream.length, dst, plain.length)).toBe(stream.length);
        expect(inflateTwin(stream)).toEqual({ kind: "done", output: plain, consumed: stream.length });
      }),
      { numRuns: 300 },
    );
  });

  it("reports a wrong size and a truncated stream, and never writes outside the output", () => {
    assert(
      property(content, nat(), ({ plain, stream }, cut) => {
        const shorter = plain.length - 1 - (cut % Math.max(plain.length, 1));
        if (shorter >= 0) {
          const { src, dst, intact } = place(stream, shorter);
          expect(kernel.inflateWhole(src, src + stream.length, dst, shorter)).toBe(WHOLE_LONGER);
          expect(intact()).toBe(true);
        }
        const { src, dst, intact } = place(stream, plain.length + 1);
        expect(kernel.inflateWhole(src, src + stream.length, dst, plain.length + 1)).toBe(WHOLE_SHORTER);
        const end = src + (cut % stream.length);
        expect(kernel.inflateWhole(src, end, dst, plain.length)).toBe(WHOLE_NEED_INPUT);
        expect(kernel.inflateConsumed).toBe(end - src);
        expect(kernel.inflate(end, src + stream.length, dst, dst + kernel.inflateProduced, dst + plain.length)).toBe(
          INFLATE_DONE,
        );
        expect(intact()).toBe(true);
      }),
      { numRuns: 200 },
    );
  });

  it("agrees with its twin and with zlib on damaged streams, and never writes outside the output", () => {
    const damage = array(tuple(nat(), nat(255)), { minLength: 1, maxLength: 4 });
    assert(
      property(content, damage, ({ stream }, changes) => {
        const damaged = stream.slice();
        for (const [at, value] of changes) damaged[at % damaged.length] = value;
        const twin = inflateTwin(damaged);
        const size = twin.kind === "done" ? twin.output.length : 4096;
        const { src, dst, intact } = place(damaged, size);
        const status = kernel.inflateWhole(src, src + damaged.length, dst, size);
        expect(intact()).toBe(true);
        if (twin.kind === "done") {
          expect(status).toBe(twin.consumed);
          expect(kernel.memory.slice(dst, dst + size)).toEqual(twin.output);
          expect(new Uint8Array(inflateSync(damaged))).toEqual(twin.output);
        } else {
          // The kernel may find the output full before it reaches the damage.
          const allowed = twin.kind === "truncated" ? WHOLE_NEED_INPUT : WHOLE_CORRUPT;
          expect([allowed, WHOLE_LONGER]).toContain(status);
          expect(isInflatable(damaged)).toBe(false);
        }
      }),
      { numRuns: 1000 },
    );
  });
});

describe("inflate", () => {
  it("stops and continues at any byte of input and output", () => {
    const steps = array(tuple(nat(40), nat(40)), { minLength: 1, maxLength: 20 });
    assert(
      property(content, steps, ({ plain, stream }, sizes) => {
        const { src, dst, intact } = place(new Uint8Array(), plain.length);
        kernel.inflateStart();
        let from = 0;
        let to = dst;
        let idle = 0;
        for (let round = 0; ; round++) {
          const [input, output] = idle > 20 ? [1, 1] : (sizes[round % sizes.length] ?? [1, 1]);
          // Behind the piece are not the stream's next bytes, so that a read past its end would show.
          const piece = stream.subarray(from, from + input);
          kernel.memory.fill(round, src, src + 100);
          kernel.memory.set(piece, src);
          const outEnd = Math.min(to + output, dst + plain.length);
          const status = kernel.inflate(src, src + piece.length, dst, to, outEnd);
          idle = kernel.inflateConsumed + kernel.inflateProduced === 0 ? idle + 1 : 0;
          expect(idle).toBeLessThan(50);
          from += kernel.inflateConsumed;
          to += kernel.inflateProduced;
          if (status === INFLATE_DONE) break;
          if (status === INFLATE_NEED_INPUT) expect(kernel.inflateConsumed).toBe(piece.length);
          else {
            expect(status).toBe(INFLATE_NEED_OUTPUT);
            expect(to).toBe(outEnd);
          }
        }
        expect(from).toBe(stream.length);
        expect(to - dst).toBe(plain.length);
        expect(kernel.memory.slice(dst, to)).toEqual(plain);
        expect(intact()).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  it("continues with only the last 32 KiB before the output", () => {
    const plain = new Uint8Array(200_000);
    for (let i = 0; i < plain.length; i++) plain[i] = (Math.imul(i >> 3, 2654435761) >>> (i % 7)) & 63;
    plain.copyWithin(100_000, 100_000 - 32_768 + 258, 140_000);
    const stream = deflateSync(plain, { level: 9 });
    kernel.memory.set(stream, kernel.windowAt);
    kernel.inflateStart();
    const base = kernel.ringAt;
    const output: Uint8Array[] = [];
    let from = kernel.windowAt;
    let to = base;
    for (let status = -1; status !== INFLATE_DONE;) {
      status = kernel.inflate(from, kernel.windowAt + stream.length, base, to, to + 10_000);
      expect(status).toBeGreaterThanOrEqual(0);
      from += kernel.inflateConsumed;
      output.push(kernel.memory.slice(to, to + kernel.inflateProduced));
      to += kernel.inflateProduced;
      const kept = Math.min(to - base, 32_768);
      kernel.memory.copyWithin(base, to - kept, to);
      to = base + kept;
    }
    expect(Buffer.compare(Buffer.concat(output), plain)).toBe(0);
  });

  it("reports each fault, and reports it again", () => {
    const faults = {
      "incorrect header check": "789d",
      "needs dictionary": "78bb",
      "invalid block type": "789c07",
      "invalid stored block lengths": "789c010500ffff",
      "invalid code lengths set": "789cfdffff",
      "invalid code": "789c1b03",
      "invalid distance too far back": "789c0302",
      "incorrect data check": "789c030000000000",
    };
    const { src, dst } = place(new Uint8Array(), 100);
    for (const [fault, hex] of Object.entries(faults)) {
      const stream = Buffer.from(hex, "hex");
      kernel.memory.set(stream, src);
      kernel.inflateStart();
      const status = kernel.inflate(src, src + stream.length, dst, dst, dst + 100);
      expect(INFLATE_FAULTS[status]).toBe(fault);
      expect(kernel.inflate(src, src + stream.length, dst, dst, dst + 100)).toBe(status);
    }
  });

  it("accepts many empty blocks, and an empty stream", () => {
    const empty = Buffer.from(`789c${"000000ffff".repeat(1000)}010000ffff00000001`, "hex");
    const { src, dst, intact } = place(empty, 0);
    expect(kernel.inflateWhole(src, src + empty.length, dst, 0)).toBe(empty.length);
    expect(intact()).toBe(true);
  });
});
