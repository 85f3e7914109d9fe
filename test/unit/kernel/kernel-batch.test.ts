import { createHash } from "node:crypto";
import { array, assert, constantFrom, nat, oneof, property, record } from "fast-check";
import { beforeEach, describe, expect, it } from "vitest";
import { toHex } from "../../../src/bytes/hex.ts";
import type { Kernel } from "../../../src/kernel/kernel.ts";
import { TYPE_NUMBER } from "../../../src/object/object-type.ts";
import { testKernel } from "../../support/kernel.ts";
import { nodeHash } from "../../support/store.ts";
import { shatteredBlocks } from "../../support/shattered.ts";

const RING = 8 << 20;
const sha1 = testKernel({ ringBytes: RING });
const sha256 = testKernel({ ringBytes: RING, rawSize: 32 });
const native = testKernel({ ringBytes: RING, rawSize: 32, hash: nodeHash });
const kernels = [
  ["sha1", "sha1", sha1],
  ["sha256", "sha256", sha256],
  ["sha256 of the platform", "sha256", native],
] as const;

/** The type names by number; 0 stands for plain bytes. */
const TYPES = ["", "commit", "tree", "blob", "tag"];

/** A message. `type` is the parameter of `hashObject`. */
type Message = { readonly type: number; readonly bytes: Uint8Array };

/** A digest, and whether a collision was detected. */
type Outcome = { readonly digest: string; readonly collision: boolean };

function noise(length: number, seed: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => Math.imul(i + Math.imul(seed, 40503), 2654435761) >>> (i % 25));
}

function digestBy(name: string, { type, bytes }: Message): string {
  const hash = createHash(name);
  if (type !== 0) hash.update(`${TYPES[type]} ${bytes.length}\0`);
  return hash.update(bytes).digest("hex");
}

/** Puts the messages into the ring, from an odd address on and without gaps, and hashes them in one batch. */
function batch(kernel: Kernel, messages: readonly Message[]): Outcome[] {
  kernel.batchClear();
  let at = kernel.ringAt + 1;
  messages.forEach(({ type, bytes }, i) => {
    kernel.memory.set(bytes, at);
    expect(kernel.batchAdd(type, at, bytes.length)).toBe(i);
    at += bytes.length;
  });
  kernel.batchRun();
  return messages.map((_, i) => outcomeAt(kernel, i));
}

function outcomeAt(kernel: Kernel, i: number): Outcome {
  const name = kernel.batchNameAt(i);
  return { digest: toHex(kernel.memory, name, name + kernel.rawSize), collision: kernel.batchCollision(i) };
}

/** Hashes the messages with `hashObject`, one after another. */
function inTurn(kernel: Kernel, messages: readonly Message[]): Outcome[] {
  return messages.map(({ type, bytes }) => {
    kernel.memory.set(bytes, kernel.ringAt);
    const collision = kernel.hashObject(type, kernel.ringAt, bytes.length, kernel.scratchAt);
    return { digest: toHex(kernel.memory, kernel.scratchAt, kernel.scratchAt + kernel.rawSize), collision };
  });
}

const types = nat(4);
const lengths = oneof(
  nat(130),
  nat(3000),
  // The lengths are around the ends of blocks, with and without a header, and around the longest message that is copied
  // whole.
  record({ blocks: nat(12), off: nat(40) }).map(({ blocks, off }) => Math.max(0, blocks * 64 - off)),
  nat(60_000),
);
const message = record({ type: types, length: lengths, seed: nat() }).map(({ type, length, seed }) => ({
  type,
  bytes: noise(length, seed),
}));

describe.each(kernels)("the kernel's %s in batches", (_title, name, kernel) => {
  it("gives the digests of node:crypto and of hashObject, for any messages", () => {
    assert(
      property(array(message, { maxLength: kernel.batchCapacity }), (messages) => {
        const outcomes = batch(kernel, messages);
        expect(outcomes).toEqual(messages.map((each) => ({ digest: digestBy(name, each), collision: false })));
        expect(outcomes).toEqual(inTurn(kernel, messages));
      }),
      { numRuns: 60 },
    );
  });

  it.each([0, 1, 2, 3, 4])("hashes every length around a block's, of type %i", (type) => {
    for (let first = 0; first < 640; first += kernel.batchCapacity) {
      const messages = Array.from({ length: kernel.batchCapacity }, (_, i) => ({ type, bytes: noise(first + i, i) }));
      expect(batch(kernel, messages).map(({ digest }) => digest)).toEqual(messages.map((each) => digestBy(name, each)));
    }
  });

  it("hashes long messages beside short ones, in any order", { tags: "thorough" }, () => {
    const sizes = [100, 2_000_001, 0, 600_000, 64, 599_999, 448, 5000, 600_001, 70];
    for (let turn = 0; turn < sizes.length; turn += 4) {
      const messages = [...sizes.slice(turn), ...sizes.slice(0, turn)].map((size, i) => ({
        type: i % 5,
        bytes: noise(size, size + turn),
      }));
      expect(batch(kernel, messages).map(({ digest }) => digest)).toEqual(messages.map((each) => digestBy(name, each)));
    }
  });

  it("keeps finished digests when more is added, and starts over when cleared", () => {
    const [first, second, third] = [noise(700, 1), noise(900, 2), noise(50, 3)].map((bytes) => ({
      type: TYPE_NUMBER.tree,
      bytes,
    })) as [Message, Message, Message];
    const done = batch(kernel, [first, second]);
    const at = kernel.ringAt;
    kernel.memory.fill(0, at, at + 2000);
    kernel.memory.set(third.bytes, at);
    expect(kernel.batchAdd(third.type, at, third.bytes.length)).toBe(2);
    kernel.batchRun();
    expect([0, 1, 2].map((i) => outcomeAt(kernel, i))).toEqual([
      ...done,
      { digest: digestBy(name, third), collision: false },
    ]);
    kernel.batchRun();
    expect(outcomeAt(kernel, 0)).toEqual(done[0]);
    kernel.batchClear();
    expect(kernel.batchAdd(0, at, 0)).toBe(0);
    kernel.reset();
    expect(kernel.batchAdd(0, at, 0)).toBe(0);
  });

  it("refuses a message beyond its capacity, and still hashes the others", () => {
    kernel.batchClear();
    const bytes = noise(80, 1);
    kernel.memory.set(bytes, kernel.ringAt);
    for (let i = 0; i < kernel.batchCapacity; i++) kernel.batchAdd(3, kernel.ringAt, 80 - i);
    expect(() => kernel.batchAdd(3, kernel.ringAt, 80)).toThrow(RangeError);
    kernel.batchRun();
    for (let i = 0; i < kernel.batchCapacity; i++) {
      expect(outcomeAt(kernel, i).digest).toBe(digestBy(name, { type: 3, bytes: bytes.subarray(0, 80 - i) }));
    }
  });

  it("does not disturb the streams of the other contexts", () => {
    const bytes = noise(1000, 9);
    kernel.memory.set(bytes, kernel.ringAt + 50_000);
    kernel.hashStart(TYPE_NUMBER.blob, 1000, 2);
    kernel.hashUpdate(kernel.ringAt + 50_000, 333, 2);
    batch(
      kernel,
      [1, 2, 3, 4, 5].map((seed) => ({ type: 3, bytes: noise(seed * 777, seed) })),
    );
    kernel.memory.set(bytes, kernel.ringAt + 50_000);
    kernel.hashUpdate(kernel.ringAt + 50_333, 667, 2);
    kernel.hashFinish(kernel.scratchAt, 2);
    expect(toHex(kernel.memory, kernel.scratchAt, kernel.scratchAt + kernel.rawSize)).toBe(
      digestBy(name, { type: 3, bytes }),
    );
  });
});

describe("SHA-1 collision detection in batches", () => {
  beforeEach(() => sha1.batchClear());
  const attacked = shatteredBlocks();

  function outcomesByTurn(messages: readonly Message[]): Outcome[] {
    const outcomes = batch(sha1, messages);
    expect(outcomes).toEqual(inTurn(sha1, messages));
    return outcomes;
  }

  it.each([1, 2, 3, 4, 5, 9, 64])("detects the attack in each of %i messages, and in no other", (count) => {
    for (let place = 0; place < count; place++) {
      for (const attack of attacked) {
        const messages = Array.from({ length: count }, (_, i) => ({ type: 0, bytes: noise(320, i + place) }));
        messages[place] = { type: 0, bytes: attack };
        const outcomes = outcomesByTurn(messages);
        expect(outcomes[place]).toEqual({ digest: "f92d74e3874587aaf443d1db961d4e26dde13e9c", collision: true });
        expect(outcomes.filter(({ collision }) => collision)).toHaveLength(1);
      }
    }
  });

  it("detects the attack in all lanes at once", () => {
    const messages = Array.from({ length: 64 }, (_, i) => ({ type: 0, bytes: attacked[i & 1] ?? new Uint8Array() }));
    expect(outcomesByTurn(messages).every(({ collision }) => collision)).toBe(true);
    expect(batch(sha1, messages.slice(0, 4)).map(({ collision }) => collision)).toEqual([true, true, true, true]);
  });

  it("detects the attack in the first blocks of long messages among others, and not in the next batch", () => {
    assert(
      property(
        array(record({ attack: constantFrom(-1, 0, 1), more: lengths, seed: nat(), header: types }), {
          minLength: 1,
          maxLength: 24,
        }),
        (plan) => {
          const messages = plan.map(({ attack, more, seed, header }) => {
            const prefix = attacked[attack];
            if (prefix === undefined) return { type: header, bytes: noise(more, seed) };
            return { type: 0, bytes: new Uint8Array([...prefix, ...noise(more, seed)]) };
          });
          expect(outcomesByTurn(messages).map(({ collision }) => collision)).toEqual(
            plan.map(({ attack }) => attack >= 0),
          );
        },
      ),
      { numRuns: 40 },
    );
    const clean = Array.from({ length: 64 }, (_, i) => ({ type: 0, bytes: noise(400, i) }));
    expect(outcomesByTurn(clean).some(({ collision }) => collision)).toBe(false);
  });

  it("detects none if a bit of the attack differs, or a header moves it out of place", () => {
    const messages = Array.from({ length: 63 }, (_, i) => {
      const bytes = attacked[i & 1]?.slice() ?? new Uint8Array();
      bytes[i * 5] = (bytes[i * 5] ?? 0) ^ (1 << (i & 7));
      return { type: 0, bytes };
    });
    messages.push({ type: TYPE_NUMBER.blob, bytes: attacked[0] ?? new Uint8Array() });
    const outcomes = outcomesByTurn(messages);
    expect(outcomes.map(({ digest }) => digest)).toEqual(messages.map((each) => digestBy("sha1", each)));
    expect(outcomes.some(({ collision }) => collision)).toBe(false);
  });
});
