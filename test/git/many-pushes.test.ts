/**
 * What a repository costs that has grown push by push, beside one with the same history that came at once. `LONG=1` takes 2,000
 * pushes in place of 200.
 */
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { exportRepository } from "../support/export.ts";
import { importFixture, linear } from "../support/git-fixtures.ts";
import { SettledLog } from "../support/settled-log.ts";
import { pushSingly } from "../support/single-pushes.ts";
import { MirrorBed } from "../support/upstreams.ts";

const PUSHES = process.env["LONG"] === "1" ? 2000 : 200;
/** The push whose operations are those of the last one. */
const EARLY = 20;
const bed = new MirrorBed();
beforeAll(() => bed.start());
afterAll(() => bed.stop());

/** Returns the bytes of a repository's packs when C git has made all deltas anew. */
async function repackedBytes(cwd: string): Promise<number> {
  await bed.git.ok(["repack", "-adfq"], { cwd });
  const packs = join(cwd, await bed.git.ok(["rev-parse", "--git-path", "objects/pack"], { cwd }));
  return readdirSync(packs)
    .filter((name) => name.endsWith(".pack"))
    .reduce((sum, name) => sum + statSync(join(packs, name)).size, 0);
}

describe(`a repository of ${PUSHES} pushes of one commit`, () => {
  it("has few packs, was copied few times, and is cloned with few reads", async () => {
    const { git } = bed;
    const source = await importFixture(git, "source", linear(PUSHES));
    const commits = (await git.ok(["rev-list", "--reverse", "main"], { cwd: source })).split("\n");
    const path = "acme/grown";
    await bed.api("PUT", path, { visibility: "public" });
    const url = bed.url(path);
    const log = new SettledLog(git.path("state", "requests.jsonl"), bed.host.base);
    const runs = new Map<string, number>();
    const note = async (): Promise<void> => {
      for (const run of (await bed.maintenance(path)).runs) runs.set(run.at, run.bytes_written);
    };
    await log.read();
    let early: Awaited<ReturnType<typeof log.read>> | undefined;
    const pushed = await pushSingly(url, { cwd: source, commits }, async (index) => {
      if (index % 10 === 9) await note();
      if (index === EARLY) await bed.maintained(path).then(() => log.read());
      if (index === EARLY + 1) early = await log.read();
      if (index === commits.length - 2) await bed.maintained(path).then(() => log.read());
    });
    const last = await log.read();
    // A push of one commit costs the same after many others: nothing is read of the packs that it does not build on.
    const pushLine = ({ lines }: { lines: readonly Record<string, unknown>[] }): Record<string, unknown> | undefined =>
      lines.findLast((line) => line["path"] === "/acme/grown.git/git-receive-pack");
    expect(pushLine(last)?.["do"]).toBe(2);
    expect(Number(pushLine(last)?.["r2r"])).toBeLessThanOrEqual(8);
    expect(pushLine(last)?.["r2w"]).toBe(3);
    // What is read depends on what the isolate has at hand.
    for (const key of ["do", "r2w"]) expect(pushLine(last)?.[key]).toBe(early && pushLine(early)?.[key]);

    await bed.maintained(path);
    await bed.api("POST", `${path}/maintenance`);
    const state = await bed.maintained(path);
    await note();
    expect(state.total.packs).toBeLessThanOrEqual(12);
    const written = [...runs.values()].reduce((sum, bytes) => sum + bytes, 0);
    expect(written).toBeGreaterThan(0);
    expect(written).toBeLessThanOrEqual(12 * pushed);

    expect(state.total.bytes).toBeLessThanOrEqual(1.3 * (await repackedBytes(source)));

    await log.read();
    const cwd = git.fresh();
    await git.ok(["clone", "-q", "--mirror", url, cwd]);
    const { r2r } = await log.read();
    expect(r2r).toBeGreaterThan(0);
    expect(r2r).toBeLessThanOrEqual(20);
    await git.ok(["fsck", "--full", "--strict"], { cwd });
  });

  it("takes little more room than git repack -adf gives it, also where no push has deltas", async () => {
    const { git } = bed;
    const source = await importFixture(git, "whole", linear(PUSHES / 2));
    const commits = (await git.ok(["rev-list", "--reverse", "main"], { cwd: source })).split("\n");
    const path = "acme/whole";
    await bed.api("PUT", path, { visibility: "public" });
    const url = bed.url(path);
    const pushed = await pushSingly(url, { cwd: source, commits, hasDeltas: false }, async (index) => {
      if (index % 50 === 49) await bed.maintained(path);
    });
    await bed.api("POST", `${path}/maintenance`);
    const state = await bed.maintained(path);
    expect(state.total.bytes).toBeLessThan(pushed);
    expect(state.total.bytes).toBeLessThanOrEqual(1.3 * (await repackedBytes(source)));
    const cwd = git.fresh();
    await git.ok(["clone", "-q", "--mirror", url, cwd]);
    await git.ok(["fsck", "--full", "--strict"], { cwd });
    const copy = git.fresh();
    await exportRepository(`${bed.host.base}/api/v1/repos/${path}`, bed.token, copy);
    await git.ok(["fsck", "--full", "--strict"], { cwd: copy });
  });
});
