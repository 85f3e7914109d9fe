/**
 * `thinpack admin recover-to` on a platform that keeps a past, which is played: the local one keeps none. The bucket does not go back, so
 * what refs of the past reach has to be there still, and what others have come to borrow since has to stay.
 *
 * @packageDocumentation
 */
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { type Ran, startCommand } from "../support/command.ts";
import { FaultBed, SOON, SWEPT } from "../support/fault-bed.ts";
import { FaultClient } from "../support/fault-client.ts";
import { assertDone, BASE, HEAVY, LARGE, MAIN, NEXT, packOf, TIP, TOPIC } from "../support/fault-content.ts";
import { FaultReferee } from "../support/fault-referee.ts";
import { pushBody } from "../support/git-raw.ts";
import { NOW_PATH } from "../support/observed-paths.ts";
import { openPush } from "../support/slow-push.ts";
import { WAIT_LIMIT } from "../support/time-limits.ts";

const LATE = "refs/heads/late";
const HOUR = 60 * 60_000;
/** What refs were at the moment to which the host goes back. */
const THEN = { [MAIN]: LARGE.oid, [TOPIC]: NEXT.oid };

let bed: FaultBed;
let referee: FaultReferee;

beforeAll(async () => {
  const here = dirname(fileURLToPath(import.meta.url));
  bed = await FaultBed.start({ entry: join(here, "..", "worker", "past-entry.ts") });
  referee = new FaultReferee(bed);
  for (const tenant of ["acme", "beta"]) await bed.sure("PUT", `/tenants/${tenant}`, {});
});
afterAll(() => bed.stop());

/** Returns what the host's clock shows, after which everything that is done comes later. */
async function now(): Promise<string> {
  const time = await (await fetch(`${bed.host.base}${NOW_PATH}`)).text();
  await new Promise((resolve) => setTimeout(resolve, 5));
  return time;
}

/** Runs `thinpack admin recover-to`. */
async function recoverTo(at: string, ...args: string[]): Promise<Ran> {
  const { git, host, token } = bed;
  const line = ["--base", host.base, "--token", token, "--json", "admin", "recover-to", at, ...args, "--yes"];
  return await startCommand(git, line).ended;
}

/** Says how many leases a repository's object has. */
async function leasesOf(path: string): Promise<number> {
  const answer = await bed.ask("GET", `/api/v1/admin/rows/repository/${path}`);
  const lines = (answer.kind === "whole" ? answer.body.toString() : "").trimEnd().split("\n");
  const from = lines.findIndex((line) => line.includes('"table":"leases"'));
  return lines.slice(from + 1).findIndex((line) => !line.startsWith("["));
}

/** Makes a repository with packs in the bucket, one in its object, and an upload under way. Returns what ends that. */
async function furnished(path: string): Promise<() => Promise<Buffer>> {
  const client = new FaultClient(bed, path);
  await bed.sure("PUT", `/repos/${path}`, {});
  assertDone(await client.push([{ name: MAIN, new: TIP.oid }], packOf(BASE)));
  await bed.settle(SOON);
  assertDone(await client.push([{ name: MAIN, old: TIP.oid, new: LARGE.oid }], packOf([LARGE])));
  assertDone(await client.push([{ name: TOPIC, new: NEXT.oid }], packOf([NEXT])));
  const before = await leasesOf(path);
  const late = openPush(bed.url(path), pushBody([{ name: LATE, new: HEAVY.oid }], packOf([HEAVY])));
  await late.sendHalf();
  await vi.waitFor(async () => expect(await leasesOf(path)).toBe(before + 1), { timeout: WAIT_LIMIT });
  return () => late.finish();
}

/** Has everything that was pushed combined anew, and lets time go by. */
async function repacked(path: string, time: number): Promise<void> {
  await bed.sure("DELETE", `/repos/${path}/refs/heads/late`);
  await bed.sure("POST", `/repos/${path}/maintenance`, {});
  await bed.settle(time);
}

describe("a repository that is put back to an earlier moment", () => {
  it("has all that its refs reached then, within a day, and takes nothing from a fork that was made since", async () => {
    const path = "acme/widgets";
    const finish = await furnished(path);
    const then = await now();
    await finish();
    await bed.sure("POST", `/repos/${path}/forks`, { tenant: "beta", repo: "fork" });
    const ofFork = { ...THEN, [LATE]: HEAVY.oid };
    await repacked(path, 20 * HOUR);
    expect(await referee.refs(path)).toEqual(THEN);
    const ran = await recoverTo(then, path);
    expect(ran).toMatchObject({ code: 0, stderr: "" });
    expect(JSON.parse(ran.stdout)).toMatchObject({ missing: [], refused: [] });
    for (const time of [0, SWEPT]) {
      await bed.settle(time);
      expect(await referee.clone(path)).toEqual(THEN);
      expect(await referee.clone("beta/fork")).toEqual(ofFork);
    }
    await referee.bucket("beta/fork", ofFork);
    // What came since and the fork borrows goes with the fork; the rest has gone.
    await bed.sure("DELETE", "/repos/beta/fork");
    await bed.settle(SWEPT);
    await referee.bucket(path, await referee.clone(path));
  });

  it("is told which packs have gone since, and goes forward again, where that was more than a day ago", async () => {
    const path = "acme/gadgets";
    const finish = await furnished(path);
    const then = await now();
    await finish();
    await repacked(path, 26 * HOUR);
    const before = await now();
    const ran = await recoverTo(then, path);
    expect(ran.code).toBe(1);
    const { missing } = JSON.parse(ran.stdout) as { missing: string[] };
    expect(missing).toHaveLength(2);
    for (const words of ["packs have gone from the bucket since", ...missing]) expect(ran.stderr).toContain(words);
    expect(await recoverTo(before, path)).toMatchObject({ code: 0, stderr: "" });
    for (const time of [0, SWEPT]) {
      await bed.settle(time);
      expect(await referee.clone(path)).toEqual(THEN);
    }
    await referee.bucket(path, THEN);
  });
});
