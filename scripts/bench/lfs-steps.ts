/**
 * Steps of Git LFS: an object of 2 GiB goes up and down through the Worker, each with a cut in the middle.
 *
 * @packageDocumentation
 */
import { randomBytes } from "node:crypto";
import { closeSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { startCommand } from "../../test/support/command.ts";
import { type GitSandbox, withToken } from "../../test/support/git-client.ts";
import type { Table } from "../marked-table.ts";
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
const [REPOSITORY, OBJECT] = ["bench/large", "large.bin"];

/** A step and what it took. */
export type LfsMeasurement = ServerFigures & { readonly step: string; readonly wall: number };

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
    this.results.push({ step, wall, ...(await end()) });
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

const cpuOf = ({ cpu }: LfsMeasurement): number => (cpu * 1000) / (SIZE / MB);

/**
 * Judges the figures. The processor time of the upload is only shown: nearly all of it is the stand-in's for R2, to which a
 * Worker that does nothing but write takes some 29 ms per MB, and an upload in parts writes twice.
 */
export function judgeLfs(results: readonly LfsMeasurement[]): Verdict[] {
  return results.flatMap((result): Verdict[] => {
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
