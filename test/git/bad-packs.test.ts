/**
 * Packs that no honest client sends. Each is answered with HTTP 200 and git's report, moves nothing and leaves nothing; the
 * next push of the same name works.
 */
import { describe, expect, it } from "vitest";
import type { ObjectFormat } from "../../src/object/object-id.ts";
import { importFixture, linear, noise } from "../support/git-fixtures.ts";
import { inEveryFormat } from "../support/git-hosts.ts";
import { refsAt } from "../support/git-client.ts";
import {
  buildPack as rawPack,
  commitOf,
  insertingDelta,
  objectId as rawId,
  packEntry,
  post,
  pushBody as rawBody,
  type RawCommand,
  type RawEntry,
  reportLines,
  treeOf,
  withTrailer as rawTrailer,
} from "../support/git-raw.ts";

const REF = "refs/heads/bad";
type BadPack = { readonly title: string; readonly tip: string; readonly pack: Uint8Array };

/** Everything of one hash function. */
function rawPacks(format: ObjectFormat) {
  const objectId = (type: string, content: Uint8Array | string): string => rawId(type, content, format.name);
  const withTrailer = (bytes: Uint8Array): Buffer => rawTrailer(bytes, format.name);
  const buildPack = (entries: readonly RawEntry[], count = entries.length): Buffer =>
    rawPack(entries, count, format.name);
  const ABSENT = "7".repeat(format.hexSize);

  /** A good little history: blob, tree, commit. */
  const blob = "hello\n";
  const blobId = objectId("blob", blob);
  const tree = treeOf(["100644", "file.txt", blobId]);
  const treeId = objectId("tree", tree);
  const commit = commitOf(treeId);
  const commitId = objectId("commit", commit);
  const GOOD: RawEntry[] = [
    { type: "commit", content: commit },
    { type: "tree", content: tree },
    { type: "blob", content: blob },
  ];

  /** The good pack with one byte changed and a fresh trailer where the change is not in the trailer. */
  function flipped(at: number, bit = 1): Buffer {
    const pack = Buffer.from(buildPack(GOOD));
    pack[at] = (pack[at] ?? 0) ^ bit;
    return at < pack.length - format.rawSize ? withTrailer(pack.subarray(0, -format.rawSize)) : pack;
  }

  /** A history whose objects are all there but one of which breaks a rule. */
  function broken(title: string, parts: { tree?: Buffer; commit?: string; extra?: RawEntry[] }): BadPack {
    const ownTree = parts.tree ?? tree;
    const ownCommit = parts.commit ?? commitOf(objectId("tree", ownTree));
    const entries: RawEntry[] = [
      { type: "commit", content: ownCommit },
      { type: "tree", content: ownTree },
      { type: "blob", content: blob },
      ...(parts.extra ?? []),
    ];
    return { title, tip: objectId("commit", ownCommit), pack: buildPack(entries) };
  }

  const who = "A U Thor <author@example.com> 1700000000 +0000";
  const good = buildPack(GOOD);
  const secondEntry = 12 + packEntry({ type: "commit", content: commit }).length;
  const deltaTarget = "a blob by delta\n";
  const withDelta = (delta: Buffer): RawEntry[] => [
    {
      type: "commit",
      content: commitOf(objectId("tree", treeOf(["100644", "file.txt", objectId("blob", deltaTarget)]))),
    },
    { type: "tree", content: treeOf(["100644", "file.txt", objectId("blob", deltaTarget)]) },
    { type: "blob", content: blob },
    { type: "ref-delta", content: delta, base: blobId },
  ];
  const deltaTip = objectId("commit", String(withDelta(Buffer.alloc(0))[0]?.content));

  const FRAMING: BadPack[] = [
    { title: "no pack at all", tip: commitId, pack: Buffer.alloc(0) },
    { title: "half a header", tip: commitId, pack: good.subarray(0, 7) },
    { title: "a header and nothing else", tip: commitId, pack: good.subarray(0, 12) },
    { title: "truncated in an entry's header", tip: commitId, pack: good.subarray(0, 13) },
    { title: "truncated in an entry's data", tip: commitId, pack: good.subarray(0, secondEntry - 4) },
    { title: "truncated between entries", tip: commitId, pack: good.subarray(0, secondEntry) },
    { title: "truncated in the trailer", tip: commitId, pack: good.subarray(0, -3) },
    { title: "truncated before the trailer", tip: commitId, pack: good.subarray(0, -format.rawSize) },
    { title: "a wrong trailer", tip: commitId, pack: flipped(good.length - 1) },
    { title: "a wrong signature", tip: commitId, pack: flipped(0) },
    { title: "version 9", tip: commitId, pack: flipped(7, 11) },
    { title: "a type that does not exist", tip: commitId, pack: flipped(12, 0x40) },
    { title: "a bit flipped in zlib's header", tip: commitId, pack: flipped(14, 0x08) },
    { title: "a bit flipped in compressed data", tip: commitId, pack: flipped(40) },
    { title: "a bit flipped in an adler-32", tip: commitId, pack: flipped(secondEntry - 1) },
    { title: "more entries than the header says", tip: commitId, pack: buildPack(GOOD, 2) },
    { title: "fewer entries than the header says", tip: commitId, pack: buildPack(GOOD, 4) },
    { title: "four thousand million entries", tip: commitId, pack: buildPack(GOOD, 0xffff_ffff) },
  ];

  const LIES: BadPack[] = [
    {
      title: "a size one too small",
      tip: commitId,
      pack: buildPack([...GOOD.slice(0, 2), { type: "blob", content: blob, size: 5 }]),
    },
    {
      title: "a size one too large",
      tip: commitId,
      pack: buildPack([...GOOD.slice(0, 2), { type: "blob", content: blob, size: 7 }]),
    },
    {
      title: "a size of terabytes",
      tip: commitId,
      pack: buildPack([...GOOD.slice(0, 2), { type: "blob", content: blob, size: 2 ** 42 }]),
    },
    {
      title: "a small size before a bomb",
      tip: commitId,
      pack: buildPack([...GOOD, { type: "blob", content: Buffer.alloc(20_000_000), size: 10 }]),
    },
    {
      title: "a delta that makes more than it says",
      tip: deltaTip,
      pack: buildPack(withDelta(insertingDelta(6, deltaTarget, 3))),
    },
    {
      title: "a delta for a base of another size",
      tip: deltaTip,
      pack: buildPack(withDelta(insertingDelta(99, deltaTarget))),
    },
    {
      title: "a delta that copies from beyond its base",
      tip: deltaTip,
      pack: buildPack(withDelta(Buffer.from([6, 16, 0x91, 200, 16]))),
    },
    {
      title: "a delta with the reserved instruction",
      tip: deltaTip,
      pack: buildPack(withDelta(Buffer.from([6, 16, 0]))),
    },
    {
      title: "a delta that ends in an instruction",
      tip: deltaTip,
      pack: buildPack(withDelta(Buffer.from([6, 16, 16, 65]))),
    },
    { title: "an empty delta", tip: deltaTip, pack: buildPack(withDelta(Buffer.alloc(0))) },
  ];

  const MISSING: BadPack[] = [
    {
      title: "a delta whose base is nowhere",
      tip: commitId,
      pack: buildPack([...GOOD, { type: "ref-delta", content: insertingDelta(6, "x"), base: ABSENT }]),
    },
    {
      title: "an offset before the pack",
      tip: commitId,
      pack: buildPack([...GOOD, { type: "ofs-delta", content: insertingDelta(6, "x"), base: 100_000 }]),
    },
    {
      title: "an offset of zero",
      tip: commitId,
      pack: buildPack([...GOOD, { type: "ofs-delta", content: insertingDelta(6, "x"), base: 0 }]),
    },
    {
      title: "an offset into the middle of an entry",
      tip: commitId,
      pack: buildPack([...GOOD, { type: "ofs-delta", content: insertingDelta(6, "x"), base: 3 }]),
    },
    broken("a parent that is missing", { commit: commitOf(treeId, [ABSENT]) }),
    broken("a tree that is missing", { commit: commitOf(ABSENT) }),
    broken("a blob that is missing", { tree: treeOf(["100644", "gone", ABSENT]) }),
    broken("a subtree that is missing", { tree: treeOf(["40000", "gone", ABSENT]) }),
    broken("a parent that is a blob", { commit: commitOf(treeId, [blobId]) }),
    broken("a tree that is a blob", { commit: commitOf(blobId) }),
    { title: "a tip that is not in the pack", tip: ABSENT, pack: good },
    { title: "a branch that is a blob", tip: blobId, pack: good },
  ];

  const FSCK: BadPack[] = [
    broken("a tree that is not sorted", { tree: treeOf(["100644", "b", blobId], ["100644", "a", blobId]) }),
    broken("a tree with a name twice", { tree: treeOf(["100644", "a", blobId], ["100644", "a", blobId]) }),
    broken("a name with a slash", { tree: treeOf(["100644", "a/b", blobId]) }),
    broken("an empty name", { tree: treeOf(["100644", "", blobId]) }),
    broken("a .git in a tree", { tree: treeOf(["40000", ".git", treeId]), extra: [{ type: "tree", content: tree }] }),
    broken("a .. in a tree", { tree: treeOf(["40000", "..", treeId]), extra: [{ type: "tree", content: tree }] }),
    broken("a tree cut short", { tree: tree.subarray(0, -2) }),
    broken("a commit without a committer", { commit: commitOf(treeId, [], `author ${who}`) }),
    broken("a commit without an author", { commit: commitOf(treeId, [], `committer ${who}`) }),
    broken("a symlinked .gitmodules", { tree: treeOf(["120000", ".gitmodules", blobId]) }),
    broken("a submodule named ..", {
      tree: treeOf(["100644", ".gitmodules", objectId("blob", '[submodule "../x"]\n\tpath = x\n\turl = y\n')]),
      extra: [{ type: "blob", content: '[submodule "../x"]\n\tpath = x\n\turl = y\n' }],
    }),
    {
      title: "a tag without a tagged object's type",
      tip: objectId("tag", `object ${commitId}\ntag v\n`),
      pack: buildPack([...GOOD, { type: "tag", content: `object ${commitId}\ntag v\n` }]),
    },
  ];

  return { ABSENT, blob, blobId, commitId, good, FRAMING, LIES, MISSING, FSCK, GOOD, objectId, buildPack };
}

type RawPacks = ReturnType<typeof rawPacks>;

inEveryFormat("bad packs", (journey) => {
  const { format } = journey;
  const raw = rawPacks(format);
  const { ABSENT, blob, blobId, commitId, good, FRAMING, LIES, MISSING, FSCK, objectId, buildPack } = raw;
  const capabilities = `report-status object-format=${format.name}`;
  const pushBody = (commands: readonly RawCommand[], pack: Uint8Array, more = capabilities): Buffer =>
    rawBody(commands, pack, more);
  let remote: string | undefined;
  /** One repository with something in it, for all of them: what a bad push leaves behind would break a later one. */
  async function repository(): Promise<string> {
    if (remote !== undefined) return remote;
    const source = await importFixture(journey.git, "source", linear(3));
    remote = await journey.create();
    await journey.git.ok(["push", "-q", remote, "main"], { cwd: source });
    return remote;
  }

  describe.each([
    ["framing", FRAMING],
    ["lies", LIES],
    ["missing objects", MISSING],
    ["objects that break a rule", FSCK],
  ])("%s", (_, packs) => {
    it.each(packs)("$title", async ({ tip, pack }) => {
      const url = await repository();
      const before = await refsAt(journey.git, url);
      const answer = await post(url, "receive-pack", pushBody([{ name: REF, new: tip }], pack));
      expect(answer.status).toBe(200);
      const report = reportLines(answer.body);
      expect(report[0]).toMatch(/^unpack ./);
      expect(report[1]).toMatch(new RegExp(`^ng ${REF} .`));
      expect(report).toHaveLength(2);
      expect(await refsAt(journey.git, url)).toEqual(before);
    });
  });

  it("takes the good pack afterwards, and all is well", async () => {
    const url = await repository();
    const answer = await post(url, "receive-pack", pushBody([{ name: REF, new: commitId }], good));
    expect(reportLines(answer.body)).toEqual(["unpack ok", `ok ${REF}`]);
    const copy = journey.git.fresh();
    await journey.git.ok(["clone", "-q", "--bare", url, copy]);
    await journey.git.fsck(copy);
    expect(await journey.git.ok(["rev-parse", REF], { cwd: copy })).toBe(commitId);
  });

  it("completes a thin pack from what it has, and takes an object it has already", async () => {
    const url = await repository();
    const text = "a new file, by delta\n";
    const newTree = treeOf(["100644", "file.txt", objectId("blob", text)]);
    const next = commitOf(objectId("tree", newTree), [commitId]);
    const pack = buildPack([
      { type: "commit", content: next },
      { type: "tree", content: newTree },
      { type: "ref-delta", content: insertingDelta(blob.length, text), base: blobId },
      { type: "blob", content: blob },
    ]);
    const tip = objectId("commit", next);
    const answer = await post(url, "receive-pack", pushBody([{ name: REF, old: commitId, new: tip }], pack));
    expect(reportLines(answer.body)).toEqual(["unpack ok", `ok ${REF}`]);
    const copy = journey.git.fresh();
    await journey.git.ok(["clone", "-q", "--bare", url, copy]);
    await journey.git.fsck(copy);
  });

  describe("commands that cannot be done", () => {
    it.each([
      ["a stale old value", { name: "refs/heads/main", old: "5".repeat(format.hexSize), new: commitId }, /./],
      ["a name with two dots", { name: "refs/heads/a..b", new: commitId }, /funny refname/],
      ["a name with a space", { name: "refs/heads/a b", new: commitId }, /funny refname/],
      ["a name ending in .lock", { name: "refs/heads/a.lock", new: commitId }, /funny refname/],
      ["a name outside refs", { name: "main", new: commitId }, /funny refname/],
      ["creating a branch that exists", { name: "refs/heads/main", new: commitId }, /./],
    ])("%s", async (_, command, words) => {
      const url = await repository();
      const before = await refsAt(journey.git, url);
      const answer = await post(url, "receive-pack", pushBody([command], good));
      expect(answer.status).toBe(200);
      const ng = reportLines(answer.body).find((line) => line.startsWith("ng "));
      expect(ng?.startsWith(`ng ${command.name} `)).toBe(true);
      expect(ng).toMatch(words);
      expect(await refsAt(journey.git, url)).toEqual(before);
    });
  });

  it("reports inside side-band 64k", async () => {
    const url = await repository();
    const body = pushBody([{ name: REF, new: ABSENT }], good.subarray(0, 30), `${capabilities} side-band-64k`);
    const answer = await post(url, "receive-pack", body);
    expect(answer.status).toBe(200);
    expect(answer.body.includes(`ng ${REF} `)).toBe(true);
  });

  it("keeps the other branches' pushes going while one hangs up", async () => {
    const url = await repository();
    await hangUp(url, raw, capabilities);
    const cwd = await journey.git.init("after");
    await journey.git.commit(cwd, "after.txt", "after\n");
    await journey.git.ok(["push", "-q", url, "main:after-hang-up"], { cwd });
    expect((await refsAt(journey.git, url)).some((line) => line.startsWith("refs/heads/after-hang-up "))).toBe(true);
    expect((await refsAt(journey.git, url)).some((line) => line.startsWith("refs/heads/hung-up "))).toBe(false);
  });
});

/** Sends two thirds of a push of some megabytes and goes away. */
async function hangUp(url: string, raw: RawPacks, capabilities: string): Promise<void> {
  const content = noise(9_000_000, 3);
  const body = rawBody(
    [{ name: "refs/heads/hung-up", new: raw.commitId }],
    raw.buildPack([...raw.GOOD, { type: "blob", content }]),
    capabilities,
  );
  const target = new URL(url);
  const gone = new AbortController();
  const credentials = btoa(`${target.username}:${target.password}`);
  target.username = "";
  target.password = "";
  const stream = new ReadableStream<Uint8Array>({
    async pull(controller) {
      for (let at = 0; at < 6_000_000; at += 500_000) controller.enqueue(body.subarray(at, at + 500_000));
      await new Promise((resolve) => setTimeout(resolve, 500));
      gone.abort();
      controller.close();
    },
  });
  const init: RequestInit & { duplex: "half" } = {
    method: "POST",
    headers: { Authorization: `Basic ${credentials}`, "Content-Type": "application/x-git-receive-pack-request" },
    body: stream,
    signal: gone.signal,
    duplex: "half",
  };
  await fetch(`${target.href}/git-receive-pack`, init).catch(() => undefined);
}
