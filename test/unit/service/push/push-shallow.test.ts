/** A push of a client whose history is cut, where C git's own client would not send one, or C git decides otherwise. */
import { beforeEach, describe, expect, it } from "vitest";
import { serveReceivePack } from "../../../../src/service/push/receive-pack.ts";
import {
  buildPack,
  commitOf,
  objectId,
  pushBody,
  type RawCommand,
  type RawEntry,
  reportLines,
  treeOf,
} from "../../../support/git-raw.ts";
import { pktBytes } from "../../../support/pkt.ts";
import { MemoryService, NEW_REPOSITORY } from "../memory-service.ts";

const MAIN = "refs/heads/main";
const blob = "hello\n";
const tree = treeOf(["100644", "file.txt", objectId("blob", blob)]);
const treeId = objectId("tree", tree);
const first = commitOf(treeId);
const firstId = objectId("commit", first);
const second = commitOf(treeId, [firstId]);
const secondId = objectId("commit", second);
const third = commitOf(treeId, [secondId]);
const thirdId = objectId("commit", third);
const commit = (content: string): RawEntry => ({ type: "commit", content });

let host = new MemoryService();

async function push(commands: readonly RawCommand[], pack: Uint8Array, shallows: readonly string[]): Promise<string[]> {
  const lines = shallows.map((name) => pktBytes(`shallow ${name}`));
  const body = Buffer.concat([...lines, pushBody(commands, pack)]);
  return reportLines((await host.run(serveReceivePack, body)).body);
}

beforeEach(async () => {
  host = new MemoryService();
  await host.refs.create(NEW_REPOSITORY);
  const pack = buildPack([{ type: "tree", content: tree }, { type: "blob", content: blob }, commit(first)]);
  await push([{ name: MAIN, new: firstId }], pack, []);
});

describe("a push from a shallow clone", () => {
  it("lands if the cut hides only stored history, which C git refuses", async () => {
    // The client never saw `first`; it is here all the same.
    expect(await push([{ name: MAIN, old: firstId, new: secondId }], buildPack([commit(second)]), [secondId])).toEqual([
      "unpack ok",
      `ok ${MAIN}`,
    ]);
  });

  it("is refused if the cut hides missing history, except for refs to stored objects", async () => {
    const commands = [
      { name: "refs/heads/cut", new: thirdId },
      { name: "refs/heads/here", new: firstId },
      { name: "refs/heads/nowhere" },
    ];
    expect(await push(commands, buildPack([commit(third)]), [thirdId])).toEqual([
      "unpack ok",
      "ng refs/heads/cut shallow update not allowed",
      "ok refs/heads/here",
      "ok refs/heads/nowhere",
    ]);
    expect(await host.listRefs()).toEqual([`refs/heads/here ${firstId}`, `${MAIN} ${firstId}`]);
    expect(host.refs.database.dueWork(Number.MAX_SAFE_INTEGER).expiredPacks).toEqual([]);
    expect([...host.storage.files.keys()].filter((name) => name.endsWith(".pack"))).toHaveLength(1);
  });

  it("is refused as a broken pack if the missing object has nothing to do with the cut", async () => {
    // What is missing is a tree, or the cut is no commit of the pack: this is a broken pack, as from anyone.
    const broken = commit(commitOf("1".repeat(40), [firstId]));
    const brokenId = objectId("commit", broken.content);
    expect(await push([{ name: MAIN, old: firstId, new: brokenId }], buildPack([broken]), [brokenId])).toEqual([
      `unpack did not receive expected object ${"1".repeat(40)}`,
      `ng ${MAIN} unpacker error`,
    ]);
    expect(await push([{ name: MAIN, old: firstId, new: thirdId }], buildPack([commit(third)]), [firstId])).toEqual([
      `unpack did not receive expected object ${secondId}`,
      `ng ${MAIN} unpacker error`,
    ]);
  });
});
