/** Upstreams that are too much for one go. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { refsAt } from "../support/git-client.ts";
import { importFixture, linear } from "../support/git-fixtures.ts";
import { OddUpstream } from "../support/odd-upstream.ts";
import { MirrorBed, type MirrorState } from "../support/upstreams.ts";

const bed = new MirrorBed();

beforeAll(() => bed.start({ MIRROR_SLICE_OBJECTS: "150" }));
afterAll(() => bed.stop());

/** The syncs of a mirror that left a pack, by the number of packs. */
async function packs(path: string): Promise<number> {
  const { body } = await bed.api<{ files: { key: string }[] }>("GET", `${path}/export`);
  return body.files.filter(({ key }) => key.endsWith(".pack")).length;
}

it("are taken in slices, and show nothing before the last", async () => {
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
  for (;;) {
    const refs = await refsAt(git, bed.url(path));
    const { body } = await bed.api<MirrorState>("GET", `${path}/mirror`);
    seen.push(refs);
    if (!body.syncing) break;
    if (seen.length > 1000) throw new Error("it never ends");
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

it("go on where they broke off", async () => {
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
