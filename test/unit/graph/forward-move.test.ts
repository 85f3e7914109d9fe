/** Whether a ref moves forward, by the commits of a pack. */
import { describe, expect, it } from "vitest";
import { objectFormat } from "../../../src/object/object-id.ts";
import { movesForwardInPack } from "../../../src/graph/forward-move.ts";
import { commitOf, objectId } from "../../support/git-raw.ts";

const format = objectFormat("sha1");
const TREE = "4".repeat(40);
const raw = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex, "hex"));

/** A pack of commits, each with the parents given; counts what is read. */
function packOfCommits() {
  const contents = new Map<string, string>();
  const pack = {
    reads: 0,
    commit: (...parents: string[]): string => {
      const who = `author A <a@a> ${contents.size} +0000\ncommitter A <a@a> ${contents.size} +0000`;
      const content = commitOf(TREE, parents, who);
      const id = objectId("commit", content);
      contents.set(id, content);
      return id;
    },
    typeOf: (name: Uint8Array): number => (contents.has(Buffer.from(name).toString("hex")) ? 1 : 0),
    read: async (name: Uint8Array): Promise<Uint8Array> => {
      pack.reads++;
      return Buffer.from(contents.get(Buffer.from(name).toString("hex")) ?? "");
    },
  };
  return pack;
}

describe("movesForwardInPack", () => {
  it("finds the old tip behind lines and merges, and no other commit", async () => {
    const pack = packOfCommits();
    const [old, other] = ["1".repeat(40), "2".repeat(40)];
    const left = pack.commit(pack.commit(old));
    const right = pack.commit(other);
    const tip = pack.commit(pack.commit(left, right), right);
    const forward = (from: string, to: string): Promise<boolean> =>
      movesForwardInPack({ from: raw(from), to: raw(to) }, pack, format, 100);
    expect(await forward(old, tip)).toBe(true);
    expect(await forward(other, tip)).toBe(true);
    expect(await forward(left, tip)).toBe(true);
    expect(await forward(tip, tip)).toBe(true);
    expect(await forward("3".repeat(40), tip)).toBe(false);
    expect(await forward(tip, left)).toBe(false);
    expect(await forward(old, right)).toBe(false);
  });

  it("reads each commit once, and no more of them than its bound", async () => {
    const pack = packOfCommits();
    let [a, b] = [pack.commit(), pack.commit()];
    // Twenty diamonds: a million paths.
    for (let at = 0; at < 20; at++) [a, b] = [pack.commit(a, b), pack.commit(b, a)];
    const absent = raw("3".repeat(40));
    expect(await movesForwardInPack({ from: absent, to: raw(a) }, pack, format, 100)).toBe(false);
    expect(pack.reads).toBeLessThanOrEqual(42);
    pack.reads = 0;
    expect(await movesForwardInPack({ from: absent, to: raw(a) }, pack, format, 10)).toBe(false);
    expect(pack.reads).toBeLessThanOrEqual(10);
  });
});
