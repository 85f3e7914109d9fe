import * as fc from "fast-check";
import { createHash } from "node:crypto";
import { deflateSync, inflateSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ObjectRejected } from "../../../src/bytes/failure.ts";
import { deltaSizes } from "../../../src/format/delta-stream.ts";
import { applyDelta, createDelta } from "../../support/delta.ts";
import {
  badEntry,
  encodeEntryHeader,
  encodeOfsDistance,
  EntryHeader,
  entryHeaderBytes,
  MAX_ENTRY_HEADER_BYTES,
  ofsDistanceBytes,
} from "../../../src/format/pack-entry.ts";
import { decodePackHeader, encodePackHeader, PACK_HEADER_BYTES } from "../../../src/format/pack-header.ts";
import { objectFormat } from "../../../src/object/object-id.ts";
import { TYPE_NUMBER, typeOfNumber, OFS_DELTA, REF_DELTA } from "../../../src/object/object-type.ts";
import { git, makeGitPack, removeDirectory, temporaryDirectory, type GitPack } from "./git-pack.ts";

describe("the header of a pack", () => {
  it("is encoded as git writes it, and is decoded again", () => {
    const dir = temporaryDirectory();
    try {
      git(dir, ["init", "-q", "--bare", "."]);
      const empty = git(dir, ["pack-objects", "--stdout"]);
      expect([...empty.subarray(0, PACK_HEADER_BYTES)]).toEqual([...encodePackHeader(0)]);
    } finally {
      removeDirectory(dir);
    }
    expect(decodePackHeader(encodePackHeader(0xffffffff))).toEqual({ version: 2, count: 0xffffffff });
    expect(decodePackHeader(encodePackHeader(5).map((byte, i) => (i === 7 ? 3 : byte)))).toEqual({
      version: 3,
      count: 5,
    });
  });

  it("is refused in git's words", () => {
    const change = (at: number, to: number): Uint8Array => encodePackHeader(1).map((byte, i) => (i === at ? to : byte));
    expect(() => decodePackHeader(change(0, 0))).toThrow(new ObjectRejected("pack signature mismatch"));
    expect(() => decodePackHeader(change(7, 4))).toThrow(new ObjectRejected("pack version 4 unsupported"));
    expect(() => decodePackHeader(encodePackHeader(1).subarray(0, 11))).toThrow(ObjectRejected);
  });
});

describe("the header of a pack entry", () => {
  const types = fc.constantFrom(1, 2, 3, 4, OFS_DELTA, REF_DELTA);
  const sizes = fc.oneof(
    fc.maxSafeNat(),
    fc.nat(5000),
    fc.constantFrom(0, 15, 16, 2047, 2048, 2 ** 31, 2 ** 32, 2 ** 53 - 1),
  );
  const distances = fc.oneof(
    fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
    fc.constantFrom(1, 127, 128, 16511, 16512, 2113663, 2113664, 2 ** 31, 2 ** 32, 2 ** 53 - 1),
  );

  it("is decoded at any offset, and is short wherever it is cut", () => {
    fc.assert(
      fc.property(types, sizes, distances, fc.nat(9), (type, size, distance, at) => {
        const bytes = new Uint8Array(100).fill(0xff);
        const sizeEnd = encodeEntryHeader(type, size, bytes, at);
        expect(sizeEnd - at).toBe(entryHeaderBytes(size));
        let end = sizeEnd;
        if (type === OFS_DELTA) end = encodeOfsDistance(distance, bytes, end);
        if (type === OFS_DELTA) expect(end - sizeEnd).toBe(ofsDistanceBytes(distance));
        if (type === REF_DELTA) end += 20;
        const header = new EntryHeader();
        for (let cut = at; cut < end; cut++) expect(header.decode(bytes, at, cut, 20)).toBe("short");
        expect(header.decode(bytes, at, end, 20)).toBe("ok");
        expect([header.type, header.size, header.headerBytes, header.sizeBytes]).toEqual([
          type,
          size,
          end - at,
          sizeEnd - at,
        ]);
        if (type === OFS_DELTA) expect(header.distance).toBe(distance);
        if (type === REF_DELTA) expect(header.baseAt).toBe(sizeEnd);
        expect(end - at).toBeLessThanOrEqual(MAX_ENTRY_HEADER_BYTES);
      }),
    );
  });

  it.each([
    ["type 0", [0x00], "unknown object type 0"],
    ["type 5", [0xd0, 0x01], "unknown object type 5"],
    ["a size past 2^53", [0xb0, 255, 255, 255, 255, 255, 255, 255, 1], "bad object header"],
    ["a size that never ends", [0xb0, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128], "bad object header"],
    [
      "a distance past 2^53",
      [0x60, 255, 255, 255, 255, 255, 255, 255, 255, 1],
      "offset value overflow for delta base object",
    ],
    ["no distance", [0x60, 0], "delta base offset is out of bound"],
  ])("is refused for %s", (_, bytes, message) => {
    expect(() => new EntryHeader().decode(Uint8Array.from(bytes), 0, bytes.length, 20)).toThrow(
      new ObjectRejected(message),
    );
  });

  it("is refused in the words of git index-pack", () => {
    const dir = temporaryDirectory();
    const body = Buffer.concat([encodePackHeader(1), Uint8Array.of(0x53), deflateSync(Buffer.from("abc"))]);
    const pack = Buffer.concat([body, createHash("sha1").update(body).digest()]);
    try {
      git(dir, ["init", "-q", "--bare", "."]);
      expect(() => git(dir, ["index-pack", "--stdin"], pack)).toThrow(badEntry(12, "unknown object type 5").message);
    } finally {
      removeDirectory(dir);
    }
  });
});

describe.each(["sha1", "sha256"] as const)("the entries of a %s pack of git", (name) => {
  const { rawSize } = objectFormat(name);
  let made: GitPack;
  beforeAll(() => {
    made = makeGitPack(name);
  });
  afterAll(() => {
    removeDirectory(made.dir);
  });

  it("decode to the objects that git lists, with deltas applied, and are encoded to the same bytes", () => {
    expect(decodePackHeader(made.pack)).toEqual({ version: 2, count: made.entries.length });
    const header = new EntryHeader();
    const objects = new Map<number, { type: string; bytes: Uint8Array }>();
    let deltas = 0;
    for (const entry of made.entries) {
      const end = entry.offset + entry.bytesInPack;
      expect(header.decode(made.pack, entry.offset, end, rawSize)).toBe("ok");
      expect(header.size).toBe(entry.size);
      const data = inflateSync(made.pack.subarray(entry.offset + header.headerBytes, end));
      const again = new Uint8Array(header.headerBytes);
      let at = encodeEntryHeader(header.type, header.size, again, 0);
      if (header.type === OFS_DELTA) {
        deltas++;
        at = encodeOfsDistance(header.distance, again, at);
        const base = objects.get(entry.offset - header.distance);
        if (!base) throw new Error("a base that git put after its delta");
        expect(deltaSizes(data).baseSize).toBe(base.bytes.length);
        objects.set(entry.offset, { type: base.type, bytes: applyDelta(base.bytes, data) });
      } else {
        objects.set(entry.offset, { type: typeOfNumber(header.type) ?? "", bytes: data });
      }
      expect(at).toBe(again.length);
      expect([...again]).toEqual([...made.pack.subarray(entry.offset, entry.offset + at)]);
      const object = objects.get(entry.offset);
      const hash = createHash(name)
        .update(`${object?.type} ${object?.bytes.length}\0`)
        .update(object?.bytes ?? "");
      expect([object?.type, hash.digest("hex")]).toEqual([entry.type, entry.oid]);
    }
    expect(deltas).toBeGreaterThan(20);
  });
});

/** Returns bytes without repetitions. */
function noise(length: number): Uint8Array<ArrayBuffer> {
  let state = 1;
  return new Uint8Array(length).map(() => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return state >>> 24;
  });
}

describe("deltas", () => {
  it("make the target, whatever it shares with the base", () => {
    const piece = fc.uint8Array({ maxLength: 40 });
    const edits = fc.array(fc.tuple(fc.nat(300), fc.nat(120), piece), { maxLength: 6 });
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), edits, (base, changes) => {
        const target = Uint8Array.from(
          changes.flatMap(([at, length, added]) => [...base.subarray(at, at + length), ...added]),
        );
        const delta = createDelta(base, target);
        expect(deltaSizes(delta)).toEqual({ baseSize: base.length, resultSize: target.length });
        expect([...applyDelta(base, delta)]).toEqual([...target]);
      }),
    );
  });

  it("copy more than 64 KB, and from a large offset in the base", () => {
    const base = noise(300_000);
    const target = new Uint8Array([...base.subarray(70_001), 1, 2, 3, ...base.subarray(0, 65_536)]);
    const delta = createDelta(base, target);
    expect(delta.length).toBeLessThan(100);
    expect(Buffer.from(applyDelta(base, delta)).equals(target)).toBe(true);
  });

  it("are accepted by git", () => {
    const base = noise(2000);
    const target = new Uint8Array([...base.subarray(500), 7, 8, 9, ...base.subarray(0, 900)]);
    const delta = createDelta(base, target);
    const entry = (type: number, size: number): Uint8Array => {
      const header = new Uint8Array(entryHeaderBytes(size));
      encodeEntryHeader(type, size, header, 0);
      return header;
    };
    const first = Buffer.concat([entry(TYPE_NUMBER.blob, base.length), deflateSync(base)]);
    const distance = new Uint8Array(ofsDistanceBytes(first.length));
    encodeOfsDistance(first.length, distance, 0);
    const second = Buffer.concat([entry(OFS_DELTA, delta.length), distance, deflateSync(delta)]);
    const body = Buffer.concat([encodePackHeader(2), first, second]);
    const dir = temporaryDirectory();
    try {
      git(dir, ["init", "-q", "--bare", "."]);
      git(dir, ["index-pack", "--stdin"], Buffer.concat([body, createHash("sha1").update(body).digest()]));
      const oid = createHash("sha1").update(`blob ${target.length}\0`).update(target).digest("hex");
      expect(git(dir, ["cat-file", "blob", oid]).equals(target)).toBe(true);
    } finally {
      removeDirectory(dir);
    }
  });

  const base = Uint8Array.of(1, 2, 3, 4);
  it.each([
    ["no sizes", []],
    ["one size", [4]],
    ["a size that is cut", [4, 0x80]],
    ["a size past 2^53", [4, 255, 255, 255, 255, 255, 255, 255, 255, 1]],
    ["another base", [3, 1, 0x01, 9]],
    ["the reserved operation", [4, 1, 0x00]],
    ["a cut insert", [4, 2, 0x02, 9]],
    ["a cut copy", [4, 4, 0x91, 0]],
    ["a copy past the base", [4, 2, 0x91, 3, 2]],
    ["a copy that begins past the base", [4, 1, 0x91, 5, 1]],
    ["a copy of 65,536", [4, 4, 0x80]],
    ["more than it says", [4, 1, 0x90, 2]],
    ["less than it says", [4, 5, 0x90, 4]],
    ["nothing of what it says", [4, 5]],
  ])("are refused with %s", (_, delta) => {
    expect(() => applyDelta(base, Uint8Array.from(delta))).toThrow(new ObjectRejected("failed to apply delta"));
  });

  it("may make an empty object, and may have zero bytes of a copy written out", () => {
    expect(applyDelta(base, Uint8Array.of(4, 0))).toHaveLength(0);
    expect([...applyDelta(base, Uint8Array.of(4, 4, 0xff, 0, 0, 0, 0, 4, 0, 0))]).toEqual([...base]);
  });
});
