/** A repository after many pushes: its packs are rolled up behind them, and git takes what is stored. */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { exportRepository } from "../support/export.ts";
import { importFixture, linear } from "../support/git-fixtures.ts";
import { CLOCK_AHEAD } from "../support/git-process.ts";
import { MirrorBed } from "../support/upstreams.ts";

const bed = new MirrorBed();
beforeAll(() => bed.start());
afterAll(() => bed.stop());

/** The files in which the simulator of R2 keeps objects whose keys look like this. */
function storedFiles(key: RegExp): string[] {
  const names = readdirSync(bed.state, { recursive: true, encoding: "utf8" });
  const blobs = new Set<string>();
  for (const name of names.filter((each) => each.endsWith(".sqlite"))) {
    const db = new DatabaseSync(join(bed.state, name), { readOnly: true });
    const isBucket = db.prepare("SELECT 1 FROM sqlite_master WHERE name = '_mf_objects'").get() !== undefined;
    for (const row of isBucket ? db.prepare("SELECT key, blob_id FROM _mf_objects").all() : [])
      if (key.test(String(row["key"]))) blobs.add(String(row["blob_id"]));
    db.close();
  }
  return names.filter((name) => blobs.has(basename(name))).map((name) => join(bed.state, name));
}

/** Pushes each commit of main by itself. */
async function pushEach(source: string, url: string): Promise<void> {
  const commits = (await bed.git.ok(["rev-list", "--reverse", "main"], { cwd: source })).split("\n");
  for (const commit of commits) await bed.git.ok(["push", "-q", url, `${commit}:refs/heads/main`], { cwd: source });
}

describe("maintenance after many pushes", () => {
  it("rolls packs up by itself and when asked, and clones get the same as before", async () => {
    const source = await importFixture(bed.git, "source", linear(24));
    const path = "acme/many";
    expect((await bed.api("PUT", path)).status).toBe(201);
    const url = bed.url(path);
    await pushEach(source, url);
    const rolled = await bed.maintained(path);
    expect(rolled.total.packs).toBeLessThan(24);
    expect(rolled.runs.map(({ outcome }) => outcome)).toContain("done");
    expect((await bed.api("POST", `${path}/maintenance`)).status).toBe(202);
    const asked = await bed.maintained(path);
    expect(asked.total.packs).toBeLessThanOrEqual(2);
    const cwd = bed.git.fresh();
    await bed.git.ok(["clone", "-q", "--mirror", url, cwd]);
    await bed.git.ok(["fsck", "--full", "--strict"], { cwd });
    expect(await bed.git.ok(["rev-list", "--objects", "main"], { cwd })).toBe(
      await bed.git.ok(["rev-list", "--objects", "main"], { cwd: source }),
    );
  });

  it("writes bitmaps that git takes, and clones of a branch get what it reaches", async () => {
    const { git } = bed;
    const source = await importFixture(git, "large", linear(400));
    const path = "acme/large";
    await bed.api("PUT", path);
    const url = bed.url(path);
    await git.ok(["push", "-q", url, "main", "main~150:refs/heads/half"], { cwd: source });
    expect((await bed.api("POST", `${path}/maintenance`)).status).toBe(202);
    const { runs } = await bed.maintained(path);
    expect(runs.find(({ step }) => step === "bitmap")).toMatchObject({ outcome: "done" });
    const cwd = git.fresh();
    await git.ok(["clone", "-q", "--bare", "--single-branch", "--branch=half", url, cwd]);
    await git.ok(["fsck", "--full", "--strict"], { cwd });
    const listed = async (directory: string, revision: string): Promise<string[]> =>
      (await git.ok(["rev-list", "--objects", "--no-object-names", revision], { cwd: directory })).split("\n").sort();
    expect(await listed(cwd, "half")).toEqual(await listed(source, "main~150"));
    const stored = await git.ok(["count-objects", "-v"], { cwd });
    expect(stored).toContain(`in-pack: ${(await listed(cwd, "half")).length}`);
    const copy = git.fresh();
    await exportRepository(`${bed.host.base}/api/v1/repos/${path}`, bed.token, copy);
    // The command leaves the file out, because git has no check for it.
    const api = `${bed.host.base}/api/v1/repos/${path}/export`;
    const headers = { Authorization: `Bearer ${bed.token}` };
    const exported = await (await fetch(api, { headers })).text();
    const [bitmap = ""] = /objects\/pack\/pack-\w+\.bitmap/.exec(exported) ?? [];
    const { body } = await fetch(`${api}/${bitmap}`, { headers });
    writeFileSync(join(copy, bitmap), await new Response(body).bytes());
    for (const revision of ["main", "main~50"])
      expect((await git.git(["rev-list", "--test-bitmap", revision], { cwd: copy })).stderr).toContain("OK!");
    const count = async (...options: string[]): Promise<string> =>
      await git.ok(["rev-list", "--count", "--objects", ...options, "--all"], { cwd: copy });
    expect(await count("--use-bitmap-index")).toBe(await count());
  });

  it("makes anew what is damaged in the bucket, and clients notice nothing", async () => {
    const { git } = bed;
    const source = await importFixture(git, "damaged", linear(400));
    const path = "acme/damaged";
    await bed.api("PUT", path);
    await git.ok(["push", "-q", bed.url(path), "main", "main~150:refs/heads/half"], { cwd: source });
    await bed.api("POST", `${path}/maintenance`);
    await bed.maintained(path);
    const { body } = await bed.api<{ id: string }>("GET", path);
    // What was just made is not made again within an hour.
    await bed.crash({ [CLOCK_AHEAD]: String(2 * 3_600_000) });
    const files = storedFiles(new RegExp(`^repos/${body.id}.git/objects/pack/pack-\\w+.(?:bitmap|graph)$`));
    expect(files).toHaveLength(2);
    const before = files.map((file) => readFileSync(file));
    for (const [i, file] of files.entries()) writeFileSync(file, new Uint8Array(before[i]?.length ?? 0));
    const cwd = git.fresh();
    await git.ok(["clone", "-q", "--bare", "--single-branch", "--branch=half", bed.url(path), cwd]);
    await git.ok(["fsck", "--full", "--strict"], { cwd });
    await bed.api("POST", `${path}/maintenance`);
    await bed.maintained(path);
    const after = storedFiles(/./).map((file) => readFileSync(file));
    for (const bytes of before) expect(after.some((each) => each.equals(bytes))).toBe(true);
    await bed.crash();
  });

  it("purges what a force-push left: no pack, and nothing over HTTP, has a byte of it", async () => {
    const { git } = bed;
    const source = await importFixture(git, "secret", linear(3));
    const path = "acme/secret";
    await bed.api("PUT", path, { visibility: "public" });
    await git.ok(["push", "-q", bed.url(path), "main"], { cwd: source });
    const clone = git.fresh();
    await git.ok(["clone", "-q", bed.url(path), clone]);
    await git.commit(clone, "secret.txt", "a secret of many words\n");
    const blob = await git.ok(["rev-parse", "HEAD:secret.txt"], { cwd: clone });
    const gone = await git.ok(["rev-parse", "HEAD"], { cwd: clone });
    await git.ok(["push", "-q", "origin", "main"], { cwd: clone });
    await git.ok(["push", "-q", "-f", "origin", "HEAD~:refs/heads/main"], { cwd: clone });
    expect((await bed.api("POST", `${path}/maintenance`, { purge: true })).status).toBe(202);
    const after = await bed.maintained(path);
    expect(after.runs[0]?.error ?? null).toBeNull();
    expect(after).toMatchObject({ purging: false, unreachable: { packs: 0 }, unmarked: { packs: 0 } });
    const again = git.fresh();
    await git.ok(["clone", "-q", "--mirror", bed.url(path), again]);
    await git.ok(["fsck", "--full", "--strict"], { cwd: again });
    for (const oid of [blob, gone]) {
      const fetched = await git.git(["fetch", "-q", "origin", oid], { cwd: again });
      expect(fetched.code).not.toBe(0);
      expect((await git.git(["cat-file", "-e", oid], { cwd: again })).code).not.toBe(0);
    }
  });

  it("takes back a deleted branch and a rewritten one, until their objects are gone", async () => {
    const { git } = bed;
    const source = await importFixture(git, "undone", linear(5));
    const path = "acme/undone";
    await bed.api("PUT", path);
    const url = bed.url(path);
    await git.ok(["push", "-q", url, "main~2:refs/heads/main", "main:refs/heads/topic"], { cwd: source });
    await git.ok(["tag", "-a", "-m", "a tag", "v1", "main"], { cwd: source });
    await git.ok(["push", "-q", url, "v1"], { cwd: source });
    await git.ok(["push", "-q", url, ":topic", ":v1"], { cwd: source });
    const before = await git.ok(["ls-remote", url], { cwd: source });
    expect(before).not.toContain("topic");
    type Log = { readonly pushes: readonly { readonly id: number }[] };
    const newest = async (): Promise<number> => (await bed.api<Log>("GET", `${path}/reflog`)).body.pushes[0]?.id ?? 0;
    const deletion = await newest();
    const restored = await bed.api<{ updates: unknown[] }>("POST", `${path}/reflog/${deletion}/restore`);
    expect(restored).toMatchObject({ status: 200 });
    expect(restored.body.updates).toHaveLength(2);
    const listed = await git.ok(["ls-remote", url], { cwd: source });
    expect(listed).toContain(`${await git.ok(["rev-parse", "main"], { cwd: source })}\trefs/tags/v1^{}`);
    // What has moved since is not moved over.
    expect((await bed.api("POST", `${path}/reflog/${deletion}/restore`)).status).toBe(409);
    expect(await git.ok(["ls-remote", url], { cwd: source })).toBe(listed);
    const cwd = git.fresh();
    await git.ok(["clone", "-q", "--mirror", url, cwd]);
    await git.ok(["fsck", "--full", "--strict"], { cwd });
    await git.ok(["push", "-q", url, ":topic", ":v1"], { cwd: source });
    const gone = await newest();
    await bed.api("POST", `${path}/maintenance`, { purge: true });
    await bed.maintained(path);
    expect((await bed.api("POST", `${path}/reflog/${gone}/restore`)).status).toBe(409);
    expect((await bed.api("POST", `${path}/reflog/999/restore`)).status).toBe(404);
    expect(await git.ok(["ls-remote", url], { cwd: source })).toBe(before);
  });

  it("makes a commit-graph that an export has and git verifies, and that goes along when the repository is renamed", async () => {
    const { git } = bed;
    const source = await importFixture(git, "graphed", linear(60));
    const path = "acme/graphed";
    await bed.api("PUT", path);
    await git.ok(["push", "-q", bed.url(path), "main"], { cwd: source });
    expect((await bed.api("POST", `${path}/maintenance`)).status).toBe(202);
    const state = await bed.maintained(path);
    expect(state.commit_graph).toMatchObject({ layers: 1, commits: 60, filters: 60 });
    expect(state.runs[0]).toMatchObject({ step: "graph", outcome: "done" });
    const renamed = "acme/graphed-too";
    expect((await bed.api("PATCH", path, { name: "graphed-too" })).status).toBe(200);
    const directory = git.fresh();
    await exportRepository(`${bed.host.base}/api/v1/repos/${renamed}`, bed.token, directory);
    await git.ok(["commit-graph", "verify"], { cwd: directory });
    await git.ok(["fsck", "--full", "--strict"], { cwd: directory });
    const chain = readFileSync(join(directory, "objects/info/commit-graphs/commit-graph-chain"), "utf8");
    expect(chain.trimEnd().split("\n")).toHaveLength(1);
    const clone = git.fresh();
    await git.ok(["clone", "-q", "--mirror", bed.url(renamed), clone]);
    await git.ok(["fsck", "--full", "--strict"], { cwd: clone });
    expect((await bed.maintained(renamed)).commit_graph).toMatchObject({ commits: 60 });
  });

  it("refuses to purge a mirror, whose past stays readable", async () => {
    const upstream = await bed.upstream();
    const path = await bed.mirror(upstream.url);
    expect((await bed.api("POST", `${path}/maintenance`, { purge: true })).status).toBe(409);
    expect((await bed.api("POST", `${path}/maintenance`)).status).toBe(202);
  });
});
