/** Upstreams that fail, lie or change their mind: each sync ends right, or in words and with the old state served. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { refsAt } from "../support/git-client.ts";
import { importFixture, linear, noise } from "../support/git-fixtures.ts";
import { OddUpstream } from "../support/odd-upstream.ts";
import { MirrorBed, type MirrorState } from "../support/upstreams.ts";

const bed = new MirrorBed();
let odd: OddUpstream | undefined;
const proxy = (): OddUpstream => {
  if (odd === undefined) throw new Error("the proxy runs only during tests");
  return odd;
};

beforeAll(async () => {
  await bed.start();
  odd = new OddUpstream(bed.upstreamBase);
  await odd.start();
});
afterAll(async () => {
  odd?.stop();
  await bed.stop();
});

/** History of a few hundred KB. */
async function history(): Promise<string> {
  const stream = linear(20);
  stream.commit("refs/heads/main", [{ path: "large.bin", content: noise(300_000, 5) }]);
  return await importFixture(bed.git, "source", stream);
}

/** A mirror in order, whose upstream then turns odd, with something new to fetch. Gives what it had before. */
async function mirrored(
  behaviour: Parameters<OddUpstream["url"]>[0],
): Promise<{ path: string; before: string[]; state: MirrorState }> {
  const { git } = bed;
  const upstream = await bed.upstream(await history());
  const path = await bed.mirror(proxy().url("plain", upstream.name));
  const before = await refsAt(git, bed.url(path));
  expect(before.length).toBeGreaterThan(0);
  const work = git.fresh();
  await git.ok(["clone", "-q", upstream.pushUrl, work]);
  await git.commit(work, "more.bin", Buffer.from(noise(200_000, 9)).toString("base64"));
  await git.ok(["push", "-q", "origin", "main", "main:refs/heads/another"], { cwd: work });
  await bed.api("PUT", `${path}/mirror`, { upstream: proxy().url(behaviour, upstream.name) });
  return { path, before, state: await bed.settled(path) };
}

describe("an upstream that fails", () => {
  it.each([
    ["loop", /redirects too often/],
    ["astray", /redirects to something else/],
    ["local", /can't be asked: 169\.254\.169\.254/],
    ["busy", /too many requests/],
    ["broken", /fails: it answers 503/],
    ["page", /not git's smart HTTP/],
    ["garbage", /breaks git's protocol: .*zzzz/],
    ["nothing", /answer broke off/],
    ["cut", /answer broke off/],
    ["spoilt", /refused|breaks git's protocol|broke off/],
    ["emptied", /none of the mirror's refs/],
    ["elsewhere", /redirects to http:\S+, which wants credentials; the upstream's own are not sent there/],
    ["telltale", /says: not with Basic \[credentials\], nor with \[credentials\]$/],
    ["halved", /breaks git's protocol: expected flush/],
    ["endless", /too much for a mirror: the names of its refs have more than/],
  ] as const)("%s: says so, and what was there is served", async (behaviour, why) => {
    const { path, before, state } = await mirrored(behaviour);
    expect(state.last_error).toMatch(why);
    expect(state.last_error).not.toContain("secret of the proxy");
    expect(state.last_error).not.toContain("upstream-token");
    expect(state.failures).toBe(1);
    expect(state.next_sync).not.toBeNull();
    expect(await refsAt(bed.git, bed.url(path))).toEqual(before);
    const clone = bed.git.fresh();
    await bed.git.ok(["clone", "-q", bed.url(path), clone]);
    await bed.git.fsck(clone);
  });

  it("is left alone for as long as its answer asks", async () => {
    const { state } = await mirrored("busy");
    const wait = Date.parse(state.next_sync ?? "") - Date.parse(state.last_attempt ?? "");
    expect(wait).toBeGreaterThanOrEqual(7_200_000);
  });

  it("leaves nothing in the bucket", async () => {
    const { path } = await mirrored("cut");
    const { body } = await bed.api<{ id: string }>("GET", path);
    const files = await bed.api<{ files: { key: string }[] }>("GET", `${path}/export`);
    const packs = files.body.files.filter(({ key }) => key.endsWith(".pack"));
    expect(packs).toHaveLength(1);
    expect(body.id).not.toBe("");
  });
});

describe("an upstream that exceeds its tenant's quota", () => {
  it.each([
    [{ bytes: 500_000 }, /too much for a mirror: over quota: the tenant's limit is 500000 bytes, \d+/],
    [
      { objects: 70 },
      /too much for a mirror: over quota: the tenant's limit is 70 objects, \d+ are used, and this brings/,
    ],
    [{ largest_blob: 100_000 }, /exceeds the limit of 100000 bytes/],
  ])("%j: is not taken further, and what was there is served", async (quotas, why) => {
    const { git } = bed;
    const tenant = (settings: object): Promise<unknown> => bed.api("PATCH", "../tenants/acme", settings);
    const upstream = await bed.upstream(await history());
    const path = await bed.mirror(upstream.url);
    const before = await refsAt(git, bed.url(path));
    await tenant({ quotas });
    try {
      const work = git.fresh();
      await git.ok(["clone", "-q", upstream.pushUrl, work]);
      await git.commit(work, "more.bin", Buffer.from(noise(200_000, 9)).toString("base64"));
      await git.ok(["push", "-q", "origin", "main"], { cwd: work });
      expect((await bed.sync(path)).last_error).toMatch(why);
      expect(await refsAt(git, bed.url(path))).toEqual(before);
      await tenant({ quotas: {} });
      expect((await bed.sync(path)).last_error).toBeNull();
      expect(await refsAt(git, bed.url(path))).toEqual(await refsAt(git, upstream.pushUrl));
    } finally {
      await tenant({ quotas: {} });
    }
  });
});

describe("an upstream that is unusual", () => {
  it.each(["v0", "moved"] as const)("is followed all the same: %s", async (behaviour) => {
    const { path, state } = await mirrored(behaviour);
    expect(state).toMatchObject({ last_error: null, failures: 0 });
    const upstream = state.upstream.replace(/^.*\/up\//, "up/");
    const { pushUrl } = { pushUrl: `${bed.upstreamBase}/${upstream}`.replace("://", "://x:upstream-token@") };
    expect(await refsAt(bed.git, bed.url(path))).toEqual(await refsAt(bed.git, pushUrl));
    const clone = bed.git.fresh();
    await bed.git.ok(["clone", "-q", "--mirror", bed.url(path), clone]);
    await bed.git.fsck(clone);
  });

  it("may rewrite its history more than once", async () => {
    const { git } = bed;
    const upstream = await bed.upstream(await history());
    const path = await bed.mirror(upstream.url);
    const work = git.fresh();
    await git.ok(["clone", "-q", upstream.pushUrl, work]);
    for (const turn of ["one", "two"]) {
      await git.ok(["reset", "-q", "--hard", "HEAD~2"], { cwd: work });
      await git.commit(work, "turn.txt", turn);
      await git.ok(["push", "-q", "--force", "origin", "main"], { cwd: work });
      expect(await bed.sync(path)).toMatchObject({ last_error: null });
      expect(await refsAt(git, bed.url(path))).toEqual(await refsAt(git, upstream.pushUrl));
    }
    const clone = git.fresh();
    await git.ok(["clone", "-q", bed.url(path), clone]);
    await git.fsck(clone);
  });

  it("may lose all its refs, which the mirror keeps", async () => {
    const { git } = bed;
    const upstream = await bed.upstream(await importFixture(git, "source", linear(3)));
    const path = await bed.mirror(upstream.url);
    const before = await refsAt(git, bed.url(path));
    await git.ok(["update-ref", "-d", "refs/heads/main"], { cwd: upstream.directory });
    expect((await bed.sync(path)).last_error).toMatch(/none of the mirror's refs/);
    expect(await refsAt(git, bed.url(path))).toEqual(before);
  });

  it("may have 50,000 refs", async () => {
    const { git } = bed;
    const stream = linear(20);
    for (let at = 0; at < 50_000; at++) stream.reset(`refs/heads/many/${at % 100}/ref-${at}`, `:${(at % 20) + 1}`);
    const source = await importFixture(git, "source", stream);
    await git.ok(["pack-refs", "--all"], { cwd: source });
    const upstream = await bed.upstream();
    await git.ok(["fetch", "-q", source, "+refs/*:refs/*"], { cwd: upstream.directory });
    await git.ok(["pack-refs", "--all"], { cwd: upstream.directory });
    const path = await bed.mirror(upstream.url);
    expect(await bed.settled(path)).toMatchObject({ last_error: null });
    expect(await refsAt(git, bed.url(path))).toEqual(await refsAt(git, upstream.pushUrl));
    expect(await bed.sync(path)).toMatchObject({ last_error: null });
  });
});

describe("objects that fsck refuses", () => {
  /** An upstream with a commit of our own making on its main branch. */
  async function upstreamWith(
    makeTree: (cwd: string) => Promise<string>,
    author: string,
  ): Promise<{ url: string; commit: string }> {
    const { git } = bed;
    const upstream = await bed.upstream(await importFixture(git, "source", linear(2)));
    const cwd = upstream.directory;
    const tree = await makeTree(cwd);
    const text = `tree ${tree}\nauthor ${author}\ncommitter C <c@example.com> 1 +0000\n\nx\n`;
    const commit = await git.ok(["hash-object", "-t", "commit", "-w", "--literally", "--stdin"], { cwd, input: text });
    await git.ok(["update-ref", "refs/heads/main", commit], { cwd });
    return { url: upstream.url, commit };
  }
  const goodTree = async (cwd: string): Promise<string> => await bed.git.ok(["mktree"], { cwd, input: "" });

  it("are taken if they are harmless, unless the mirror is strict", async () => {
    const { url } = await upstreamWith(goodTree, "A <a@example.com> 1 +12345678");
    const lenient = await bed.mirror(url);
    expect(await bed.settled(lenient)).toMatchObject({ last_error: null });
    const strict = await bed.mirror(url, { fsck: { ignore: [] } });
    expect((await bed.settled(strict)).last_error).toMatch(/refused: object [0-9a-f]{40}: badTimezone/);
    expect(await refsAt(bed.git, bed.url(strict))).toEqual([]);
  });

  it("are never taken if they are harmful, unless each is named to be skipped", async () => {
    const dotGit = async (cwd: string): Promise<string> => {
      const blob = await bed.git.ok(["hash-object", "-w", "--stdin"], { cwd, input: "x" });
      const entry = Buffer.concat([Buffer.from("100644 .git\0"), Buffer.from(blob, "hex")]);
      return await bed.git.ok(["hash-object", "-t", "tree", "-w", "--literally", "--stdin"], { cwd, input: entry });
    };
    const { url } = await upstreamWith(dotGit, "A <a@example.com> 1 +0000");
    const path = await bed.mirror(url);
    const { last_error: why } = await bed.settled(path);
    const tree = /object ([0-9a-f]{40}): hasDotgit/.exec(why ?? "")?.[1];
    expect(tree).toBeDefined();
    expect((await bed.api("PUT", `${path}/mirror`, { upstream: url, fsck: { ignore: ["hasDotgit"] } })).status).toBe(
      422,
    );
    await bed.api("PUT", `${path}/mirror`, { upstream: url, fsck: { skip: [tree] } });
    expect(await bed.settled(path)).toMatchObject({ last_error: null });
  });
});

describe("an upstream's credentials", () => {
  it("are sent to its own origin only, and can be read nowhere", async () => {
    const { git } = bed;
    const upstream = await bed.upstream(await importFixture(git, "source", linear(3)));
    const path = await bed.mirror(proxy().url("plain", upstream.name));
    const seen = proxy().credentials.length;
    expect(seen).toBeGreaterThan(0);
    const answers: string[] = [];
    // Another origin: they are not told it, and gone.
    const other = await bed.api<MirrorState>("PUT", `${path}/mirror`, { upstream: upstream.url });
    answers.push(JSON.stringify(other.body));
    expect(other.body.credentials).toBe(false);
    const failed = await bed.settled(path);
    expect(failed.last_error).toMatch(/wants credentials/);
    answers.push(JSON.stringify(failed));
    // Given again, as a token this time; changing anything else keeps them.
    await bed.api("PUT", `${path}/mirror`, { upstream: upstream.url, token: "upstream-token" });
    expect(await bed.settled(path)).toMatchObject({ last_error: null, credentials: true });
    const changed = await bed.api<MirrorState>("PUT", `${path}/mirror`, { upstream: upstream.url, interval: 7200 });
    expect(changed.body.credentials).toBe(true);
    expect(await bed.settled(path)).toMatchObject({ last_error: null });
    // A pair's halves can be given one by one, and a token takes their place.
    const basic = (pair: string): string => `Basic ${Buffer.from(pair).toString("base64")}`;
    const sent = async (settings: object): Promise<string | undefined> => {
      const before = proxy().credentials.length;
      await bed.api("PUT", `${path}/mirror`, { upstream: proxy().url("plain", upstream.name), ...settings });
      await bed.settled(path);
      // Maintenance may have another mirror of this file sync meanwhile, which has the login that all begin with.
      const own = proxy().credentials.slice(before);
      return own.findLast((credentials) => credentials !== basic("mirror:upstream-token"));
    };
    expect(await sent({ username: "one", password: "upstream-token" })).toBe(basic("one:upstream-token"));
    expect(await sent({ username: "two" })).toBe(basic("two:upstream-token"));
    expect(await sent({ password: "another-token" })).toBe(basic("two:another-token"));
    expect(await sent({ token: "upstream-token", username: null, password: null })).toBe("Bearer upstream-token");
    expect(await sent({ password: "upstream-token" })).toBe(basic(":upstream-token"));
    const gone = await bed.api<MirrorState>("PUT", `${path}/mirror`, { upstream: upstream.url, token: null });
    expect(gone.body.credentials).toBe(false);
    for (const answer of answers) expect(answer).not.toContain("upstream-token");
    expect(filesWith(bed.git.path("state"), "upstream-token")).toEqual([]);
    expect(filesWith(bed.git.path("state"), Buffer.from("mirror:upstream-token").toString("base64"))).toEqual([]);
  });
});

/** Gives the files below a directory that hold a text. */
function filesWith(directory: string, text: string): string[] {
  return readdirSync(directory, { recursive: true, encoding: "utf8" })
    .map((name) => join(directory, name))
    .filter((file) => {
      try {
        return statSync(file).isFile() && readFileSync(file).includes(text);
      } catch {
        // A database has put it away since the listing; what it held is in another.
        return false;
      }
    });
}
