/**
 * The benchmark: this host against C git's server, in the same run, on the same machine.
 *
 *     npm run bench -- --repo DIR             any bare repository's branches and tags
 *     npm run bench -- --scenario blobs300    300 MB of noise in 30 blobs (or blob100: one of 100 MB)
 *     npm run bench -- --scenario wide        20,000 commits of wide trees (or wide10: a tenth of that)
 *     … --object-format sha256                with a scenario; a repository's own otherwise
 *     … --hosts thinpack,c-git  --runs 3  --json FILE
 *     … --page docs/benchmark.md           writes the page's table
 *     npm run bench -- --hostile              what hostile clients send, on this host alone
 *     … --at-once 8  --rounds 20  --seed 1  random eights of it at once
 *     … --part 0.1                          with a tenth of the objects, names and so on
 *     … --kinds archives,pushes             only these: see bench/hostile-inputs.ts
 *     npm run bench -- --doors --repo DIR     pushes of 300 MB by each way, and SSH beside OpenSSH's server
 *     npm run bench -- --scale                what repositories cost as they grow: a million objects, 2,000 pushes and so on
 *     … --part 10  --kinds objects,refs    a tenth of the size, and some of them
 *     … --picture docs/scale.svg           draws the curves
 *     npm run bench -- --lfs                  an object of 2 GiB of Git LFS, up and down, each with a cut
 *     npm run bench -- --writes --repo DIR    commits by the API, in new isolates and again
 *     npm run bench -- --pages --repo DIR     pages, at the first view and again
 *     … --collect                          garbage is collected before each step: memory is the step's own, its code slower
 *
 * Ends with status 1 where a budget is exceeded, 2 where a result is wrong.
 */
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { GitSandbox } from "../test/support/git-client.ts";
import { type Host, startCGit, startThinpack } from "./bench/hosts.ts";
import { judge } from "./bench/budgets.ts";
import { DOOR_FIGURES, DoorBench, doorTable, judgeDoors } from "./bench/door-steps.ts";
import { EdgeSteps } from "./bench/edge-steps.ts";
import {
  CROWD_FIGURES,
  crowdTable,
  HOSTILE_FIGURES,
  HostileBench,
  hostileTable,
  roundLine,
} from "./bench/hostile-bench.ts";
import { hostileKinds, isHostileKind } from "./bench/hostile-inputs.ts";
import { judgeLfs, LFS_FIGURES, LfsBench, lfsTable } from "./bench/lfs-steps.ts";
import { FIGURES, pageTable } from "./bench/page.ts";
import { judgePages, measurePages, PAGE_FIGURES, pagesTable } from "./bench/page-steps.ts";
import { type Comparison, PartialSteps } from "./bench/partial-steps.ts";
import { render, renderVerdicts } from "./bench/report.ts";
import { copySubject, isScenario, isWide, makeSubject, makeWide } from "./bench/repositories.ts";
import { isScaleKind, measureScale, scaleKinds } from "./bench/scale.ts";
import { BITMAPS, type Measurement, Measuring } from "./bench/steps.ts";
import { twinSteps } from "./bench/twin-steps.ts";
import { judgeWrites, WRITE_FIGURES, WriteBench, writeTable } from "./bench/write-steps.ts";
import { freePort } from "./free-port.ts";
import { replaceTable, type Table } from "./marked-table.ts";

const USAGE =
  "usage: npm run bench -- (--hostile [--at-once N] [--rounds N] [--seed N] [--part N] [--kinds KIND,…] | --lfs | --scale [--part N] [--kinds KIND,…] [--picture FILE] | --doors [--repo DIR] | --writes --repo DIR | --pages --repo DIR | --repo DIR | --scenario blobs300|blob100|wide|wide10) [--object-format sha1|sha256] [--hosts thinpack,c-git] [--runs N] [--json FILE] [--page FILE] [--collect]";

async function makeHost(git: GitSandbox, name: string, collect: boolean): Promise<Host> {
  if (name === "thinpack") return await startThinpack(git.path("state"), collect);
  if (name === "c-git") return await startCGit(git.path("served"));
  throw new Error(`no such host: ${name}\n${USAGE}`);
}

/** Measures all steps on one host; on C git's, some once more after it was repacked with bitmaps. */
async function measure(measuring: Measuring, comparison: Comparison, runs: number): Promise<Measurement[]> {
  const { git, host } = measuring;
  const parts = new PartialSteps(measuring, comparison);
  await measuring.push();
  const clone = await measuring.clone();
  await measuring.discard(runs);
  await parts.filtered();
  await parts.shallow(runs);
  await parts.half();
  await parts.lazy(runs);
  await measuring.oneCommit(clone, 1);
  await measuring.listRefs();
  const directory = host.directory?.("bench/subject");
  if (directory !== undefined) {
    await git.ok(["repack", "-q", "-adb", "--write-bitmap-index"], { cwd: directory, timeout: 1_800_000 });
    await measuring.discard(runs, BITMAPS);
    await parts.filtered(BITMAPS);
    await parts.half(BITMAPS);
  } else {
    await twinSteps(measuring);
    const edge = new EdgeSteps(measuring);
    await edge.tokenList();
    await edge.mirror();
  }
  await parts.negotiation();
  await parts.afterDeletion();
  return measuring.results;
}

function formatOf(directory: string): string {
  return execFileSync("git", ["rev-parse", "--show-object-format"], { cwd: directory, encoding: "utf8" }).trim();
}

/** Sends hostile inputs, one after the other or several at once, and prints the figures of each. */
async function measureHostile({ page, part, kinds, rounds, seed, "at-once": atOnce }: Values): Promise<number> {
  const wanted = kinds === undefined ? hostileKinds() : kinds.split(",").filter(isHostileKind);
  const git = new GitSandbox("bench", "sha1");
  const sshPort = await freePort("127.0.0.1");
  const host = await startThinpack(git.path("state"), false, { SSH_PORT: String(sshPort) });
  const write = (name: string, table: Table): void => {
    if (page !== undefined) writeFileSync(page, replaceTable(readFileSync(page, "utf8"), name, table));
  };
  try {
    const bench = new HostileBench(git, { ...host, sshPort }, Number(part), wanted);
    if (atOnce === undefined) {
      const results = await bench.run(({ input, outcome, cpu, turn, median, longest, fault }) => {
        const latency = `a turn ${Math.round(turn)} ms at most; /healthz ${Math.round(median)} ms, ${Math.round(longest)} ms at most`;
        console.log(`${input}: ${cpu.toFixed(2)} s; ${latency}; ${outcome}${fault === undefined ? "" : "; a fault"}`);
      });
      write(HOSTILE_FIGURES, hostileTable(results));
      return results.every(({ fault }) => fault === undefined) ? 0 : 1;
    }
    const plan = { atOnce: Number(atOnce), rounds: Number(rounds), seed: Number(seed) };
    const results = await bench.crowd(plan, (figures) => {
      console.log(roundLine(figures));
    });
    const table = crowdTable(results);
    for (const row of table) console.log(row.join(" | "));
    write(CROWD_FIGURES, table);
    return results.every(({ faults }) => faults.length === 0) ? 0 : 1;
  } finally {
    await host.close();
    git.close();
  }
}

/** Measures the doors beside HTTP. */
async function measureDoors({ repo, page }: { readonly repo?: string; readonly page?: string }): Promise<number> {
  const git = new GitSandbox("bench", "sha1");
  try {
    const bench = new DoorBench(git);
    await bench.run(repo === undefined ? undefined : resolve(repo));
    const verdicts = judgeDoors(bench.results);
    console.log(renderVerdicts(verdicts));
    if (page !== undefined)
      writeFileSync(page, replaceTable(readFileSync(page, "utf8"), DOOR_FIGURES, doorTable(bench.results)));
    return verdicts.every(({ ok }) => ok) ? 0 : 1;
  } finally {
    git.close();
  }
}

/** Measures commits by the API. */
async function measureWrites({ repo, page }: { readonly repo?: string; readonly page?: string }): Promise<number> {
  if (repo === undefined) throw new Error(USAGE);
  const git = new GitSandbox("bench", "sha1");
  try {
    const bench = new WriteBench(git);
    await bench.push(resolve(repo));
    await bench.commit(resolve(repo));
    const verdicts = judgeWrites(bench.results);
    console.log(renderVerdicts(verdicts));
    if (page !== undefined)
      writeFileSync(page, replaceTable(readFileSync(page, "utf8"), WRITE_FIGURES, writeTable(bench.results)));
    return verdicts.every(({ ok }) => ok) ? 0 : 1;
  } finally {
    git.close();
  }
}

/** Measures pages. */
async function measureViews({ repo, page }: { readonly repo?: string; readonly page?: string }): Promise<number> {
  if (repo === undefined) throw new Error(USAGE);
  const git = new GitSandbox("bench", "sha1");
  try {
    const pages = await measurePages(git, resolve(repo));
    const verdicts = judgePages(pages);
    console.log(renderVerdicts(verdicts));
    if (page !== undefined)
      writeFileSync(page, replaceTable(readFileSync(page, "utf8"), PAGE_FIGURES, pagesTable(pages)));
    return verdicts.every(({ ok }) => ok) ? 0 : 1;
  } finally {
    git.close();
  }
}

/** Measures Git LFS. */
async function measureLfs(page: string | undefined): Promise<number> {
  const git = new GitSandbox("bench", "sha1");
  try {
    const bench = new LfsBench(git);
    await bench.run();
    const verdicts = judgeLfs(bench.results);
    console.log(renderVerdicts(verdicts));
    if (page !== undefined)
      writeFileSync(page, replaceTable(readFileSync(page, "utf8"), LFS_FIGURES, lfsTable(bench.results)));
    return verdicts.every(({ ok }) => ok) ? 0 : 1;
  } finally {
    git.close();
  }
}

const OPTIONS = {
  repo: { type: "string" },
  scenario: { type: "string" },
  "object-format": { type: "string" },
  hosts: { type: "string", default: "thinpack,c-git" },
  runs: { type: "string", default: "3" },
  json: { type: "string" },
  page: { type: "string" },
  collect: { type: "boolean", default: false },
  hostile: { type: "boolean", default: false },
  "at-once": { type: "string" },
  rounds: { type: "string", default: "20" },
  seed: { type: "string", default: "1" },
  doors: { type: "boolean", default: false },
  lfs: { type: "boolean", default: false },
  writes: { type: "boolean", default: false },
  pages: { type: "boolean", default: false },
  scale: { type: "boolean", default: false },
  part: { type: "string", default: "1" },
  kinds: { type: "string" },
  picture: { type: "string" },
} as const;

type Values = ReturnType<typeof parseArgs<{ options: typeof OPTIONS }>>["values"];

/** Measures what repositories cost as they grow. */
async function measureGrowth({ part, kinds, hosts, page, picture, json, collect }: Values): Promise<number> {
  const files = {
    ...(page === undefined ? {} : { page }),
    ...(picture === undefined ? {} : { picture }),
    ...(json === undefined ? {} : { json }),
  };
  const wanted = kinds === undefined ? scaleKinds() : kinds.split(",").filter(isScaleKind);
  const isGood = await measureScale({ part: Number(part), hosts: hosts.split(","), kinds: wanted, collect, ...files });
  return isGood ? 0 : 1;
}

async function main(): Promise<number> {
  const { values } = parseArgs({ options: OPTIONS });
  if (values.doors) return await measureDoors(values);
  if (values.lfs) return await measureLfs(values.page);
  if (values.writes) return await measureWrites(values);
  if (values.pages) return await measureViews(values);
  if (values.scale) return await measureGrowth(values);
  return values.hostile ? await measureHostile(values) : await compareHosts(values);
}

async function compareHosts(values: Values): Promise<number> {
  const { repo, scenario = "" } = values;
  if ((repo === undefined) === !(isScenario(scenario) || isWide(scenario))) throw new Error(USAGE);
  const asked = values["object-format"] ?? (repo === undefined ? "sha1" : formatOf(resolve(repo)));
  if (asked !== "sha1" && asked !== "sha256") throw new Error(USAGE);
  const git = new GitSandbox("bench", asked);
  try {
    console.error("preparing the repository");
    const subject = isScenario(scenario)
      ? await makeSubject(git, scenario)
      : isWide(scenario)
        ? await makeWide(git, scenario)
        : await copySubject(git, resolve(repo ?? ""));
    // Every host gets the same push, so the branch is put back after each.
    const tip = await git.ok(["rev-parse", subject.branch], { cwd: subject.directory });
    const results: Measurement[] = [];
    const comparison: Comparison = { brought: new Map(), turn: 0 };
    for (const name of values.hosts.split(",")) {
      const host = await makeHost(git, name, values.collect);
      try {
        results.push(...(await measure(new Measuring(git, host, subject), comparison, Number(values.runs))));
      } finally {
        await host.close();
        comparison.turn += 1;
      }
      await git.ok(["update-ref", subject.branch, tip], { cwd: subject.directory });
    }
    const verdicts = judge(subject, results);
    console.log(render(subject, results, verdicts));
    if (values.json !== undefined)
      writeFileSync(
        values.json,
        `${JSON.stringify({ subject: { ...subject, blobs: undefined }, results, verdicts }, null, 2)}\n`,
      );
    if (values.page !== undefined)
      writeFileSync(values.page, replaceTable(readFileSync(values.page, "utf8"), FIGURES, pageTable(results)));
    return verdicts.every(({ ok }) => ok) ? 0 : 1;
  } finally {
    git.close();
  }
}

process.exitCode = await main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  return 2;
});
