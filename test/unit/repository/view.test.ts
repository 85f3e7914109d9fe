/** Which packs may be handed out as they lie in the bucket. */
import { describe, expect, it } from "vitest";
import type { PackRecord } from "../../../src/catalog/pack-record.ts";
import { allReachable, wholePacks } from "../../../src/repository/view.ts";

function pack(name: string, about: Partial<PackRecord> = {}): PackRecord {
  return {
    name,
    checksum: name.repeat(40),
    objects: 3,
    ownObjects: 3,
    packBytes: 100,
    ownBytes: 80,
    indexBytes: 1100,
    indexHead: new Uint8Array(0),
    marked: true,
    source: "receive",
    createdAt: 0,
    ...about,
  };
}

const namesOf = (packs: readonly PackRecord[]): string => packs.map(({ name }) => name).join("");

describe("wholePacks", () => {
  it("returns all packs while everything is reachable, also completed ones and tip packs", () => {
    const packs = [pack("a"), pack("b", { objects: 5 }), pack("c", { source: "copy" })];
    expect(allReachable({ packs })).toBe(true);
    expect(namesOf(wholePacks({ packs }))).toBe("abc");
  });

  it("returns only packs whose mark covers all their objects if some pack lacks the mark", () => {
    const packs = [
      pack("a"),
      pack("b", { marked: false }),
      // What was appended may be what only the second pack had, and the copy may be of a tip that was forced away.
      pack("c", { objects: 4 }),
      pack("d", { source: "copy" }),
      pack("e", { source: "mirror" }),
      // The pack of a slice, which no ref reaches yet.
      pack("f", { source: "mirror", marked: false }),
    ];
    expect(namesOf(wholePacks({ packs }))).toBe("ae");
  });
});
