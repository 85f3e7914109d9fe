/**
 * Jobs of a repository, each killed with its host at one of its storage operations. `KILLS=10` kills each once, and `KILLS=50` more often,
 * at other operations with another `SEED`; without it, the first few are killed.
 *
 * @module-tag thorough
 */
import { afterAll, beforeAll, expect, it } from "vitest";
import { exportRepository } from "../support/export.ts";
import { refsAt, refsOf } from "../support/git-client.ts";
import { importFixture, linear, noise } from "../support/git-fixtures.ts";
import { CLOCK_AHEAD } from "../support/git-process.ts";
import { pktLines, post } from "../support/git-raw.ts";
import type { HeldState } from "../support/held-jobs.ts";
import { HELD_PATH } from "../support/observed-paths.ts";
import { SeededRandom } from "../support/seeded-random.ts";
import { rowsOf } from "../support/simulator-rows.ts";
import { REQUEST_LIMIT, WAIT_LIMIT, withinLimit } from "../support/time-limits.ts";
import { MirrorBed, type MirrorState } from "../support/upstreams.ts";

const KILLS = Number(process.env["KILLS"] ?? 3);
const random = new SeededRandom(Number(process.env["SEED"] ?? 1));
const COMMITS = 400;
const CLONES = 10;
/** By how much the clock goes forward with each start: jobs that died count as lost after it, and leases have ended. Milliseconds. */
const CLOCK_STEP = 25 * 3_600_000;
/** What a repository's runs say of a job that died. */
const LOST = "The job ended without a report.";

/** The steps, as `HeldState` calls them. The first are those of the short run. */
const STEPS = [
  "delete-prefix",
  "roll-up",
  "mirror-sync",
  "walk",
  "purge:walk",
  "graph",
  "bitmap",
  "order",
  "twin",
  "server-info",
  "server-info of a tail",
] as const;
type Step = (typeof STEPS)[number];

const bed = new MirrorBed();
const { git } = bed;
let source = "";
/** A commit of which a push is large enough to be put in order. */
let heavy = "";
let upstream = { url: "" };
let count = 0;
let starts = 0;
/** When the host was started, by its clock. */
let startedAt = 0;
/** How many operations each step was seen to have. Before the third of a deletion, the files are there. */
const lengths = new Map<Step, number>([["delete-prefix", 3]]);
/** What should be in each repository: its refs as git lists them; nothing where it was deleted. */
const expected = new Map<string, readonly string[] | undefined>();

beforeAll(async () => {
  await bed.start();
  const stream = linear(COMMITS);
  stream.commit("refs/heads/main", [{ path: "large.bin", content: noise(1_500_000, 5) }]);
  source = git.fresh("source");
  await git.ok(["clone", "-q", await importFixture(git, "source", stream), source]);
  await git.ok(["checkout", "-q", "-b", "topic", "main~5"], { cwd: source });
  await git.commit(source, "more.txt", "what everybody may see\n");
  await git.commit(source, "secret.txt", "what nobody may see\n");
  await git.ok(["checkout", "-q", "--detach", "main"], { cwd: source });
  heavy = await git.commit(source, "heavy.txt", Buffer.from(noise(4_500_000, 6)).toString("latin1"));
  await git.ok(["checkout", "-q", "topic"], { cwd: source });
  const made = await bed.upstream();
  await git.ok(["push", "-q", made.pushUrl, "main", "topic"], { cwd: source });
  upstream = made;
});
afterAll(() => bed.stop());

async function held(method: "GET" | "POST", query = ""): Promise<HeldState> {
  const answer = await fetch(`${bed.host.base}${HELD_PATH}${query}`, {
    method,
    signal: AbortSignal.timeout(REQUEST_LIMIT),
  });
  return await answer.json<HeldState>();
}

/** Pushes, each time for itself. */
async function push(path: string, ...refs: string[]): Promise<void> {
  for (const ref of refs) await git.ok(["push", "-q", "-f", bed.url(path), ref], { cwd: source });
}

/** Has the job of a step held at one of its operations, from now on. */
async function arm(step: Step, at: number): Promise<void> {
  const [job = ""] = step.split(" ");
  await held("POST", `?step=${encodeURIComponent(job)}&at=${at}`);
}

/** Makes a repository, and has a step of it begin. Gives its path. */
async function begin(step: Step, at: number): Promise<string> {
  count += 1;
  const path = `acme/killed-${count}`;
  await bed.api("PUT", path, { visibility: "public" });
  if (step === "mirror-sync") {
    await arm(step, at);
    await bed.api("PUT", `${path}/mirror`, {
      upstream: upstream.url,
      interval: 0,
      username: "m",
      password: "upstream-token",
    });
    return path;
  }
  // A pack that was combined of others is put into no other order.
  if (step === "order") await push(path, `${heavy}:refs/heads/main`);
  else await push(path, "main~2:refs/heads/main", "topic~:refs/heads/topic", "topic", "main~1:refs/heads/main");
  const isPurged = step === "purge:walk";
  if (isPurged || step === "walk") await push(path, "topic~:refs/heads/topic");
  if (step === "twin") {
    // Only what is large enough gets one.
    await push(path, "main");
    await bed.api("POST", `${path}/maintenance`, {});
    await bed.maintained(path);
    await arm(step, at);
    const tip = await git.ok(["rev-parse", "main"], { cwd: source });
    const topic = await git.ok(["rev-parse", "topic"], { cwd: source });
    const lines = ["command=fetch", "0001", "ofs-delta", `want ${tip}`, `want ${topic}`, "done", "0000"];
    for (let n = 0; n < CLONES; n++)
      await post(bed.url(path), "upload-pack", pktLines(...lines), { "Git-Protocol": "version=2" });
    return path;
  }
  await arm(step, at);
  if (step === "delete-prefix") {
    await bed.api("DELETE", path);
    return path;
  }
  // A job that is held keeps its memory, and a push may find no room beside it: then the job is there already.
  await git.git(["push", "-q", bed.url(path), "main"], { cwd: source });
  if (!step.startsWith("server-info")) await bed.api("POST", `${path}/maintenance`, { purge: isPurged });
  return path;
}

/** Returns the refs that a repository has to have after a step: those that it has while that is held. */
async function refsAfter(path: string, step: Step): Promise<readonly string[] | undefined> {
  if (step === "delete-prefix") return undefined;
  return await (step === "mirror-sync" ? refsOf(git, source, "refs/heads/") : refsAt(git, bed.url(path)));
}

/** Waits until a job is held, or all is done. */
async function heldOrDone(path: string, step: Step): Promise<HeldState> {
  const end = Date.now() + WAIT_LIMIT;
  const [job = ""] = step.split(" ");
  for (;;) {
    const state = await held("GET");
    const known = state.seen[job] ?? [];
    lengths.set(step, Math.max(lengths.get(step) ?? 0, known.length));
    if (state.at !== undefined) return state;
    // It has fewer operations than it had before, or was done before it was waited for.
    if ((state.ended[jobOf(step)] ?? 0) > 0 && (await isIdle(path, step))) return state;
    if (Date.now() > end) throw new Error(`${step} of ${path} never began: ${JSON.stringify(state)}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function jobOf(step: Step): string {
  if (step.startsWith("server-info")) return "server-info";
  return step === "mirror-sync" || step === "delete-prefix" ? step : "maintenance";
}

async function isIdle(path: string, step: Step): Promise<boolean> {
  if (step === "mirror-sync") {
    // Under `npm start` a sync goes on after its message.
    const { body } = await bed.api<MirrorState>("GET", `${path}/mirror`);
    return !body.syncing && body.last_attempt !== null;
  }
  if (jobOf(step) !== "maintenance") return true;
  const { due, running_since: since, purging } = await bed.maintenance(path);
  return due === null && since === null && !purging;
}

/** Kills the host and starts it again, later by the clock. */
async function restart(publishAfter = "0"): Promise<void> {
  starts += 1;
  startedAt = Date.now() + CLOCK_STEP * starts;
  await bed.crash({ PUBLISH_AFTER: publishAfter, [CLOCK_AHEAD]: String(CLOCK_STEP * starts) });
}

/** Has git compare a repository with what it should be. */
async function check(path: string): Promise<void> {
  const refs = expected.get(path);
  if (refs === undefined) {
    expect((await bed.api("GET", path)).status).toBe(404);
    return;
  }
  const copy = git.fresh("copy");
  await git.ok(["clone", "-q", "--mirror", bed.url(path), copy]);
  await git.fsck(copy);
  expect(await refsOf(git, copy)).toEqual(refs);
}

/** Has what was cut off done again, and git look at what is stored then. */
async function finish(path: string, step: Step): Promise<void> {
  if (expected.get(path) === undefined) return;
  if (step === "mirror-sync") expect((await bed.sync(path)).last_error).toBeNull();
  else await bed.api("POST", `${path}/maintenance`, { purge: step === "purge:walk" });
  const { runs } = await bed.maintained(path);
  // The job that was killed failed, if it had begun its step. No other did.
  const failed = runs.filter(({ error }) => error !== null);
  expect(failed.map(({ error }) => error)).toEqual(failed.length === 0 ? [] : [LOST]);
  expect(failed.every(({ at }) => Date.parse(at) < startedAt)).toBe(true);
  const copy = git.fresh("exported");
  await exportRepository(`${bed.host.base}/api/v1/repos/${path}`, bed.token, copy);
  await git.fsck(copy);
  expect(await refsOf(git, copy)).toEqual(expected.get(path));
  await git.ok(["commit-graph", "verify"], { cwd: copy });
  if (step !== "purge:walk") return;
  const secret = await git.ok(["rev-parse", "topic:secret.txt"], { cwd: source });
  expect((await git.git(["cat-file", "-e", secret], { cwd: copy })).code).not.toBe(0);
}

async function kill(step: Step, at: number): Promise<string> {
  if (step === "server-info of a tail") await restart("1");
  const path = await begin(step, at);
  const state = await heldOrDone(path, step);
  expected.set(path, await refsAfter(path, step));
  await restart();
  // A mirror has nothing before its first sync, or all.
  if (step !== "mirror-sync") await check(path);
  await finish(path, step);
  await check(path);
  return state.at ?? "after its end";
}

/** The files of packs, graphs and twins in the bucket that no repository knows of. */
function orphans(): string[] {
  const known = new Set<unknown>();
  for (const table of ["packs", "commit_graphs", "clone_twin", "multi_pack_index"])
    for (const row of rowsOf(bed.state, table)) for (const value of Object.values(row)) known.add(value);
  // What the last maintenance has replaced stays for a day, for whoever still reads it.
  const now = Date.now() + CLOCK_STEP * starts;
  for (const { pack, expires_at: ends } of rowsOf(bed.state, "leases")) if (Number(ends) > now) known.add(pack);
  const names = rowsOf(bed.state, "_mf_objects").map(({ key }) => String(key));
  return names.filter((key) => {
    const [, name] = /^repos\/\w+\.git\/objects\/pack\/pack-(\w+)/.exec(key) ?? [];
    return name !== undefined && !known.has(name);
  });
}

it(`a host that is killed ${KILLS} times in the middle of a step has what was acknowledged, and ends what it began`, async () => {
  const killed: string[] = [];
  for (let n = 0; n < KILLS; n++) {
    const step = STEPS[n % STEPS.length] ?? "roll-up";
    const at = 1 + random.below(lengths.get(step) ?? 6);
    killed.push(`${step}: ${await withinLimit(`the kill in ${step}`, kill(step, at))}`);
  }
  if (process.env["KILLS"] !== undefined)
    process.stderr.write(`${killed.join("\n")}\n${JSON.stringify([...lengths])}\n`);
  expect(killed).toHaveLength(KILLS);
  expect(killed.filter((line) => line.endsWith("after its end")).length).toBeLessThan(KILLS / 2);

  // What steps that died left under a lease is swept once that has ended, and the rest of a deleted repository.
  await restart();
  for (const [path, refs] of expected) {
    if (refs === undefined) continue;
    await bed.api("POST", `${path}/maintenance`, {});
    await bed.maintained(path);
  }
  await expect.poll(orphans, { timeout: WAIT_LIMIT, interval: 300 }).toEqual([]);
}, 0);
