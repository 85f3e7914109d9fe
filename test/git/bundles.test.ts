/** Bundles: what a client may fetch before the rest, of whom, and until when. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { READ_TICKET_SECONDS } from "../../src/http/read-ticket.ts";
import { apiClient, issueToken } from "../support/api-client.ts";
import { refsOf } from "../support/git-client.ts";
import { importFixture, linear, noise } from "../support/git-fixtures.ts";
import { parsePkts, pktLines, post } from "../support/git-raw.ts";
import { GIT_VERSIONS, NEW_GIT } from "../support/new-git.ts";
import { MirrorBed } from "../support/upstreams.ts";

const bed = new MirrorBed();
const { git } = bed;
const V2 = { "Git-Protocol": "version=2" };
let source = "";
let count = 0;

beforeAll(async () => {
  await bed.start();
  source = await fixture();
});
afterAll(() => bed.stop());

/** A history of some 1,300 objects and 1.5 MB, on main; `side` is a part of it. */
async function fixture(): Promise<string> {
  const stream = linear(400);
  stream.commit("refs/heads/main", [{ path: "large.bin", content: noise(1_500_000, 5) }]);
  const cwd = git.fresh("source");
  await git.ok(["clone", "-q", "--bare", await importFixture(git, "source", stream), cwd]);
  await git.ok(["branch", "-q", "side", "main~3"], { cwd });
  return cwd;
}

/** Waits for the bitmaps of a repository, and so for its bundle. */
async function bundled(path: string): Promise<void> {
  await bed.api("POST", `${path}/maintenance`, {});
  const { runs } = await bed.maintained(path);
  expect(runs.map(({ step, outcome }) => [step, outcome])).toContainEqual(["bitmap", "done"]);
}

type Made = { readonly path: string; readonly url: string; readonly bare: string };

/** Makes a repository with a bundle. `bare` is its address without credentials. */
async function made(settings: object = { visibility: "public" }, from = source): Promise<Made> {
  const path = `acme/bundled-${++count}`;
  expect((await bed.api("PUT", path, settings)).status).toBe(201);
  await git.ok(["push", "-q", bed.url(path), "main", "side"], { cwd: from });
  await bundled(path);
  return { path, url: bed.url(path), bare: `${bed.host.base}/${path}.git` };
}

let common: Promise<Made> | undefined;
const shared = (): Promise<Made> => (common ??= made());

const AUTHORIZED = { Authorization: `Bearer ${bed.token}` };

/** What the command says, as lines. */
async function asked(url: string, lines: readonly string[] = [], format = "sha1"): Promise<string[]> {
  const request = pktLines("command=bundle-uri", `object-format=${format}`, "0001", ...lines, "0000");
  const { body } = await post(url, "upload-pack", request, V2);
  return parsePkts(body)
    .map((line) => line.toString())
    .filter((line) => line !== "0000");
}

/** The address of the bundle. */
async function addressOf(url: string, format = "sha1"): Promise<string> {
  const line = (await asked(url, [], format)).find((each) => each.startsWith("bundle.base.uri="));
  if (line === undefined) throw new Error("no bundle");
  return line.slice("bundle.base.uri=".length);
}

async function download(
  address: string,
  headers: Record<string, string> = {},
): Promise<{ status: number; body: Buffer; headers: Headers }> {
  const answer = await fetch(address, { headers });
  return { status: answer.status, body: Buffer.from(await answer.arrayBuffer()), headers: answer.headers };
}

/** The beginning of a bundle, whose download is then broken off. */
async function begun(address: string): Promise<{ readonly bytes: Buffer; readonly etag: string }> {
  const answer = await fetch(address);
  const reader = answer.body?.getReader();
  const { value = new Uint8Array(0) } = (await reader?.read()) ?? {};
  await reader?.cancel();
  return { bytes: Buffer.from(value), etag: answer.headers.get("ETag") ?? "" };
}

/** Pushes a commit of more than a MiB on a branch, and waits for its bundle. Returns the commit. */
async function grow(path: string, work: string, seed: number, branch: string): Promise<string> {
  writeFileSync(join(work, `newest-${seed}.bin`), noise(1_200_000, 40 + seed));
  const tip = await git.commit(work, `newest-${seed}.txt`, "more\n");
  await git.ok(["push", "-q", "origin", branch], { cwd: work });
  const { runs } = await bed.maintained(path);
  expect(runs.map(({ step, outcome }) => [step, outcome])).toContainEqual(["bundle", "done"]);
  return tip;
}

/** How many bundles a client has asked for, as its trace says. */
function bundlesIn(trace: string): number {
  return readFileSync(trace, "utf8").match(/=> Send header: GET [^ ]*\.bundle/g)?.length ?? 0;
}

describe("a bundle", () => {
  it.each(["sha1", "sha256"] as const)("is one to git, with all that its tips reach (%s)", async (format) => {
    let from = source;
    if (format === "sha256") {
      from = git.fresh("sha256");
      const stream = linear(400);
      stream.commit("refs/heads/main", [{ path: "large.bin", content: noise(1_500_000, 5) }]);
      await git.ok(["init", "-q", "--bare", "--object-format=sha256", from]);
      await git.ok(["fast-import", "--quiet"], { cwd: from, input: stream.bytes() });
      await git.ok(["branch", "-q", "side", "main~3"], { cwd: from });
    }
    const { url } =
      format === "sha1" ? await shared() : await made({ visibility: "public", object_format: format }, from);
    const { body, status, headers } = await download(await addressOf(url, format));
    expect([status, headers.get("Content-Type")]).toEqual([200, "application/x-git-bundle"]);
    const file = git.path(`${format}.bundle`);
    writeFileSync(file, body);
    const [main, side] = await Promise.all(["main", "side"].map((name) => git.ok(["rev-parse", name], { cwd: from })));
    const heads = (await git.ok(["bundle", "list-heads", file])).split("\n");
    expect(heads.toSorted()).toEqual([`${main} refs/heads/main`, `${side} refs/heads/side`].toSorted());
    const copy = git.fresh();
    await git.ok(["clone", "-q", "--mirror", file, copy]);
    await git.fsck(copy);
    expect(await refsOf(git, copy)).toEqual(await refsOf(git, from));
  });

  it("names tags of which it has everything, while they have the same values", async () => {
    const cwd = git.fresh("tagged");
    await git.ok(["clone", "-q", "--bare", source, cwd]);
    const author = ["-c", "user.name=a", "-c", "user.email=a@example.com"];
    const tag = async (name: string, to: string): Promise<string> =>
      await git.ok([...author, "tag", "-m", name, name, to], { cwd });
    await tag("annotated", "main~3");
    await tag("nested", "annotated");
    await tag("of-blob", "main:large.bin");
    await tag("of-tree", "main~1^{tree}");
    await git.ok(["tag", "light", "main~5"], { cwd });
    const path = `acme/bundled-${++count}`;
    const url = bed.url(path);
    await bed.api("PUT", path, { visibility: "public" });
    await git.ok(["push", "-q", "--mirror", url], { cwd });
    // It comes as a pack of its own, which maintenance makes one with the other.
    await tag("late", "main");
    await git.ok(["push", "-q", url, "late"], { cwd });
    await bundled(path);
    const file = git.path("tagged.bundle");
    const named = async (): Promise<string[]> => {
      writeFileSync(file, (await download(await addressOf(url))).body);
      return (await git.ok(["bundle", "list-heads", file])).split("\n").map((line) => line.replace(/^\S+ refs\//, ""));
    };
    const tags = ["annotated", "late", "light", "nested", "of-blob", "of-tree"].map((name) => `tags/${name}`);
    expect(await named()).toEqual(["heads/main", "heads/side", ...tags]);
    const copy = git.fresh();
    await git.ok(["clone", "-q", "--mirror", file, copy]);
    await git.fsck(copy);
    await git.ok(["tag", "-f", "light", "main~4"], { cwd });
    await git.ok(["push", "-q", "-f", url, "light"], { cwd });
    // The pack is without its mark until a walk has shown that refs reach all of it.
    await bed.api("POST", `${path}/maintenance`, {});
    await bed.maintained(path);
    const still = ["heads/main", "heads/side", ...tags.filter((name) => name !== "tags/light")];
    expect(await named()).toEqual(still);
    // What it names is in the pack of the bundle, but the tag itself is in another one.
    await tag("later", "main");
    await git.ok(["push", "-q", url, "later"], { cwd });
    expect(await named()).toEqual(still);
  });

  it("is read in ranges, and goes on where it broke off only while it is the same", async () => {
    const { url } = await shared();
    const address = await addressOf(url);
    const { body, headers } = await download(address);
    const etag = headers.get("ETag") ?? "";
    const pack = body.indexOf("PACK");
    for (const [first, last] of [
      [0, 9],
      [pack - 5, pack + 5],
      [pack, pack + 100],
      [body.length - 20, body.length - 1],
    ] as const) {
      const part = await download(address, { Range: `bytes=${first}-${last}`, "If-Range": etag });
      expect([part.status, part.headers.get("Content-Range")]).toEqual([206, `bytes ${first}-${last}/${body.length}`]);
      expect(part.body.equals(body.subarray(first, last + 1))).toBe(true);
    }
    expect((await download(address, { Range: "bytes=5-9", "If-Range": '"other"' })).status).toBe(200);
    expect((await download(address, { Range: `bytes=${body.length}-` })).status).toBe(416);
    expect((await download(address, { "If-None-Match": etag })).status).toBe(304);
    const head = await fetch(address, { method: "HEAD" });
    expect(head.headers.get("Content-Length")).toBe(String(body.length));
    expect((await fetch(address, { method: "PUT" })).status).toBe(405);
  });

  it("goes on where it was cut off, with a ticket that was given since", async () => {
    const { url } = await made({ visibility: "private" });
    const address = await addressOf(url);
    const whole = await download(address);
    const cut = await begun(address);
    expect(cut.bytes.length).toBeGreaterThan(0);
    expect(cut.bytes.length).toBeLessThan(whole.body.length);
    await bed.clock.advance(READ_TICKET_SECONDS * 1000 + 1000);
    const rest = { Range: `bytes=${cut.bytes.length}-`, "If-Range": cut.etag };
    expect((await download(address, rest)).status).toBe(401);
    const again = await download(await addressOf(url), rest);
    expect(again.status).toBe(206);
    const file = git.path("resumed.bundle");
    writeFileSync(file, Buffer.concat([cut.bytes, again.body]));
    expect(readFileSync(file).equals(whole.body)).toBe(true);
    const copy = git.fresh();
    await git.ok(["clone", "-q", "--mirror", file, copy]);
    await git.fsck(copy);
  });

  it("is told to a client that asks, without arguments", async () => {
    const { url, bare } = await shared();
    expect(await asked(url)).toEqual([
      "bundle.version=1",
      "bundle.mode=all",
      "bundle.heuristic=creationToken",
      expect.stringMatching(/^bundle\.base\.uri=http:\/\/[^?]*\/bundles\/[0-9a-f]{40}\.bundle$/),
      "bundle.base.creationtoken=1",
    ]);
    expect(await asked(url, ["size"])).toEqual(["ERR bundle-uri: unexpected argument: 'size'"]);
    const list = git.path("list");
    writeFileSync(list, (await download(`${bare}/bundles`)).body);
    expect(await git.ok(["config", "--file", list, "bundle.base.uri"])).toBe(await addressOf(url));
    await bed.api("PUT", "acme/empty-list", { visibility: "public" });
    expect(await asked(bed.url("acme/empty-list"))).toEqual([]);
  });

  describe.each(GIT_VERSIONS)("with git $version", ({ use, version }) => {
    const isNew = NEW_GIT !== undefined && version !== GIT_VERSIONS[0]?.version;
    beforeAll(() => use(git));

    it("is cloned from first, and then only the rest is fetched", async () => {
      const { path, bare } = await made();
      const work = git.fresh();
      await git.ok(["clone", "-q", bed.url(path), work]);
      const tip = await git.commit(work, "later.txt", "later\n");
      await git.ok(["push", "-q", "origin", "main"], { cwd: work });
      const copy = git.fresh();
      const env = { GIT_TRACE_PACKET: git.path(`packets-${version}`) };
      await git.ok(["clone", "-q", `--bundle-uri=${await addressOf(bed.url(path))}`, bare, copy], { env });
      expect(await git.ok(["rev-parse", "HEAD"], { cwd: copy })).toBe(tip);
      await git.fsck(copy);
      expect(readFileSync(git.path(`packets-${version}`), "utf8")).toMatch(/(?:clone|fetch)> have [0-9a-f]{40}/);
    });

    it.runIf(isNew)("is found by the client itself with transfer.bundleURI, and in a list", async () => {
      const { path, bare } = await made({ visibility: "private" });
      const [copy, listed, trace] = [git.fresh(), git.fresh(), git.path("trace")];
      const env = { GIT_TRACE_CURL: trace };
      await git.ok(["-c", "transfer.bundleURI=true", "clone", "-q", bed.url(path), copy], { env });
      await git.fsck(copy);
      expect(await refsOf(git, copy, "refs/bundles/")).toHaveLength(2);
      expect(readFileSync(trace, "utf8")).toMatch(/GET \/acme\/[^ ]*\.bundle\?ticket=/);
      const list = bed.url(path).replace(/$/, "/bundles");
      await git.ok(["clone", "-q", `--bundle-uri=${list}`, bed.url(path), listed]);
      await git.fsck(listed);
      expect(await git.ok(["config", "fetch.bundleCreationToken"], { cwd: listed })).toBe("1");
      await git.ok(["fetch", "-q"], { cwd: listed });
      expect(bare).not.toContain("@");
    });

    it("comes with those of what was pushed since, which a fetch takes, too", async () => {
      const { path, url } = await made({ visibility: "private" });
      const work = git.fresh();
      await git.ok(["clone", "-q", url, work]);
      await git.ok(["checkout", "-q", "--orphan", "alone"], { cwd: work });
      await git.ok(["rm", "-rfq", "."], { cwd: work });
      await grow(path, work, 1, "alone");
      await git.ok(["checkout", "-q", "main"], { cwd: work });
      const before = await grow(path, work, 2, "main");
      const [copy, trace] = [git.fresh(), git.path(`newest-${version}`)];
      const env = { GIT_TRACE_CURL: trace, GIT_TRACE_CURL_NO_DATA: "1", GIT_TRACE_PACKET: trace };
      const taken = async (args: readonly string[], cwd?: string): Promise<number> => {
        writeFileSync(trace, "");
        await git.ok(args, { env, ...(cwd === undefined ? {} : { cwd }) });
        return bundlesIn(trace);
      };
      expect(await taken(["clone", "-q", `--bundle-uri=${url}/bundles`, url, copy])).toBe(3);
      expect(await refsOf(git, copy, "refs/bundles/")).toHaveLength(3);
      if (isNew) expect(readFileSync(trace, "utf8")).not.toMatch(/clone> want/);
      expect(await git.ok(["rev-parse", "origin/main"], { cwd: copy })).toBe(before);
      await git.fsck(copy);
      // The client that is told of no tokens asks for no bundle when it fetches.
      const tip = await grow(path, work, 3, "main");
      expect(await taken(["fetch", "-q"], copy)).toBe(isNew ? 1 : 0);
      if (isNew) expect(readFileSync(trace, "utf8")).not.toMatch(/fetch> want/);
      expect(await taken(["fetch", "-q"], copy)).toBe(0);
      expect(await git.ok(["rev-parse", "origin/main"], { cwd: copy })).toBe(tip);
      await git.fsck(copy);
      // What they are of is taken back, and then removed for good.
      await git.ok(["push", "-q", "-f", "origin", `${before}:refs/heads/main`, ":alone"], { cwd: work });
      for (const purge of [false, true]) {
        if (purge) await bed.api("POST", `${path}/maintenance`, { purge });
        if (purge) await bed.maintained(path);
        const fresh = git.fresh();
        await git.ok(["clone", "-q", `--bundle-uri=${url}/bundles`, url, fresh]);
        await git.ok(["fetch", "-q", "--prune"], { cwd: copy });
        for (const cwd of [fresh, copy]) {
          expect(await refsOf(git, cwd, "refs/remotes/origin/alone")).toEqual([]);
          expect(await git.ok(["rev-parse", "origin/main"], { cwd })).toBe(before);
          await git.fsck(cwd);
        }
        if (purge) expect((await git.git(["cat-file", "-e", tip], { cwd: fresh })).code).not.toBe(0);
      }
    });
  });
});

describe("a bundle of a private repository", () => {
  it("is read with the ticket in its address, for an hour, and with nothing else of the repository", async () => {
    const { path, url, bare } = await made({ visibility: "private" });
    const other = await made({ visibility: "private" });
    const address = await addressOf(url);
    expect(address).toContain("?ticket=tpr_");
    const ticket = new URL(address).searchParams.get("ticket") ?? "";
    expect((await download(address)).status).toBe(200);
    expect((await download(address.replace(/\?.*/, ""))).status).toBe(401);
    expect((await download(`${address.slice(0, -2)}AA`)).status).toBe(401);
    expect((await download((await addressOf(other.url)).replace(/\?.*/, `?ticket=${ticket}`))).status).toBe(404);
    for (const place of [`${bare}/info/refs?service=git-upload-pack&ticket=${ticket}`, `${bare}/HEAD?ticket=${ticket}`])
      expect((await download(place)).status).toBe(401);
    const lent = { Authorization: `Bearer ${ticket}` };
    expect((await download(`${bare}/info/refs?service=git-upload-pack`, lent)).status).toBe(200);
    for (const place of [`${bare}/info/refs?service=git-receive-pack`, `${bed.host.base}/api/v1/repos/${path}`])
      expect([401, 403]).toContain((await download(place, lent)).status);
    // A ticket gets no ticket: it would never end.
    expect((await download(`${bare}/bundles`, lent)).body.toString()).not.toContain("ticket=");
    await bed.clock.advance(READ_TICKET_SECONDS * 1000 + 1000);
    expect((await download(address)).status).toBe(401);
  });

  it("is closed when its repository has gone, also where another has its name", async () => {
    const { path, url, bare } = await made({ visibility: "private" });
    const operator = apiClient(bed.host.base, bed.token);
    const address = await addressOf(url);
    const lent = { Authorization: `Bearer ${new URL(address).searchParams.get("ticket") ?? ""}` };
    const refs = `${bare}/info/refs?service=git-upload-pack`;
    expect((await download(refs, lent)).status).toBe(200);
    await operator("DELETE", `/repos/${path}`);
    expect((await operator("PUT", `/repos/${path}`, { visibility: "private" })).status).toBe(201);
    expect((await download(refs, lent)).status).toBe(404);
    expect((await download(address)).status).toBe(404);
  });

  it("is closed with the token that it was told to", async () => {
    const { path, bare } = await made({ visibility: "private" });
    const operator = apiClient(bed.host.base, bed.token);
    const token = await issueToken(operator, "acme", "repo:read");
    const address = await addressOf(bare.replace("://", `://git:${token}@`));
    expect((await download(address)).status).toBe(200);
    const tokens = (await operator("GET", "/tenants/acme/tokens")).body as {
      tokens: { id: string; scopes: string[] }[];
    };
    for (const { id } of tokens.tokens) await operator("DELETE", `/tenants/acme/tokens/${id}`);
    expect((await download(address)).status).toBe(401);
    expect(path).toMatch(/^acme/);
  });
});

describe("a bundle is gone", () => {
  it("when a forced push takes away what is in it, and the name of a branch when that is deleted", async () => {
    const { url, bare } = await made();
    const address = await addressOf(url);
    const before = await download(address);
    expect(before.body.includes("refs/heads/side")).toBe(true);
    await git.ok(["push", "-q", url, ":side"], { cwd: source });
    // The deletion left the pack without its mark until a walk has shown that main reaches all of it.
    expect([200, 404]).toContain((await download(address)).status);
    await git.ok(["push", "-q", url, "+main~5:refs/heads/main"], { cwd: source });
    expect((await download(address)).status).toBe(404);
    expect((await download(`${bare}/bundles`)).body.toString()).toBe("");
  });

  it("when its repository becomes private", async () => {
    const { path, url } = await made();
    const address = await addressOf(url);
    expect((await download(address)).headers.get("Cache-Control")).toBe("public, no-cache");
    await bed.api("PATCH", path, { visibility: "private" });
    expect((await download(address)).status).toBe(401);
    expect((await download(address, AUTHORIZED)).status).toBe(200);
  });

  it("when a purge has removed its pack", async () => {
    const { path, url } = await made();
    const address = await addressOf(url);
    await git.ok(["push", "-q", url, "+main~5:refs/heads/main", ":side"], { cwd: source });
    await bed.api("POST", `${path}/maintenance`, { purge: true });
    await bed.maintained(path);
    expect((await download(address)).status).toBe(404);
    for (const line of await asked(url)) expect(line).not.toContain(new URL(address).pathname);
  });
});
