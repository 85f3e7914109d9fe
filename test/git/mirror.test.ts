/** Mirrors of upstreams that C git serves. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { refsAt } from "../support/git-client.ts";
import { importFixture, linear } from "../support/git-fixtures.ts";
import { MirrorBed, type MirrorState } from "../support/upstreams.ts";

const bed = new MirrorBed();

beforeAll(() => bed.start());
afterAll(() => bed.stop());

describe("a mirror", () => {
  it("has what its upstream has, and serves it to clients", async () => {
    const { git } = bed;
    const source = await importFixture(git, "source", linear(30));
    await git.ok(["tag", "-a", "-m", "one", "v1", "main"], { cwd: source });
    await git.ok(["branch", "side", "main~3"], { cwd: source });
    const upstream = await bed.upstream(source);
    const path = await bed.mirror(upstream.url);
    const state = await bed.settled(path);
    expect(state).toMatchObject({ upstream: upstream.url, credentials: true, last_error: null, failures: 0 });
    expect(state.last_sync).not.toBeNull();
    expect(state.bytes).toBeGreaterThan(0);
    expect(await refsAt(git, bed.url(path))).toEqual(await refsAt(git, upstream.pushUrl));
    const clone = git.fresh();
    await git.ok(["clone", "-q", "--mirror", bed.url(path), clone]);
    await git.fsck(clone);
  });

  it("follows what is pushed, moved, made and deleted upstream, and HEAD", async () => {
    const { git } = bed;
    const source = await importFixture(git, "source", linear(5));
    const upstream = await bed.upstream(source);
    const path = await bed.mirror(upstream.url);
    const clone = git.fresh();
    await git.ok(["clone", "-q", bed.url(path), clone]);
    const work = git.fresh();
    await git.ok(["clone", "-q", upstream.pushUrl, work]);
    const oid = await git.commit(work, "new.txt", "new\n");
    await git.ok(["push", "-q", "origin", "main", "main:refs/heads/trunk", "main~2:refs/heads/dir/old"], { cwd: work });
    const state = await bed.sync(path);
    expect(state).toMatchObject({ last_error: null });
    await git.ok(["pull", "-q"], { cwd: clone });
    expect(await git.ok(["rev-parse", "HEAD"], { cwd: clone })).toBe(oid);
    await git.ok(["symbolic-ref", "HEAD", "refs/heads/trunk"], { cwd: upstream.directory });
    await git.ok(["push", "-q", "origin", ":main", ":refs/heads/dir/old"], { cwd: work });
    await git.ok(["push", "-q", "origin", "trunk~1:refs/heads/dir".replace("trunk", "main")], { cwd: work });
    expect(await bed.sync(path)).toMatchObject({ last_error: null });
    expect(await refsAt(git, bed.url(path))).toEqual(await refsAt(git, upstream.pushUrl));
    expect((await bed.api<{ default_branch: string }>("GET", path)).body.default_branch).toBe("trunk");
    const fresh = git.fresh();
    await git.ok(["clone", "-q", bed.url(path), fresh]);
    await git.fsck(fresh);
  });

  it("refuses pushes and says whom it follows, until it is promoted", async () => {
    const { git } = bed;
    const source = await importFixture(git, "source", linear(3));
    const upstream = await bed.upstream(source);
    const path = await bed.mirror(upstream.url);
    const refused = await git.git(["push", bed.url(path), "main:refs/heads/other"], { cwd: source });
    expect(refused.code).not.toBe(0);
    expect(refused.stderr).toContain("403");
    expect(refused.stderr).toContain(`read-only mirror of ${upstream.url}`);
    expect((await bed.api("DELETE", `${path}/mirror`)).status).toBe(204);
    expect((await bed.api("GET", `${path}/mirror`)).status).toBe(404);
    await git.ok(["push", "-q", bed.url(path), "main:refs/heads/other"], { cwd: source });
    expect((await bed.api("PUT", `${path}/mirror`, { upstream: upstream.url })).status).toBe(409);
  });

  it("tells in words why a sync failed, and goes on serving what it had", async () => {
    const { git } = bed;
    const source = await importFixture(git, "source", linear(3));
    const upstream = await bed.upstream(source);
    const path = await bed.mirror(upstream.url);
    const before = await refsAt(git, bed.url(path));
    const set = await bed.api<MirrorState>("PUT", `${path}/mirror`, { upstream: `${upstream.url}x`, interval: 0 });
    // The same origin: the credentials stay.
    expect(set.body).toMatchObject({ credentials: true });
    const state = await bed.settled(path);
    expect(state.last_error).toMatch(/^The upstream/);
    expect(state.failures).toBe(1);
    expect(await refsAt(git, bed.url(path))).toEqual(before);
  });
});
