/**
 * Bitmaps of packs: what C git wrote is read, and what is written is read by C git.
 *
 * @module-tag thorough
 */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { addBit, type Bits, hasBit, newBits } from "../../../src/bytes/bits.ts";
import { concat } from "../../../src/bytes/chunk.ts";
import { CorruptStore } from "../../../src/bytes/failure.ts";
import { toHex } from "../../../src/bytes/hex.ts";
import { encodeEwah, ewahBytes, ewahEnd, xorEwah } from "../../../src/format/ewah.ts";
import {
  type BitmapEntry,
  type BitmapTable,
  encodePackBitmap,
  lookupTableRange,
  parsePackBitmap,
  BitmapTable as Table,
} from "../../../src/format/pack-bitmap.ts";
import { PackIndex } from "../../../src/format/pack-index.ts";
import { objectFormat } from "../../../src/object/object-id.ts";
import { GitRepository } from "../../support/git-repository.ts";
import { makeHistory } from "../../support/random-history.ts";
import { rawName } from "../../support/store.ts";

const repositories: GitRepository[] = [];
afterAll(() => {
  for (const repository of repositories) repository.dispose();
});

/** A pack of C git's with its bitmaps. */
class Packed {
  readonly git: GitRepository;
  readonly format;
  readonly stem: string;
  readonly index: PackIndex;
  /** The index position of each entry of the pack. */
  readonly order: readonly number[];

  constructor(name: "sha1" | "sha256", ...config: readonly string[]) {
    this.git = new GitRepository(...(name === "sha256" ? ["--object-format=sha256"] : []));
    repositories.push(this.git);
    this.format = objectFormat(name);
    makeHistory(this.git, 7, { commits: 150 });
    this.git.git([...config.flatMap((each) => ["-c", each]), "repack", "-adbq"]);
    const directory = join(this.git.dir, "objects", "pack");
    const bitmap = readdirSync(directory).find((file) => file.endsWith(".bitmap")) ?? "";
    this.stem = join(directory, bitmap.slice(0, -".bitmap".length));
    this.index = new PackIndex(readFileSync(`${this.stem}.idx`), this.format);
    this.order = Array.from({ length: this.index.count }, (_, i) => i).sort(
      (a, b) => this.index.offsetAt(a) - this.index.offsetAt(b),
    );
  }

  get bytes(): Uint8Array {
    return readFileSync(`${this.stem}.bitmap`);
  }

  table(bytes = this.bytes): BitmapTable {
    return parsePackBitmap(bytes, this.format, this.index.packChecksum);
  }

  bitsOf(table: BitmapTable, row: number, bytes = this.bytes): Bits {
    const bits = newBits(this.index.count);
    for (const each of table.chainOf(row)) {
      const { offset, length } = table.rangeOf(each);
      xorEwah(table.ewahOf(each, bytes.subarray(offset, offset + length)), 0, bits);
    }
    return bits;
  }

  names(bits: Bits): string[] {
    const reached = this.order.filter((_, rank) => hasBit(bits, rank));
    return reached.map((position) => toHex(this.index.nameAt(position))).sort();
  }

  typeBits(): Bits[] {
    const types = new Map(
      this.git
        .lines(["cat-file", "--batch-all-objects", "--batch-check=%(objectname) %(objecttype)"])
        .map((line) => line.split(" ", 2) as [string, string]),
    );
    return ["commit", "tree", "blob", "tag"].map((type) => {
      const bits = newBits(this.index.count);
      for (const [rank, position] of this.order.entries())
        if (types.get(toHex(this.index.nameAt(position))) === type) addBit(bits, rank);
      return bits;
    });
  }
}

function setOf(numbers: readonly number[], room: number): Bits {
  const bits = newBits(room);
  for (const number of numbers) addBit(bits, number);
  return bits;
}

describe("a compressed bitmap", () => {
  const ROOM = 700;
  const runs = fc.array(fc.tuple(fc.nat(ROOM - 1), fc.integer({ min: 1, max: 300 })), { maxLength: 6 });
  const sets = runs.map((pairs) =>
    setOf(
      pairs.flatMap(([from, length]) => Array.from({ length: Math.min(length, ROOM - from) }, (_, i) => from + i)),
      ROOM,
    ),
  );

  it("gives the set that was encoded, and the difference of two", () => {
    fc.assert(
      fc.property(sets, sets, (bits, other) => {
        const bytes = concat([new Uint8Array(3), encodeEwah(bits, other), new Uint8Array(5)]);
        expect(ewahEnd(bytes, 3)).toBe(bytes.length - 5);
        expect(ewahBytes(bits, other)).toBe(bytes.length - 8);
        const read = other.slice();
        xorEwah(bytes, 3, read);
        expect(read).toEqual(bits);
      }),
    );
  });

  it("takes 20 bytes where all bits are the same", () => {
    const all = setOf(
      Array.from({ length: 6400 }, (_, i) => i),
      6400,
    );
    expect(encodeEwah(all)).toHaveLength(20);
    expect(encodeEwah(newBits(6400))).toHaveLength(20);
  });

  it("is refused where it is cut short, or has numbers for which there is no room", () => {
    const bytes = encodeEwah(setOf([1, 99, 450], ROOM));
    for (let length = 0; length < bytes.length; length++)
      expect(() => xorEwah(bytes.subarray(0, length), 0, newBits(ROOM))).toThrow(CorruptStore);
    expect(() => xorEwah(bytes, 0, newBits(128))).toThrow(CorruptStore);
    expect(() =>
      xorEwah(
        encodeEwah(
          setOf(
            Array.from({ length: 640 }, (_, i) => i),
            640,
          ),
        ),
        0,
        newBits(64),
      ),
    ).toThrow(CorruptStore);
    const long = bytes.slice();
    new DataView(long.buffer).setUint32(8, 0xffff_fffe);
    expect(() => xorEwah(long, 0, newBits(ROOM))).toThrow(CorruptStore);
  });
});

describe.each([
  ["sha1", "false"],
  ["sha1", "true"],
  ["sha256", "false"],
] as const)("the bitmaps of a %s pack (lookup table: %s)", (name, lookup) => {
  const packed = new Packed(name, `pack.writeBitmapLookupTable=${lookup}`);

  it("that C git wrote have the sets that C git walks", () => {
    const table = packed.table();
    expect(table.count).toBeGreaterThan(20);
    for (let row = 0; row < table.count; row++) {
      const commit = toHex(packed.index.nameAt(table.positionAt(row)));
      expect(packed.names(packed.bitsOf(table, row))).toEqual(packed.git.objects(commit));
      expect(table.rowOf(table.positionAt(row))).toBe(row);
    }
    const tree = rawName(packed.git.text(["rev-parse", "c149^{tree}"]).trim());
    expect(table.rowOf(packed.index.find(tree))).toBe(-1);
  });

  it("are taken by C git where they are written here", () => {
    const table = packed.table();
    const rows = Array.from({ length: table.count }, (_, row) => row);
    const sets = rows.map((row) => packed.bitsOf(table, row));
    const entries: BitmapEntry[] = rows.map((row) => {
      const baseBefore = row % 4 === 0 ? 0 : 1 + (row % 3 > 0 && row > 1 ? 1 : 0);
      const other = baseBefore === 0 ? undefined : sets[row - baseBefore];
      return { position: table.positionAt(row), baseBefore, ewah: encodeEwah(sets[row] ?? newBits(0), other) };
    });
    const tables = {
      format: packed.format,
      packChecksum: packed.index.packChecksum,
      types: packed.typeBits(),
      entries,
    };
    const bytes = concat([...encodePackBitmap(tables, createHash(name))].map((piece) => piece.slice()));
    const written = packed.table(bytes);
    const range = lookupTableRange({ bytes: bytes.length, commits: entries.length }, packed.format);
    const looked = Table.ofLookupTable(bytes.subarray(range.offset, range.offset + range.length), range.offset);
    for (const row of rows) {
      expect(packed.bitsOf(written, row, bytes)).toEqual(sets[row]);
      expect(packed.bitsOf(looked, row, bytes)).toEqual(sets[row]);
    }
    rmSync(`${packed.stem}.bitmap`, { force: true });
    writeFileSync(`${packed.stem}.bitmap`, bytes);
    for (const row of rows)
      expect(packed.git.run(["rev-list", "--test-bitmap", toHex(packed.index.nameAt(table.positionAt(row)))]).ok).toBe(
        true,
      );
    const count = (...options: readonly string[]): string =>
      packed.git.text(["rev-list", "--count", "--objects", ...options, "--all"]).trim();
    expect(count("--use-bitmap-index")).toBe(count());
    packed.git.git(["fsck", "--strict"]);
  });

  it("are refused where they are cut short, of another pack, or unknown", () => {
    const { bytes } = packed;
    for (const length of [0, 11, 60, 300, Math.floor(bytes.length / 2)])
      expect(() => packed.table(bytes.subarray(0, length))).toThrow(CorruptStore);
    const changed = (at: number): Uint8Array => {
      const other = bytes.slice();
      other[at] = (other[at] ?? 0) ^ 0x80;
      return other;
    };
    for (const at of [0, 5, 6, 7, 13]) expect(() => packed.table(changed(at))).toThrow(CorruptStore);
  });
});
