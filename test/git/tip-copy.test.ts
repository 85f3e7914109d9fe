/** Large repositories bring a copy of their tip, by a push and by a mirror's sync: a shallow clone is made from it. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { exportRepository } from "../support/export.ts";
import { type FixtureStream, importFixture, linear, noise } from "../support/git-fixtures.ts";
import { MirrorBed } from "../support/upstreams.ts";

const bed = new MirrorBed();

beforeAll(() => bed.start());
afterAll(() => bed.stop());

/** A history of 40 MB whose tip is small. */
function large(): FixtureStream {
  const stream = linear(100);
  for (let at = 0; at < 5; at++) {
    stream.commit("refs/heads/main", [{ path: "large.bin", content: noise(8_000_000, at) }]);
  }
  stream.commit("refs/heads/main", [{ path: "large.bin", content: "gone\n" }]);
  return stream;
}

async function packs(path: string): Promise<number[]> {
  const { body } = await bed.api<{ files: { key: string; size: number }[] }>("GET", `${path}/export`);
  return body.files.filter(({ key }) => key.endsWith(".pack")).map(({ size }) => size);
}

async function expectCopied(path: string, objects: string): Promise<void> {
  const { git } = bed;
  const [small = 0, whole = 0, ...more] = (await packs(path)).toSorted((a, b) => a - b);
  expect(more).toEqual([]);
  expect(small).toBeLessThan(1_000_000);
  expect(whole).toBeGreaterThan(39_000_000);
  const [shallow, clone, exported] = [git.fresh(), git.fresh(), git.fresh()];
  await git.ok(["clone", "-q", "--bare", "--depth=1", bed.url(path), shallow]);
  await git.ok(["fsck", "--strict", "--connectivity-only"], { cwd: shallow });
  await git.ok(["clone", "-q", "--bare", bed.url(path), clone]);
  await git.fsck(clone);
  expect(await git.ok(["count-objects", "-v"], { cwd: clone })).toContain(`in-pack: ${objects}`);
  await exportRepository(`${bed.host.base}/api/v1/repos/${path}`, bed.host.token, exported);
  await git.fsck(exported);
}

it("a tip pack is made by a large push and by a mirror's sync, and serves shallow clones", async () => {
  const { git } = bed;
  const source = await importFixture(git, "source", large());
  const objects = await git.ok(["rev-list", "--all", "--objects", "--count"], { cwd: source });
  await bed.api("PUT", "acme/pushed", { visibility: "public" });
  await git.ok(["push", "-q", bed.url("acme/pushed"), "main"], { cwd: source });
  await expectCopied("acme/pushed", objects);

  const upstream = await bed.upstream(source);
  const path = await bed.mirror(upstream.url);
  expect(await bed.settled(path)).toMatchObject({ last_error: null });
  await expectCopied(path, objects);
});
