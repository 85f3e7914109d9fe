/** History that an upstream rewrites or drops. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { refsAt } from "../support/git-client.ts";
import { importFixture, linear } from "../support/git-fixtures.ts";
import { MirrorBed } from "../support/upstreams.ts";

const bed = new MirrorBed();

beforeAll(() => bed.start());
afterAll(() => bed.stop());

/** A mirror, and a clone of its upstream to change that from. */
async function mirrored(policy: string): Promise<{ path: string; work: string; pushUrl: string; old: string }> {
  const { git } = bed;
  const source = await importFixture(git, "source", linear(10));
  await git.ok(["tag", "-a", "-m", "one", "v1", "main~2"], { cwd: source });
  await git.ok(["branch", "side", "main~4"], { cwd: source });
  const upstream = await bed.upstream(source);
  const path = await bed.mirror(upstream.url, { policy });
  const work = git.fresh();
  await git.ok(["clone", "-q", upstream.pushUrl, work]);
  return { path, work, pushUrl: upstream.pushUrl, old: await git.ok(["rev-parse", "main"], { cwd: work }) };
}

/** Rewrites the main branch and drops the other and the tag. */
async function rewrite(work: string): Promise<void> {
  const { git } = bed;
  await git.ok(["reset", "-q", "--hard", "HEAD~3"], { cwd: work });
  await git.commit(work, "other.txt", "other\n");
  await git.ok(["push", "-q", "--force", "origin", "main", ":refs/heads/side", ":refs/tags/v1"], { cwd: work });
}

const pause = async (): Promise<void> => await bed.clock.advance(1100);

describe("history that the upstream rewrites", () => {
  it("can be read by asking for the mirror as it was", async () => {
    const { git } = bed;
    const { path, work, pushUrl } = await mirrored("follow");
    const before = await refsAt(git, bed.url(path));
    await pause();
    const then = bed.clock.now().toISOString();
    await pause();
    await rewrite(work);
    expect(await bed.sync(path)).toMatchObject({ last_error: null });
    expect(await refsAt(git, bed.url(path))).toEqual(await refsAt(git, pushUrl));
    const past = bed.url(`${path}@${then}`);
    expect(await refsAt(git, past)).toEqual(before);
    const { body } = await bed.api<{ refs: { name: string; oid: string }[] }>("GET", `${path}/refs?at=${then}`);
    expect(body.refs.map(({ name, oid }) => `${name} ${oid}`).toSorted()).toEqual(before);
    const clone = git.fresh();
    await git.ok(["clone", "-q", "--mirror", past, clone]);
    await git.fsck(clone);
    expect(await refsAt(git, clone)).toEqual(before);
    // What was before it became a mirror is not shown; the past is not pushed to; and a time has to be one.
    expect((await git.git(["ls-remote", bed.url(`${path}@2020-01-01`)])).stderr).toMatch(/as it was/);
    expect((await git.git(["push", past, "main:refs/heads/x"], { cwd: work })).stderr).toContain("403");
    expect((await git.git(["ls-remote", bed.url(`${path}@yesterday`)])).code).not.toBe(0);
    expect((await bed.api("GET", `${path}/refs?at=yesterday`)).status).toBe(422);
  });

  it("is kept under refs/kept if that is the mirror's policy", async () => {
    const { git } = bed;
    const { path, work, pushUrl, old } = await mirrored("keep");
    await git.commit(work, "forward.txt", "forward\n");
    await git.ok(["push", "-q", "origin", "main"], { cwd: work });
    const forward = await git.ok(["rev-parse", "main"], { cwd: work });
    expect(await bed.sync(path)).toMatchObject({ last_error: null });
    expect((await refsAt(git, bed.url(path))).filter((line) => line.startsWith("refs/kept/"))).toEqual([]);
    await rewrite(work);
    expect(await bed.sync(path)).toMatchObject({ last_error: null });
    const refs = await refsAt(git, bed.url(path));
    const kept = refs.filter((line) => line.startsWith("refs/kept/"));
    expect(kept).toHaveLength(3);
    expect(kept.find((line) => line.includes("/heads/main "))).toContain(forward);
    expect(refs.filter((line) => !line.startsWith("refs/kept/"))).toEqual(await refsAt(git, pushUrl));
    expect(await bed.sync(path)).toMatchObject({ last_error: null });
    expect(await refsAt(git, bed.url(path))).toEqual(refs);
    const clone = git.fresh();
    await git.ok(["clone", "-q", "--mirror", bed.url(path), clone]);
    await git.ok(["cat-file", "-e", old], { cwd: clone });
    await git.fsck(clone);
  });

  it("stops the mirror and moves nothing if that is its policy", async () => {
    const { git } = bed;
    const { path, work, pushUrl } = await mirrored("stop");
    await git.commit(work, "forward.txt", "forward\n");
    await git.ok(["push", "-q", "origin", "main"], { cwd: work });
    expect(await bed.sync(path)).toMatchObject({ last_error: null });
    const before = await refsAt(git, bed.url(path));
    expect(before).toEqual(await refsAt(git, pushUrl));
    await rewrite(work);
    const { last_error: why } = await bed.sync(path);
    expect(why).toMatch(/has rewritten or dropped .*refs\/heads\/main/);
    expect(await refsAt(git, bed.url(path))).toEqual(before);
  });

  it("is not shown again once the repository is no mirror", async () => {
    const { git } = bed;
    const source = await importFixture(git, "source", linear(3));
    await bed.api("PUT", "acme/ordinary", { visibility: "public" });
    await git.ok(["push", "-q", bed.url("acme/ordinary"), "main"], { cwd: source });
    const now = new Date().toISOString();
    expect((await git.git(["ls-remote", bed.url(`acme/ordinary@${now}`)])).stderr).toMatch(/as it was/);
    expect((await bed.api("GET", `acme/ordinary/refs?at=${now}`)).status).toBe(404);
  });
});
