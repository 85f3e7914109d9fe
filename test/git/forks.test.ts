/** Forks: what they begin with, what they cost, and what becomes of them when their parents change or go. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ForkBed } from "../support/fork-bed.ts";
import { importFixture, linear } from "../support/git-fixtures.ts";

let bed: ForkBed;
let source = "";

beforeAll(async () => {
  bed = await ForkBed.start();
  await bed.operator("PUT", "/tenants/acme");
  await bed.operator("PUT", "/tenants/other");
  source = bed.git.fresh("source");
  await bed.git.ok(["clone", "-q", await importFixture(bed.git, "fixture", linear(12)), source]);
  await bed.git.ok(["tag", "-a", "-m", "a tag", "v1", "HEAD~3"], { cwd: source });
});
afterAll(() => bed.stop());

/** Makes a repository with the source's history. */
async function parent(name: string, settings: object = {}): Promise<string> {
  const path = await bed.make(`acme/${name}`, settings);
  await bed.git.ok(["push", "-q", bed.url(path), "main", "HEAD~5:refs/heads/old", "v1"], { cwd: source });
  return path;
}

/** Commits on a clone of a repository, and pushes main. Gives the commit. */
async function pushed(path: string, content: string): Promise<string> {
  const { git } = bed;
  const cwd = git.fresh("work");
  await git.ok(["clone", "-q", bed.url(path), cwd]);
  await git.commit(cwd, "fork.txt", content);
  await git.ok(["push", "-q", "origin", "main"], { cwd });
  return await git.head(cwd);
}

const refs = async (path: string): Promise<string> => await bed.git.ok(["ls-remote", bed.url(path)]);

describe("a fork", () => {
  it("has its parent's refs and objects, and copies none", async () => {
    const path = await parent("whole", { visibility: "public", description: "all of it" });
    const answer = await bed.operator("POST", `/repos/${path}/forks`, { tenant: "other" });
    expect(answer.status).toBe(201);
    const { id } = await bed.shown(path);
    expect(answer.body).toMatchObject({
      tenant: "other",
      name: "whole",
      visibility: "public",
      default_branch: "main",
      description: "all of it",
      size_bytes: 0,
      fork_of: { id, name: path },
    });
    // The same operations at any size: nothing is read from the bucket or written there.
    const timing = answer.headers.get("Server-Timing") ?? "";
    expect(timing).toContain('r2r;desc="0", r2w;desc="0"');
    const calls = Number(/do;desc="(\d+)"/.exec(timing)?.[1]);
    expect(calls).toBeLessThanOrEqual(8);
    expect(await refs("other/whole")).toBe(await refs(path));
    const clone = await bed.cloned("other/whole");
    const objects = ["rev-list", "--objects", "--all"];
    expect(await bed.git.ok(objects, { cwd: clone })).toBe(await bed.git.ok(objects, { cwd: await bed.cloned(path) }));
    expect(await bed.keys(`repos/${String(answer.body["id"])}.git/objects/pack/`)).toEqual([]);
  });

  it("and its parent see nothing of each other's pushes", async () => {
    const path = await parent("apart");
    const fork = await bed.fork(path, "other/apart");
    const inFork = await pushed(fork, "of the fork");
    const inParent = await pushed(path, "of the parent");
    for (const [here, there] of [
      [fork, inParent],
      [path, inFork],
    ] as const) {
      expect(await refs(here)).not.toContain(there);
      expect((await bed.fetched(here, there)).stderr).toContain("not our ref");
      expect((await bed.operator("GET", `/repos/${here}/commits/${there}`)).status).toBe(404);
      expect((await bed.operator("GET", `/repos/${here}/raw/${there}/fork.txt`)).status).toBe(404);
      // A push may not refer to what only the other has, either.
      const cwd = await bed.cloned(here === fork ? path : fork);
      const push = await bed.git.git(["push", bed.url(here), `${there}:refs/heads/stolen`], { cwd });
      expect(push.code).toBe(0);
      expect((await bed.operator("GET", `/repos/${here}/commits/${there}`)).status).toBe(200);
    }
    await bed.cloned(fork);
    await bed.cloned(path);
    expect(Number((await bed.shown(fork))["size_bytes"])).toBeGreaterThan(0);
  });

  it("of a fork outlives both, and its bytes count where they are kept", async () => {
    const path = await parent("first");
    const second = await bed.fork(path, "other/second");
    await pushed(second, "of the second");
    const third = await bed.fork(second, "acme/third");
    await pushed(third, "of the third");
    const before = await refs(third);
    const size = Number((await bed.shown(third))["size_bytes"]);
    const prefixes = [await bed.prefix(path), await bed.prefix(second), await bed.prefix(third)];
    expect((await bed.operator("DELETE", `/repos/${path}`)).status).toBe(204);
    expect((await bed.operator("DELETE", `/repos/${second}`)).status).toBe(204);
    // All that is left of the parents are the packs, which the fork has to itself now.
    await bed.until("the parents' other files are gone", async () => {
      const left = [...(await bed.keys(prefixes[0])), ...(await bed.keys(prefixes[1]))];
      return left.every((key) => key.includes("/objects/pack/"));
    });
    await bed.until("the packs count for the fork", async () => Number((await bed.shown(third))["size_bytes"]) > size);
    expect(await refs(third)).toBe(before);
    await bed.cloned(third);
    // A new repository of the parent's name has nothing to do with it.
    await bed.make(path);
    await bed.cloned(third);
    expect((await bed.operator("DELETE", `/repos/${third}`)).status).toBe(204);
    for (const prefix of prefixes) {
      await bed.until(`${prefix} is empty`, async () => (await bed.keys(prefix)).length === 0);
    }
  });
});
