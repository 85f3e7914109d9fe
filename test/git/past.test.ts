/** Repositories as they were, where their owners have that shown, and how long what was removed is kept. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ForkBed } from "../support/fork-bed.ts";
import { importFixture, linear } from "../support/git-fixtures.ts";

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

let bed: ForkBed;
let source = "";

beforeAll(async () => {
  bed = await ForkBed.start({ hasClock: true });
  source = bed.git.fresh("source");
  await bed.git.ok(["clone", "-q", await importFixture(bed.git, "fixture", linear(6)), source]);
});
afterAll(() => bed.stop());

const push = async (path: string, ...refspecs: string[]): Promise<string> =>
  await bed.git.ok(["push", "-q", "-f", bed.url(path), ...refspecs], { cwd: source });

/** The URL of a repository at an instant. */
const then = (path: string, at: string): string => bed.url(`${path}@${at}`);

/** Puts the clock forward by a little, and gives the instant before. */
async function instant(): Promise<string> {
  await bed.clock.advance(2000);
  const at = bed.clock.now().toISOString();
  await bed.clock.advance(2000);
  return at;
}

describe("a repository whose past is shown", () => {
  it("can be listed and cloned as it was, within its grace period and until it is purged", async () => {
    const { git } = bed;
    const path = await bed.make("acme/past");
    await push(path, "main~3:refs/heads/main", "main~1:refs/heads/topic");
    const hidden = await instant();
    expect((await git.git(["ls-remote", then(path, hidden)])).stderr).toContain("as it was");
    const changed = await bed.operator("PATCH", `/repos/${path}`, { show_past: true, grace_days: 2 });
    expect(changed.body).toMatchObject({ show_past: true, grace_days: 2 });
    const at = await instant();
    const before = await git.ok(["ls-remote", bed.url(path)]);
    await push(path, "main~5:refs/heads/main", ":refs/heads/topic");
    await push(path, "main~4:refs/heads/main");
    expect(await git.ok(["ls-remote", then(path, at)])).toBe(before);
    expect((await git.git(["ls-remote", then(path, hidden)])).code).not.toBe(0);
    const listed = await bed.operator("GET", `/repos/${path}/refs?at=${encodeURIComponent(at)}`);
    expect(JSON.stringify(listed.body)).toContain("refs/heads/topic");
    // Maintenance keeps what the past shows, long after it may still be wanted.
    await bed.clock.advance(30 * MINUTE);
    await bed.operator("POST", `/repos/${path}/maintenance`, {});
    await bed.maintained(path);
    const cwd = git.fresh("then");
    await git.ok(["clone", "-q", "--mirror", then(path, at), cwd]);
    await git.fsck(cwd);
    expect(await git.ok(["rev-parse", "topic"], { cwd })).toBe(await git.ok(["rev-parse", "main~1"], { cwd: source }));
    const gone = await git.ok(["rev-parse", "main~1"], { cwd: source });
    expect((await bed.fetched(path, gone)).stderr).toContain("not our ref");
    await bed.cloned(path);
    // A purge is the end of it.
    await bed.purge(path);
    expect((await git.git(["ls-remote", then(path, at)])).code).not.toBe(0);
    expect((await bed.stored()).has(gone)).toBe(false);
  });

  it("shows no more than its grace period, and keeps no more", async () => {
    const { git } = bed;
    const path = await bed.make("acme/short");
    await push(path, "main~2:refs/heads/main", "main:refs/heads/topic");
    await bed.operator("PATCH", `/repos/${path}`, { show_past: true, grace_days: 1 });
    const at = await instant();
    await push(path, ":refs/heads/topic");
    const gone = await git.ok(["rev-parse", "main"], { cwd: source });
    expect(await git.ok(["ls-remote", then(path, at)])).toContain("topic");
    await bed.clock.advance(DAY + 30 * MINUTE);
    expect((await git.git(["ls-remote", then(path, at)])).code).not.toBe(0);
    await bed.operator("POST", `/repos/${path}/maintenance`, {});
    await bed.maintained(path);
    expect((await bed.stored()).has(gone)).toBe(true);
    // It lies apart for a day more.
    await bed.clock.advance(DAY + MINUTE);
    await push(path, "main~1:refs/heads/other");
    await bed.until("it is gone", async () => !(await bed.stored()).has(gone));
    await bed.cloned(path);
    for (const grace_days of [0, 366, 1.5])
      expect((await bed.operator("PATCH", `/repos/${path}`, { grace_days })).status).toBe(422);
  });
});
