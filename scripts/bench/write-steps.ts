/**
 * Steps of writing without a clone: a commit of one file, and one of 1,000 files, by the API to a repository that has everything. The first
 * one after a start of the host is cold: its isolate loads the API, and has never seen the repository.
 *
 * @packageDocumentation
 */
import { cpSync, rmSync } from "node:fs";
import type { GitSandbox } from "../../test/support/git-client.ts";
import { itemAt } from "../../src/bytes/assert.ts";
import type { Table } from "../marked-table.ts";
import type { Verdict } from "./budgets.ts";
import { type Host, startThinpack } from "./hosts.ts";
import { askApi, branchOfHead, pushSubject, SUBJECT } from "./pushed-subject.ts";

/** The name of the page's table. */
export const WRITE_FIGURES = "npm run bench -- --writes --page";

/** Starts of the host, and so cold commits, and warm ones after each. Medians are kept. */
const [STARTS, REPEATS] = [5, 11];
const [FILES, DIRECTORIES] = [1000, 100];
const COLD = "a commit of one file, in a new isolate";
const WARM = "again, at the same path";
const UNSEEN = "at a path that this isolate has not seen";
const MANY = `a commit of ${FILES.toLocaleString("en")} files in ${DIRECTORIES} directories`;

/** The bounds of a step: operations, and milliseconds of processor time. What has no bound is only shown. */
type Bounds = { readonly do: number; readonly r2r: number; readonly r2w: number; readonly cpu?: number };
const BOUNDS: Readonly<Record<string, Bounds>> = {
  [COLD]: { do: 3, r2r: 10, r2w: 0 },
  [WARM]: { do: 3, r2r: 0, r2w: 0, cpu: 30 },
  [UNSEEN]: { do: 3, r2r: 10, r2w: 0, cpu: 30 },
  [MANY]: { do: 3, r2r: 10, r2w: 0, cpu: 500 },
};
const WORDS = { do: "Durable Object calls", r2r: "R2 reads", r2w: "R2 writes" } as const;

/** The operations of a commit, as its answer tells them, and the processor seconds of the server. */
type Taken = Readonly<Record<keyof typeof WORDS | "cpu", number>>;

/** A step with the figures of each time that it was taken. */
export type WriteMeasurement = { readonly step: string; readonly taken: readonly Taken[] };

/** Takes the steps. */
export class WriteBench {
  readonly #git: GitSandbox;
  readonly #taken = new Map<string, Taken[]>();
  #number = 0;

  constructor(git: GitSandbox) {
    this.#git = git;
  }

  get results(): readonly WriteMeasurement[] {
    return Array.from(this.#taken, ([step, taken]) => ({ step, taken }));
  }

  /** Pushes the branches and tags of a bare repository, and waits for maintenance. */
  async push(directory: string): Promise<void> {
    await this.#onHost(this.#git.path("state"), async (host) => await pushSubject(this.#git, host, directory));
  }

  /** Commits to the branch of HEAD. */
  async commit(directory: string): Promise<void> {
    const branch = await branchOfHead(this.#git, directory);
    const list = await this.#git.ok(["ls-tree", "-r", "--name-only", "HEAD"], { cwd: directory });
    const paths = list.split("\n").filter((path) => path.split("/").length === 2);
    for (let start = 0; start < STARTS; start++) {
      // Each start finds the same state: what the last one left would be published, and combined, meanwhile.
      const state = this.#git.fresh("state");
      cpSync(this.#git.path("state"), state, { recursive: true });
      await this.#onHost(state, async (host) => {
        const part = (at: number): number => (start + at / REPEATS) / STARTS;
        const pathOf = (at: number): string => itemAt(paths, Math.floor(part(at) * paths.length));
        await this.#commit(host, COLD, branch, [pathOf(0)]);
        for (let at = 0; at < REPEATS; at++) await this.#commit(host, WARM, branch, [pathOf(0)]);
        for (let at = 1; at < REPEATS; at++) await this.#commit(host, UNSEEN, branch, [pathOf(at)]);
        const many = Array.from({ length: FILES }, (_, at) => `bench-${start}/${at % DIRECTORIES}/file-${at}`);
        await this.#commit(host, MANY, branch, many);
      });
      rmSync(state, { recursive: true });
    }
  }

  async #onHost(state: string, work: (host: Host) => Promise<void>): Promise<void> {
    const host = await startThinpack(state, false, { PUBLISH_AFTER: "60" });
    try {
      await work(host);
    } finally {
      await host.close();
    }
  }

  async #commit(host: Host, step: string, branch: string, paths: readonly string[]): Promise<void> {
    const content = `${this.#number++}\n`;
    const actions = paths.map((path) => ({ action: "upsert", path, content: path + content }));
    const end = await host.begin();
    const answer = await askApi(host, "POST", `repos/${SUBJECT}/commits`, { branch, message: step, actions });
    const { cpu } = await end();
    const timing = answer.headers.get("Server-Timing") ?? "";
    const countOf = (key: string): number => Number(new RegExp(`${key};desc="(\\d+)"`).exec(timing)?.[1]);
    const taken = { cpu, do: countOf("do"), r2r: countOf("r2r"), r2w: countOf("r2w") };
    this.#taken.set(step, [...(this.#taken.get(step) ?? []), taken]);
    console.error(`${step}: ${(cpu * 1000).toFixed(1)} ms CPU, ${taken.r2r} R2 reads`);
  }
}

/** Returns the least, the middle and the most of some figures. */
export function spread(figures: readonly number[]): readonly [least: number, median: number, most: number] {
  const sorted = figures.toSorted((a, b) => a - b);
  const at = (index: number): number => sorted[index] ?? Number.NaN;
  return [at(0), at(Math.floor(sorted.length / 2)), at(sorted.length - 1)];
}

function counted(taken: readonly Taken[], key: keyof typeof WORDS): number[] {
  return taken.map((each) => each[key]);
}

function milliseconds(taken: readonly Taken[]): number[] {
  return taken.map(({ cpu }) => cpu * 1000);
}

/** Judges the figures: the most operations, and the median of processor time. */
export function judgeWrites(results: readonly WriteMeasurement[]): Verdict[] {
  return results.flatMap(({ step, taken }): Verdict[] => {
    const bounds = BOUNDS[step];
    const [, cpu] = spread(milliseconds(taken));
    const what = `${step}: server CPU, median`;
    const operations = (["do", "r2r", "r2w"] as const).map((key): Verdict => {
      const [, , figure] = spread(counted(taken, key));
      const budget = bounds?.[key] ?? 0; // Each step has its bounds.
      return { what: `${step}: ${WORDS[key]}`, figure, budget, unit: "", ok: figure <= budget };
    });
    const bound = bounds?.cpu;
    const time = { what, figure: cpu, unit: "ms" };
    return [...operations, bound === undefined ? { ...time, ok: true } : { ...time, budget: bound, ok: cpu <= bound }];
  });
}

/** Returns the page's table: of operations the range, of processor time the median with the range. */
export function writeTable(results: readonly WriteMeasurement[]): Table {
  const range = (figures: readonly number[]): string => {
    const [least, , most] = spread(figures);
    return least === most ? String(least) : `${least}–${most}`;
  };
  const rows = results.map(({ step, taken }) => {
    const [least, median, most] = spread(milliseconds(taken)).map(Math.round);
    const counts = (["do", "r2r", "r2w"] as const).map((key) => range(counted(taken, key)));
    return [step, ...counts, `${median} ms (${least}–${most})`];
  });
  return [["what", "Durable Object calls", "R2 reads", "R2 writes", "server CPU"], ...rows];
}
