/**
 * Objects at and beyond what is held whole: a ring of 640 KiB holds objects of up to some 117 KB.
 *
 * @module-tag thorough
 */
import { afterAll, describe, expect, it, vi } from "vitest";
import { itemAt, u8At } from "../../../../src/bytes/assert.ts";
import { PartBuffers } from "../../../../src/store/ingest/part-buffers.ts";
import { createDelta } from "../../../support/delta.ts";
import { PIECE_BUFFER_BYTES } from "../../../../src/format/pack-scanner.ts";
import type { PackFile } from "../../../../src/catalog/pack-storage.ts";
import type { PackRecord } from "../../../../src/catalog/pack-record.ts";
import { noise } from "../../../support/git-fixtures.ts";
import { buildPack, objectId, type RawEntry } from "../../../support/git-raw.ts";
import { GitRepository } from "../../../support/git-repository.ts";
import { TINY, TestStore, pseudoRandom } from "../../../support/store.ts";

const git = new GitRepository();
afterAll(() => git.dispose());

const WHOLE = Math.floor((640 * 1024 - PIECE_BUFFER_BYTES) / 4);

type Blob = { readonly oid: string; readonly content: Uint8Array };
const blob = (content: Uint8Array): Blob => ({ oid: objectId("blob", content), content });
const whole = ({ content }: Blob): RawEntry => ({ type: "blob", content });
const delta = (base: Blob, to: Blob): RawEntry => ({
  type: "ref-delta",
  base: base.oid,
  content: createDelta(base.content, to.content),
});
/** A delta that takes nothing from its base but the size. */
const inserting = (base: Blob, to: Blob): RawEntry => {
  const size = (value: number): number[] =>
    value < 128 ? [value] : [(value & 127) | 128, ...size(Math.floor(value / 128))];
  const steps: Buffer[] = [Buffer.from([...size(base.content.length), ...size(to.content.length)])];
  for (let at = 0; at < to.content.length; at += 127) {
    const piece = to.content.subarray(at, at + 127);
    steps.push(Buffer.from([piece.length]), Buffer.from(piece));
  }
  return { type: "ref-delta", base: base.oid, content: Buffer.concat(steps) };
};
/** `content` with a few bytes changed and some of it moved, `bytes` long. */
function edit(base: Blob, bytes: number, seed: number): Blob {
  const random = pseudoRandom(seed);
  const source = Buffer.from(base.content);
  const turn = random(Math.max(1, source.length));
  const turned = Buffer.concat([source.subarray(turn), Buffer.from(`edit ${seed}`), source.subarray(0, turn)]);
  const result = Buffer.alloc(bytes);
  for (let at = 0; at < bytes; at += turned.length) turned.copy(result, at);
  for (let i = 0; i < 5; i++) result[random(bytes)] = random(256);
  return blob(result);
}

/** Takes a pack in; git has to find the same in what is stored. */
async function expectTaken(entries: readonly RawEntry[], store = new TestStore(TINY)): Promise<PackRecord> {
  const pack = buildPack(entries);
  const random = pseudoRandom(entries.length);
  const record = await store.push(pack, [], () => 1 + random(70_000));
  const stored = store.file(record, "pack");
  const { idx } = git.index(stored);
  expect(Buffer.compare(idx, store.file(record, "idx"))).toBe(0);
  expect([...store.storage.files.keys()].filter((name) => name.includes("scratch"))).toEqual([]);
  return record;
}

/** Gathers the scratch files that are written from now on. */
function scratchFiles({ storage }: TestStore): string[] {
  const written: string[] = [];
  const note = ({ extension }: PackFile): unknown => extension.startsWith("scratch") && written.push(extension);
  const [write, createUpload] = [storage.write.bind(storage), storage.createUpload.bind(storage)];
  storage.write = async (file, bytes) => {
    note(file);
    await write(file, bytes);
  };
  storage.createUpload = async (file) => {
    note(file);
    return await createUpload(file);
  };
  return written;
}

const SIZES = [0, 1, WHOLE - 1, WHOLE, WHOLE + 1, 131_071, 131_072, 131_073, PIECE_BUFFER_BYTES + 1, 700_000];

describe("ingest of large objects", () => {
  it.each(SIZES)("takes blobs of %d bytes", async (bytes) => {
    expect.hasAssertions();
    await expectTaken([whole(blob(noise(bytes, 4))), whole(blob(Buffer.alloc(bytes + 1, "text\n")))]);
  });

  it.each(["commit", "tree", "tag"] as const)("refuses a large %s", async (type) => {
    const pack = buildPack([{ type, content: Buffer.alloc(WHOLE + 1, "x") }]);
    await expect(new TestStore(TINY).push(pack)).rejects.toMatchObject({
      name: "LimitExceeded",
      limit: "whole-object-bytes",
    });
  });
});

describe("ingest of large deltas", () => {
  const small = blob(noise(5000, 1));
  const full = blob(noise(WHOLE, 2));
  const big = blob(noise(WHOLE * 3, 3));
  const cases: Record<string, readonly Blob[]> = {
    "on a large base": [big, edit(big, WHOLE * 3 + 7, 1)],
    "from large to small": [big, blob(big.content.slice(1000, 4000))],
    "from small to large": [small, edit(small, WHOLE * 2, 2)],
    "from full to just too large": [full, edit(full, WHOLE + 1, 3)],
    "from just too large to full": [edit(full, WHOLE + 1, 4), full],
    "in a chain": [
      big,
      edit(big, WHOLE * 3, 5),
      edit(big, WHOLE * 2, 6),
      edit(big, WHOLE, 7),
      edit(big, WHOLE * 4, 8),
      small,
    ],
    "in a chain from small": [small, edit(small, WHOLE + 50, 9), edit(small, 4000, 10), edit(small, WHOLE * 2, 11)],
  };

  it.each(Object.entries(cases))("takes deltas %s", async (_name, blobs) => {
    expect.hasAssertions();
    const chain = blobs.map((to, i) => {
      const base = blobs[i - 1];
      return base === undefined ? whole(to) : delta(base, to);
    });
    await expectTaken(chain);
    await expectTaken(chain.toReversed());
    const forced = blobs.map((to, i) => {
      const base = blobs[i - 1];
      return base === undefined ? whole(to) : inserting(base, to);
    });
    await expectTaken(forced);
    await expectTaken(forced.toReversed());
  });

  it("gives back the buffers of scratch files that fit one part", async () => {
    const [take, give] = [vi.spyOn(PartBuffers.prototype, "take"), vi.spyOn(PartBuffers.prototype, "give")];
    const large = blob(noise(WHOLE + 40_000, 5));
    const family = Array.from({ length: 12 }, (_, i) => delta(large, edit(large, WHOLE + 40_000 + i, 60 + i)));
    await expectTaken([whole(large), ...family], new TestStore({ ...TINY, partBytes: 256 * 1024 }));
    const gives = new Set(give.mock.invocationCallOrder);
    const calls = [...take.mock.invocationCallOrder, ...gives].toSorted((a, b) => a - b);
    vi.restoreAllMocks();
    let [held, most] = [0, 0];
    for (const call of calls) {
      held += gives.has(call) ? -1 : 1;
      most = Math.max(most, held);
    }
    expect(most).toBeLessThanOrEqual(2);
  });

  it("takes many deltas on one base", async () => {
    expect.hasAssertions();
    const family = Array.from({ length: 12 }, (_, i) => delta(big, edit(big, WHOLE + 1000 * i, 20 + i)));
    await expectTaken([...family.slice(0, 6), whole(big), ...family.slice(6)]);
  });

  it("refuses deltas that reach outside their base, or make less or more than they say", async () => {
    const next = edit(big, WHOLE * 2, 1);
    const good = Buffer.from(inserting(big, next).content);
    const bad = [
      good.subarray(0, good.length - 1),
      Buffer.concat([good, Buffer.from([1, 65])]),
      Buffer.concat([good, Buffer.from([0])]),
      Buffer.concat([good.subarray(0, 6), Buffer.from([0x8f, 0xff, 0xff, 0xff, 0x7f]), good.subarray(6)]),
      Buffer.from(inserting(small, next).content),
      good.subarray(0, 3),
      Buffer.alloc(0),
    ];
    for (const content of bad) {
      const store = new TestStore(TINY);
      const pack = buildPack([whole(big), { type: "ref-delta", base: big.oid, content }]);
      await expect(store.push(pack)).rejects.toMatchObject({
        name: "ObjectRejected",
        message: "failed to apply delta",
      });
      expect([...store.storage.files.keys()].filter((name) => name.includes("scratch"))).toEqual([]);
    }
  });

  it("counts the results of deltas against the limits", async () => {
    const bomb = (limits: object): Promise<PackRecord> =>
      new TestStore({ ...TINY, ...limits }).push(buildPack([whole(small), delta(small, edit(small, WHOLE * 8, 2))]));
    await expect(bomb({ objectBytes: WHOLE * 8 - 1 })).rejects.toMatchObject({
      name: "LimitExceeded",
      limit: "object-bytes",
    });
    await expect(bomb({ inflatedBytes: WHOLE * 8 })).rejects.toMatchObject({
      name: "LimitExceeded",
      limit: "inflated-bytes",
    });
    await bomb({ objectBytes: WHOLE * 8, inflatedBytes: WHOLE * 9 });
    const fan = [whole(small), ...Array.from({ length: 20 }, (_, i) => delta(small, edit(small, 100_000, i)))];
    for (const layout of [TINY, {}]) {
      for (const entries of [fan, fan.toReversed()]) {
        await expect(
          new TestStore({ ...layout, inflatedBytes: 1_000_000 }).push(buildPack(entries)),
        ).rejects.toMatchObject({
          name: "LimitExceeded",
          limit: "inflated-bytes",
        });
        await expect(new TestStore({ ...layout, objectBytes: 99_999 }).push(buildPack(entries))).rejects.toMatchObject({
          name: "LimitExceeded",
          limit: "object-bytes",
        });
      }
    }
  });

  it("takes thin deltas on large blobs of the catalog", async () => {
    expect.hasAssertions();
    const store = new TestStore(TINY);
    const stored = edit(big, WHOLE * 2, 30);
    await expectTaken([whole(big), delta(big, stored)], store);
    const next = edit(stored, WHOLE * 2 + 5, 31);
    await expectTaken([delta(big, edit(big, WHOLE * 3, 32))], store);
    await expectTaken([delta(stored, next), delta(next, small)], store);
    await expectTaken([delta(next, edit(next, WHOLE * 2, 33)), delta(stored, edit(stored, 1000, 34))], store);
  });

  it("holds small results of deltas on a large base: each file would be a write", async () => {
    const store = new TestStore(TINY);
    const written = scratchFiles(store);
    const pieces = Array.from({ length: 50 }, (_, i) => blob(big.content.slice(i * 5000, i * 5000 + 3000 + i)));
    // Some of them are bases again, after more came than the ring holds.
    const later = pieces.map((piece, i) => edit(piece, 20_000 + i, i));
    await expectTaken(
      [whole(big), ...pieces.map((piece) => delta(big, piece)), ...later.map((to, i) => delta(itemAt(pieces, i), to))],
      store,
    );
    expect(written).toEqual(["scratch-0"]);
  });

  it("bounds how often deltas read a large base again", async () => {
    const store = new TestStore(TINY);
    // Blocks of 512 KiB, of which eight are kept: each copy is of another one that is not.
    const wide = blob(noise(12 * 524_288, 9));
    const step = (at: number): number[] => [0x91 | 14, at & 255, (at >>> 8) & 255, (at >>> 16) & 255, at >>> 24, 1];
    const jumps = Array.from({ length: 2200 }, (_, i) => (i % 12) * 524_288 + (i % 500));
    const to = blob(Buffer.from(jumps.map((at) => u8At(wide.content, at))));
    const sizes = createDelta(wide.content, to.content).subarray(0, 6);
    const content = Buffer.concat([sizes, ...jumps.map((at) => Buffer.from(step(at)))]);
    const jumping: RawEntry = { type: "ref-delta", base: wide.oid, content };
    await expect(store.push(buildPack([whole(wide), jumping]))).rejects.toMatchObject({
      name: "LimitExceeded",
      limit: "delta-work",
    });
    expect([...store.storage.files.keys()].filter((name) => name.includes("scratch"))).toEqual([]);
  });

  it("writes a large blob of the catalog once for all that thin deltas take from it", async () => {
    const store = new TestStore(TINY);
    const pieces = Array.from({ length: 20 }, (_, i) => blob(big.content.slice(i * 5000, i * 5000 + 3000 + i)));
    const chained = pieces.map((piece, i) => edit(piece, 4000 + i, i));
    await expectTaken(
      [
        whole(big),
        ...pieces.map((piece) => delta(big, piece)),
        ...chained.map((to, i) => delta(itemAt(pieces, i), to)),
      ],
      store,
    );
    const written = scratchFiles(store);
    const thin = chained.map((base, i) => delta(base, edit(base, 5000 + i, 50 + i)));
    await expectTaken([...thin, delta(itemAt(pieces, 0), edit(big, WHOLE + 9, 90))], store);
    // The blob; and of the last delta, whose result is large, the result and what it builds on.
    expect(written).toHaveLength(3);
  });
});
