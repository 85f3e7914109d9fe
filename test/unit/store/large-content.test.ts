/**
 * Content too large to be held: inflated in turns and from the middle, and put together from deltas.
 *
 * @module-tag thorough
 */
import { constants, deflateSync } from "node:zlib";
import { array, assert, constantFrom, integer, nat, property, record } from "fast-check";
import { describe, expect, it } from "vitest";
import { itemAt } from "../../../src/bytes/assert.ts";
import { Pacer } from "../../../src/bytes/pacer.ts";
import { createDelta } from "../../support/delta.ts";
import { type DeflatedEntry, InflateStream } from "../../../src/store/inflate-stream.ts";
import { Inflating } from "../../../src/store/inflating.ts";
import {
  KeptBase,
  type LargeContentLimits,
  LARGE_CONTENT_LIMITS,
  openLargeContent,
} from "../../../src/store/large-content.ts";
import { ObjectRing } from "../../../src/store/object-ring.ts";
import { BELOW, SegmentList } from "../../../src/store/segment-list.ts";
import { noise } from "../../support/git-fixtures.ts";
import { testKernel } from "../../support/kernel.ts";

const kernel = testKernel({ windowBytes: 4096, ringBytes: 640 * 1024 });
const inflating = new Inflating(
  kernel,
  new ObjectRing(kernel.ringAt, kernel.ringBytes),
  new Pacer(async () => undefined),
);

/** Text with long matches and with none. */
function content(size: number, seed = 1): Buffer {
  const words = noise(4000, seed);
  const pieces = Array.from({ length: Math.ceil(size / 100) }, (_, i) => {
    const at = (i * 7919) % 3900;
    return i % 3 === 0 ? noise(100, i + seed) : words.subarray(at, at + 100);
  });
  return Buffer.concat(pieces).subarray(0, size);
}

/** A read that gives what it is asked for, and counts. */
function entryOf(data: Uint8Array, deflated: Uint8Array, reads = { count: 0 }): DeflatedEntry {
  return {
    read: async (offset, length) => {
      reads.count++;
      return deflated.slice(offset, offset + length);
    },
    at: 0,
    end: deflated.length,
    size: data.length,
  };
}

async function drain(stream: InflateStream, most?: number): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for (let piece = await stream.next(most); piece !== undefined; piece = await stream.next(most)) pieces.push(piece);
  return Buffer.concat(pieces);
}

describe("InflateStream", () => {
  const data = content(700_000);
  const deflated = [
    deflateSync(data, { level: 0 }),
    deflateSync(data, { level: 9 }),
    deflateSync(data, { strategy: constants.Z_FIXED }),
    deflateSync(data, { strategy: constants.Z_HUFFMAN_ONLY }),
  ];

  it("lets other streams run between its pieces", async () => {
    const streams = deflated.map((bytes) => new InflateStream(inflating, entryOf(data, bytes)));
    const made = streams.map((): Uint8Array[] => []);
    for (let turn = 0, live = streams.length; live > 0; turn++) {
      const which = turn % streams.length;
      const piece = await streams[which]?.next(1 + ((turn * 7001) % 50_000));
      if (piece === undefined) live = made.filter((pieces) => Buffer.concat(pieces).length < data.length).length;
      else made[which]?.push(piece);
    }
    for (const pieces of made) expect(Buffer.concat(pieces).equals(data)).toBe(true);
    expect(streams.map(({ consumed }) => consumed)).toEqual(deflated.map(({ length }) => length));
  });

  it("continues from any resume point", async () => {
    for (const bytes of deflated) {
      const stream = new InflateStream(inflating, entryOf(data, bytes));
      for (let piece = await stream.next(33_333); piece !== undefined; piece = await stream.next(33_333)) {
        const point = stream.point();
        const rest = await drain(new InflateStream(inflating, entryOf(data, bytes), point));
        expect(rest.equals(data.subarray(stream.produced))).toBe(true);
      }
    }
  });

  it("refuses data that is damaged, cut short or of another size", async () => {
    const [, bytes = Buffer.alloc(0)] = deflated;
    const broken = Buffer.from(bytes);
    broken[broken.length - 1] = (broken.at(-1) ?? 0) ^ 1;
    await expect(drain(new InflateStream(inflating, entryOf(data, broken)))).rejects.toThrow("inflate returned");
    await expect(drain(new InflateStream(inflating, entryOf(data, bytes.subarray(0, -9))))).rejects.toThrow(
      "cut short",
    );
    for (const size of [data.length - 1, data.length + 1, 0]) {
      const entry = { ...entryOf(data, bytes), size };
      await expect(drain(new InflateStream(inflating, entry))).rejects.toThrow("inflated size does not match");
    }
  });
});

describe("SegmentList", () => {
  const run = record({ source: constantFrom(0, 1, BELOW), offset: nat(900), length: integer({ min: 0, max: 100 }) });
  type Run = { source: number; offset: number; length: number };
  const listOf = (runs: readonly Run[]): SegmentList => {
    const list = new SegmentList(1000);
    for (const { source, offset, length } of runs) list.push(source, offset, length);
    return list;
  };
  /** A name for each byte: its source and its place there. */
  const bytesOf = (list: SegmentList): string[] =>
    Array.from({ length: list.count }, (_, i) => list.at(i)).flatMap(({ source, offset, length }) =>
      Array.from({ length }, (_, at) => `${source}:${offset + at}`),
    );

  it("gives the same bytes laid over another list as byte by byte", () => {
    assert(
      property(array(run), array(run, { minLength: 25 }), (above, below) => {
        const under = listOf(below.map((each) => ({ ...each, length: each.length + 40 })));
        const names = bytesOf(under);
        const over = listOf(above.map((each) => ({ ...each, offset: each.offset % 800 })));
        const expected = bytesOf(over).map((name) =>
          name.startsWith(`${BELOW}:`) ? (names[Number(name.split(":")[1])] ?? "") : name,
        );
        expect(bytesOf(over.over(under))).toEqual(expected);
      }),
    );
  });

  it("joins runs that continue each other, and takes no more than allowed", () => {
    const list = new SegmentList(2);
    list.push(0, 0, 10);
    list.push(0, 10, 5);
    list.push(1, 15, 1);
    expect([list.count, list.size]).toEqual([2, 16]);
    expect(() => list.push(0, 0, 1)).toThrow("delta has more than 2 parts");
  });
});

describe("openLargeContent", () => {
  /** The chain of contents, the first of which is stored whole; the uppermost entry comes first. */
  function chainOf(contents: readonly Uint8Array[], reads = { count: 0 }): DeflatedEntry[] {
    return contents
      .map((data, i) => {
        const below = contents[i - 1];
        const stored = below === undefined ? data : createDelta(below, data);
        return entryOf(stored, deflateSync(stored), reads);
      })
      .toReversed();
  }

  async function assemble(
    entries: readonly DeflatedEntry[],
    limits: LargeContentLimits = LARGE_CONTENT_LIMITS,
    kept = new KeptBase(),
  ): Promise<Buffer> {
    const opened = await openLargeContent(inflating, { type: 3, pack: "", entries }, { limits, kept });
    const pieces: Buffer[] = [];
    for await (const piece of opened.pieces) pieces.push(Buffer.from(piece));
    const whole = Buffer.concat(pieces);
    expect(opened.size).toBe(whole.length);
    return whole;
  }

  /** Blocks of the content in another order. */
  function shuffled(data: Buffer, block: number): Buffer {
    const count = Math.floor(data.length / block);
    return Buffer.concat(
      Array.from({ length: count }, (_, i) => {
        const at = ((i * 7919) % count) * block;
        return data.subarray(at, at + block);
      }),
    );
  }

  const base = content(2_500_000, 3);
  const edited = Buffer.concat([Buffer.from("new\n"), base.subarray(0, 1_000_000), base.subarray(1_000_300)]);
  const backward = shuffled(edited, 50_000);

  it("puts an object together, in few reads if each delta goes through its base once", async () => {
    const reads = { count: 0 };
    const again = Buffer.concat([edited.subarray(5000), noise(400_000, 9)]);
    expect((await assemble(chainOf([base, edited, again], reads))).equals(again)).toBe(true);
    // two deltas twice, and the base
    expect(reads.count).toBeLessThan(12);
    expect((await assemble(chainOf([base]))).equals(base)).toBe(true);
  });

  it("puts an object together whose deltas go back and forth", async () => {
    const twice = shuffled(Buffer.concat([backward, content(300_000, 5)]), 33_333);
    expect((await assemble(chainOf([base, edited, backward, twice]))).equals(twice)).toBe(true);
  });

  it("goes on where the object before was made from the same base", async () => {
    const reads = { count: 0 };
    const [below] = chainOf([base], reads);
    if (below === undefined) throw new Error("no base");
    const pieces = Array.from({ length: 100 }, (_, i) => base.subarray((i * 24_007) % 2_400_000).subarray(0, 40 + i));
    const chains = pieces.map((piece) => [...chainOf([base, piece]).slice(0, 1), below]);
    const read = async (kept: () => KeptBase): Promise<number> => {
      reads.count = 0;
      for (const [i, chain] of chains.entries())
        expect((await assemble(chain, undefined, kept())).equals(itemAt(pieces, i))).toBe(true);
      return reads.count;
    };
    const apart = await read(() => new KeptBase());
    let held = 0;
    const memory = { hold: (bytes: number) => void (held += bytes) };
    const kept = new KeptBase(memory);
    expect(await read(() => kept)).toBeLessThan(apart / 10);
    // What is kept counts once, however many objects were made from it.
    expect(held).toBe(32 * 45_000 + 32 * 65_536);
    kept.forget();
    kept.forget();
    expect(held).toBe(0);
    // Where what was read is damaged, the next object begins anew.
    const [top] = itemAt(chains, 0);
    if (top === undefined) throw new Error("no delta");
    let isBroken = true;
    const once = {
      ...below,
      read: async (from: number, length: number) => (isBroken ? new Uint8Array(9) : await below.read(from, length)),
    };
    const again = new KeptBase(memory);
    await expect(assemble([top, once], undefined, again)).rejects.toMatchObject({ name: "CorruptStore" });
    expect(held).toBe(0);
    isBroken = false;
    expect((await assemble([top, once], undefined, again)).equals(itemAt(pieces, 0))).toBe(true);
  });

  it("throws LimitExceeded, which names the limit, for an object past its limits", async () => {
    const entries = chainOf([base, edited, backward]);
    const limits = LARGE_CONTENT_LIMITS;
    await expect(assemble(entries, { ...limits, deltas: 1 })).rejects.toThrow("a chain of more than 1 deltas");
    await expect(assemble(entries, { ...limits, segments: 5 })).rejects.toThrow("delta has more than 5 parts");
    await expect(assemble(entries, { ...limits, work: -1e6 })).rejects.toMatchObject({ name: "LimitExceeded" });
  });

  it("throws CorruptStore if the deltas do not fit", async () => {
    const [top, , bottom] = chainOf([base, edited, backward]);
    if (top === undefined || bottom === undefined) throw new Error("no chain");
    await expect(assemble([top, bottom])).rejects.toThrow("a stored delta is of another base");
    const broken: DeflatedEntry = { ...top, read: async () => new Uint8Array(9) };
    await expect(assemble([broken, bottom])).rejects.toMatchObject({ name: "CorruptStore" });
  });
});
