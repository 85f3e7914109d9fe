/**
 * Repositories and forks of them, and forks of those, that change at random, beside a model that knows what each may serve: what its own
 * refs reach, and nothing else.
 *
 * @module-tag thorough
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ForkBed } from "../support/fork-bed.ts";

const STEPS = 20;
/** The games; `LONG=1` plays more. */
const SEEDS = process.env["LONG"] === "1" ? [1, 2, 3, 4, 5, 6] : [2];

let bed: ForkBed;
/** A repository on this machine with every object that was ever made. */
let pool = "";
const commits: string[] = [];
const blobs = new Map<string, string>();
/** The refs of each repository, by its path. */
const model = new Map<string, Map<string, string>>();

beforeAll(async () => {
  bed = await ForkBed.start();
  for (const tenant of ["acme", "other"]) await bed.operator("PUT", `/tenants/${tenant}`);
  pool = await bed.git.init("pool", "--bare");
});
afterAll(() => bed.stop());

/** Numbers from 0 up to a bound, the same in each run. */
function randomFrom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

async function commitOn(parent: string | undefined, n: number): Promise<string> {
  const { git } = bed;
  const blob = await git.ok(["hash-object", "-w", "--stdin"], { cwd: pool, input: `the content ${n}\n` });
  const tree = await git.ok(["mktree"], { cwd: pool, input: `100644 blob ${blob}\tfile\n` });
  const parents = parent === undefined ? [] : ["-p", parent];
  const commit = await git.ok(["commit-tree", ...parents, "-m", `commit ${n}`, tree], { cwd: pool });
  commits.push(commit);
  blobs.set(commit, blob);
  return commit;
}

/** The commits that the refs of a repository reach. */
async function reachedBy(path: string): Promise<Set<string>> {
  const tips = [...new Set(model.get(path)?.values())];
  if (tips.length === 0) return new Set();
  return new Set((await bed.git.ok(["rev-list", ...tips], { cwd: pool })).split("\n"));
}

async function push(path: string, ref: string, oid: string): Promise<void> {
  await bed.git.ok(["push", "-q", "-f", bed.url(path), `${oid}:${ref}`], { cwd: pool });
  if (oid === "") model.get(path)?.delete(ref);
  else model.get(path)?.set(ref, oid);
}

async function forkOf(parent: string, path: string): Promise<void> {
  const [tenant, repo] = path.split("/");
  for (let tries = 0; ; tries++) {
    const { status } = await bed.operator("POST", `/repos/${parent}/forks`, { tenant, repo });
    if (status === 201) break;
    expect([status, tries < 3]).toEqual([409, true]);
    await bed.purge(parent);
  }
  model.set(path, new Map(model.get(parent)));
}

/** Compares what a repository serves with what its refs reach. */
async function check(path: string): Promise<void> {
  const reached = await reachedBy(path);
  const served: string[] = [];
  for (const commit of commits) {
    const { status } = await bed.operator("GET", `/repos/${path}/commits/${commit}`);
    if (status === 200) served.push(commit);
    else expect(status).toBe(404);
  }
  expect([path, served]).toEqual([path, commits.filter((commit) => reached.has(commit))]);
  const refs = await bed.git.ok(["ls-remote", bed.url(path), "refs/*"]);
  const expected = [...(model.get(path) ?? [])].map(([ref, oid]) => `${oid}\t${ref}`);
  expect(
    refs
      .split("\n")
      .filter((line) => line !== "")
      .toSorted(),
  ).toEqual(expected.toSorted());
  if (expected.length > 0) await bed.cloned(path);
}

describe("repositories and forks of them", () => {
  it.each(SEEDS)("serve what their own refs reach, whatever the others do (%i)", async (seed) => {
    const random = randomFrom(seed);
    const pick = <Item>(items: readonly Item[]): Item => items[random(items.length)] as Item;
    const first = await bed.make(`acme/first-${seed}`);
    model.set(first, new Map());
    await push(first, "refs/heads/main", await commitOn(undefined, seed * 1000));
    const mine = (): string[] => [...model.keys()].filter((path) => path.includes(`-${seed}`));
    for (let step = 1; step <= STEPS; step++) {
      const path = pick(mine());
      const refs = [...(model.get(path) ?? [])];
      const kind = random(10);
      if (kind < 4 || refs.length === 0) {
        const base = refs.length === 0 ? undefined : pick(refs)[1];
        const ref = pick(["refs/heads/main", "refs/heads/topic", "refs/tags/t"]);
        await push(path, ref, await commitOn(base, seed * 1000 + step));
      } else if (kind === 4) {
        const others = refs.filter(([ref]) => ref !== "refs/heads/main");
        if (others.length > 0) await push(path, pick(others)[0], "");
      } else if (kind === 5) {
        await push(path, "refs/heads/main", pick([...(await reachedBy(path))]));
      } else if (kind === 6) {
        await bed.purge(path);
      } else if (kind === 7) {
        await bed.operator("PATCH", `/repos/${path}`, { visibility: pick(["public", "private"]) });
      } else if (kind === 8 && mine().length > 2) {
        expect((await bed.operator("DELETE", `/repos/${path}`)).status).toBe(204);
        model.delete(path);
      } else {
        await forkOf(path, `${pick(["acme", "other"])}/fork-${step}-${seed}`);
      }
      if (step % 10 !== 0) continue;
      for (const each of mine()) await check(each);
    }
    // In the end nothing is stored that no ref reaches.
    for (const path of mine()) await bed.purge(path);
    const all = new Set<string>();
    for (const path of mine()) for (const commit of await reachedBy(path)) all.add(commit);
    const gone = commits.filter((commit) => !all.has(commit));
    await bed.until("what no ref reaches is gone", async () => {
      const stored = await bed.stored();
      return gone.every((commit) => !stored.has(commit) && !stored.has(blobs.get(commit) ?? ""));
    });
    for (const path of mine()) {
      await check(path);
      for (const commit of gone.slice(-3)) expect((await bed.fetched(path, commit)).stderr).toContain("not our ref");
    }
    for (const path of mine()) {
      await bed.operator("DELETE", `/repos/${path}`);
      model.delete(path);
    }
    await bed.until("the bucket is empty", async () => (await bed.keys("repos/")).length === 0);
  });
});
