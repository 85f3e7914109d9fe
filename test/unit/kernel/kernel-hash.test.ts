import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";
import { array, assert, constantFrom, nat, property, tuple, uint8Array } from "fast-check";
import { describe, expect, it } from "vitest";
import { toHex } from "../../../src/bytes/hex.ts";
import { sha1Twin } from "../../support/kernel-twin/sha1.ts";
import type { Kernel } from "../../../src/kernel/kernel.ts";
import { TYPE_NUMBER } from "../../../src/object/object-type.ts";
import { testKernel } from "../../support/kernel.ts";
import { nodeHash } from "../../support/store.ts";
import { shatteredBlocks } from "../../support/shattered.ts";

const sha1 = testKernel();
const sha256 = testKernel({ rawSize: 32 });
const native = testKernel({ rawSize: 32, hash: nodeHash });
const kernels = [
  ["sha1", "sha1", sha1],
  ["sha256", "sha256", sha256],
  ["sha256 of the platform", "sha256", native],
] as const;

function hash(kernel: Kernel, bytes: Uint8Array): { digest: string; collision: boolean } {
  kernel.memory.set(bytes, kernel.ringAt);
  kernel.hashStart(0, 0);
  kernel.hashUpdate(kernel.ringAt, bytes.length);
  const collision = kernel.hashFinish(kernel.scratchAt);
  return { digest: toHex(kernel.memory, kernel.scratchAt, kernel.scratchAt + kernel.rawSize), collision };
}

const content = tuple(nat(3000), nat()).map(([length, seed]) =>
  Uint8Array.from({ length }, (_, i) => Math.imul(i + seed, 2654435761) >>> 24),
);

describe.each(kernels)("the kernel's %s", (_title, name, kernel) => {
  it("gives the digests of node:crypto, at every length around a block's", () => {
    for (let length = 0; length < 200; length++) {
      const bytes = Uint8Array.from({ length }, (_, i) => (i * 37 + length) & 255);
      expect(hash(kernel, bytes)).toEqual({
        digest: createHash(name).update(bytes).digest("hex"),
        collision: false,
      });
    }
  });

  it("names objects, in one piece and in several", () => {
    const types = constantFrom("commit", "tree", "blob", "tag");
    assert(
      property(content, types, array(nat(500), { minLength: 1 }), nat(3), (bytes, type, cuts, context) => {
        const expected = createHash(name).update(`${type} ${bytes.length}\0`).update(bytes).digest("hex");
        const at = kernel.ringAt + 3;
        kernel.memory.set(bytes, at);
        kernel.hashStart(TYPE_NUMBER[type], bytes.length, context);
        kernel.hashStart(0, 0, (context + 1) & 3);
        for (let done = 0, i = 0; done < bytes.length; i++) {
          const length = Math.min((cuts[i % cuts.length] ?? 0) + 1, bytes.length - done);
          kernel.hashUpdate(at + done, length, context);
          kernel.hashUpdate(at, 1, (context + 1) & 3);
          done += length;
        }
        expect(kernel.hashFinish(kernel.scratchAt, context)).toBe(false);
        expect(toHex(kernel.memory, kernel.scratchAt, kernel.scratchAt + kernel.rawSize)).toBe(expected);
        expect(kernel.hashObject(TYPE_NUMBER[type], at, bytes.length, kernel.scratchAt + 64)).toBe(false);
        expect(toHex(kernel.memory, kernel.scratchAt + 64, kernel.scratchAt + 64 + kernel.rawSize)).toBe(expected);
      }),
    );
  });

  it("names a blob of more than 4 GiB by its stated size", () => {
    const size = 2 ** 33 + 12345;
    const expected = createHash(name).update(`blob ${size}\0abc`).digest("hex");
    kernel.memory.set(new TextEncoder().encode("abc"), kernel.ringAt);
    kernel.hashStart(TYPE_NUMBER.blob, size);
    kernel.hashUpdate(kernel.ringAt, 3);
    kernel.hashFinish(kernel.scratchAt);
    expect(toHex(kernel.memory, kernel.scratchAt, kernel.scratchAt + kernel.rawSize)).toBe(expected);
  });
});

describe("SHA-1 collision detection", () => {
  const attacked = shatteredBlocks();

  it.each(attacked.map((bytes, i) => [i + 1, bytes] as const))("detects the attack in SHAttered %i", (_, bytes) => {
    expect(hash(sha1, bytes)).toEqual({ digest: "f92d74e3874587aaf443d1db961d4e26dde13e9c", collision: true });
    expect(hash(sha1, bytes.subarray(0, 256)).collision).toBe(sha1Twin(bytes.subarray(0, 256)).collision);
    expect(hash(sha1, bytes.subarray(0, 192)).collision).toBe(false);
  });

  it("detects the attack in the middle of a stream, in any context, and not in the next hash", () => {
    const [bytes = new Uint8Array()] = attacked;
    const at = sha1.ringAt;
    sha1.memory.set(bytes, at);
    sha1.hashStart(0, 0, 2);
    for (let done = 0; done < 320; done += 40) sha1.hashUpdate(at + done, 40, 2);
    for (let more = 0; more < 10; more++) sha1.hashUpdate(at, 100, 2);
    expect(sha1.hashFinish(sha1.scratchAt, 2)).toBe(true);
    sha1.hashStart(0, 0, 2);
    expect(sha1.hashFinish(sha1.scratchAt, 2)).toBe(false);
    // The header of an object shifts the blocks, so that the attack does not work any more.
    expect(sha1.hashObject(TYPE_NUMBER.blob, at, 320, sha1.scratchAt)).toBe(false);
  });

  it("agrees with the unfiltered search on messages that differ from an attack by one bit", () => {
    assert(
      property(constantFrom(0, 1), nat(319), nat(7), (which, at, bit) => {
        const bytes = attacked[which]?.slice() ?? new Uint8Array();
        bytes[at] = (bytes[at] ?? 0) ^ (1 << bit);
        const { digest, collision } = hash(sha1, bytes);
        expect(digest).toBe(createHash("sha1").update(bytes).digest("hex"));
        expect(collision).toBe(sha1Twin(bytes).collision);
        // The attack of the second block depends on everything before it.
        expect(collision).toBe(false);
      }),
      { numRuns: 60 },
    );
  });

  it("detects no attack in ordinary messages", () => {
    assert(
      property(uint8Array({ maxLength: 300 }), (bytes) => {
        const { words, collision } = sha1Twin(bytes);
        expect(collision).toBe(false);
        const digest = words.map((word) => word.toString(16).padStart(8, "0")).join("");
        expect(hash(sha1, bytes)).toEqual({ digest, collision: false });
      }),
      { numRuns: 30 },
    );
  });
});

describe("checksums", () => {
  const kernel = sha1;

  it("crc32 is the same as zlib's, wherever it is continued", () => {
    assert(
      property(content, nat(3000), nat(7), (bytes, cut, shift) => {
        const first = Math.min(cut, bytes.length);
        const at = kernel.ringAt + shift;
        kernel.memory.set(bytes, at);
        const crc = kernel.crc32(kernel.crc32(0, at, first), at + first, bytes.length - first);
        expect(crc).toBe(crc32(bytes));
      }),
    );
  });

  it("adler32 is as defined, wherever it is continued, and does not overflow", () => {
    const check = (bytes: Uint8Array, first: number, shift: number): void => {
      let low = 1;
      let high = 0;
      for (const byte of bytes) {
        low = (low + byte) % 65521;
        high = (high + low) % 65521;
      }
      const at = kernel.ringAt + shift;
      kernel.memory.set(bytes, at);
      const sum = kernel.adler32(kernel.adler32(1, at, first), at + first, bytes.length - first);
      expect(sum).toBe(high * 65536 + low);
    };
    assert(
      property(content, nat(3000), nat(15), (bytes, cut, shift) => check(bytes, Math.min(cut, bytes.length), shift)),
    );
    for (const length of [5535, 5536, 5537, 5552, 11_072, 100_003]) check(new Uint8Array(length).fill(255), 65, 1);
  });
});
