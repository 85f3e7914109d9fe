/**
 * Clients that change a host until it is killed below them: each asks for one thing after the other, on refs of its own.
 *
 * @packageDocumentation
 */
import { rmSync } from "node:fs";
import { ANY_NEW, type Change, type Outcome } from "./crash-model.ts";
import type { CrashBed } from "./crash-bed.ts";
import {
  buildPack,
  commitOf,
  objectId,
  pushBody,
  type RawAnswer,
  type RawCommand,
  reportLines,
  treeOf,
} from "./git-raw.ts";
import { LFS_TYPE, lfsObject } from "./lfs-client.ts";
import type { SeededRandom } from "./seeded-random.ts";

const BRANCHES = 3;
/** Bytes of small files, of large ones, and of objects of Git LFS. A large file takes several parts of an upload. */
const SMALL = 300;
const LARGE = 7_000_000;
const LFS = 60_000;
const LARGE_PUSH = "large push";
/** Milliseconds that a client waits that was told to come again. */
const COME_AGAIN = 50;

/** A commit with all its objects. */
type NewCommit = { readonly oid: string; readonly pack: Buffer };

/** Whether the host says that it is busy, and when to come again. */
export function isBusy({ status, headers }: RawAnswer): boolean {
  return (status === 503 || status === 429) && headers.has("Retry-After");
}

/** Whether git says that of a host. */
export function saysBusy(stderr: string): boolean {
  return /returned error: (?:503|429)\b|try again in \d+ seconds/.test(stderr);
}

function outcomeOf(answer: RawAnswer, made?: string): Outcome {
  const { status, body } = answer;
  if (status < 300) return { kind: "done", ...(made === undefined ? {} : { made }) };
  if (isBusy(answer)) return { kind: "busy" };
  return { kind: "refused", why: `${status} ${body.toString("utf8", 0, 500)}` };
}

/** One client. */
export class CrashClient {
  readonly #bed: CrashBed;
  readonly #random: SeededRandom;
  readonly #name: string;
  readonly #forks: string[] = [];
  #made = 0;
  /** Whether a request of this round was not answered. */
  #isOver = false;

  constructor(bed: CrashBed, name: string, random: SeededRandom) {
    this.#bed = bed;
    this.#name = name;
    this.#random = random;
  }

  /** Changes the repository until the host is gone. */
  async run(path: string): Promise<void> {
    const act = {
      push: () => this.#push(path, SMALL),
      large: () => this.#push(path, LARGE),
      force: () => this.#push(path, SMALL, true),
      atomic: () => this.#atomic(path),
      commit: () => this.#commit(path),
      refs: () => this.#moveByApi(path),
      fork: () => this.#fork(path),
      lfs: () => this.#lfs(path),
      maintain: () => this.#maintain(path),
      clone: () => this.#clone(path),
    };
    while (!this.#bed.isDown && !this.#isOver) {
      const kind = this.#random.weighed<keyof typeof act>([
        [9, "push"],
        [1, "large"],
        [1, "force"],
        [5, "atomic"],
        [3, "commit"],
        [4, "refs"],
        [2, "fork"],
        [2, "lfs"],
        [1, "maintain"],
        [1, "clone"],
      ]);
      await act[kind]();
    }
  }

  /** Asks for a change, and notes what came of it. A change without an answer stays pending. */
  async #ask(change: Change): Promise<Outcome["kind"] | "unknown"> {
    const { model } = this.#bed;
    model.pending.add(change);
    let outcome: Outcome;
    try {
      outcome = await change.send();
    } catch (error) {
      // Nothing more is asked for until it is known what came of this.
      this.#isOver = true;
      // Where the machine is too slow to send a large pack while others wait, the host ends the connection: a limit.
      if (!this.#bed.isDown && change.kind !== LARGE_PUSH)
        await this.#bed.goingDown(`${change.kind} of ${this.#name}: ${String(error)}`);
      return "unknown";
    }
    if (outcome.kind === "done") model.acknowledge(change, outcome.made);
    // What a dying host refuses may be anything.
    else if (this.#bed.isDown) return "unknown";
    else model.pending.delete(change);
    if (outcome.kind === "refused") model.faults.push(`${change.kind} of ${this.#name} was refused: ${outcome.why}`);
    if (outcome.kind === "busy") await new Promise((resolve) => setTimeout(resolve, COME_AGAIN));
    return outcome.kind;
  }

  #branch(): string {
    return `refs/heads/${this.#name}/b${this.#random.below(BRANCHES)}`;
  }

  #value(path: string, ref: string): string | undefined {
    return this.#bed.model.known.get(`${path} ${ref}`);
  }

  #newCommit(bytes: number, parents: readonly string[]): NewCommit {
    this.#made += 1;
    const content = this.#bed.noise(bytes);
    content.set(this.#random.bytes(16));
    const tree = treeOf(["100644", `file-${this.#made}`, objectId("blob", content)]);
    const commit = commitOf(objectId("tree", tree), parents);
    const pack = buildPack([
      { type: "commit", content: commit },
      { type: "tree", content: tree },
      { type: "blob", content },
    ]);
    return { oid: objectId("commit", commit), pack };
  }

  /** Asks for a push of some commands, all or none. */
  async #askPush(kind: string, path: string, commands: readonly RawCommand[], pack?: Buffer): Promise<void> {
    const body = pushBody(commands, pack, "report-status atomic");
    await this.#ask({
      kind,
      after: new Map(commands.map(({ name, new: value }) => [`${path} ${name}`, value])),
      send: async () => {
        const answer = await this.#bed.post(path, "receive-pack", body);
        if (answer.status !== 200) return outcomeOf(answer);
        const lines = reportLines(answer.body);
        if (lines.length !== commands.length + 1) throw new Error(`half an answer: ${lines.join(", ")}`);
        const isDone = lines[0] === "unpack ok" && lines.slice(1).every((line) => line.startsWith("ok "));
        if (isDone) return { kind: "done" };
        // A purge that ends during a push may have taken what the push was checked against.
        const isPurged = this.#bed.purges > 0 && lines.some((line) => line.endsWith(" unpacker error"));
        return isPurged ? { kind: "busy" } : { kind: "refused", why: lines.join(", ") };
      },
    });
  }

  async #push(path: string, bytes: number, isForced = false): Promise<void> {
    const name = this.#branch();
    const old = this.#value(path, name);
    const { oid, pack } = this.#newCommit(bytes, old === undefined || isForced ? [] : [old]);
    const kind = bytes === LARGE ? LARGE_PUSH : isForced ? "forced push" : "push";
    await this.#askPush(kind, path, [{ name, ...(old === undefined ? {} : { old }), new: oid }], pack);
  }

  /** Moves three refs together: each is made, moved or deleted. */
  async #atomic(path: string): Promise<void> {
    const names = ["x", "y", "z"].map((last) => `refs/heads/${this.#name}/${last}`);
    const { oid, pack } = this.#newCommit(SMALL, []);
    const commands = names.map((name, at): RawCommand => {
      const old = this.#value(path, name);
      const isDeleted = at > 0 && old !== undefined && this.#random.below(3) === 0;
      return { name, ...(old === undefined ? {} : { old }), ...(isDeleted ? {} : { new: oid }) };
    });
    await this.#askPush("atomic push", path, commands, pack);
  }

  async #commit(path: string): Promise<void> {
    const name = this.#branch();
    const head = this.#value(path, name);
    if (head === undefined) return;
    this.#made += 1;
    const body = {
      branch: name.slice("refs/heads/".length),
      message: `by the API ${this.#made}`,
      expected_head: head,
      actions: [{ action: "upsert", path: `api-${this.#made}`, content: this.#random.bytes(30).toString("hex") }],
    };
    const key = `${this.#name}-${this.#made}`;
    await this.#ask({
      kind: "commit",
      after: new Map([[`${path} ${name}`, ANY_NEW]]),
      send: async () => {
        const answer = await this.#bed.api("POST", `${path}/commits`, body, { "Idempotency-Key": key });
        if (answer.status >= 300) return outcomeOf(answer);
        const { oid, commit } = JSON.parse(answer.body.toString()) as { oid?: string; commit?: { oid?: string } };
        return outcomeOf(answer, oid ?? commit?.oid);
      },
    });
  }

  /** Makes, moves or deletes a ref by the API, or two of them together. */
  async #moveByApi(path: string): Promise<void> {
    const [from, name, other] = [this.#branch(), `refs/tags/${this.#name}-t`, `refs/heads/${this.#name}/api`];
    const oid = this.#value(path, from);
    if (oid === undefined) return;
    const [old, otherOld] = [this.#value(path, name), this.#value(path, other)];
    const isTogether = this.#random.below(2) === 0;
    if (isTogether) {
      const updates = [
        { name, old: old ?? null, new: oid },
        { name: other, old: otherOld ?? null, new: otherOld === undefined ? oid : null },
      ];
      const after = new Map(updates.map((update) => [`${path} ${update.name}`, update.new ?? undefined]));
      const request = async (): Promise<Outcome> =>
        outcomeOf(await this.#bed.api("POST", `${path}/refs`, { atomic: true, updates }));
      await this.#ask({ kind: "refs together", after, send: request });
      return;
    }
    const isDeleted = old !== undefined && this.#random.below(2) === 0;
    const short = name.slice("refs/".length);
    const request = async (): Promise<Outcome> =>
      outcomeOf(
        isDeleted
          ? await this.#bed.api("DELETE", `${path}/refs/${short}?expected=${old}`)
          : await this.#bed.api("PUT", `${path}/refs/${short}`, { oid, expected: old ?? null, force: true }),
      );
    await this.#ask({ kind: "ref", after: new Map([[`${path} ${name}`, isDeleted ? undefined : oid]]), send: request });
  }

  /** Makes a fork, or deletes one. */
  async #fork(path: string): Promise<void> {
    const [oldest] = this.#forks;
    if (oldest !== undefined && this.#random.below(2) === 0) {
      this.#forks.shift();
      const send = async (): Promise<Outcome> => outcomeOf(await this.#bed.api("DELETE", oldest));
      if ((await this.#ask({ kind: "deletion", after: new Map([[`repo ${oldest}`, undefined]]), send })) === "done")
        this.#bed.model.forget(`${oldest} `);
      return;
    }
    this.#made += 1;
    const repo = `fork-${this.#name}-${this.#made}-${this.#random.below(1e6)}`;
    const fork = `acme/${repo}`;
    this.#forks.push(fork);
    const send = async (): Promise<Outcome> => {
      const answer = await this.#bed.api("POST", `${path}/forks`, { tenant: "acme", repo });
      // Something lies in the parent that no ref reaches, and has to be taken out first.
      return answer.status === 409 ? { kind: "busy" } : outcomeOf(answer);
    };
    const asked = await this.#ask({ kind: "fork", after: new Map([[`repo ${fork}`, "there"]]), send });
    if (asked !== "done" && asked !== "unknown") this.#forks.pop();
  }

  async #lfs(path: string): Promise<void> {
    const bytes = this.#bed.noise(LFS);
    bytes.set(this.#random.bytes(16));
    const { oid, size } = lfsObject(bytes);
    const headers = { Accept: LFS_TYPE, "Content-Type": LFS_TYPE };
    await this.#ask({
      kind: "lfs",
      after: new Map([[`lfs ${path} ${oid}`, "there"]]),
      send: async () => {
        const url = `${this.#bed.url(path)}/info/lfs/objects`;
        const request = Buffer.from(JSON.stringify({ operation: "upload", objects: [{ oid, size }] }));
        const batch = await this.#bed.send(`${url}/batch`, { method: "POST", headers, body: request });
        if (batch.status !== 200) return outcomeOf(batch);
        return outcomeOf(
          await this.#bed.send(`${url}/${oid}`, { method: "PUT", headers: { Accept: LFS_TYPE }, body: bytes }),
        );
      },
    });
  }

  async #maintain(path: string): Promise<void> {
    const purge = this.#random.below(3) === 0;
    if (purge) this.#bed.purges += 1;
    const send = async (): Promise<Outcome> => outcomeOf(await this.#bed.api("POST", `${path}/maintenance`, { purge }));
    await this.#ask({ kind: purge ? "purge" : "maintenance", after: new Map(), send });
  }

  /** Clones: what git takes for a clone has to be one, whenever the host was killed. */
  async #clone(path: string): Promise<void> {
    const { git, model } = this.#bed;
    const cwd = git.fresh("clone");
    const { code, stderr } = await git.git(["clone", "-q", "--mirror", this.#bed.url(path), cwd]);
    if (code === 0) await this.#bed.check(cwd, `a clone that ${this.#name} made under load`);
    else if (saysBusy(stderr)) await new Promise((resolve) => setTimeout(resolve, COME_AGAIN));
    else if (!this.#bed.isDown) await this.#bed.goingDown(`a clone of ${this.#name} failed: ${stderr}`);
    if (code === 0) model.acknowledged.set("clone", (model.acknowledged.get("clone") ?? 0) + 1);
    rmSync(cwd, { recursive: true, force: true });
  }
}
