import { describe, expect, it } from "vitest";
import { toHex } from "../../../../src/bytes/hex.ts";
import { REFERENCED, REF_BLOB } from "../../../../src/kernel/object-flags.ts";
import { NONE, ObjectNames } from "../../../../src/store/ingest/object-names.ts";
import { testKernel } from "../../../support/kernel.ts";

describe.each([20, 32])("the object names of a pack, of %i bytes", (rawSize) => {
  const name = (byte: number): Uint8Array => new Uint8Array(rawSize).fill(byte);

  it("tell the number of the entry that brings a name, from the first one, 0, on", () => {
    const names = new ObjectNames(testKernel({ rawSize }));
    const [brought, referred] = [names.add(name(1)), names.add(name(2))];
    expect([names.entryOf(brought), names.isBrought(brought)]).toEqual([NONE, false]);
    names.setEntry(brought, 0);
    expect([names.entryOf(brought), names.isBrought(brought), names.entryNamed(name(1))]).toEqual([0, true, 0]);
    expect([names.entryOf(referred), names.entryNamed(name(2)), names.entryNamed(name(3))]).toEqual([NONE, NONE, NONE]);
    names.setEntry(referred, 2 ** 31);
    expect(names.entryNamed(name(2))).toBe(2 ** 31);
  });

  it("keep one index and the flags of a name that is added again", () => {
    const names = new ObjectNames(testKernel({ rawSize }));
    const index = names.add(name(1));
    names.orFlags(index, REFERENCED);
    expect(names.find(name(2))).toBe(NONE);
    names.add(name(2));
    expect([names.add(name(1)), names.find(name(1)), names.count]).toEqual([index, index, 2]);
    names.orFlags(index, REF_BLOB);
    expect(names.flagsOf(index)).toBe(REFERENCED | REF_BLOB);
  });

  it("return names as views, copies and text", () => {
    const names = new ObjectNames(testKernel({ rawSize }));
    const indexes = [names.add(name(0xab)), names.add(name(0xcd))];
    const copies = names.copyAll(indexes);
    expect(toHex(copies)).toBe("ab".repeat(rawSize) + "cd".repeat(rawSize));
    for (const [i, index] of indexes.entries()) {
      expect(names.view(index)).toEqual(copies.slice(i * rawSize, (i + 1) * rawSize));
      expect(names.copy(index)).toEqual(names.view(index));
      expect(names.hex(index)).toBe((i === 0 ? "ab" : "cd").repeat(rawSize));
    }
  });
});
