/** The tail of small pushes: what is held back of the bucket, who reads it, and how it gets there. */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { BucketUnavailable } from "../../../../src/bytes/failure.ts";
import { TAIL } from "../../../../src/catalog/tail.ts";
import type { PackFile } from "../../../../src/catalog/pack-storage.ts";
import type { BareFiles } from "../../../../src/maintenance/bare-files.ts";
import { flushTail, publish } from "../../../../src/maintenance/publish.ts";
import type { OpenSnapshot } from "../../../../src/refs/ref-store.ts";
import { serveReceivePack } from "../../../../src/service/push/receive-pack.ts";
import { serveV2 } from "../../../../src/service/serve-v2.ts";
import { GitSandbox } from "../../../support/git-client.ts";
import {
  buildPack,
  commitOf,
  objectId,
  packOf,
  pktLines,
  pushBody,
  type RawCommand,
  type RawEntry,
  reportLines,
  treeOf,
} from "../../../support/git-raw.ts";
import { MemoryService, NEW_REPOSITORY } from "../memory-service.ts";

const git = new GitSandbox("tail");
afterAll(() => git.close());

const MAIN = "refs/heads/main";
const SIDE = "refs/heads/side";
const MINUTE = 60_000;

let host = new MemoryService(MINUTE);
/** The files of the derived prefix, by name. */
let plain = new Map<string, Buffer>();

/** A commit, with a tree and a file of its own. */
type Made = { readonly id: string; readonly entries: RawEntry[] };

function commit(text: string, parents: readonly string[]): Made {
  const blob = objectId("blob", text);
  const tree = treeOf(["100644", "file.txt", blob]);
  const content = commitOf(objectId("tree", tree), parents);
  const entries: RawEntry[] = [
    { type: "commit", content },
    { type: "tree", content: tree },
    { type: "blob", content: text },
  ];
  return { id: objectId("commit", content), entries };
}

async function push(commands: readonly RawCommand[], entries: readonly RawEntry[]): Promise<string[]> {
  const { body } = await host.run(serveReceivePack, pushBody(commands, buildPack([...entries]), "report-status"));
  return reportLines(body);
}

/** Pushes a commit to a branch, on top of another one. */
async function pushCommit(text: string, parent?: string, name = MAIN): Promise<string> {
  const made = commit(text, parent === undefined ? [] : [parent]);
  const old = parent === undefined || name !== MAIN ? {} : { old: parent };
  expect(await push([{ name, ...old, new: made.id }], made.entries)).toEqual(["unpack ok", `ok ${name}`]);
  return made.id;
}

async function snapshot(): Promise<OpenSnapshot> {
  const found = await host.refs.open({ packs: true, refPrefixes: [] });
  if (found.kind === "missing") throw new Error("missing");
  return found;
}

const inTail = async (): Promise<number> => (await snapshot()).packs.filter(({ tail }) => tail !== undefined).length;
const files = (): string[] => [...host.storage.files.keys()].map((name) => name.split(".")[1] ?? "").toSorted();

const bareFiles: BareFiles = {
  write: async (name, pieces) => void plain.set(name, Buffer.concat([...pieces])),
  copy: async () => false,
  list: async () => ({ files: [] }),
  open: async () => undefined,
  delete: async () => undefined,
};

const publishing = () => ({ repository: host.repository, catalog: host.refs });
const publishNow = async () => await publish(publishing(), () => bareFiles, { repository: "acme/repo" });

/** Writes the bucket out as a bare repository. */
async function exported(): Promise<string> {
  const directory = git.fresh();
  const write = (name: string, bytes: Uint8Array): void => {
    const path = join(directory, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, bytes);
  };
  for (const [name, bytes] of host.storage.files) write(`objects/pack/pack-${name}`, bytes);
  for (const [name, bytes] of plain) write(name, bytes);
  return directory;
}

/** Fetches what a want reaches, without haves, and has git read it. */
async function fetched(want: string): Promise<string> {
  const request = pktLines("command=fetch", "0001", "no-progress", "ofs-delta", `want ${want}`, "done", "0000");
  const { body } = await host.run(serveV2, request);
  const cwd = await git.init(git.fresh(), "--bare");
  await git.ok(["index-pack", "--stdin", "--strict"], { cwd, input: packOf(body) });
  return await git.ok(["rev-list", "--objects", "--no-object-names", want], { cwd });
}

beforeEach(async () => {
  host = new MemoryService(MINUTE);
  plain = new Map();
  await host.refs.create(NEW_REPOSITORY);
});

describe("a small push", () => {
  it("is committed in two calls, and writes nothing to the bucket", async () => {
    const first = await pushCommit("one", undefined);
    expect(files()).toEqual([]);
    const second = await pushCommit("two", first);
    expect(host.calls).toEqual(["beginPush", "commitPush"]);
    expect(files()).toEqual([]);
    expect(await inTail()).toBe(2);
    expect(await host.listRefs()).toEqual([`${MAIN} ${second}`]);
    expect((await fetched(second)).split("\n")).toHaveLength(6);
    // There is no lease, either.
    expect(host.refs.database.dueWork(Number.MAX_SAFE_INTEGER).expiredPacks).toEqual([]);
  });

  it("goes to the bucket where nothing is held back", async () => {
    host = new MemoryService(0);
    await host.refs.create(NEW_REPOSITORY);
    await pushCommit("one", undefined);
    expect(files()).toEqual(["idx", "pack", "rev"]);
    expect(await inTail()).toBe(0);
  });

  it("is thin on what another small push brought", async () => {
    const first = await pushCommit("one", undefined);
    const blob = objectId("blob", "one");
    const tree = treeOf(["100644", "file.txt", blob], ["100644", "g.txt", blob]);
    const content = commitOf(objectId("tree", tree), [first]);
    const id = objectId("commit", content);
    const entries: RawEntry[] = [
      { type: "commit", content },
      { type: "tree", content: tree },
    ];
    expect(await push([{ name: MAIN, old: first, new: id }], entries)).toEqual(["unpack ok", `ok ${MAIN}`]);
    expect((await fetched(id)).split("\n")).toHaveLength(5);
  });

  it("that is refused leaves nothing, and costs no call more", async () => {
    const first = await pushCommit("one", undefined);
    const bad = commit("two", ["7".repeat(40)]);
    const [unpack] = await push([{ name: MAIN, old: first, new: bad.id }], bad.entries);
    expect(unpack).not.toBe("unpack ok");
    expect(host.calls).toEqual(["beginPush"]);
    expect([files(), await inTail()]).toEqual([[], 1]);
  });

  it("is written to the bucket after all if its pack has more objects than a row takes", async () => {
    const first = await pushCommit("one", undefined);
    const blobs = Array.from({ length: 1200 }, (_, i): RawEntry => ({ type: "blob", content: `blob ${i}` }));
    const rows = blobs.map(({ content }, i): [string, string, string] => [
      "100644",
      `f${String(i).padStart(5, "0")}`,
      objectId("blob", content),
    ]);
    const tree = treeOf(...rows);
    const content = commitOf(objectId("tree", tree), [first]);
    const id = objectId("commit", content);
    const entries: RawEntry[] = [{ type: "commit", content }, { type: "tree", content: tree }, ...blobs];
    expect(await push([{ name: MAIN, old: first, new: id }], entries)).toEqual(["unpack ok", `ok ${MAIN}`]);
    expect(host.calls).toEqual(["beginPush", "leasePacks", "commitPush"]);
    expect(files()).toEqual(["idx", "pack", "rev"]);
    expect(await inTail()).toBe(1);
    expect((await fetched(id)).split("\n")).toHaveLength(1205);
  });

  it("does not wait in the tail if the request is larger than a pack of it", async () => {
    const first = await pushCommit("one", undefined);
    const made = commit("x".repeat(10), [first]);
    const blob: RawEntry = { type: "blob", content: Buffer.from(crypto.getRandomValues(new Uint8Array(65_536))) };
    const many = Array.from({ length: 9 }, (): RawEntry => ({
      type: "blob",
      content: Buffer.from(crypto.getRandomValues(new Uint8Array(65_536))),
    }));
    expect(await push([{ name: MAIN, old: first, new: made.id }], [...made.entries, blob, ...many])).toEqual([
      "unpack ok",
      `ok ${MAIN}`,
    ]);
    expect(files()).toEqual(["idx", "pack", "rev"]);
  });
});

describe("a tail", () => {
  it("is published as one pack, with files that make the prefix a bare repository", async () => {
    let tip = await pushCommit("one", undefined);
    for (const text of ["two", "three", "four"]) tip = await pushCommit(text, tip);
    expect(await inTail()).toBe(4);
    const written = await publishNow();
    expect(written?.version).toBe((await snapshot()).version);
    expect(files()).toEqual(["idx", "pack", "rev"]);
    const { packs } = await snapshot();
    expect(packs).toHaveLength(1);
    expect(packs[0]).toMatchObject({ objects: 12, marked: true, source: "repack" });
    const directory = await exported();
    await git.fsck(directory);
    expect(await git.ok(["rev-parse", "main"], { cwd: directory })).toBe(tip);
    expect((await fetched(tip)).split("\n")).toHaveLength(12);
  });

  it("is published apart by its marks, and a mark that was lost does not come back", async () => {
    const first = await pushCommit("one", undefined);
    await pushCommit("side", first, SIDE);
    const { packs } = await snapshot();
    const rewound = commit("other", []);
    await push([{ name: MAIN, old: first, new: rewound.id }], rewound.entries);
    // The first push was the root of both branches; what rested on main alone has lost its mark.
    expect((await snapshot()).packs.map(({ marked }) => marked)).toEqual([false, true, true]);
    expect(packs.map(({ marked }) => marked)).toEqual([true, true]);
    await publishNow();
    const after = (await snapshot()).packs;
    expect(after.map(({ marked, objects }) => [marked, objects])).toEqual([
      [true, 6],
      [false, 3],
    ]);
  });

  it("is due a minute after its first push, or at once when it is large", async () => {
    const { database } = host.refs;
    let tip = await pushCommit("one", undefined);
    const began = host.now;
    expect(database.nextDue(host.now)).toBe(began + MINUTE);
    host.now += 5000;
    tip = await pushCommit("two", tip);
    expect(database.nextDue(host.now)).toBe(began + MINUTE);
    expect(database.dueWork(host.now).derivedFiles).toBe(false);
    expect(database.usage.usageDueFrom).toBe(began + MINUTE);
    for (let i = 2; i < TAIL.duePacks; i++) tip = await pushCommit(`text ${i}`, tip);
    expect(database.dueWork(host.now).derivedFiles).toBe(true);
    await publishNow();
    const { id, version } = { ...(await snapshot()).record, version: (await snapshot()).version };
    await host.refs.derivedFilesWritten(id, version);
    expect(database.nextDue(host.now)).toBeUndefined();
    expect(database.usage.usageDueFrom).toBe(0);
  });

  it("takes no more when it is full: pushes then write to the bucket", { tags: "thorough" }, async () => {
    let tip = await pushCommit("one", undefined);
    for (let i = 1; i < TAIL.mostPacks; i++) tip = await pushCommit(`text ${i}`, tip);
    expect([await inTail(), files()]).toEqual([TAIL.mostPacks, []]);
    tip = await pushCommit("past it", tip);
    expect([await inTail(), files()]).toEqual([TAIL.mostPacks, ["idx", "pack", "rev"]]);
    await publishNow();
    const directory = await exported();
    await git.fsck(directory);
    expect(await git.ok(["rev-list", "--count", "main"], { cwd: directory })).toBe(String(TAIL.mostPacks + 1));
    expect(await inTail()).toBe(0);
    await pushCommit("and goes on", tip);
    expect(await inTail()).toBe(1);
  });

  it("goes on while the bucket takes nothing, up to its bound, and then says so", { tags: "thorough" }, async () => {
    let tip = await pushCommit("one", undefined);
    host.storage.write = async ({ pack }) => {
      throw new BucketUnavailable("takes", pack, { cause: new Error("down") });
    };
    for (let i = 1; i < TAIL.mostPacks; i++) tip = await pushCommit(`text ${i}`, tip);
    const refs = await host.listRefs();
    const next = commit("past it", [tip]);
    const body = pushBody(
      [{ name: MAIN, old: tip, new: next.id }],
      buildPack(next.entries),
      "report-status side-band-64k",
    );
    let told: Buffer | undefined;
    const run = host.run(serveReceivePack, body, {
      onWrite: (bytes) => (told = Buffer.concat([told ?? bytes, bytes])),
    });
    await expect(run).rejects.toThrow("the bucket takes nothing now");
    expect(told?.toString()).toContain("nothing can be stored now: nothing was changed, push again later");
    expect([await host.listRefs(), await inTail(), files()]).toEqual([refs, TAIL.mostPacks, []]);
  });

  it("that others fill meanwhile sends a push to the bucket", { tags: "thorough" }, async () => {
    let tip = await pushCommit("one", undefined);
    for (let i = 1; i < TAIL.mostPacks - 1; i++) tip = await pushCommit(`text ${i}`, tip);
    // Both begin while there is room for one.
    const before = { ...host.refs };
    const root = tip;
    let between: Promise<unknown> | undefined;
    host.refs.commitPush = async (request) => {
      Object.assign(host.refs, before);
      between = pushCommit("in between", root, SIDE);
      await between;
      return await before.commitPush(request);
    };
    tip = await pushCommit("last", tip);
    expect(between).toBeDefined();
    expect([await inTail(), files()]).toEqual([TAIL.mostPacks, ["idx", "pack", "rev"]]);
    expect((await host.listRefs()).toSorted()[0]).toBe(`${MAIN} ${tip}`);
  });

  it("stays readable for whoever opened it before it was published", async () => {
    const first = await pushCommit("one", undefined);
    const second = await pushCommit("two", first);
    const before = await snapshot();
    await publishNow();
    host.storage.files.clear();
    const real = { ...host.refs };
    host.refs.open = async (request) =>
      request.packs === true ? { ...(await real.open(request)), ...before } : await real.open(request);
    expect((await fetched(second)).split("\n")).toHaveLength(6);
  });
});

describe("publishing", () => {
  it("loses nothing, and leaves nothing, when the bucket fails at each write in turn", async () => {
    for (let n = 1; n <= 3; n++) {
      host = new MemoryService(MINUTE);
      await host.refs.create(NEW_REPOSITORY);
      const first = await pushCommit("one", undefined);
      const tip = await pushCommit("two", first);
      let writes = 0;
      const before = { ...host.storage };
      host.storage.write = async (file: PackFile, bytes: Uint8Array) => {
        if (++writes === n) throw new Error("the bucket is down");
        await before.write(file, bytes);
      };
      await expect(publishNow()).rejects.toThrow("the bucket is down");
      expect([files(), await inTail()]).toEqual([[], 2]);
      expect((await fetched(tip)).split("\n")).toHaveLength(6);
      await publishNow();
      expect([files(), await inTail()]).toEqual([["idx", "pack", "rev"], 0]);
    }
  });

  it("twice at once is done once", async () => {
    const first = await pushCommit("one", undefined);
    await pushCommit("two", first);
    await Promise.all([publishNow(), publishNow(), flushTail(publishing())]);
    expect([files(), await inTail()]).toEqual([["idx", "pack", "rev"], 0]);
  });

  it("is over for whoever needs it once others have done it, however many pushes land meanwhile", async () => {
    await pushCommit("one", undefined);
    const before = { ...host.refs };
    let pushes = 0;
    let isOurs = true;
    host.refs.replacePacks = async (request) => {
      if (isOurs) {
        // Somebody else is faster each time, and somebody pushes.
        isOurs = false;
        await publishNow();
        pushes += 1;
        await pushCommit(`next ${pushes}`, undefined, `refs/heads/next-${pushes}`);
        isOurs = true;
      }
      return await before.replacePacks(request);
    };
    expect(await flushTail(publishing())).toBe(true);
    expect([pushes, await inTail()]).toEqual([1, 1]);
  });

  it("leaves pushes that land meanwhile in the tail, and the bucket at the refs of before", async () => {
    const first = await pushCommit("one", undefined);
    const before = { ...host.refs };
    let second = "";
    host.refs.replacePacks = async (request) => {
      Object.assign(host.refs, before);
      second = await pushCommit("two", first);
      return await before.replacePacks(request);
    };
    const written = await publishNow();
    expect(await inTail()).toBe(1);
    const directory = await exported();
    await git.fsck(directory);
    expect(await git.ok(["rev-parse", "main"], { cwd: directory })).toBe(first);
    const { record, version } = await snapshot();
    expect(written?.version).toBeLessThan(version);
    await host.refs.derivedFilesWritten(record.id, written?.version ?? 0);
    expect(host.refs.database.nextDue(host.now)).toBe(host.now + MINUTE);
    await publishNow();
    expect(await git.ok(["rev-parse", "main"], { cwd: await exported() })).toBe(second);
  });

  it("of a repository that is deleted meanwhile leaves nothing", async () => {
    await pushCommit("one", undefined);
    const before = { ...host.refs };
    host.refs.replacePacks = async (request) => {
      Object.assign(host.refs, before);
      await host.refs.remove();
      return await before.replacePacks(request);
    };
    expect(await publishNow()).toBeUndefined();
    expect([files(), plain.size]).toEqual([[], 0]);
  });
});
