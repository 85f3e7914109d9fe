/** Pushes, beside C git's receive-pack: what is reported, what moves, what is left behind. */
import { afterAll, beforeAll, beforeEach, describe, expect, it, test } from "vitest";
import { CorruptStore, ProtocolError } from "../../../../src/bytes/failure.ts";
import type { PushExchange } from "../../../../src/service/exchange.ts";
import { serveReceivePack } from "../../../../src/service/push/receive-pack.ts";
import { serveV2 } from "../../../../src/service/serve-v2.ts";
import { GitSandbox } from "../../../support/git-client.ts";
import {
  buildPack,
  commitOf,
  objectId,
  pushBody,
  type RawCommand,
  reportLines,
  treeOf,
  withTrailer,
  ZERO,
} from "../../../support/git-raw.ts";
import { pktBytes, pktText } from "../../../support/pkt.ts";
import { askGit, band, MemoryService, NEW_REPOSITORY, tools } from "../memory-service.ts";

const git = new GitSandbox("push");
afterAll(() => git.close());

const MAIN = "refs/heads/main";
const ABSENT = "7".repeat(40);
const EMPTY_PACK = buildPack([]);
const blob = "hello\n";
const blobId = objectId("blob", blob);
const treeId = objectId("tree", treeOf(["100644", "file.txt", blobId]));
const base = [
  { type: "tree", content: treeOf(["100644", "file.txt", blobId]) },
  { type: "blob", content: blob },
] as const;
const first = commitOf(treeId);
const firstId = objectId("commit", first);
const second = commitOf(treeId, [firstId]);
const secondId = objectId("commit", second);
const third = commitOf(treeId, [secondId]);
const thirdId = objectId("commit", third);
const OTHER = { name: "refs/heads/y", new: thirdId };
const FUNNY = { name: "refs/heads/a..b", new: thirdId };
const STALE = { name: MAIN, old: firstId, new: thirdId };
const unrelated = commitOf(treeId, [], "author B <b@b> 1 +0000\ncommitter B <b@b> 1 +0000");
const unrelatedId = objectId("commit", unrelated);
const tagOf = (object: string, type: string, name: string): string =>
  `object ${object}\ntype ${type}\ntag ${name}\ntagger A <a@a> 1 +0000\n\nmessage\n`;

let host = new MemoryService();
let bare = "";

const push = async (
  commands: readonly RawCommand[],
  pack: Uint8Array = new Uint8Array(),
  capabilities = "report-status",
): Promise<string[]> => reportLines((await host.run(serveReceivePack, pushBody(commands, pack, capabilities))).body);

/** Why a ref transaction fails, in the words of git since 2.50. */
const NEW_WORDS = [
  "refname conflict",
  "reference already exists",
  "reference does not exist",
  "incorrect old value provided",
  "invalid new value provided",
];

/** Gives a line of a report as git before 2.50 has it: it said the same of every failure of a ref transaction. */
function inOldWords(line: string): string {
  const word = line.startsWith("ng ") ? NEW_WORDS.find((words) => line.endsWith(` ${words}`)) : undefined;
  return word === undefined ? line : `${line.slice(0, -word.length)}failed to update ref`;
}

/** What lies in the bucket, by extension. */
const files = (): string[] => [...host.storage.files.keys()].map((name) => name.split(".")[1] ?? "").toSorted();
const leases = (): readonly string[] => host.refs.database.dueWork(Number.MAX_SAFE_INTEGER).expiredPacks;

beforeEach(async () => {
  host = new MemoryService();
  await host.refs.create(NEW_REPOSITORY);
  const pack = buildPack([...base, { type: "commit", content: first }, { type: "commit", content: second }]);
  const report = await push([{ name: MAIN, new: secondId }], pack);
  if (report[1] !== `ok ${MAIN}`) throw new Error(`the fixture was not taken: ${report.join()}`);
});

beforeAll(async () => {
  bare = await git.init("origin", "--bare");
  await git.ok(["config", "receive.fsckObjects", "true"], { cwd: bare });
  await git.ok(["config", "receive.denyDeleteCurrent", "refuse"], { cwd: bare });
  await git.ok(["config", "receive.unpackLimit", "1"], { cwd: bare });
  const pack = buildPack([...base, { type: "commit", content: first }, { type: "commit", content: second }]);
  await askGit(git, "receive-pack", bare, { input: pushBody([{ name: MAIN, new: secondId }], pack) });
});

/** Asks C git the same, on a copy of what it has. */
async function theirAnswer(body: Uint8Array): Promise<Buffer> {
  const copy = git.fresh("copy");
  await git.ok(["clone", "-q", "--mirror", bare, copy]);
  for (const key of ["receive.fsckObjects=true", "receive.denyDeleteCurrent=refuse", "receive.unpackLimit=1"]) {
    const [name = "", value = ""] = key.split("=");
    await git.ok(["config", name, value], { cwd: copy });
  }
  return await askGit(git, "receive-pack", copy, { input: body });
}

const theirReport = async (body: Uint8Array): Promise<string[]> => reportLines(await theirAnswer(body));

describe("the report of a push", () => {
  const next = buildPack([{ type: "commit", content: third }]);
  test.each<[string, RawCommand[], Uint8Array, string?]>([
    ["a move forward", [{ name: MAIN, old: secondId, new: thirdId }], next],
    ["a new branch for a stored object", [{ name: "refs/heads/old", new: firstId }], EMPTY_PACK],
    ["a rewind", [{ name: MAIN, old: secondId, new: firstId }], EMPTY_PACK],
    ["a stale old value", [{ name: MAIN, old: firstId, new: thirdId }], next],
    ["creating what exists", [{ name: MAIN, new: thirdId }], next],
    ["moving what does not exist", [{ name: "refs/heads/x", old: firstId, new: thirdId }], next],
    ["deleting what never was", [{ name: "refs/heads/x" }], new Uint8Array()],
    ["deleting the current branch", [{ name: MAIN, old: secondId }], new Uint8Array()],
    ["a name with two dots", [{ name: "refs/heads/a..b", new: thirdId }], next],
    [
      "a name of one part",
      [
        { name: "refs/x", new: thirdId },
        { name: "main", new: thirdId },
      ],
      next,
    ],
    ["a branch below a branch", [{ name: `${MAIN}/sub`, new: thirdId }], next],
    ["a deletion beside a creation", [{ name: "refs/heads/x" }, { name: "refs/heads/b", new: thirdId }], next],
    ["an object that is missing", [{ name: "refs/heads/x", new: ABSENT }], EMPTY_PACK],
    [
      "a missing object beside a good one",
      [
        { name: "refs/heads/x", new: ABSENT },
        { name: "refs/heads/y", new: thirdId },
      ],
      next,
    ],
    ["a branch that is a blob", [{ name: "refs/heads/x", new: blobId }], EMPTY_PACK],
    ["a tag that is a blob", [{ name: "refs/tags/x", new: blobId }], EMPTY_PACK],
    ["atomic, one of them refused", [FUNNY, OTHER], next, "report-status atomic"],
    ["atomic, one of them stale", [STALE, OTHER], next, "report-status atomic"],
    ["atomic, one where another is", [OTHER, { name: `${MAIN}/sub`, new: thirdId }], next, "report-status atomic"],
    ["atomic, one stale and one refused", [STALE, FUNNY], next, "report-status atomic"],
    ["report-status-v2", [{ name: MAIN, old: secondId, new: thirdId }], next, "report-status-v2"],
    ["no report", [{ name: MAIN, old: secondId, new: thirdId }], next, ""],
    ["no pack at all", [{ name: MAIN, old: secondId, new: thirdId }], new Uint8Array()],
    ["a wrong signature", [{ name: MAIN, old: secondId, new: thirdId }], Buffer.from("JACK00000000000000000")],
    ["version 9", [{ name: MAIN, old: secondId, new: thirdId }], Buffer.from("PACK\0\0\0\u0009\0\0\0\0")],
  ])("is that of C git for %s", async (_, commands, pack, capabilities = "report-status") => {
    const body = pushBody(commands, pack, capabilities);
    const ours = reportLines((await host.run(serveReceivePack, body)).body);
    expect(ours.map(inOldWords)).toEqual((await theirReport(body)).map(inOldWords));
    expect(leases()).toEqual([]);
  });

  it("has the reason in the unpack line, which C git shows on band 2 only", async () => {
    const truncated = buildPack([{ type: "commit", content: third }]).subarray(0, 40);
    const body = pushBody([{ name: MAIN, old: secondId, new: thirdId }], truncated);
    expect(await theirReport(body)).toEqual(["unpack index-pack abnormal exit", `ng ${MAIN} unpacker error`]);
    const ours = reportLines((await host.run(serveReceivePack, body)).body);
    expect(ours).toEqual(["unpack early EOF", `ng ${MAIN} unpacker error`]);
  });
});

describe("band 2 of a push", () => {
  const next = buildPack([{ type: "commit", content: third }]);
  test.each<[string, RawCommand[], Uint8Array]>([
    ["a stale old value", [{ name: MAIN, old: firstId, new: thirdId }], next],
    ["creating what exists", [{ name: MAIN, new: thirdId }], next],
    ["moving what does not exist", [{ name: "refs/heads/x", old: firstId, new: thirdId }], next],
    ["a branch below a branch", [{ name: `${MAIN}/sub`, new: thirdId }], next],
    ["a name with two dots", [{ name: "refs/heads/a..b", new: thirdId }], next],
    ["a branch that is a blob", [{ name: "refs/heads/x", new: blobId }], EMPTY_PACK],
    ["deleting the current branch", [{ name: MAIN, old: secondId }], new Uint8Array()],
    ["nothing, if all is well", [{ name: MAIN, old: secondId, new: thirdId }], next],
  ])("has C git's messages for %s", async (_, commands, pack) => {
    const body = pushBody(commands, pack, "report-status side-band-64k");
    const errors = (answer: Uint8Array): string[] =>
      band(answer, 2)
        .toString()
        .split("\n")
        .filter((line) => line.startsWith("error: "));
    expect(errors((await host.run(serveReceivePack, body)).body)).toEqual(errors(await theirAnswer(body)));
  });
});

describe("a refused push", () => {
  const bad = commitOf(ABSENT, [secondId]);
  test.each<[string, Uint8Array, RegExp]>([
    ["a missing object", buildPack([{ type: "commit", content: bad }]), /did not receive expected object 7{40}/],
    ["a damaged pack", withTrailer(buildPack([{ type: "commit", content: third }]).subarray(0, -24)), /./],
    [
      "a wrong trailer",
      Buffer.concat([buildPack([{ type: "commit", content: third }]).subarray(0, -1), Buffer.of(0)]),
      /./,
    ],
    ["a commit without an author", buildPack([{ type: "commit", content: `tree ${treeId}\n\nx\n` }]), /missingAuthor/],
  ])("leaves nothing of %s", async (_, pack, why) => {
    const before = files();
    const refs = await host.listRefs();
    const body = pushBody(
      [{ name: "refs/heads/x", new: objectId("commit", bad) }],
      pack,
      "report-status side-band-64k",
    );
    const served = await host.run(serveReceivePack, body, { piece: 50 });
    const [unpack, ...rest] = reportLines(band(served.body, 1));
    expect(unpack).toMatch(why);
    expect(rest).toEqual(["ng refs/heads/x unpacker error"]);
    const [fatal, ...hints] = band(served.body, 2).toString().trimEnd().split("\n");
    expect(fatal).toBe(`fatal: ${unpack?.slice("unpack ".length)}`);
    // What the checks refuse can be let pass by an administrator, and nothing else is said.
    const oid = /^object ([0-9a-f]+): missingAuthor/.exec(fatal?.slice("fatal: ".length) ?? "")?.[1];
    expect(hints).toEqual(
      oid === undefined
        ? []
        : [
            "hint: What can harm others is refused. Administrators can let one object pass:",
            `hint:   thinpack repo set <tenant>/<name> --fsck-skip ${oid}`,
            "hint: or, in the API, PATCH /api/v1/repos/<tenant>/<name> with",
            `hint:   {"fsck":{"skip":["${oid}"]}}`,
          ],
    );
    expect(served.body.subarray(-4).toString()).toBe("0000");
    expect([files(), await host.listRefs(), leases()]).toEqual([before, refs, []]);
    expect(served.calls).toEqual(["beginPush", "abandonPush"]);
    // A client listens only when it has said all.
    expect(served.unread).toBe(0);
  });

  it("leaves nothing of a pack whose header promises more objects than come", async () => {
    const [unpack] = await push([{ name: "refs/heads/x", new: firstId }], buildPack([], 3));
    expect(unpack).toMatch(/^unpack (?!ok)/);
  });

  it("is read to its end and not stored if all its commands are doomed", async () => {
    const before = files();
    const commands = [
      { name: "refs/heads/a b", new: thirdId },
      { name: MAIN, old: firstId, new: thirdId },
    ];
    const { body, calls } = await host.run(serveReceivePack, pushBody(commands, buildPack([]).subarray(0, -1)));
    expect(reportLines(body)).toEqual([
      "unpack ok",
      "ng refs/heads/a b funny refname",
      `ng ${MAIN} incorrect old value provided`,
    ]);
    expect([files(), leases()]).toEqual([before, []]);
    expect(calls).toEqual(["beginPush", "abandonPush"]);
  });

  it("leaves nothing of a pack that only a refused ref would have used", async () => {
    const before = files();
    const pack = buildPack([{ type: "blob", content: "new\n" }]);
    const report = await push([{ name: "refs/heads/x", new: objectId("blob", "new\n") }], pack);
    expect(report).toEqual(["unpack ok", "ng refs/heads/x invalid new value provided"]);
    expect([files(), leases()]).toEqual([before, []]);
  });

  it("leaves nothing if the client hangs up half-way", async () => {
    const before = files();
    const whole = pushBody(
      [{ name: MAIN, old: secondId, new: thirdId }],
      buildPack([{ type: "commit", content: third }]),
    );
    const options = { breakOff: new ProtocolError("the request's body broke off") };
    const { body } = await host.run(serveReceivePack, whole.subarray(0, -30), options);
    expect(reportLines(body)).toEqual(["unpack the request's body broke off", `ng ${MAIN} unpacker error`]);
    expect([files(), leases()]).toEqual([before, []]);
  });

  it("leaves nothing after a fault of the host, which is rethrown", async () => {
    const before = files();
    const run = (capabilities: string): Promise<unknown> =>
      host.run(
        (exchange) => serveReceivePack(withBrokenWrites(exchange)),
        pushBody(
          [{ name: MAIN, old: secondId, new: thirdId }],
          buildPack([{ type: "commit", content: third }]),
          capabilities,
        ),
      );
    await expect(run("report-status")).rejects.toThrow("the bucket is full");
    await expect(run("report-status side-band-64k")).rejects.toThrow("the bucket is full");
    expect([files(), leases(), await host.listRefs()]).toEqual([before, [], [`${MAIN} ${secondId}`]]);
  });

  it("deletes nothing that a commit without an answer may have landed", async () => {
    const run = host.run(
      (exchange) =>
        serveReceivePack({
          ...exchange,
          repository: {
            ...exchange.repository,
            refs: {
              ...exchange.repository.refs,
              commitPush: async (request) => {
                await exchange.repository.refs.commitPush(request);
                throw new Error("the connection to the object was lost");
              },
            },
          },
        }),
      pushBody([{ name: MAIN, old: secondId, new: thirdId }], buildPack([{ type: "commit", content: third }])),
    );
    await expect(run).rejects.toThrow("was lost");
    expect(await host.listRefs()).toEqual([`${MAIN} ${thirdId}`]);
    const { body } = await host.run(serveV2, pktBytes("command=fetch", "0001", `want ${thirdId}`, "done", "0000"));
    expect(band(body, 1).subarray(0, 4).toString()).toBe("PACK");
  });
});

/** An exchange whose bucket takes no index. */
function withBrokenWrites(exchange: PushExchange): PushExchange {
  const { repository } = exchange;
  const storage: PushExchange["repository"]["storage"] = (id) => ({
    ...repository.storage(id),
    write: async (file, bytes) => {
      if (file.extension === "idx") throw new CorruptStore("the bucket is full");
      await repository.storage(id).write(file, bytes);
    },
  });
  return { ...exchange, repository: { ...repository, storage } };
}

describe("a push that lands", () => {
  it("costs two calls of the ref store", async () => {
    const { calls } = await host.run(
      serveReceivePack,
      pushBody([{ name: MAIN, old: secondId, new: thirdId }], buildPack([{ type: "commit", content: third }])),
    );
    expect(calls).toEqual(["beginPush", "commitPush"]);
    expect(files()).toEqual(["idx", "idx", "pack", "pack", "rev", "rev"]);
  });

  it("stores nothing for a new ref to a stored object", async () => {
    const before = files();
    for (const piece of [1, 1000]) {
      const { body, calls } = await host.run(
        serveReceivePack,
        pushBody([{ name: `refs/heads/n${piece}`, new: firstId }], EMPTY_PACK),
        { piece },
      );
      expect(reportLines(body)).toEqual(["unpack ok", `ok refs/heads/n${piece}`]);
      expect(calls).toEqual(["beginPush", "commitPush"]);
    }
    expect(files()).toEqual(before);
  });

  it("returns its kernel, also after a failure", async () => {
    const pushes = async (): Promise<void> => {
      const tag = tagOf(thirdId, "commit", "t");
      await push([{ name: "refs/tags/t", new: objectId("tag", tag) }], buildPack([{ type: "tag", content: tag }]));
      await push([{ name: "refs/heads/x", new: thirdId }], buildPack([{ type: "commit", content: third }]));
      await push([{ name: "refs/heads/x", old: thirdId }]);
    };
    await pushes();
    const before = tools.pool.byteLength;
    await pushes();
    expect(tools.pool.byteLength).toBe(before);
  });

  it("deletes without a pack", async () => {
    await push([{ name: "refs/heads/gone", new: firstId }], EMPTY_PACK);
    const { calls } = await host.run(serveReceivePack, pushBody([{ name: "refs/heads/gone", old: firstId }]));
    expect(calls).toEqual(["beginPush", "commitPush"]);
    expect(await host.listRefs()).toEqual([`${MAIN} ${secondId}`]);
  });

  it("does not begin for a requester who is not admitted", async () => {
    const refuse = new Error("refused");
    const body = pushBody(
      [{ name: MAIN, old: secondId, new: thirdId }],
      buildPack([{ type: "commit", content: third }]),
    );
    await expect(host.run(serveReceivePack, body, { refuse })).rejects.toBe(refuse);
    expect(leases()).toEqual([]);
    expect(await host.listRefs()).toEqual([`${MAIN} ${secondId}`]);
  });

  it("keeps the mark of packs if a ref moves forward, and clears it if not", async () => {
    const marks = async (): Promise<boolean[]> => {
      const found = await host.refs.open({ packs: true });
      return found.kind === "found" ? found.packs.map(({ marked }) => marked) : [];
    };
    expect(await marks()).toEqual([true]);
    await push([{ name: MAIN, old: secondId, new: secondId }], EMPTY_PACK);
    expect(await marks()).toEqual([true]);
    const fourth = commitOf(treeId, [thirdId, firstId]);
    await push(
      [{ name: MAIN, old: secondId, new: objectId("commit", fourth) }],
      buildPack([
        { type: "commit", content: fourth },
        { type: "commit", content: third },
      ]),
    );
    expect(await marks()).toEqual([true, true]);
    await push(
      [{ name: MAIN, old: objectId("commit", fourth), new: unrelatedId }],
      buildPack([{ type: "commit", content: unrelated }]),
    );
    expect((await marks()).filter(Boolean)).toHaveLength(1);
  });

  it("does not mark a pack for a tip that was refused", async () => {
    const pack = buildPack([
      { type: "commit", content: third },
      { type: "blob", content: "new\n" },
    ]);
    const report = await push(
      [
        { name: MAIN, old: secondId, new: thirdId },
        { name: "refs/heads/x", new: objectId("blob", "new\n") },
      ],
      pack,
    );
    expect(report).toEqual(["unpack ok", `ok ${MAIN}`, "ng refs/heads/x invalid new value provided"]);
    const found = await host.refs.open({ packs: true });
    expect(found.kind === "found" && found.packs.filter(({ marked }) => marked).length).toBe(1);
  });

  it("peels tags: in the pack, in the catalog, and across both", async () => {
    const inner = tagOf(thirdId, "commit", "inner");
    const innerId = objectId("tag", inner);
    const outer = tagOf(innerId, "tag", "outer");
    const outerId = objectId("tag", outer);
    const pack = buildPack([
      { type: "commit", content: third },
      { type: "tag", content: inner },
      { type: "tag", content: outer },
    ]);
    await push([{ name: "refs/tags/outer", new: outerId }], pack);
    await push([{ name: "refs/tags/inner", new: innerId }], EMPTY_PACK);
    const around = tagOf(outerId, "tag", "around");
    await push(
      [{ name: "refs/tags/around", new: objectId("tag", around) }],
      buildPack([{ type: "tag", content: around }]),
    );
    const ofTree = tagOf(treeId, "tree", "of-tree");
    await push(
      [{ name: "refs/tags/of-tree", new: objectId("tag", ofTree) }],
      buildPack([{ type: "tag", content: ofTree }]),
    );
    const request = pktBytes("command=ls-refs", "0001", "peel", "ref-prefix refs/tags/", "0000");
    const peeled = pktText((await host.run(serveV2, request)).body).map((line) => line.split(" ").slice(1).join(" "));
    expect(peeled).toEqual([
      `refs/tags/around peeled:${thirdId}\\n`,
      `refs/tags/inner peeled:${thirdId}\\n`,
      `refs/tags/of-tree peeled:${treeId}\\n`,
      `refs/tags/outer peeled:${thirdId}\\n`,
      "",
    ]);
  });

  it("is refused in git's words if it loses a race", async () => {
    const { body } = await host.run(
      (exchange) =>
        serveReceivePack({
          ...exchange,
          repository: {
            ...exchange.repository,
            refs: {
              ...exchange.repository.refs,
              commitPush: async (request) => {
                await host.refs.commitPush({
                  id: request.id,
                  updates: [{ name: MAIN, oldOid: secondId, newOid: firstId, forward: false }],
                  atomic: false,
                  actor: "other",
                  pusher: {},
                  signed: false,
                  pushOptions: [],
                });
                return await exchange.repository.refs.commitPush(request);
              },
            },
          },
        }),
      pushBody(
        [{ name: MAIN, old: secondId, new: thirdId }],
        buildPack([{ type: "commit", content: third }]),
        "report-status side-band-64k",
      ),
    );
    expect(reportLines(band(body, 1))).toEqual(["unpack ok", `ng ${MAIN} incorrect old value provided`]);
    expect(band(body, 2).toString()).toContain(`is at ${firstId} but expected ${secondId}\n`);
    expect([files().filter((name) => name === "pack").length, leases()]).toEqual([1, []]);
  });

  it("moves nothing in a repository that is deleted meanwhile", async () => {
    const { body } = await host.run(
      (exchange) =>
        serveReceivePack({
          ...exchange,
          repository: {
            ...exchange.repository,
            refs: {
              ...exchange.repository.refs,
              commitPush: async (request) => {
                await host.refs.remove();
                return await exchange.repository.refs.commitPush(request);
              },
            },
          },
        }),
      pushBody([{ name: MAIN, old: secondId, new: thirdId }], buildPack([{ type: "commit", content: third }])),
    );
    expect(reportLines(body)).toEqual(["unpack ok", `ng ${MAIN} reference does not exist`]);
  });

  it("records its push options in the ref log", async () => {
    const asked: (readonly string[])[] = [];
    const lines = pktBytes(
      `${ZERO} ${firstId} refs/heads/o\\0report-status push-options`,
      "0000",
      "ci.skip",
      "a=b;c",
      "0000",
    );
    await host.run(
      (exchange) =>
        serveReceivePack({
          ...exchange,
          repository: {
            ...exchange.repository,
            refs: {
              ...exchange.repository.refs,
              commitPush: async (request) => {
                asked.push(request.pushOptions);
                return await exchange.repository.refs.commitPush(request);
              },
            },
          },
        }),
      Buffer.concat([lines, EMPTY_PACK]),
    );
    expect(asked).toEqual([["ci.skip", "a=b;c"]]);
  });
});

describe("a malformed push", () => {
  test.each([
    ["gibberish", pktBytes("gibberish"), "protocol error: expected old/new/ref, got 'gibberish'"],
    [
      "a capability that was not offered",
      pktBytes(`${ZERO} ${firstId} ${MAIN}\\0shiny`, "0000"),
      "the server did not offer the capability 'shiny'",
    ],
    ["commands cut off", pktBytes(`${ZERO} ${firstId} ${MAIN}\\0report-status`), "the remote end hung up unexpectedly"],
    [
      "another hash function",
      pktBytes(`${"0".repeat(64)} ${"1".repeat(64)} ${MAIN}\\0object-format=sha256`, "0000"),
      "unsupported object format 'sha256'",
    ],
  ])("is refused in git's words: %s", async (_, request, message) => {
    const { body, admitted } = await host.run(serveReceivePack, request);
    expect(pktText(body)).toEqual([`ERR ${message}`]);
    expect(admitted).toHaveLength(1);
    expect(leases()).toEqual([]);
  });

  it("makes a ref of a name that is not UTF-8, and reports its bytes", async () => {
    const body = Buffer.concat([
      pktBytes(`${ZERO} ${firstId} refs/heads/\\xff\\xfe\\0report-status`, "0000"),
      EMPTY_PACK,
    ]);
    const report = (await host.run(serveReceivePack, body)).body;
    expect(Buffer.from(report).toString("latin1")).toContain("ok refs/heads/\u00ff\u00fe\n");
    expect(await host.listRefs()).toEqual([`${MAIN} ${secondId}`, `refs/heads/\\%FF\\%FE ${firstId}`]);
  });

  it("is refused for a name too long for a ref, in a report that fits its line", async () => {
    const name = `refs/heads/${"x".repeat(60_000)}`;
    const [, line] = await push([{ name, new: firstId }], EMPTY_PACK);
    expect(line).toMatch(/^ng refs\/heads\/x+ funny refname$/);
  });
});
