/**
 * What tags finally name: each is read once, whatever leads to it.
 */
import { describe, expect, it } from "vitest";
import { toHex } from "../../../src/bytes/hex.ts";
import { GraphSession } from "../../../src/graph/graph-session.ts";
import { SELECTED } from "../../../src/kernel/object-flags.ts";
import { peelTips, type TipValue } from "../../../src/graph/tip-values.ts";
import { objectFormat } from "../../../src/object/object-id.ts";
import { TYPE_NUMBER } from "../../../src/object/object-type.ts";
import type { IngestedPack } from "../../../src/store/ingest/ingest-pack.ts";
import { type HostilePack, tagChainPack } from "../../support/hostile.ts";
import { rawName, TestStore } from "../../support/store.ts";

const LENGTH = 400;
const format = objectFormat("sha1");

const valuesOf = (tags: readonly string[]): TipValue[] =>
  tags.map((tag) => ({ oid: rawName(tag), type: TYPE_NUMBER.tag }));

/** Peels within a pack that is taken in; gives the reads. */
async function peelInPack(hostile: HostilePack, values: readonly TipValue[]): Promise<number> {
  const store = new TestStore();
  let reads = 0;
  const look = async (pack: IngestedPack): Promise<void> => {
    const counted = {
      ...pack,
      read: async (name: Uint8Array) => {
        reads++;
        return await pack.read(name);
      },
    };
    const kernel = (): never => {
      throw new Error("nothing stored is to be read");
    };
    await peelTips(values, { format, pack: counted, database: store.database(), kernel });
  };
  await store.ingest(hostile.pack, { look });
  return reads;
}

describe("peelTips", () => {
  const hostile = tagChainPack(LENGTH);

  it.each([
    ["the innermost first", hostile.tags],
    ["the outermost first", hostile.tags.toReversed()],
    ["the outermost many times", Array.from({ length: LENGTH }, () => hostile.tags.at(-1) ?? "")],
  ])("reads each tag of the pack once, given %s", async (_, tags) => {
    const values = valuesOf(tags);
    expect(await peelInPack(hostile, values)).toBe(LENGTH);
    expect(new Set(values.map(({ peeled }) => toHex(peeled ?? new Uint8Array(0))))).toEqual(new Set([hostile.tip]));
  });

  it("follows stored tags, and refuses to read many more of them than there are values", async () => {
    const store = new TestStore();
    await store.push(hostile.pack, [hostile.tags.at(-1) ?? ""]);
    const kernel = await store.kernels.lend(format.rawSize);
    const values = valuesOf(hostile.tags);
    await peelTips(values, { format, pack: undefined, database: store.database(), kernel: async () => kernel });
    expect(values.every(({ peeled }) => peeled !== undefined && toHex(peeled) === hostile.tip)).toBe(true);
    const long = tagChainPack(10_100);
    const other = new TestStore();
    await other.push(long.pack, [long.tags.at(-1) ?? ""]);
    const last = valuesOf([long.tags.at(-1) ?? ""]);
    const peeling = peelTips(last, { format, pack: undefined, database: other.database(), kernel: async () => kernel });
    await expect(peeling).rejects.toThrow("tags of tags");
  });
});

describe("GraphSession", () => {
  it("reads each tag once, and flags every tag on the way", async () => {
    const hostile = tagChainPack(LENGTH);
    const store = new TestStore();
    await store.push(hostile.pack, [hostile.tags.at(-1) ?? ""]);
    const kernel = await store.kernels.lend(format.rawSize);
    const session = new GraphSession(store.database(), kernel);
    const nodes = hostile.tags.map((tag) => session.node(rawName(tag)));
    const commit = session.node(rawName(hostile.tip));
    for (const node of nodes.toReversed()) expect(await session.peel(node)).toBe(commit);
    const steps = store.pacer.steps;
    for (const node of nodes) expect(await session.peel(node)).toBe(commit);
    // nothing was read for that
    expect(store.pacer.steps).toBe(steps);
    expect(nodes.some((node) => session.has(node, SELECTED))).toBe(false);
    for (const node of nodes.toReversed()) expect(await session.peel(node, SELECTED)).toBe(commit);
    expect(nodes.every((node) => session.has(node, SELECTED))).toBe(true);
    expect(session.has(commit, SELECTED)).toBe(false);
    session.close();
  });
});
