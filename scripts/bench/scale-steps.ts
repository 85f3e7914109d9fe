/**
 * What a repository costs as it grows: a clone, a push and a fetch of one commit, measured at several sizes.
 *
 * @packageDocumentation
 */
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { objectFormat } from "../../src/object/object-id.ts";
import { type GitSandbox, withToken } from "../../test/support/git-client.ts";
import { post, pushBody, reportLines } from "../../test/support/git-raw.ts";
import { pushSingly } from "../../test/support/single-pushes.ts";
import { discardClone } from "./discarding-client.ts";
import type { Host, ServerFigures } from "./hosts.ts";
import { startRelay } from "./relay.ts";
import { addCommits } from "./repositories.ts";
import { countLines } from "./request-log.ts";
import { type ScaleKind, type ScaleSubject, writePackedRefs } from "./scale-repositories.ts";
import { LONG } from "./steps.ts";

export const PUSHED = "push";
/** A push of more objects than are taken at once: the time is that until the client is told why. */
export const REFUSED = "push at once, refused";
export const CLONED = "clone";
/** The clone of a history that came with one push. */
export const CLONED_AT_ONCE = "clone of what was pushed at once";
export const PUSHED_ONE = "push of one commit";
export const FETCHED_ONE = "fetch of one commit";
export const EARLY_PUSH = "an early push";
export const LATE_PUSH = "the last push";

const BRANCH = "refs/heads/main";
const LOOK_MS = 250;
const MOST_LOOKS = 7200;
/** The pushes after which the early ones are measured, and how many are. With more, maintenance would be due meanwhile. */
const [EARLY, TOGETHER] = [20, 5];
/** Maintenance keeps its last twenty runs, so they are noted in between. */
const NOTED_EVERY = 10;

/** The figures of a step on a repository of some size. */
export type ScalePoint = ServerFigures & {
  readonly host: string;
  readonly kind: ScaleKind;
  readonly size: number;
  readonly step: string;
  /** Seconds. */
  readonly wall: number;
  /** Bytes that the client was sent. */
  readonly bytes?: number;
  /** Pushes that the figures are of. */
  readonly times?: number;
};

/** What a repository has become by its pushes. */
export type Grown = {
  readonly size: number;
  readonly packs: number;
  /** Bytes that maintenance wrote, and bytes that were pushed. */
  readonly written: number;
  readonly pushed: number;
};

type Run = { readonly at: string; readonly step: string; readonly bytes_written: number };
type Maintenance = {
  readonly total: { readonly packs: number; readonly bytes: number };
  readonly due: unknown;
  readonly running_since: string | null;
  readonly runs: readonly Run[];
};

/** Measures repositories on one host. */
export class ScaleSteps {
  readonly points: ScalePoint[] = [];
  readonly grown: Grown[] = [];
  /** Bytes of each repository's packs, by kind and size. */
  readonly stored = new Map<string, number>();
  readonly #git: GitSandbox;
  readonly #host: Host;
  readonly #told: (line: string) => void;

  constructor(git: GitSandbox, host: Host, told: (line: string) => void = () => undefined) {
    this.#git = git;
    this.#host = host;
    this.#told = told;
  }

  /** Takes all steps on a repository. */
  async measure(subject: ScaleSubject): Promise<void> {
    const { kind, size } = subject;
    const path = `bench/${kind}-${size}`;
    await this.#create(path);
    if (kind === "pushes") await this.#pushSingly(subject, path);
    else await this.#push(subject, path);
    await this.#tidy(path);
    this.stored.set(`${kind} ${size}`, await this.#bytesOf(path));
    await this.#step(subject, CLONED, () => this.#discard(path));
    if (kind === "pushes") await this.#cloneAtOnce(subject);
    await this.#oneCommit(subject, path);
  }

  #url(path: string): string {
    return withToken(`${this.#host.base}/${path}.git`, this.#host.token);
  }

  async #create(path: string): Promise<void> {
    const headers = { Authorization: `Bearer ${this.#host.token}`, "Content-Type": "application/json" };
    const answer = await fetch(`${this.#host.base}/api/v1/repos/${path}`, { method: "PUT", headers, body: "{}" });
    if (answer.status !== 201) throw new Error(`${this.#host.name}: creating ${path} gave ${answer.status}`);
    await answer.arrayBuffer();
  }

  async #step(
    { kind, size }: Pick<ScaleSubject, "kind" | "size">,
    step: string,
    run: () => Promise<Partial<ScalePoint>>,
  ): Promise<void> {
    const end = await this.#host.begin();
    const began = performance.now();
    const own = await run();
    const wall = (performance.now() - began) / 1000;
    this.#note({ host: this.#host.name, kind, size, step, wall, ...(await end()), ...own });
  }

  #note(point: ScalePoint): void {
    this.points.push(point);
    const { host, kind, size, step, wall, cpu, memory, counts } = point;
    const reads = counts === undefined ? "" : `, ${counts.r2r} reads of ${counts.r2b} bytes, ${counts.do} calls`;
    const peak = memory === undefined ? "" : `, ${Math.round(memory / 1e6)} MB`;
    this.#told(`${host}: ${size} ${kind}: ${step}: ${wall.toFixed(2)} s, ${cpu.toFixed(3)} s CPU${peak}${reads}`);
  }

  async #push(subject: ScaleSubject, path: string): Promise<void> {
    const { directory, revisions, refs } = subject;
    const url = this.#url(path);
    if (revisions.length > 1 && this.#host.directory === undefined) await this.#pushAtOnce(subject, path);
    await this.#step(subject, PUSHED, async () => {
      for (const revision of revisions)
        await this.#git.ok(["push", "-q", url, `${revision}:${BRANCH}`], { cwd: directory, timeout: LONG });
      return {};
    });
    if (refs.length > 0) await this.#pushRefs(subject, path);
  }

  /** Pushes everything at once, which is more than is taken, and finds that git's client is told so. */
  async #pushAtOnce({ kind, size, directory }: ScaleSubject, path: string): Promise<void> {
    const relay = await startRelay(this.#host);
    try {
      const url = withToken(`${relay.base}/${path}.git`, this.#host.token);
      const end = await this.#host.begin();
      const { code, stderr } = await this.#git.git(["push", "-q", url, BRANCH], { cwd: directory, timeout: LONG });
      const figures = onlyPushes(await end());
      if (code === 0 || !stderr.includes("push older commits first")) throw new Error(`not refused: ${stderr}`);
      const last = relay.relayed.findLast(({ path: asked }) => asked.endsWith("/git-receive-pack"));
      if (last === undefined) throw new Error("nothing was pushed");
      this.#note({ host: this.#host.name, kind, size, step: REFUSED, wall: last.firstByte, ...figures });
    } finally {
      await relay.close();
    }
  }

  /** Pushes refs to what is there. git's own client takes time quadratic in their number. */
  async #pushRefs(subject: ScaleSubject, path: string): Promise<void> {
    const { directory, refs, revisions } = subject;
    const served = this.#host.directory?.(path);
    const tip = revisions.at(-1) ?? ""; // There is always one.
    if (served !== undefined) return writePackedRefs(served, [...refs, { name: BRANCH, oid: tip }]);
    const nothing = await this.#git.bytes(["pack-objects", "--stdout", "-q"], { cwd: directory, input: "" });
    await this.#step(subject, "push of the refs", async () => {
      const body = pushBody(
        refs.map(({ name, oid }) => ({ name, new: oid })),
        nothing,
      );
      const report = reportLines((await post(this.#url(path), "receive-pack", body)).body);
      if (report.length !== refs.length + 1 || report.some((line) => !/^(?:unpack )?ok/.test(line)))
        throw new Error(`the refs were not taken: ${report.slice(0, 3).join(", ")}`);
      return {};
    });
  }

  /** Pushes commit by commit, and measures some early ones and the last ones. */
  async #pushSingly(subject: ScaleSubject, path: string): Promise<void> {
    const { directory, revisions, size } = subject;
    const runs = new Map<string, number>();
    const last = revisions.length - 1;
    let end: (() => Promise<ServerFigures>) | undefined;
    let began = 0;
    const pushed = await pushSingly(this.#url(path), { cwd: directory, commits: revisions }, async (index) => {
      if (index % NOTED_EVERY === NOTED_EVERY - 1) await this.#noteRuns(path, runs);
      if (index === EARLY || index === last - TOGETHER) {
        await this.#settle(path);
        end = await this.#host.begin();
        began = performance.now();
      }
      if ((index === EARLY + TOGETHER || index === last) && end !== undefined) {
        const wall = (performance.now() - began) / 1000;
        const step = index === last ? LATE_PUSH : EARLY_PUSH;
        const figures = onlyPushes(await end());
        this.#note({ host: this.#host.name, kind: "pushes", size, step, wall, ...figures, times: TOGETHER });
      }
    });
    await this.#tidy(path);
    await this.#noteRuns(path, runs);
    const state = await this.#maintenance(path);
    if (state === undefined) return;
    const written = [...runs.values()].reduce((sum, bytes) => sum + bytes, 0);
    this.grown.push({ size, packs: state.total.packs, written, pushed });
  }

  async #noteRuns(path: string, runs: Map<string, number>): Promise<void> {
    for (const { at, step, bytes_written } of (await this.#maintenance(path))?.runs ?? [])
      runs.set(`${at} ${step}`, bytes_written);
  }

  async #cloneAtOnce(subject: ScaleSubject): Promise<void> {
    const path = `bench/at-once-${subject.size}`;
    await this.#create(path);
    await this.#git.ok(["push", "-q", this.#url(path), BRANCH], { cwd: subject.directory, timeout: LONG });
    await this.#tidy(path);
    await this.#step(subject, CLONED_AT_ONCE, () => this.#discard(path));
  }

  async #discard(path: string): Promise<{ bytes: number }> {
    const url = `${this.#host.base}/${path}.git`;
    const { bytes } = await discardClone(url, this.#host.token, objectFormat("sha1"));
    return { bytes };
  }

  /** Clones and checks the clone, pushes a commit, and fetches it. */
  async #oneCommit(subject: ScaleSubject, path: string): Promise<void> {
    const git = this.#git;
    const { directory, kind, size } = subject;
    const clone = git.fresh("clone");
    await git.ok(["clone", "-q", "--mirror", this.#url(path), clone], { timeout: LONG });
    await git.ok(["fsck", "--connectivity-only", "--no-dangling", "--no-progress"], { cwd: clone, timeout: LONG });
    const before = await git.ok(["rev-parse", BRANCH], { cwd: directory });
    const tip = await addCommits(git, { cwd: directory, branch: BRANCH, first: 1, count: 1 });
    await this.#step(subject, PUSHED_ONE, async () => {
      await git.ok(["push", "-q", this.#url(path), BRANCH], { cwd: directory, timeout: LONG });
      return {};
    });
    await this.#tidy(path, false);
    const other = git.fresh("other");
    await git.ok(["clone", "-q", "--mirror", clone, other], { timeout: LONG });
    await this.#step({ kind, size }, FETCHED_ONE, async () => {
      await git.ok(["fetch", "-q", "--no-tags", this.#url(path), `${BRANCH}:refs/new`], { cwd: clone, timeout: LONG });
      return {};
    });
    const point = this.points.pop();
    if (point !== undefined) this.points.push({ ...point, bytes: await this.#fetchedBytes(other, path) });
    const got = await git.ok(["rev-parse", "refs/new"], { cwd: clone });
    if (got !== tip) throw new Error(`${this.#host.name}: the fetch brought ${got}, not ${tip}`);
    await git.ok(["rev-list", "--objects", "--quiet", `${before}..refs/new`], { cwd: clone });
    await git.ok(["update-ref", BRANCH, before], { cwd: directory });
  }

  /** Returns the bytes that a fetch of the branch into a clone is sent. */
  async #fetchedBytes(clone: string, path: string): Promise<number> {
    const relay = await startRelay(this.#host);
    try {
      const url = withToken(`${relay.base}/${path}.git`, this.#host.token);
      await this.#git.ok(["fetch", "-q", "--no-tags", url, `${BRANCH}:refs/new`], { cwd: clone, timeout: LONG });
      const [, last] = relay.relayed.filter(({ method, status }) => method === "POST" && status === 200);
      if (last === undefined) throw new Error(`${this.#host.name}: nothing was fetched`);
      return last.bytes;
    } finally {
      await relay.close();
    }
  }

  /** Has the host bring the repository into its best form: by its maintenance, or as its administrator would. */
  async #tidy(path: string, isAsked = true): Promise<void> {
    const served = this.#host.directory?.(path);
    if (served !== undefined) {
      if (isAsked) await this.#git.ok(["repack", "-q", "-adb"], { cwd: served, timeout: LONG });
      return;
    }
    await this.#settle(path);
    if (!isAsked) return;
    await this.#ask(path, "POST");
    await this.#settle(path);
  }

  async #settle(path: string): Promise<void> {
    for (let looks = 0; looks < MOST_LOOKS; looks++) {
      const state = await this.#maintenance(path);
      if (state === undefined || (state.due === null && state.running_since === null)) return;
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
    throw new Error(`${this.#host.name}: maintenance has no end`);
  }

  async #maintenance(path: string): Promise<Maintenance | undefined> {
    return this.#host.directory === undefined ? await this.#ask(path, "GET") : undefined;
  }

  async #ask(path: string, method: "GET" | "POST"): Promise<Maintenance> {
    const url = `${this.#host.base}/api/v1/repos/${path}/maintenance`;
    const answer = await fetch(url, { method, headers: { Authorization: `Bearer ${this.#host.token}` } });
    if (!answer.ok) throw new Error(`${this.#host.name}: ${answer.status} for maintenance`);
    const state: Maintenance = Object(await answer.json());
    return state;
  }

  async #bytesOf(path: string): Promise<number> {
    const served = this.#host.directory?.(path);
    if (served === undefined) return (await this.#ask(path, "GET")).total.bytes;
    const folder = join(served, "objects", "pack");
    const packs = readdirSync(folder).filter((name) => name.endsWith(".pack"));
    return packs.reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
  }
}

/** Leaves out requests that were no pushes: maintenance is asked how it goes in between. */
function onlyPushes(figures: ServerFigures): ServerFigures {
  const lines = figures.counts?.lines.filter(({ path }) => String(path).endsWith("/git-receive-pack"));
  return lines === undefined ? figures : { ...figures, counts: countLines(lines) };
}
