/**
 * Blame, differences, last changes and logs of real repositories, line by line as C git has them. `REAL_REPOSITORIES`
 * names their directories, separated by colons, and `REAL_SAMPLES` how many files and commits of each are looked at.
 * Without them, a few of this project's own history are.
 *
 * @module-tag thorough
 */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { basename, dirname, join } from "node:path";
import * as v from "valibot";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { RunningHost } from "../../scripts/host.ts";
import { apiClient } from "../support/api-client.ts";
import { compareHistory } from "../support/compared-history.ts";
import { withToken } from "../support/git-client.ts";
import { startTestHost } from "../support/host.ts";
import { pseudoRandom } from "../support/store.ts";

const SAMPLES = Number(process.env["REAL_SAMPLES"] ?? 5);
const SEED = Number(process.env["SEED"] ?? 1);
/** The first is for the push, the other for each sample: git takes many walks through all of a history for one. */
const LIMIT = 3_600_000 + SAMPLES * 120_000;

/** Whether a directory is in a repository that has its whole history. */
function isWhole(directory: string): boolean {
  const { status, stdout } = spawnSync("git", ["rev-parse", "--is-shallow-repository"], { cwd: directory });
  return status === 0 && stdout.toString().trim() === "false";
}

/**
 * Makes a repository that borrows the objects of another, and has an index of which commits changed which paths: git
 * answers the same with it, in a fraction of the time where the history is long.
 */
function indexedCopy(directory: string): string {
  const copy = mkdtempSync(join(tmpdir(), "thinpack-compared-"));
  execFileSync("git", ["clone", "-q", "--bare", "--shared", directory, copy], { stdio: "ignore" });
  execFileSync("git", ["commit-graph", "write", "--reachable", "--changed-paths"], { cwd: copy, stdio: "ignore" });
  return copy;
}

const maintenance = v.object({ due: v.nullable(v.unknown()), running_since: v.nullable(v.string()) });

/**
 * Waits until a repository has had its maintenance. A long history that has no index of its own yet takes many times as
 * long to be asked about.
 */
async function untilMaintained(operator: ReturnType<typeof apiClient>, path: string): Promise<void> {
  for (;;) {
    await sleep(1000);
    const { due, running_since: running } = v.parse(maintenance, (await operator("GET", path)).body);
    if (due === null && running === null) return;
  }
}

const named = process.env["REAL_REPOSITORIES"]?.split(":").filter((part) => part !== "");
const directories = named ?? [process.cwd()].filter(isWhole);

let host: RunningHost;

beforeAll(async () => {
  host = await startTestHost();
});

afterAll(async () => {
  await host.stop();
});

describe.skipIf(directories.length === 0)("real repositories", () => {
  it.each(directories)("%s is read as C git reads it", { timeout: LIMIT }, async (directory) => {
    const name = `${basename(dirname(directory))}-${basename(directory)}`.replaceAll(/[^\w.-]/g, "-");
    const operator = apiClient(host.base, "test-token");
    await operator("PUT", `/repos/real/${name}`, { visibility: "public" });
    const url = withToken(`${host.base}/real/${name}.git`, "test-token");
    execFileSync("git", ["push", "-q", url, "HEAD:refs/heads/main"], { cwd: directory, stdio: "ignore" });
    const copy = indexedCopy(directory);
    if (named !== undefined) await untilMaintained(operator, `/repos/real/${name}/maintenance`);
    const repository = { directory: copy, api: `${host.base}/api/v1/repos/real/${name}`, token: "test-token" };
    const { same, different, refused } = await compareHistory(repository, SAMPLES, pseudoRandom(SEED), (line) =>
      process.stderr.write(`${name}: ${line}\n`),
    );
    rmSync(copy, { recursive: true });
    expect(different).toEqual([]);
    expect(refused).toEqual([]);
    expect(same).toEqual({ blame: SAMPLES, diff: SAMPLES, "last change": SAMPLES, log: SAMPLES, follow: SAMPLES });
  });
});
