/**
 * The steps that are measured, in the order in which a repository lives through them.
 *
 * @packageDocumentation
 */
import { type GitSandbox, refsOf, withToken } from "../../test/support/git-client.ts";
import { discardClone } from "./discarding-client.ts";
import type { Host, ServerFigures } from "./hosts.ts";
import { addCommits, type Subject } from "./repositories.ts";

/** One line of the result. */
export type Measurement = ServerFigures & {
  readonly host: string;
  readonly step: string;
  /** Seconds, as the client saw it. */
  readonly wall: number;
  /** Bytes that came, where the client counts them. */
  readonly bytes?: number;
  /** Seconds to the first byte of a pack. */
  readonly firstByte?: number;
  /** The number of requests of a negotiating client. */
  readonly rounds?: number;
  /** Processor seconds of the round that took most. */
  readonly slowestRound?: number;
};

/** The figures that a step states itself. */
export type Found = Partial<Pick<Measurement, "wall" | "bytes" | "firstByte" | "rounds" | "slowestRound">>;

/** The suffix of a step's name for which C git's server had bitmaps. */
export const BITMAPS = ", bitmaps";
/** Milliseconds between two looks at what maintenance does. */
const SETTLE_MS = 1000;
const MOST_LOOKS = 900;
/** Milliseconds that a client may take. */
export const LONG = 1_800_000;

/** Measures one host with one repository on it. */
export class Measuring {
  readonly results: Measurement[] = [];
  readonly git: GitSandbox;
  readonly host: Host;
  readonly subject: Subject;
  /** The repository on the host: `{tenant}/{repo}`. */
  readonly repository = "bench/subject";
  /** Its URL, with credentials. */
  readonly remote: string;

  constructor(git: GitSandbox, host: Host, subject: Subject) {
    this.git = git;
    this.host = host;
    this.subject = subject;
    this.remote = withToken(`${host.base}/${this.repository}.git`, host.token);
  }

  /** Pushes everything to an empty repository, and checks what arrived. */
  async push(): Promise<void> {
    await this.#create();
    const cwd = this.subject.directory;
    await this.step("push", async () => {
      await this.git.ok(["push", "-q", this.remote, ...this.subject.refspecs], { cwd, timeout: LONG });
    });
  }

  /** Waits until the host's maintenance has done what the push made due, such as bitmaps. C git's host has none. */
  async settle(repository = this.repository): Promise<void> {
    if (this.host.directory !== undefined) return;
    const url = `${this.host.base}/api/v1/repos/${repository}/maintenance`;
    const headers = { Authorization: `Bearer ${this.host.token}` };
    for (let looks = 0; looks < MOST_LOOKS; looks++) {
      await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
      const answer = await fetch(url, { headers });
      if (!answer.ok) throw new Error(`${this.host.name}: ${answer.status} for maintenance`);
      const state = await answer.text();
      if (state.includes('"due":null') && state.includes('"running_since":null')) return;
    }
    throw new Error(`${this.host.name}: maintenance has no end`);
  }

  /** Clones with git, and checks the clone. Returns its directory. `suffix` tells apart what the server did before. */
  async clone(suffix = ""): Promise<string> {
    const directory = this.git.fresh("clone");
    await this.step(`clone${suffix}`, async () => {
      await this.git.ok(["clone", "-q", "--mirror", this.remote, directory], { timeout: LONG });
    });
    await this.verify(directory);
    return directory;
  }

  /** Clones and throws the pack away, several times, and keeps the median by wall time. */
  async discard(runs: number, suffix = ""): Promise<void> {
    const step = `clone, discarded${suffix}`;
    const url = `${this.host.base}/${this.repository}.git`;
    const { format } = this.subject;
    await this.median(runs, async () => {
      await this.step(step, async () => await discardClone(url, this.host.token, format));
    });
  }

  /** Takes a step several times, and keeps the median by wall time with the most memory of all. */
  async median(runs: number, take: () => Promise<void>): Promise<void> {
    for (let run = 0; run < runs; run++) await take();
    const all = this.results.splice(-runs).toSorted((a, b) => a.wall - b.wall);
    const median = all[Math.floor(runs / 2)];
    if (median === undefined) throw new Error("no run");
    const memories = all.flatMap(({ memory }) => memory ?? []);
    this.results.push(memories.length === 0 ? median : { ...median, memory: Math.max(...memories) });
  }

  /** Pushes one new commit, then fetches it into an up-to-date clone and checks that. */
  async oneCommit(clone: string, number: number, suffix = ""): Promise<void> {
    const { branch, directory } = this.subject;
    const tip = await addCommits(this.git, { cwd: directory, branch, first: number, count: 1 });
    await this.step(`push of one commit${suffix}`, async () => {
      await this.git.ok(["push", "-q", this.remote, branch], { cwd: directory, timeout: LONG });
    });
    await this.step(`fetch of one commit${suffix}`, async () => {
      await this.git.ok(["fetch", "-q", "origin"], { cwd: clone, timeout: LONG });
    });
    const got = await this.git.ok(["rev-parse", branch], { cwd: clone });
    if (got !== tip) throw new Error(`${this.host.name}: the fetch brought ${got}, not ${tip}`);
    await this.verify(clone);
  }

  /** Lists all refs. */
  async listRefs(): Promise<void> {
    await this.step("ls-remote", async () => {
      await this.git.ok(["ls-remote", this.remote]);
    });
  }

  async #create(): Promise<void> {
    const answer = await fetch(`${this.host.base}/api/v1/repos/${this.repository}`, {
      method: "PUT",
      headers: { Authorization: `Bearer ${this.host.token}`, "Content-Type": "application/json" },
      body: JSON.stringify({
        default_branch: this.subject.branch.replace("refs/heads/", ""),
        object_format: this.subject.format.name,
      }),
    });
    if (answer.status !== 201) throw new Error(`${this.host.name}: creating the repository gave ${answer.status}`);
    await answer.arrayBuffer();
  }

  /** Takes a step and keeps its figures. */
  async step(step: string, run: () => Promise<Found | void>): Promise<void> {
    const end = await this.host.begin();
    const began = performance.now();
    const own = await run();
    const wall = own?.wall ?? (performance.now() - began) / 1000;
    const figures = await end();
    this.results.push({ host: this.host.name, step, ...figures, ...own, wall });
    const memory = figures.memory === undefined ? "" : `, ${(figures.memory / 1e6).toFixed(0)} MB`;
    console.error(`${this.host.name}: ${step}: ${wall.toFixed(2)} s, server ${figures.cpu.toFixed(3)} s CPU${memory}`);
  }

  /** Checks a clone of everything: nothing counts before fsck passes and the refs are the same. */
  async verify(clone: string): Promise<void> {
    await this.git.ok(["fsck", "--full", "--no-dangling", "--no-progress"], { cwd: clone, timeout: LONG });
    const [ours, theirs] = [await refsOf(this.git, this.subject.directory), await refsOf(this.git, clone)];
    if (ours.join("\n") !== theirs.join("\n")) throw new Error(`${this.host.name}: the clone's refs differ`);
  }
}
