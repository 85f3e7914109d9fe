/** Mirrors of upstreams that speak dumb HTTP alone: bare repositories, served as static files after git update-server-info. */
import { createHash } from "node:crypto";
import { deflateSync } from "node:zlib";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { refsAt } from "../support/git-client.ts";
import { importFixture, linear, noise } from "../support/git-fixtures.ts";
import { type StaticAnswer, StaticUpstream } from "../support/static-upstream.ts";
import { MirrorBed, type MirrorState } from "../support/upstreams.ts";

const bed = new MirrorBed();
let server: StaticUpstream | undefined;
const files = (): StaticUpstream => {
  if (server === undefined) throw new Error("the files are served only during tests");
  return server;
};
let count = 0;

beforeAll(async () => {
  await bed.start();
  const root = bed.git.path("static");
  mkdirSync(root);
  server = new StaticUpstream(root);
  await server.start();
});
beforeEach(() => {
  files().asked.length = 0;
  files().knowsRanges = true;
  files().instead = () => undefined;
});
afterAll(async () => {
  server?.stop();
  await bed.stop();
});

type Upstream = { readonly directory: string; readonly url: string };

/** Makes a bare repository with what `source` has, in which every object that is fetched lies loose. */
async function upstreamOf(source: string, options: readonly string[] = []): Promise<Upstream> {
  const name = `up-${++count}.git`;
  const directory = bed.git.path("static", name);
  await bed.git.ok(["init", "-q", "--bare", "-b", "main", ...options, directory]);
  await bed.git.ok(["config", "fetch.unpackLimit", "1000000"], { cwd: directory });
  const upstream = { directory, url: `${files().base}/${name}` };
  await take(upstream, source);
  return upstream;
}

/** Brings what `source` has now to the upstream. */
async function take({ directory }: Upstream, source: string): Promise<void> {
  await bed.git.ok(["fetch", "-q", "--prune", source, "+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*"], {
    cwd: directory,
  });
  await bed.git.ok(["update-server-info"], { cwd: directory });
}

async function repack({ directory }: Upstream, ...options: string[]): Promise<void> {
  await bed.git.ok(["repack", "-q", "-d", ...options], { cwd: directory });
  await bed.git.ok(["update-server-info"], { cwd: directory });
}

/** Mirrors it, expects the sync to have gone well, and the mirror to be what the upstream is. */
async function mirrored(upstream: Upstream, repository: object = {}): Promise<string> {
  const path = await bed.mirror(upstream.url, {}, repository);
  expect(await bed.settled(path)).toMatchObject({ last_error: null, failures: 0 });
  await expectSame(path, upstream);
  return path;
}

async function expectSame(path: string, upstream: Upstream): Promise<void> {
  expect(await refsAt(bed.git, bed.url(path))).toEqual(await refsAt(bed.git, upstream.directory));
  const clone = bed.git.fresh();
  await bed.git.ok(["clone", "-q", "--mirror", bed.url(path), clone]);
  await bed.git.fsck(clone);
}

async function history(commits = 20): Promise<string> {
  const stream = linear(commits);
  stream.commit("refs/heads/main", [{ path: "large.bin", content: noise(1_500_000, 5) }]);
  const source = bed.git.fresh();
  await bed.git.ok(["clone", "-q", await importFixture(bed.git, "source", stream), source]);
  await bed.git.ok(["tag", "-a", "-m", "one", "v1", "main~2"], { cwd: source });
  await bed.git.ok(["branch", "side", "main~3"], { cwd: source });
  return source;
}

const packsAsked = (): string[] => files().asked.filter((path) => /\.pack( |$)/.test(path));

describe("a mirror of static files", () => {
  it("has what lies in packs, loose, and in both", async () => {
    const source = await history();
    const upstream = await upstreamOf(source);
    await mirrored(upstream);
    expect(packsAsked()).toEqual([]);
    await repack(upstream, "-a");
    await mirrored(upstream);
    await bed.git.commit(source, "more.txt", "loose\n");
    await bed.git.ok(["tag", "-a", "-m", "two", "v2"], { cwd: source });
    await take(upstream, source);
    await mirrored(upstream);
  });

  it("takes what is new with the next sync, and nothing else", async () => {
    const source = await history();
    const upstream = await upstreamOf(source);
    await repack(upstream, "-a");
    const path = await mirrored(upstream);
    files().asked.length = 0;
    expect(await bed.sync(path)).toMatchObject({ last_error: null });
    expect(files().asked).toHaveLength(2);
    // Loose: no pack is looked at.
    files().asked.length = 0;
    await bed.git.commit(source, "more.txt", "more\n");
    await take(upstream, source);
    expect(await bed.sync(path)).toMatchObject({ last_error: null });
    await expectSame(path, upstream);
    expect(files().asked.filter((asked) => asked.includes("/pack/"))).toEqual([]);
    // In one pack with all the rest, of which almost all is here.
    await bed.git.commit(source, "more.txt", "and more\n");
    await take(upstream, source);
    await repack(upstream, "-a", "-f");
    const { bytes } = await bed.settled(path);
    const state = await bed.sync(path);
    expect(state).toMatchObject({ last_error: null });
    expect(state.bytes - bytes).toBeLessThan(20_000);
    expect(packsAsked().every((asked) => asked.includes("bytes="))).toBe(true);
    await expectSame(path, upstream);
  });

  it("takes several packs with objects in common, and finds loose objects below packed ones", async () => {
    const source = await history(5);
    const upstream = await upstreamOf(source);
    await bed.git.commit(source, "b.txt", "second\n");
    const second = await bed.git.ok(["rev-parse", "HEAD"], { cwd: source });
    await take(upstream, source);
    await bed.git.commit(source, "c.txt", "third\n");
    const third = await bed.git.ok(["rev-parse", "HEAD"], { cwd: source });
    await take(upstream, source);
    // Packs of the third commit alone, and of the first ones with the second's tree; the second commit itself stays loose.
    const packed = join(upstream.directory, "objects/pack/pack");
    const tree = await bed.git.ok(["rev-parse", `${second}^{tree}`], { cwd: source });
    for (const [names, revs] of [
      [`${third}\n`, []],
      [`${second}~1\n${tree}\n`, ["--revs"]],
    ] as const) {
      await bed.git.ok(["pack-objects", "-q", ...revs, packed], { cwd: upstream.directory, input: names });
    }
    await bed.git.ok(["prune-packed"], { cwd: upstream.directory });
    await bed.git.ok(["update-server-info"], { cwd: upstream.directory });
    const path = await mirrored(upstream);
    expect(readdirSync(join(upstream.directory, "objects/pack")).filter((name) => name.endsWith(".pack"))).toHaveLength(
      2,
    );
    await repack(upstream, "-a");
    await expectSame(path, upstream);
  });

  it("does with a server that knows no ranges, and goes on where a pack broke off", async () => {
    const source = await history();
    const upstream = await upstreamOf(source);
    await repack(upstream, "-a");
    files().instead = (path) => {
      if (path.endsWith(".pack")) files().cutAfter ??= 400_000;
      files().instead = () => undefined;
      return undefined;
    };
    await mirrored(upstream);
    files().knowsRanges = false;
    const path = await mirrored(upstream);
    await bed.git.commit(source, "more.txt", "more\n");
    await take(upstream, source);
    await repack(upstream, "-a", "-f");
    expect(await bed.sync(path)).toMatchObject({ last_error: null });
    await expectSame(path, upstream);
  });

  it("names objects by SHA-256", async () => {
    const source = bed.git.fresh();
    await bed.git.ok(["init", "-q", "-b", "main", "--object-format=sha256", source]);
    await bed.git.commit(source, "a.txt", "one\n");
    const upstream = await upstreamOf(source, ["--object-format=sha256"]);
    const path = await mirrored(upstream, { object_format: "sha256" });
    await bed.git.commit(source, "a.txt", "two\n");
    await take(upstream, source);
    await repack(upstream, "-a");
    expect(await bed.sync(path)).toMatchObject({ last_error: null });
    await expectSame(path, upstream);
  });

  it("follows moves, deletions and HEAD", async () => {
    const source = await history(5);
    const upstream = await upstreamOf(source);
    const path = await mirrored(upstream);
    await bed.git.ok(["branch", "-D", "side"], { cwd: source });
    await bed.git.ok(["branch", "trunk"], { cwd: source });
    await bed.git.ok(["reset", "-q", "--hard", "main~2"], { cwd: source });
    await take(upstream, source);
    await bed.git.ok(["symbolic-ref", "HEAD", "refs/heads/trunk"], { cwd: upstream.directory });
    expect(await bed.sync(path)).toMatchObject({ last_error: null });
    await expectSame(path, upstream);
    expect((await bed.api<{ default_branch: string }>("GET", path)).body.default_branch).toBe("trunk");
  });
});

/** A mirror in order, whose upstream has something new that is then spoilt. */
async function spoilt(spoil: (upstream: Upstream, oid: string) => void | Promise<void>): Promise<MirrorState> {
  const source = await history(5);
  const upstream = await upstreamOf(source);
  const path = await mirrored(upstream);
  const before = await refsAt(bed.git, bed.url(path));
  const oid = await bed.git.commit(source, "more.txt", "more\n");
  await take(upstream, source);
  await spoil(upstream, oid);
  const state = await bed.sync(path);
  expect(state.failures).toBe(1);
  expect(await refsAt(bed.git, bed.url(path))).toEqual(before);
  const clone = bed.git.fresh();
  await bed.git.ok(["clone", "-q", "--mirror", bed.url(path), clone]);
  await bed.git.fsck(clone);
  return state;
}

const looseFile = ({ directory }: Upstream, oid: string): string =>
  join(directory, "objects", oid.slice(0, 2), oid.slice(2));

describe("static files that are no repository in order", () => {
  it("an object that is nowhere is named", async () => {
    const state = await spoilt((upstream, oid) => rmSync(looseFile(upstream, oid)));
    expect(state.last_error).toMatch(/^The upstream lacks the object [0-9a-f]{40}/);
  });

  it("objects that are borrowed from another repository are not followed there", async () => {
    const state = await spoilt((upstream, oid) => {
      rmSync(looseFile(upstream, oid));
      writeFileSync(join(upstream.directory, "objects/info/alternates"), "../../other.git/objects\n");
    });
    expect(state.last_error).toMatch(/borrows objects from another repository/);
  });

  it.each([
    ["another object", (upstream: Upstream, oid: string) => swap(upstream, oid)],
    ["no zlib stream", (upstream: Upstream, oid: string) => overwrite(upstream, oid, Buffer.from("not zlib"))],
    ["nothing", (upstream: Upstream, oid: string) => overwrite(upstream, oid, Buffer.alloc(0))],
  ])("a loose object that is %s is refused", async (_what, spoil) => {
    const state = await spoilt(spoil);
    expect(state.last_error).toMatch(/object [0-9a-f]{40}/);
  });

  it("a redirect of a file is not followed", async () => {
    const state = await spoilt((upstream, oid) => {
      const path = looseFile(upstream, oid).slice(bed.git.path("static").length);
      const headers = { Location: "http://169.254.169.254/latest/meta-data" };
      files().instead = (asked) => (asked === path ? { status: 302, headers } : undefined);
    });
    expect(state.last_error).toMatch(/redirects a request that may not be redirected/);
  });

  it.each([".idx", ".pack"])("a spoilt %s is refused", async (ending) => {
    const state = await spoilt(async (upstream) => {
      await repack(upstream, "-a", "-f");
      files().instead = (asked) =>
        asked.endsWith(ending) ? { status: 200, body: Buffer.from(noise(50_000, 8)) } : undefined;
    });
    expect(state.last_error).toMatch(ending === ".idx" ? /the index of pack/ : /refused|protocol|broke off/);
  });

  it("a small file that inflates to very much ends within its bound", async () => {
    const size = 300_000_000;
    const bomb = deflateSync(Buffer.concat([Buffer.from(`commit ${size}\0`), Buffer.alloc(size)]));
    const state = await spoilt((upstream, oid) => overwrite(upstream, oid, bomb));
    expect(state.last_error).toMatch(/object [0-9a-f]{40}|too much for a mirror/);
  });
});

describe("static files of an upstream that attacks", () => {
  /** Makes a mirror of files that a test gives, and returns how its first sync ended while others were served. */
  async function attacked(answer: (path: string) => StaticAnswer | undefined): Promise<MirrorState> {
    const name = `hostile-${++count}.git`;
    files().instead = (path) => (path.startsWith(`/${name}/`) ? answer(path.slice(name.length + 2)) : undefined);
    const path = `acme/hostile-${count}`;
    await bed.api("PUT", path, { visibility: "public" });
    await bed.api("PUT", `${path}/mirror`, { upstream: `${files().base}/${name}`, interval: 0 });
    let longest = 0;
    for (let began = Date.now(); ; began = Date.now()) {
      const { body } = await bed.api<MirrorState>("GET", `${path}/mirror`);
      longest = Math.max(longest, Date.now() - began);
      if (!body.syncing && body.last_attempt !== null) {
        expect(longest).toBeLessThan(5000);
        return body;
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  const loose = (type: string, content: Buffer): { oid: string; path: string; file: Buffer } => {
    const whole = Buffer.concat([Buffer.from(`${type} ${content.length}\0`), content]);
    const oid = createHash("sha1").update(whole).digest("hex");
    return { oid, path: `objects/${oid.slice(0, 2)}/${oid.slice(2)}`, file: deflateSync(whole) };
  };
  const text = (body: string): StaticAnswer => ({ status: 200, body: Buffer.from(body) });
  const GONE: StaticAnswer = { status: 404 };

  it("a list of refs whose first line never ends is not put together", async () => {
    const endless = Buffer.concat([Buffer.from(`${"a".repeat(40)}\trefs/heads/`), Buffer.alloc(60_000_000, 97)]);
    const state = await attacked((path) => (path === "info/refs" ? { status: 200, body: endless } : GONE));
    expect(state.last_error).toMatch(/info\/refs is not valid/);
  });

  it("a tree that names more objects than there is room for is not followed", async () => {
    // Each tree names 30,000 others; twenty of them are more than are followed.
    const many = Array.from({ length: 20 }, (_, at) => {
      const content = Buffer.concat(
        Array.from({ length: 30_000 }, (_entry, i) => {
          const name = Buffer.alloc(20);
          name.writeUInt32BE(i, 16);
          name[0] = at + 1;
          return Buffer.concat([Buffer.from(`100644 ${i.toString(36).padStart(5, "0")}\0`), name]);
        }),
      );
      return loose("tree", content);
    });
    const root = loose(
      "tree",
      Buffer.concat(
        many.map(({ oid }, at) =>
          Buffer.concat([Buffer.from(`40000 d${String(at).padStart(2, "0")}\0`), Buffer.from(oid, "hex")]),
        ),
      ),
    );
    const objects = new Map([root, ...many].map(({ path, file }) => [path, file]));
    const state = await attacked((path) => {
      if (path === "info/refs") return text(`${root.oid}\trefs/tags/tree\n`);
      const body = objects.get(path);
      return body === undefined ? GONE : { status: 200, body };
    });
    expect(state.last_error).toMatch(/too much for a mirror: its loose objects refer to more than 200000 others/);
  });

  it("packs beyond any count are not looked through", async () => {
    const list = Array.from({ length: 3000 }, (_, at) => `P pack-${at.toString(16).padStart(40, "0")}.pack\n`).join("");
    const state = await attacked((path) => {
      if (path === "info/refs") return text(`${"b".repeat(40)}\trefs/heads/main\n`);
      return path === "objects/info/packs" ? text(list) : GONE;
    });
    expect(state.last_error).toMatch(/too much for a mirror: it has more than 100 packs/);
  });

  it("an index whose entries lie before the pack, or twice in one place, is refused", async () => {
    const rows = 300;
    const index = Buffer.alloc(8 + 1024 + rows * 28 + 40);
    index.writeUInt32BE(0xff744f63, 0);
    index.writeUInt32BE(2, 4);
    for (let byte = 0; byte < 256; byte++) index.writeUInt32BE(byte < 0xbb ? 0 : rows, 8 + byte * 4);
    for (let row = 0; row < rows; row++) {
      const at = 1032 + row * 20;
      index.fill(0xbb, at, at + 20);
      index.writeUInt32BE(0xbbbbbb00 + Math.floor(row / 2), at);
      index.writeUInt32BE(row, at + 16);
    }
    const wanted = index.subarray(1032, 1052).toString("hex");
    const state = await attacked((path) => {
      if (path === "info/refs") return text(`${wanted}\trefs/heads/main\n`);
      if (path === "objects/info/packs") return text(`P pack-${"1".repeat(40)}.pack\n`);
      if (path.endsWith(".idx")) return { status: 200, body: index };
      return path.endsWith(".pack") ? { status: 200, body: Buffer.from("PACK") } : GONE;
    });
    expect(state.last_error).toMatch(/index of pack|broke off|not the one of its index|refused|protocol/);
  });
});

function overwrite(upstream: Upstream, oid: string, content: Buffer): void {
  const file = looseFile(upstream, oid);
  rmSync(file);
  writeFileSync(file, content);
}

function swap(upstream: Upstream, oid: string): void {
  const objects = join(upstream.directory, "objects");
  const other = readdirSync(objects).find((name) => /^[0-9a-f]{2}$/.test(name) && !oid.startsWith(name)) ?? "";
  const [file = ""] = readdirSync(join(objects, other));
  overwrite(upstream, oid, readFileSync(join(objects, other, file)));
}
