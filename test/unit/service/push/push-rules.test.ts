/** What a push may do to refs that the repository's rules speak of. */
import { beforeEach, describe, expect, it } from "vitest";
import { serveReceivePack } from "../../../../src/service/push/receive-pack.ts";
import {
  buildPack,
  commitOf,
  objectId,
  pushBody,
  type RawCommand,
  reportLines,
  treeOf,
} from "../../../support/git-raw.ts";
import { MemoryService, NEW_REPOSITORY } from "../memory-service.ts";

const MAIN = "refs/heads/main";
const EMPTY_PACK = buildPack([]);
const blob = "hello\n";
const treeContent = treeOf(["100644", "file.txt", objectId("blob", blob)]);
const treeId = objectId("tree", treeContent);
const base = [
  { type: "tree", content: treeContent },
  { type: "blob", content: blob },
] as const;
const first = commitOf(treeId);
const firstId = objectId("commit", first);
const second = commitOf(treeId, [firstId]);
const secondId = objectId("commit", second);
const third = commitOf(treeId, [secondId]);
const thirdId = objectId("commit", third);
const unrelated = commitOf(treeId, [], "author B <b@b> 1 +0000\ncommitter B <b@b> 1 +0000");
const unrelatedId = objectId("commit", unrelated);

let host = new MemoryService();

/** What lies in the bucket, by extension. */
const files = (): string[] => [...host.storage.files.keys()].map((name) => name.split(".")[1] ?? "").toSorted();
const leases = (): readonly string[] => host.refs.database.dueWork(Number.MAX_SAFE_INTEGER).expiredPacks;

beforeEach(async () => {
  host = new MemoryService();
  await host.refs.create(NEW_REPOSITORY);
  const pack = buildPack([...base, { type: "commit", content: first }, { type: "commit", content: second }]);
  const { body } = await host.run(serveReceivePack, pushBody([{ name: MAIN, new: secondId }], pack));
  if (reportLines(body)[1] !== `ok ${MAIN}`) throw new Error("the fixture was not taken");
});

describe("the repository's rules", () => {
  const rule = { pattern: "main", allowForcePush: false, allowDeletion: false, requireSigned: false };
  const next = buildPack([{ type: "commit", content: third }]);
  const sent = async (commands: readonly RawCommand[], pack: Uint8Array, pusher = {}): Promise<string[]> => {
    const body = pushBody(commands, pack, "report-status");
    return reportLines((await host.run(serveReceivePack, body, { pusher })).body).slice(1);
  };

  it("are compared with as many refs as a push may have for them, and no more", async () => {
    await host.refs.change({ rules: Array.from({ length: 100 }, (_, at) => ({ ...rule, pattern: `*${at}x*` })) });
    const tail = `${"y".repeat(200)}/`.repeat(19);
    const commands = (count: number): RawCommand[] =>
      Array.from({ length: count }, (_, at) => ({ name: `refs/heads/${tail}${at}`, new: firstId }));
    const few = await sent(commands(10), EMPTY_PACK);
    expect(new Set(few.map((line) => line.slice(0, 3)))).toEqual(new Set(["ok "]));
    const many = await sent(commands(300), EMPTY_PACK);
    const words = "too many refs in one push for the rules of the repository";
    expect([many.length, many.every((line) => line.startsWith("ng ") && line.endsWith(words))]).toEqual([300, true]);
  });

  it("let a ref move forward, and in no other way", async () => {
    await host.refs.change({ rules: [rule] });
    expect(await sent([{ name: MAIN, old: secondId, new: firstId }], EMPTY_PACK)).toEqual([
      `ng ${MAIN} the rule for 'main' prohibits moves that are not a fast-forward`,
    ]);
    const other = buildPack([...base, { type: "commit", content: unrelated }]);
    expect(await sent([{ name: MAIN, old: secondId, new: unrelatedId }], other)).toEqual([
      `ng ${MAIN} the rule for 'main' prohibits moves that are not a fast-forward`,
    ]);
    expect(leases()).toEqual([]);
    expect(files()).toEqual(["idx", "pack", "rev"]);
    expect(await sent([{ name: MAIN, old: secondId, new: thirdId }], next)).toEqual([`ok ${MAIN}`]);
    await host.refs.change({ rules: [{ ...rule, allowForcePush: true }] });
    expect(await sent([{ name: MAIN, old: thirdId, new: firstId }], EMPTY_PACK)).toEqual([`ok ${MAIN}`]);
  });

  it("are decided exactly if the pack alone does not tell what is forward", async () => {
    await host.refs.change({ rules: [{ ...rule, pattern: "*" }] });
    // Nothing travels, and what lies between the two is in the catalog.
    expect(await sent([{ name: "refs/heads/old", new: firstId }], EMPTY_PACK)).toEqual(["ok refs/heads/old"]);
    expect(await sent([{ name: "refs/heads/old", old: firstId, new: secondId }], EMPTY_PACK)).toEqual([
      "ok refs/heads/old",
    ]);
    // The pack has the tip, the catalog what is between.
    expect(await sent([{ name: "refs/heads/older", new: firstId }], EMPTY_PACK)).toEqual(["ok refs/heads/older"]);
    expect(await sent([{ name: "refs/heads/older", old: firstId, new: thirdId }], next)).toEqual([
      "ok refs/heads/older",
    ]);
  });

  it("refuse a push before its pack is ingested", async () => {
    await host.refs.change({ rules: [{ ...rule, pushers: ["tok_1"] }] });
    const body = pushBody([{ name: MAIN, old: secondId, new: thirdId }], next, "report-status");
    const strangers = { pusher: { identities: ["tok_2"] } };
    const refused = await host.run(serveReceivePack, body, strangers);
    expect(reportLines(refused.body)).toEqual([
      "unpack ok",
      `ng ${MAIN} the rule for 'main' does not let you push here`,
    ]);
    expect(refused.calls).toEqual(["beginPush", "abandonPush"]);
    expect(refused.unread).toBe(0);
    expect(await sent([{ name: MAIN, old: secondId }], new Uint8Array(), { identities: ["tok_1"] })).toEqual([
      `ng ${MAIN} the rule for 'main' prohibits deletion`,
    ]);
    const taken = await host.run(serveReceivePack, body, { pusher: { identities: ["tok_1"] } });
    expect(reportLines(taken.body)).toEqual(["unpack ok", `ok ${MAIN}`]);
  });

  it("apply even if they came while the pack was ingested", async () => {
    const { body } = await host.run(
      (exchange) =>
        serveReceivePack({
          ...exchange,
          repository: {
            ...exchange.repository,
            refs: {
              ...exchange.repository.refs,
              commitPush: async (request) => {
                await host.refs.change({ rules: [{ ...rule, pushers: [] }] });
                return await exchange.repository.refs.commitPush(request);
              },
            },
          },
        }),
      pushBody([{ name: MAIN, old: secondId, new: thirdId }], next),
      { pusher: { identities: ["tok_1"] } },
    );
    expect(reportLines(body)).toEqual(["unpack ok", `ng ${MAIN} the rule for 'main' does not let you push here`]);
    expect(leases()).toEqual([]);
    expect(files()).toEqual(["idx", "pack", "rev"]);
  });

  it("refuse one ref and let the others move, unless the push is atomic", async () => {
    await host.refs.change({ rules: [rule] });
    const commands = [
      { name: MAIN, old: secondId, new: firstId },
      { name: "refs/heads/topic", new: firstId },
    ];
    const no = `ng ${MAIN} the rule for 'main' prohibits moves that are not a fast-forward`;
    const atomic = await host.run(serveReceivePack, pushBody(commands, EMPTY_PACK, "report-status atomic"));
    expect(reportLines(atomic.body).slice(1)).toEqual([no, "ng refs/heads/topic atomic push failure"]);
    expect(await sent(commands, EMPTY_PACK)).toEqual([no, "ok refs/heads/topic"]);
  });
});

describe("names that are no text", () => {
  it("are counted as they are taken, planned and reported", async () => {
    const steps: number[] = [];
    for (const byte of ["a", "\xe9"]) {
      const body = pushBody([{ name: `refs/heads/${"~".repeat(4000)}`, new: firstId }], EMPTY_PACK, "report-status");
      // The only bytes of the request that are such.
      for (let at = body.indexOf("~"); body[at] === 0x7e; at++) body[at] = byte.charCodeAt(0);
      let before = 0;
      const { body: answer } = await host.run(async (exchange) => {
        before = exchange.repository.pacer.steps;
        return await serveReceivePack(exchange).finally(() => steps.push(exchange.repository.pacer.steps - before));
      }, body);
      expect(reportLines(answer)[1]).toMatch(/^ok refs\/heads\//);
    }
    const [plain = 0, escapes = 0] = steps;
    // Each of the three looks at each character.
    expect(escapes - plain).toBeGreaterThan(3 * 2 * 4 * 3900 - 3 * 4000);
  });
});
