/** Where a mirror's HEAD points to, and which refs it has under which names. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { refsAt } from "../support/git-client.ts";
import { importFixture, linear } from "../support/git-fixtures.ts";
import { MirrorBed } from "../support/upstreams.ts";

const bed = new MirrorBed();

beforeAll(() => bed.start());
afterAll(() => bed.stop());

/** An upstream with branches `main`, `master` and `side`. */
async function branched(): Promise<{ url: string; pushUrl: string; directory: string }> {
  const source = await importFixture(bed.git, "source", linear(4));
  await bed.git.ok(["branch", "side", "main~1"], { cwd: source });
  await bed.git.ok(["branch", "master", "main~2"], { cwd: source });
  return await bed.upstream(source);
}

async function headOf(path: string): Promise<string> {
  const { body } = await bed.api<{ default_branch: string }>("GET", path);
  return body.default_branch;
}

describe("a mirror's HEAD", () => {
  it("follows the upstream's, also to an unborn branch", async () => {
    const { git } = bed;
    const upstream = await branched();
    await git.ok(["symbolic-ref", "HEAD", "refs/heads/side"], { cwd: upstream.directory });
    const path = await bed.mirror(upstream.url);
    expect(await headOf(path)).toBe("side");
    await git.ok(["branch", "-m", "side", "renamed"], { cwd: upstream.directory });
    expect(await bed.sync(path)).toMatchObject({ last_error: null });
    expect(await headOf(path)).toBe("renamed");
    const clone = git.fresh();
    await git.ok(["clone", "-q", bed.url(path), clone]);
    expect(await git.ok(["symbolic-ref", "HEAD"], { cwd: clone })).toBe("refs/heads/renamed");
    // As it was, it has the branch that it had then.
    const then = new Date().toISOString();
    await git.ok(["branch", "-m", "renamed", "again"], { cwd: upstream.directory });
    await new Promise((resolve) => setTimeout(resolve, 10));
    expect(await bed.sync(path)).toMatchObject({ last_error: null });
    expect(await headOf(path)).toBe("again");
    const past = git.fresh();
    await git.ok(["clone", "-q", bed.url(`${path}@${then}`), past]);
    expect(await git.ok(["symbolic-ref", "HEAD"], { cwd: past })).toBe("refs/heads/renamed");
    const listed = await bed.api<{ head: string }>("GET", `${path}/refs?at=${then}`);
    expect(listed.body.head).toBe("refs/heads/renamed");
    const empty = await bed.upstream();
    await git.ok(["symbolic-ref", "HEAD", "refs/heads/trunk"], { cwd: empty.directory });
    expect(await headOf(await bed.mirror(empty.url))).toBe("trunk");
  });

  it("names a branch when the upstream's is detached or names a branch that is not mirrored", async () => {
    const { git } = bed;
    const upstream = await branched();
    await git.ok(["update-ref", "--no-deref", "HEAD", "refs/heads/side"], { cwd: upstream.directory });
    const path = await bed.mirror(upstream.url, {}, { default_branch: "trunk" });
    expect(await headOf(path)).toBe("main");
    await git.ok(["update-ref", "-d", "refs/heads/main"], { cwd: upstream.directory });
    await bed.sync(path);
    expect(await headOf(path)).toBe("master");
    const settings = { refspecs: ["refs/heads/side:refs/heads/side"] };
    expect(await headOf(await bed.mirror(upstream.url, settings))).toBe("side");
  });
});

describe("a mirror's refspecs", () => {
  it("mean what they mean to git", async () => {
    const { git } = bed;
    const upstream = await branched();
    await git.ok(["update-ref", "refs/kept/x", "refs/heads/main"], { cwd: upstream.directory });
    await git.ok(["update-ref", "refs/pull/1/head", "refs/heads/main"], { cwd: upstream.directory });
    const path = await bed.mirror(upstream.url, { refspecs: ["+refs/*:refs/*", "^refs/heads/ma*"], policy: "keep" });
    const names = async (): Promise<string[]> =>
      (await refsAt(git, bed.url(path))).map((line) => line.split(" ")[0] ?? "");
    expect(await names()).toEqual(["refs/heads/side", "refs/pull/1/head"]);
    // What the upstream has where a mirror keeps what was dropped is neither taken nor missed.
    expect(await bed.sync(path)).toMatchObject({ last_error: null });
    await git.ok(["update-ref", "refs/heads/side", "refs/heads/master"], { cwd: upstream.directory });
    expect(await bed.sync(path)).toMatchObject({ last_error: null });
    expect(await names()).toHaveLength(3);
  });
});

describe("settings of a mirror that make no sense", () => {
  it.each([
    [{ refspecs: [] }, /refspecs/],
    [{ refspecs: ["^refs/heads/x"] }, /takes something/],
    [{ upstream: "https://example.com/a.git?" }, /repository's path/],
    [{ upstream: "https://example.com/a.git#" }, /repository's path/],
    [{ token: "tök€n", username: undefined, password: undefined }, /token/],
    [{ token: "a b", username: undefined, password: undefined }, /token/],
  ])("%j are refused", async (settings, why) => {
    await bed.api("PUT", "acme/senseless", { visibility: "public" });
    const upstream = "https://example.com/a.git";
    const answer = await bed.api<{ detail: string }>("PUT", "acme/senseless/mirror", { upstream, ...settings });
    expect(answer.status).toBe(422);
    expect(answer.body.detail).toMatch(why);
    expect((await bed.api("GET", "acme/senseless/mirror")).status).toBe(404);
  });
});
