/**
 * A host under load that is killed and started again on the same state, round by round, and what has to hold after each.
 *
 * @packageDocumentation
 */
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CrashClient, isBusy, saysBusy } from "./crash-clients.ts";
import { type Change, CrashModel, type Outcome } from "./crash-model.ts";
import { exportRepository } from "./export.ts";
import { type GitResult, type GitSandbox, refsOf } from "./git-client.ts";
import { importFixture, linear, noise } from "./git-fixtures.ts";
import { CLOCK_AHEAD } from "./git-process.ts";
import { parsePkts, pktLines, type RawAnswer, send } from "./git-raw.ts";
import { lfsObject } from "./lfs-client.ts";
import { SeededRandom } from "./seeded-random.ts";
import { REQUEST_LIMIT } from "./time-limits.ts";
import { MirrorBed } from "./upstreams.ts";

const CLIENTS = 6;
/** Rounds after which clients go over to a new repository: clones of one that grows for ever would take most of the time. */
const ROUNDS_A_REPOSITORY = 8;
/** Commits of the mirror's upstream, and how many of them come at once. */
const UPSTREAM_COMMITS = 1000;
const UPSTREAM_STEP = 3;
/**
 * The most changes that are acknowledged before a kill, the milliseconds by which it is late at most, and those after which it comes in
 * any case.
 */
const MOST_CHANGES = 30;
const LATE = 40;
const LONGEST = 20_000;
/** Milliseconds between two syncs that are asked for. */
const SYNC_PAUSE = 150;
/**
 * Milliseconds by which the clock goes forward with each start. Jobs that died with the host are taken for lost only some time later,
 * 15 minutes at most: see `JOB_TIME` in `maintenance-database.ts`.
 */
const CLOCK_STEP = 16 * 60_000;
/** The seconds after which small pushes are published: at once, soon, and after the end of the round. */
const PUBLISH_AFTER = ["0", "1", "60"] as const;
/** How often what was cut off is tried again while the host says that it is busy, and the milliseconds in between. */
const MOST_TRIES = 50;
const RETRY_PAUSE = 300;
/** Forks that are cloned after each round. All of them are exported in the end. */
const CLONED_FORKS = 1;
/** Objects of Git LFS that are downloaded after each round: the latest. */
const DOWNLOADED = 12;
/** Bytes from which contents of files are cut. */
const NOISE = 8_000_000;

/** Waits. */
async function pause(milliseconds: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** The host, its clients and what they know. */
export class CrashBed {
  readonly model = new CrashModel();
  readonly #bed = new MirrorBed();
  readonly #random: SeededRandom;
  readonly #noise = noise(NOISE, 1);
  /** How many purges were asked for: a push that one ends beside may be refused, and has to be sent again. */
  purges = 0;
  #isDown = false;
  #rounds = 0;
  #checked = 0;
  #path = "";
  #upstream = { name: "", url: "", directory: "" };
  #mirror = "";
  #commits: readonly string[] = [];
  /** The commit that the upstream is at, and the newest that the mirror was seen at. */
  #at = { upstream: 0, mirror: 0 };

  constructor(seed: number) {
    this.#random = new SeededRandom(seed);
  }

  get git(): GitSandbox {
    return this.#bed.git;
  }

  /** Whether the host is being killed, or gone. */
  get isDown(): boolean {
    return this.#isDown;
  }

  /** The figures so far. */
  get figures(): Record<string, unknown> {
    const { acknowledged, cut, faults } = this.model;
    return {
      rounds: this.#rounds,
      acknowledged: Object.fromEntries([...acknowledged].toSorted(([a], [b]) => (a < b ? -1 : 1))),
      all_acknowledged: [...acknowledged.values()].reduce((sum, count) => sum + count, 0),
      cut_and_done: cut.done,
      cut_and_undone: cut.undone,
      clones_checked: this.#checked,
      faults: faults.length,
    };
  }

  /** The git URL of a repository, with credentials. */
  url(path: string): string {
    return this.#bed.url(path);
  }

  /** Returns bytes that deflate to as many: a copy that may be changed. */
  noise(bytes: number): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.#noise.subarray(0, bytes));
  }

  /** Asks the API about a repository. */
  async api(method: string, path: string, body?: object, headers: Record<string, string> = {}): Promise<RawAnswer> {
    const json = body === undefined ? {} : { body: Buffer.from(JSON.stringify(body)) };
    const type = body === undefined ? {} : { "Content-Type": "application/json" };
    const url = this.#bed
      .url(path)
      .replace(/\.git$/, "")
      .replace("/acme/", "/api/v1/repos/acme/");
    return await this.send(url, { method, headers: { ...type, ...headers }, ...json });
  }

  /** Sends a request, which has to be answered while the host is there. */
  async send(url: string, init: Parameters<typeof send>[1] = {}): Promise<RawAnswer> {
    return await send(url, { ...init, limit: REQUEST_LIMIT });
  }

  /** POSTs to a service of a repository. */
  async post(
    path: string,
    service: string,
    body: Uint8Array,
    headers: Record<string, string> = {},
  ): Promise<RawAnswer> {
    const type = { "Content-Type": `application/x-git-${service}-request` };
    return await this.send(`${this.url(path)}/git-${service}`, { body, headers: { ...type, ...headers } });
  }

  /** Starts the host, and makes the first repositories. */
  async start(): Promise<void> {
    await this.#bed.start();
    const source = await importFixture(this.git, "upstream", linear(UPSTREAM_COMMITS));
    const upstream = await this.#bed.upstream();
    this.#upstream = upstream;
    await this.git.ok(["push", "-q", upstream.pushUrl, "main:refs/hidden/all"], { cwd: source });
    this.#commits = (await this.git.ok(["rev-list", "--reverse", "main"], { cwd: source })).split("\n");
    this.#moveUpstream();
    this.#mirror = await this.#bed.mirror(upstream.url);
    await this.#newRepository();
  }

  async stop(): Promise<void> {
    await this.#bed.stop();
  }

  /** Moves the upstream's branch forward. */
  #moveUpstream(): void {
    this.#at.upstream = Math.min(this.#at.upstream + UPSTREAM_STEP, this.#commits.length - 1);
    writeFileSync(join(this.#upstream.directory, "refs", "heads", "main"), `${this.#commits[this.#at.upstream]}\n`);
  }

  async #newRepository(): Promise<void> {
    this.#path = `acme/shared-${this.#rounds}`;
    const { status } = await this.api("PUT", this.#path, {});
    if (status !== 201) throw new Error(`making ${this.#path}: ${status}`);
    this.model.known.set(`repo ${this.#path}`, "there");
  }

  /** Notes a request that failed, unless the host is killed within a moment: clients see that before the test does. */
  async goingDown(what: string): Promise<void> {
    await pause(50);
    if (!this.#isDown) this.model.faults.push(`${what}, and the host was not killed`);
  }

  /** Has git look at a clone. */
  async check(cwd: string, what: string): Promise<void> {
    this.#checked += 1;
    const { code, stderr, stdout } = await this.git.git(["fsck", "--full", "--strict", "--no-progress"], { cwd });
    if (code !== 0) this.model.faults.push(`${what} is broken: ${stderr}${stdout}`);
  }

  /** Plays one round: load, a kill, a start, and all checks. */
  async round(): Promise<void> {
    this.#rounds += 1;
    this.#isDown = false;
    if (this.#rounds % ROUNDS_A_REPOSITORY === 0) await this.#retire();
    const clients = Array.from({ length: CLIENTS }, (_, at) => {
      const name = `r${this.#rounds}c${at}`;
      return new CrashClient(this, name, new SeededRandom(this.#random.below(2 ** 30))).run(this.#path);
    });
    const load = Promise.all([...clients, this.#sync()]);
    await this.#acknowledged(this.#random.below(MOST_CHANGES));
    await pause(this.#random.below(LATE));
    this.#isDown = true;
    const ahead = String(CLOCK_STEP * this.#rounds);
    const env = { PUBLISH_AFTER: this.#random.pick(PUBLISH_AFTER), [CLOCK_AHEAD]: ahead };
    await this.#bed.crash(env, async () => void (await load));
    await this.#settle();
  }

  /** Waits until this number of changes was acknowledged. */
  async #acknowledged(changes: number): Promise<void> {
    const sum = (): number => [...this.model.acknowledged.values()].reduce((all, count) => all + count, 0);
    const [end, until] = [Date.now() + LONGEST, sum() + changes];
    while (sum() < until && Date.now() < end) await pause(2);
  }

  /** Asks for syncs of the mirror while its upstream moves. */
  async #sync(): Promise<void> {
    while (!this.#isDown) {
      this.#moveUpstream();
      try {
        const answer = await this.api("POST", `${this.#mirror}/mirror/sync`);
        const { status } = answer;
        if (status !== 202 && !isBusy(answer) && !this.#isDown)
          this.model.faults.push(`a sync was answered with ${status}`);
      } catch (error) {
        await this.goingDown(`a sync: ${String(error)}`);
      }
      await pause(SYNC_PAUSE);
    }
  }

  /** Deletes the repository and all forks, and goes over to a new one. */
  async #retire(): Promise<void> {
    for (const path of this.#repositories()) {
      const { status } = await this.api("DELETE", path);
      if (status !== 204) this.model.faults.push(`deleting ${path}: ${status}`);
      for (const prefix of [`repo ${path}`, `${path} `, `lfs ${path} `]) this.model.forget(prefix);
    }
    await this.#newRepository();
  }

  /** The paths of the repositories that should be there. */
  #repositories(): string[] {
    const begin = "repo ";
    return [...this.model.known.keys()].filter((key) => key.startsWith(begin)).map((key) => key.slice(begin.length));
  }

  /** Compares all that is there with what was acknowledged, and has what was cut off done again. */
  async #settle(): Promise<void> {
    const cut = [...this.model.pending];
    await this.#finishDeletions(cut);
    const done = await this.#settleRepositories();
    for (const path of this.#repositories()) {
      const found = await this.#refs(path);
      this.#adopt(path, found);
      for (const [change, isDone] of this.model.observe(`${path} `, found)) done.set(change, isDone);
    }
    for (const [change, isDone] of await this.#settleLfs()) done.set(change, isDone);
    for (const change of this.model.pending) if (change.after.size === 0) this.model.pending.delete(change);
    for (const change of cut) await this.#retry(change, done.get(change) === true);
    for (const path of this.#repositories()) this.#adopt(path, await this.#refs(path));
    const forks = this.#repositories().filter((path) => path !== this.#path);
    // Those made in this round are the last.
    await this.#clone([this.#path, ...forks.slice(-CLONED_FORKS)]);
    await this.#checkMirror();
  }

  /** Takes over the refs that a fork began with: each is what its parent had at some moment. Git says later whether it is whole. */
  #adopt(path: string, found: ReadonlyMap<string, string>): void {
    if (path === this.#path || [...this.model.known.keys()].some((key) => key.startsWith(`${path} `))) return;
    for (const [key, value] of found) {
      this.model.known.set(key, value);
      const ref = key.slice(path.length);
      if (!this.model.ever.has(`${this.#path}${ref} ${value}`))
        this.model.faults.push(`${key} is ${value}, which its parent never had`);
    }
  }

  /** Sends deletions again that were cut off: one that has begun ends by itself, at any time, and then the others see it. */
  async #finishDeletions(cut: readonly Change[]): Promise<void> {
    for (const change of cut) {
      if (change.kind === "deletion") await change.send().catch(() => undefined);
    }
  }

  async #settleRepositories(): Promise<Map<Change, boolean>> {
    const asked = [...this.model.pending].flatMap(({ after }) => [...after.keys()]);
    const names = new Set([...asked, ...this.model.known.keys()].filter((key) => key.startsWith("repo ")));
    const found = new Map<string, string>();
    for (const key of names) {
      const { status } = await this.api("GET", key.slice("repo ".length));
      if (status === 200) found.set(key, "there");
    }
    const settled = this.model.observe("repo ", found);
    for (const key of names) if (!found.has(key)) this.model.forget(`${key.slice("repo ".length)} `);
    return settled;
  }

  /** Sends a request again that was cut off: it is taken, unless it was done the first time. */
  async #retry(change: Change, wasDone: boolean): Promise<void> {
    let outcome: Outcome = { kind: "busy" };
    // A fork is refused for minutes after a forced push.
    const most = change.kind === "fork" ? 1 : MOST_TRIES;
    for (let tries = 0; outcome.kind === "busy" && tries < most; tries++) {
      if (tries > 0) await pause(RETRY_PAUSE);
      outcome = await change.send().catch((error: unknown) => ({ kind: "refused" as const, why: String(error) }));
    }
    if (outcome.kind === "done" && !wasDone) this.model.acknowledge(change, outcome.made);
    else if (outcome.kind !== "done" && !wasDone && change.after.size > 0 && change.kind !== "fork")
      this.model.faults.push(
        `${change.kind} was cut off, and not taken when it was tried again: ${JSON.stringify(outcome)}`,
      );
  }

  /** Reads the refs of a repository. */
  async #refs(path: string): Promise<Map<string, string>> {
    const request = pktLines("command=ls-refs", "object-format=sha1", "0001", "ref-prefix refs/", "0000");
    const { status, body } = await this.post(path, "upload-pack", request, { "Git-Protocol": "version=2" });
    if (status !== 200) this.model.faults.push(`listing refs of ${path}: ${status}`);
    const lines = parsePkts(body).map((line) => line.toString().trimEnd().split(" "));
    return new Map(
      lines.flatMap(([oid = "", name]) => (name === undefined ? [] : [[`${path} ${name}`, oid] as const])),
    );
  }

  /** Downloads the objects of Git LFS that were acknowledged or asked for. */
  async #settleLfs(): Promise<Map<Change, boolean>> {
    const asked = [...this.model.pending].flatMap(({ after }) => [...after.keys()]);
    const acknowledged = [...this.model.known.keys()].filter((key) => key.startsWith("lfs "));
    for (const key of acknowledged.slice(0, -DOWNLOADED)) this.model.forget(key);
    const keys = new Set([...asked.filter((key) => key.startsWith("lfs ")), ...acknowledged.slice(-DOWNLOADED)]);
    const found = new Map<string, string>();
    for (const key of keys) {
      const [, path = "", oid = ""] = key.split(" ");
      const { status, body } = await this.send(`${this.url(path)}/info/lfs/objects/${oid}`);
      if (status === 200 && lfsObject(body).oid === oid) found.set(key, "there");
      else if (status === 200) this.model.faults.push(`${key} has other bytes`);
    }
    return this.model.observe("lfs ", found);
  }

  /** Clones repositories, and compares what comes. */
  async #clone(paths: readonly string[]): Promise<void> {
    for (const path of paths) {
      const cwd = this.git.fresh("checked");
      const clone = async (): Promise<GitResult> =>
        await this.git.git(["clone", "-q", "--mirror", this.url(path), cwd]);
      let result = await clone();
      for (let tries = 1; result.code !== 0 && saysBusy(result.stderr) && tries < MOST_TRIES; tries++) {
        await pause(RETRY_PAUSE);
        result = await clone();
      }
      const { code, stderr } = result;
      if (code === 0) await this.check(cwd, `the clone of ${path}`);
      else this.model.faults.push(`cloning ${path}: ${stderr}`);
      if (code === 0) this.#compare(path, await refsOf(this.git, cwd));
      rmSync(cwd, { recursive: true, force: true });
    }
  }

  #compare(path: string, refs: readonly string[]): void {
    const known = [...this.model.known].filter(([key]) => key.startsWith(`${path} `));
    const expected = known.map(([key, value]) => `${key.slice(path.length + 1)} ${value}`).toSorted();
    if (refs.toSorted().join("\n") !== expected.join("\n"))
      this.model.faults.push(`the clone of ${path} has other refs than were listed`);
  }

  /** A mirror is what its upstream was at some moment, and never goes back. */
  async #checkMirror(): Promise<void> {
    const found = await this.#refs(this.#mirror);
    const at = this.#commits.indexOf(found.get(`${this.#mirror} refs/heads/main`) ?? "");
    if (found.size !== 1 || at < this.#at.mirror || at > this.#at.upstream)
      this.model.faults.push(`the mirror is at ${at} with ${found.size} refs, between ${JSON.stringify(this.#at)}`);
    this.#at.mirror = at;
  }

  /** When the load is over: the mirror comes to where its upstream is, and exports of all are whole. */
  async end(): Promise<void> {
    const state = await this.#bed.sync(this.#mirror);
    if (state.last_error !== null) this.model.faults.push(`the mirror: ${state.last_error}`);
    this.#at.mirror = this.#at.upstream;
    await this.#checkMirror();
    for (const path of [...this.#repositories(), this.#mirror]) {
      const target = this.git.fresh("exported");
      await exportRepository(`${this.#bed.host.base}/api/v1/repos/${path}`, this.#bed.token, target);
      await this.check(target, `the export of ${path}`);
      if (path !== this.#mirror) this.#compare(path, await refsOf(this.git, target));
    }
  }
}
