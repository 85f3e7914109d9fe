/** A host that is killed while it syncs. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { refsAt } from "../support/git-client.ts";
import { importFixture, linear } from "../support/git-fixtures.ts";
import { OddUpstream } from "../support/odd-upstream.ts";
import { MirrorBed } from "../support/upstreams.ts";

const bed = new MirrorBed();
let odd: OddUpstream | undefined;

beforeAll(() => bed.start());
afterAll(async () => {
  odd?.stop();
  await bed.stop();
});

it("a host that was killed during a sync syncs again soon after it is started", async () => {
  const { git } = bed;
  odd = new OddUpstream(bed.upstreamBase);
  await odd.start();
  const upstream = await bed.upstream(await importFixture(git, "source", linear(5)));
  const path = await bed.mirror(odd.url("plain", upstream.name));
  const before = await refsAt(git, bed.url(path));
  await git.ok(["branch", "other", "main~1"], { cwd: upstream.directory });
  await bed.api("PUT", `${path}/mirror`, { upstream: odd.url("silent", upstream.name) });
  await odd.silence;
  await bed.crash();
  expect(await refsAt(git, bed.url(path))).toEqual(before);
  odd.speaks = true;
  // Not at once: nobody knows yet that what was under way is dead.
  expect(await bed.settled(path)).toMatchObject({ last_error: null });
  expect(await refsAt(git, bed.url(path))).toEqual(await refsAt(git, upstream.pushUrl));
});
