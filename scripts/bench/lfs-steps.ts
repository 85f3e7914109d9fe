/**
 * Steps of Git LFS: an object of 2 GiB goes up and down through the Worker, each with a cut in the middle. What the Worker itself
 * takes of an upload is found with smaller objects, in turns with a bare Worker that writes the same.
 *
 * @packageDocumentation
 */
import { createHash, randomBytes } from "node:crypto";
import { closeSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { startCommand } from "../../test/support/command.ts";
import { type GitSandbox, withToken } from "../../test/support/git-client.ts";
import type { Table } from "../marked-table.ts";
import { BARE, startBare } from "./bare-host.ts";
import { MB, type Verdict } from "./budgets.ts";
import { type Host, type ServerFigures, startThinpack } from "./hosts.ts";
import { LONG } from "./steps.ts";

/** The name of the page's table. */
export const LFS_FIGURES = "npm run bench -- --lfs --page";

const SIZE = 2 * 1024 * 1024 * 1024;
const PIECE = 16 * 1024 * 1024;
/** Bytes of a part, as by default. */
const PART = 90_000_000;
const [MEMORY_BUDGET, CPU_BUDGET] = [64, 2];
const DOWN = "down, cut in the middle and gone on with";
/** How often an object of the size of a part goes up by each host. */
const TURNS = 9;
const OWN = "up at once, an object of 90 MB";
const BARE_OWN = `${OWN}, by a Worker that does nothing else (${BARE})`;
const [REPOSITORY, OBJECT] = ["bench/large", "large.bin"];

/** A step and what it took; `bytes` went in it. */
export type LfsMeasurement = ServerFigures & { readonly step: string; readonly wall: number; readonly bytes: number };

/** Sends an object. @throws Error if it is not taken. */
async function put(url: string, body: Uint8Array<ArrayBuffer>, headers: Record<string, string>): Promise<void> {
  const answer = await fetch(url, { method: "PUT", body, headers });
  if (!answer.ok) throw new Error(`an object was answered with ${answer.status}: ${await answer.text()}`);
  await answer.arrayBuffer();
}

/** Returns the measurement that is the median by processor time. */
function medianOf(all: readonly LfsMeasurement[]): LfsMeasurement[] {
  return all.toSorted((a, b) => a.cpu - b.cpu).slice(all.length >> 1, (all.length >> 1) + 1);
}

/**
 * Sends objects to a repository of the host and to a bare Worker, in turns: other work on the machine comes and goes. Returns
 * the median of each.
 */
export async function uploadsInTurns(host: Host, repository: string): Promise<LfsMeasurement[]> {
  const bare = await startBare(0);
  const [own, others]: [LfsMeasurement[], LfsMeasurement[]] = [[], []];
  const login = { Authorization: `Basic ${btoa(`bench:${host.token}`)}` };
  try {
    for (let turn = 0; turn < TURNS; turn++) {
      const body = new Uint8Array(randomBytes(PART));
      const oid = createHash("sha256").update(body).digest("hex");
      const end = await host.begin();
      const began = Date.now();
      await put(`${host.base}/${repository}.git/info/lfs/objects/${oid}`, body, login);
      own.push({ step: OWN, wall: (Date.now() - began) / 1000, bytes: PART, ...(await end()) });
      const [before, again] = [await bare.quietCpu(), Date.now()];
      await put(`${bare.base}/${oid}`, body, { "X-SHA256": oid });
      const wall = (Date.now() - again) / 1000;
      others.push({ step: BARE_OWN, wall, bytes: PART, cpu: (await bare.quietCpu()) - before });
    }
  } finally {
    await bare.end();
  }
  return [...medianOf(own), ...medianOf(others)];
}

/** Takes the steps. */
export class LfsBench {
  readonly results: LfsMeasurement[] = [];
  readonly #git: GitSandbox;

  constructor(git: GitSandbox) {
    this.#git = git;
  }

  async run(): Promise<void> {
    const git = this.#git;
    const host = await startThinpack(git.path("state"), true);
    try {
      const cwd = await this.#prepare(host);
      await this.#step(host, "up in parts, cut in the middle and gone on with", async () => {
        await this.#pushHalf(host, cwd);
        await git.ok(["push", "-q", "origin", "main"], { cwd, timeout: LONG });
      });
      const pointer = await git.ok(["show", `main:${OBJECT}`], { cwd });
      const [, oid = ""] = /^oid sha256:(.*)$/m.exec(pointer) ?? [];
      await this.#step(host, DOWN, () => this.#download(host, oid));
      this.results.push(...(await uploadsInTurns(host, REPOSITORY)));
    } finally {
      await host.close();
    }
  }

  /** Makes a repository with a large file, which is not pushed yet. */
  async #prepare(host: Host): Promise<string> {
    const git = this.#git;
    const headers = { Authorization: `Bearer ${host.token}`, "Content-Type": "application/json" };
    const made = await fetch(`${host.base}/api/v1/repos/${REPOSITORY}`, { method: "PUT", headers, body: "{}" });
    if (!made.ok) throw new Error(`the repository was not made: ${made.status}`);
    await git.ok(["lfs", "install", "--skip-repo"]);
    const { code } = await startCommand(git, ["lfs", "install", "--part-size", String(PART)]).ended;
    if (code !== 0) throw new Error("the transfer was not installed");
    const cwd = await git.init();
    await git.ok(["lfs", "install", "--local"], { cwd });
    await git.ok(["remote", "add", "origin", withToken(`${host.base}/${REPOSITORY}.git`, host.token)], { cwd });
    await git.ok(["lfs", "track", "*.bin"], { cwd });
    const file = openSync(join(cwd, OBJECT), "w");
    for (let at = 0; at < SIZE; at += PIECE) writeSync(file, randomBytes(PIECE));
    closeSync(file);
    await git.ok(["add", "-A"], { cwd, timeout: LONG });
    await git.ok(["commit", "-q", "-m", "large"], { cwd });
    return cwd;
  }

  async #step(host: Host, step: string, work: () => Promise<void>): Promise<void> {
    const end = await host.begin();
    const began = Date.now();
    await work();
    const wall = (Date.now() - began) / 1000;
    this.results.push({ step, wall, bytes: SIZE, ...(await end()) });
  }

  /** Pushes until about half of the file has come, and is killed then. */
  async #pushHalf(host: Host, cwd: string): Promise<void> {
    const child = this.#git.start(["push", "-q", "origin", "main"], { cwd });
    const ended = new Promise<void>((resolve) => child.on("close", () => resolve()));
    while (child.exitCode === null && (await this.#stored(host)) < SIZE / 2) await pause(1000);
    child.kill("SIGINT");
    await ended;
  }

  /** Returns the bytes of what is being uploaded. */
  async #stored(host: Host): Promise<number> {
    const headers = { Authorization: `Bearer ${host.token}` };
    const answer = await fetch(`${host.base}/api/v1/repos/${REPOSITORY}`, { headers });
    const { size_bytes: bytes }: { readonly size_bytes?: number } = Object(await answer.json());
    return bytes ?? 0; // A repository that was just made may not tell.
  }

  /** Downloads half of the object, and then the rest by its range. */
  async #download(host: Host, oid: string): Promise<void> {
    const url = `${host.base}/${REPOSITORY}.git/info/lfs/objects/${oid}`;
    const headers = { Authorization: `Basic ${btoa(`bench:${host.token}`)}` };
    let come = 0;
    for (const most of [SIZE / 2, SIZE]) {
      const range = come === 0 ? {} : { Range: `bytes=${come}-` };
      const answer = await fetch(url, { headers: { ...headers, ...range } });
      if (answer.status !== (come === 0 ? 200 : 206) || answer.body === null)
        throw new Error(`the object was answered with ${answer.status}`);
      const reader = answer.body.getReader();
      while (come < most) {
        const { done, value } = await reader.read();
        if (done) break;
        come += value.length;
      }
      await reader.cancel();
    }
    if (come !== SIZE) throw new Error(`${come} bytes came`);
  }
}

const cpuOf = ({ cpu, bytes }: LfsMeasurement): number => (cpu * 1000) / (bytes / MB);

/** Judges what the Worker itself takes of an upload: what it took more than a bare one with the same bytes. */
function judgeShare(results: readonly LfsMeasurement[]): Verdict[] {
  const [own, bare] = [OWN, BARE_OWN].map((name) => results.find(({ step }) => step === name));
  if (own === undefined || bare === undefined) return [];
  const figure = cpuOf(own) - cpuOf(bare);
  const what = `${OWN}: CPU of a MB beside that of a bare Worker`;
  return [{ what, figure, budget: CPU_BUDGET, unit: "ms", ok: figure <= CPU_BUDGET }];
}

/**
 * Judges the figures. The processor time of an upload is only shown: nearly all of it is the stand-in's for R2, and an upload in
 * parts writes twice. What the Worker itself takes is held to its bound.
 */
export function judgeLfs(results: readonly LfsMeasurement[]): Verdict[] {
  const steps = results.flatMap((result): Verdict[] => {
    if (result.step === BARE_OWN) return [];
    const memory = (result.memory ?? Number.POSITIVE_INFINITY) / MB;
    const cpu = { what: `${result.step}: server CPU of a MB`, figure: cpuOf(result), unit: "ms" };
    return [
      {
        what: `${result.step}: peak isolate memory`,
        figure: memory,
        budget: MEMORY_BUDGET,
        unit: "MB",
        ok: memory <= MEMORY_BUDGET,
      },
      result.step === DOWN ? { ...cpu, budget: CPU_BUDGET, ok: cpu.figure <= CPU_BUDGET } : { ...cpu, ok: true },
    ];
  });
  return [...steps, ...judgeShare(results)];
}

/** Returns the page's table. */
export function lfsTable(results: readonly LfsMeasurement[]): Table {
  const rows = results.map((result) => [
    result.step,
    `${result.wall.toFixed(1)} s`,
    `${result.cpu.toFixed(1)} s`,
    `${cpuOf(result).toFixed(2)} ms`,
    result.memory === undefined ? "" : `${Math.round(result.memory / MB)} MB`,
  ]);
  return [["an object of 2 GiB", "wall", "server CPU", "of a MB", "isolate"], ...rows];
}
