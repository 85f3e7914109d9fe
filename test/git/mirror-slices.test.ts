/** Upstreams that are too much for one go. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Counts } from "../../scripts/bench/request-log.ts";
import { exportRepository } from "../support/export.ts";
import { refsAt } from "../support/git-client.ts";
import { FixtureStream, importFixture, linear, noise } from "../support/git-fixtures.ts";
import { OddUpstream } from "../support/odd-upstream.ts";
import { SettledLog } from "../support/settled-log.ts";
import { MirrorBed, type MirrorState } from "../support/upstreams.ts";
import { WAIT_LIMIT } from "../support/time-limits.ts";

const bed = new MirrorBed();

beforeAll(() => bed.start({ MIRROR_SLICE_OBJECTS: "150" }));
afterAll(() => bed.stop());

/** The syncs of a mirror that left a pack, by the number of packs. */
async function packs(path: string): Promise<number> {
  const { body } = await bed.api<{ files: { key: string }[] }>("GET", `${path}/export`);
  return body.files.filter(({ key }) => key.endsWith(".pack")).length;
}

/** Waits until maintenance has nothing to do. Gives how many packs there are, and were before they were rolled up. */
async function maintained(path: string): Promise<number> {
  const { runs } = await bed.maintained(path);
  const replaced = runs.filter(({ outcome }) => outcome === "done").reduce((sum, run) => sum + run.packs, 0);
  return (await packs(path)) + replaced;
}

it("a large upstream is taken in slices, and shows nothing before the last one", async () => {
  const { git } = bed;
  const source = git.fresh();
  await git.ok(["clone", "-q", await importFixture(git, "source", linear(200)), source]);
  await git.ok(["branch", "side", "main~150"], { cwd: source });
  await git.ok(["checkout", "-q", "side"], { cwd: source });
  await git.commit(source, "side.txt", "side\n");
  await git.ok(["checkout", "-q", "main"], { cwd: source });
  await git.ok(["merge", "-q", "-m", "merge", "side"], { cwd: source });
  const upstream = await bed.upstream(source);
  const path = `acme/sliced`;
  await bed.api("PUT", path, { visibility: "public" });
  await bed.api("PUT", `${path}/mirror`, {
    upstream: upstream.url,
    interval: 0,
    username: "x",
    password: "upstream-token",
  });
  const wanted = await refsAt(git, upstream.pushUrl);
  const seen: string[][] = [];
  const end = Date.now() + WAIT_LIMIT;
  for (;;) {
    const refs = await refsAt(git, bed.url(path));
    const { body } = await bed.api<MirrorState>("GET", `${path}/mirror`);
    seen.push(refs);
    if (!body.syncing) break;
    if (Date.now() > end) throw new Error("it never ends");
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  expect(await bed.settled(path)).toMatchObject({ last_error: null });
  expect(await refsAt(git, bed.url(path))).toEqual(wanted);
  for (const refs of seen) expect([0, wanted.length]).toContain(refs.length);
  expect(await packs(path)).toBeGreaterThan(2);
  const clone = git.fresh();
  await git.ok(["clone", "-q", "--mirror", bed.url(path), clone]);
  await git.fsck(clone);
  // What comes later is small again.
  await git.commit(source, "later.txt", "later\n");
  await git.ok(["push", "-q", upstream.pushUrl, "main"], { cwd: source });
  expect(await bed.sync(path)).toMatchObject({ last_error: null });
  expect(await refsAt(git, bed.url(path))).toEqual(await refsAt(git, upstream.pushUrl));
});

it("a large upstream goes on with the next slice after a sync was broken off", async () => {
  const { git } = bed;
  const odd = new OddUpstream(bed.upstreamBase);
  await odd.start();
  try {
    const upstream = await bed.upstream(await importFixture(git, "source", linear(200)));
    odd.failAfter(14);
    const path = await bed.mirror(odd.url("plain", upstream.name));
    const broken = await bed.settled(path);
    expect(broken.last_error).toMatch(/fails: it answers 500/);
    expect(broken.objects).toBeGreaterThan(0);
    expect(await refsAt(git, bed.url(path))).toEqual([]);
    odd.failAfter(Number.POSITIVE_INFINITY);
    const whole = await bed.sync(path);
    expect(whole).toMatchObject({ last_error: null });
    expect(await refsAt(git, bed.url(path))).toEqual(await refsAt(git, upstream.pushUrl));
    const clone = git.fresh();
    await git.ok(["clone", "-q", bed.url(path), clone]);
    await git.fsck(clone);
    const count = await git.ok(["rev-list", "--all", "--objects", "--count"], { cwd: clone });
    // Nothing that was here was fetched again.
    expect(whole.objects).toBeLessThan(Number(count) * 1.5);
  } finally {
    odd.stop();
  }
});

/** Commits of four files each, new to a directory, with tags now and then, some of them light; and at times one that was there before. */
function heavy(commits: number): FixtureStream {
  const stream = new FixtureStream();
  for (let at = 0; at < commits; at++) {
    const content = at % 30 === 29 ? at - 28 : at;
    const files = Array.from({ length: 4 }, (_, i) => ({
      path: `dir-${content % 7}/file-${i}.bin`,
      content: noise(8000, content * 4 + i),
    }));
    const mark = stream.commit("refs/heads/main", files);
    if (at % 25 === 10) stream.tag(`v${at}`, mark);
    if (at % 25 === 20) stream.reset(`refs/tags/w-${at}`, mark);
  }
  return stream;
}

/** Reads the host's own counts. */
async function counted(work: () => Promise<unknown>): Promise<Counts> {
  const log = new SettledLog(bed.git.path("state", "requests.jsonl"), bed.host.base);
  await log.read();
  await work();
  return await log.read();
}

/** Clones, and says whether that took one read a pack, and what few there are besides: who walks reads trees and indexes. */
async function cloneByCopy(path: string, clone: string): Promise<boolean> {
  await maintained(path);
  const count = await packs(path);
  const { r2r, r2b } = await counted(() => bed.git.ok(["clone", "-q", "--mirror", bed.url(path), clone]));
  const { body } = await bed.api<{ files: { key: string; size: number }[] }>("GET", `${path}/export`);
  const stored = body.files.reduce((sum, { key, size }) => sum + (key.endsWith(".pack") ? size : 0), 0);
  return r2r <= count + 3 && r2b < stored * 1.05 + 4000;
}

/** Objects of a clone, each counted as often as it is in a pack; and those that a ref reaches. */
async function objectCounts(clone: string): Promise<{ stored: number; reached: number }> {
  const { git } = bed;
  const stored = /^in-pack: (\d+)$/m.exec(await git.ok(["count-objects", "-v"], { cwd: clone }))?.[1];
  const reached = await git.ok(["rev-list", "--all", "--objects"], { cwd: clone });
  return { stored: Number(stored), reached: reached.trim().split("\n").length };
}

/** Begins a mirror of what is behind `odd`, and has it break off after some slices. */
async function brokenOff(odd: OddUpstream, name: string): Promise<string> {
  odd.failAfter(30);
  const path = await bed.mirror(odd.url("plain", name));
  const broken = await bed.settled(path);
  expect(broken.last_error).toMatch(/fails: it answers 500/);
  expect(broken.objects).toBeGreaterThan(50);
  expect(await refsAt(bed.git, bed.url(path))).toEqual([]);
  odd.failAfter(Number.POSITIVE_INFINITY);
  return path;
}

/** Clones, and asks by name: an object that no ref reaches is not sent, though it is stored. */
async function expectNoTraceOf(path: string, gone: string): Promise<void> {
  const { git } = bed;
  const clone = git.fresh();
  await git.ok(["clone", "-q", "--mirror", bed.url(path), clone]);
  await git.fsck(clone);
  const counts = await objectCounts(clone);
  expect(counts.stored).toBe(counts.reached);
  expect((await git.git(["cat-file", "-e", gone], { cwd: clone })).code).not.toBe(0);
  // What refs had within the last minute may be wanted.
  await bed.clock.advance(61_000);
  expect((await git.git(["fetch", "-q", bed.url(path), gone], { cwd: clone })).stderr).toContain("not our ref");
}

const pause = async (): Promise<void> => await bed.clock.advance(1100);

describe("packs of slices", () => {
  const odd = (): OddUpstream => proxy ?? expect.fail("the proxy runs only during tests");
  let proxy: OddUpstream | undefined;
  beforeAll(async () => {
    proxy = new OddUpstream(bed.upstreamBase);
    await proxy.start();
  });
  afterAll(() => proxy?.stop());

  it("are sent to a clone as they are stored, once all of them are here", async () => {
    const { git } = bed;
    const upstream = await bed.upstream(await importFixture(git, "source", linear(80)));
    const path = await bed.mirror(upstream.url);
    expect(await bed.settled(path)).toMatchObject({ last_error: null });
    expect(await maintained(path)).toBeGreaterThan(2);
    const clone = git.fresh();
    expect(await cloneByCopy(path, clone)).toBe(true);
    await git.fsck(clone);
    expect(await refsAt(git, clone)).toEqual(await refsAt(git, upstream.pushUrl));
    const counts = await objectCounts(clone);
    expect(counts.stored).toBe(counts.reached);
    const exported = git.fresh("exported");
    await exportRepository(`${bed.host.base}/api/v1/repos/${path}`, bed.token, exported);
    await git.fsck(exported);
  });

  it("are sent as they are stored, each object once, although syncs broke off in between", async () => {
    const { git } = bed;
    const upstream = await bed.upstream(await importFixture(git, "source", heavy(90)));
    const path = await brokenOff(odd(), upstream.name);
    expect(await bed.sync(path)).toMatchObject({ last_error: null });
    const clone = git.fresh();
    expect(await cloneByCopy(path, clone)).toBe(true);
    await git.fsck(clone);
    expect(await refsAt(git, clone)).toEqual(await refsAt(git, upstream.pushUrl));
    const counts = await objectCounts(clone);
    expect(counts.stored).toBe(counts.reached);
  });

  it("do not bring back what the upstream rewrote between two of them", async () => {
    const { git } = bed;
    const upstream = await bed.upstream(await importFixture(git, "source", linear(200)));
    const path = await brokenOff(odd(), upstream.name);
    const work = git.fresh();
    await git.ok(["clone", "-q", upstream.pushUrl, work]);
    // What came first is in the packs of slices, and in no history any more.
    const gone = await git.ok(["rev-parse", "main~199"], { cwd: work });
    await git.ok(["checkout", "-q", "--orphan", "other", "main"], { cwd: work });
    await git.commit(work, "other.txt", "other\n");
    await git.ok(["push", "-q", "--force", "origin", "other:main"], { cwd: work });
    expect(await bed.sync(path)).toMatchObject({ last_error: null });
    expect(await refsAt(git, bed.url(path))).toEqual(await refsAt(git, upstream.pushUrl));
    await expectNoTraceOf(path, gone);
  });

  it("do not bring back a tag that the upstream deleted between two of them", async () => {
    const { git } = bed;
    const upstream = await bed.upstream(await importFixture(git, "source", heavy(90)));
    const path = await brokenOff(odd(), upstream.name);
    const gone = await git.ok(["rev-parse", "refs/tags/v10"], { cwd: upstream.directory });
    await git.ok(["update-ref", "-d", "refs/tags/v10"], { cwd: upstream.directory });
    expect(await bed.sync(path)).toMatchObject({ last_error: null });
    await expectNoTraceOf(path, gone);
  });

  it("are not sent to a clone of the mirror as it was before later commits came", async () => {
    const { git } = bed;
    const source = await importFixture(git, "source", linear(80));
    const upstream = await bed.upstream(source);
    const path = await bed.mirror(upstream.url);
    const before = await refsAt(git, bed.url(path));
    await pause();
    const then = bed.clock.now().toISOString();
    await pause();
    const work = git.fresh();
    await git.ok(["clone", "-q", upstream.pushUrl, work]);
    await git.commit(work, "later.txt", "later\n");
    await git.ok(["push", "-q", "origin", "main"], { cwd: work });
    const later = await git.ok(["rev-parse", "main"], { cwd: work });
    expect(await bed.sync(path)).toMatchObject({ last_error: null });
    expect(await cloneByCopy(path, git.fresh())).toBe(true);
    const past = bed.url(`${path}@${then}`);
    const clone = git.fresh();
    await git.ok(["clone", "-q", "--mirror", past, clone]);
    await git.fsck(clone);
    expect(await refsAt(git, clone)).toEqual(before);
    const counts = await objectCounts(clone);
    expect(counts.stored).toBe(counts.reached);
    // Asked for by its name it is not there, either.
    expect((await git.git(["fetch", "-q", past, later], { cwd: clone })).stderr).toContain("not our ref");
    await git.ok(["fetch", "-q", bed.url(path), later], { cwd: clone });
  });

  it("keep their marks until a ref is rewritten, and are not sent whole from then on", async () => {
    const { git } = bed;
    const upstream = await bed.upstream(await importFixture(git, "source", linear(80)));
    const path = await bed.mirror(upstream.url);
    expect(await cloneByCopy(path, git.fresh())).toBe(true);
    const work = git.fresh();
    await git.ok(["clone", "-q", upstream.pushUrl, work]);
    const gone = await git.ok(["rev-parse", "main"], { cwd: work });
    await git.ok(["reset", "-q", "--hard", "main~40"], { cwd: work });
    await git.commit(work, "other.txt", "other\n");
    await git.ok(["push", "-q", "--force", "origin", "main"], { cwd: work });
    expect(await bed.sync(path)).toMatchObject({ last_error: null });
    await expectNoTraceOf(path, gone);
  });

  it("keep their marks when very many commits follow, and when a merged branch is deleted", async () => {
    const { git } = bed;
    const upstream = await bed.upstream(await importFixture(git, "source", linear(10)));
    const work = git.fresh();
    await git.ok(["clone", "-q", upstream.pushUrl, work]);
    await git.ok(["checkout", "-q", "-b", "side"], { cwd: work });
    await git.commit(work, "side.txt", "side\n");
    await git.ok(["push", "-q", "origin", "side"], { cwd: work });
    const path = await bed.mirror(upstream.url);
    expect(await cloneByCopy(path, git.fresh())).toBe(true);
    await git.ok(["checkout", "-q", "main"], { cwd: work });
    await git.ok(["merge", "-q", "--no-ff", "-m", "merge", "side"], { cwd: work });
    await git.emptyCommits(work, 60, "more");
    writeFileSync(join(work, "large.bin"), noise(6_000_000));
    await git.ok(["add", "."], { cwd: work });
    await git.ok(["commit", "-q", "-m", "large"], { cwd: work });
    await git.ok(["push", "-q", "origin", "main", ":side"], { cwd: work });
    expect(await bed.sync(path)).toMatchObject({ last_error: null });
    const clone = git.fresh();
    expect(await cloneByCopy(path, clone)).toBe(true);
    await git.fsck(clone);
    expect(await refsAt(git, clone)).toEqual(await refsAt(git, upstream.pushUrl));
  });
});
