/**
 * Steps that take a part of a repository: to a depth, without some objects, one branch, what is missing.
 *
 * The objects that come are compared with those from the host measured before: clones from C git and from this host must
 * have the same.
 *
 * @packageDocumentation
 */
import { createHash } from "node:crypto";
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { fetchObjects } from "./discarding-client.ts";
import { startRelay } from "./relay.ts";
import { addCommits } from "./repositories.ts";
import { LONG, type Found, type Measuring } from "./steps.ts";
import { refsOf, withToken } from "../../test/support/git-client.ts";

export const DEPTH = "clone --depth 1";
export const NO_BLOBS = "clone --filter=blob:none";
export const NO_TREES = "clone --filter=tree:0";
export const HALF = "clone --single-branch of half";
export const NEGOTIATION = "fetch, 3,000 commits of its own";
export const RANDOM_BLOBS = "1,000 random blobs";
export const OLD_TREE = "1,000 blobs of an old tree";

/** What is added to a step's name where a branch was deleted before, so that the host has to find out what is reachable. */
export const DELETED = ", a branch deleted";

const LOCAL_COMMITS = 3000;
const NEW_COMMITS = 500;

/** The means by which hosts are compared. */
export type Comparison = {
  /** Per step, a digest of the names of the objects that it brought first. */
  readonly brought: Map<string, string>;
  /** The number of hosts that were measured before. */
  turn: number;
};

/** Takes these steps on one host. */
export class PartialSteps {
  readonly #on: Measuring;
  readonly #with: Comparison;

  constructor(measuring: Measuring, comparison: Comparison) {
    this.#on = measuring;
    this.#with = comparison;
  }

  /** Clones of all refs without blobs, or without trees. `suffix` tells apart what the server did before. */
  async filtered(suffix = ""): Promise<void> {
    for (const step of [NO_BLOBS, NO_TREES]) {
      await this.#clone(step, ["--mirror", step.replace(/^clone /, "")], suffix);
    }
  }

  /** Clones to a depth of one commit, several times. */
  async shallow(runs: number): Promise<void> {
    await this.#on.median(runs, async () => await this.#branch(DEPTH, this.#on.subject.branch, "--depth=1"));
  }

  /** Clones the branch that reaches half of the history. `suffix` tells apart what the server did before. */
  async half(suffix = ""): Promise<void> {
    const { half } = this.#on.subject;
    if (half === undefined) return;
    await this.#branch(HALF, half, "--single-branch", suffix);
  }

  /** Asks for objects by name as a clone without blobs does: some of everywhere, and those of one old tree. */
  async lazy(runs: number): Promise<void> {
    const { git, subject, host, repository } = this.#on;
    // All of a repository of a few blobs is a clone.
    if (subject.scenario !== undefined) return;
    const { random, old } = subject.blobs;
    const url = `${host.base}/${repository}.git`;
    for (const [step, wants] of [
      [RANDOM_BLOBS, random],
      [OLD_TREE, old],
    ] as const) {
      await this.#on.median(runs, async () => {
        let pack: Buffer = Buffer.alloc(0);
        await this.#on.step(step, async () => {
          pack = await fetchObjects(url, host.token, { format: subject.format, wants });
          return { bytes: pack.length };
        });
        const directory = await git.init("lazy", "--bare");
        await git.ok(["index-pack", "--stdin", "--strict"], { cwd: directory, input: pack, timeout: LONG });
        const got = await this.#objects(directory);
        if (got.join("\n") !== wants.toSorted().join("\n")) throw new Error(`${host.name}: ${step} are others`);
      });
    }
  }

  /** Fetches what is new into a clone with many commits that the server does not have, and counts the rounds. */
  async negotiation(): Promise<void> {
    const { git, host, subject, repository, remote } = this.#on;
    const { branch, directory } = subject;
    if (subject.half === undefined) return;
    const cwd = git.fresh("negotiating");
    await git.ok(["clone", "-q", "--mirror", directory, cwd], { timeout: LONG });
    await addCommits(git, { cwd, branch, first: 10_000, count: LOCAL_COMMITS });
    // Others for each host: the clone of a directory on this disk has all that was ever there.
    const first = 20_000 + this.#with.turn * NEW_COMMITS;
    const tip = await addCommits(git, { cwd: directory, branch, first, count: NEW_COMMITS });
    await git.ok(["push", "-q", remote, branch], { cwd: directory, timeout: LONG });
    const relay = await startRelay(host);
    const url = withToken(`${relay.base}/${repository}.git`, host.token);
    try {
      await this.#on.step(NEGOTIATION, async (): Promise<Found> => {
        await git.ok(["-c", "fetch.fsckObjects=true", "fetch", "-q", url, `${branch}:refs/new`], {
          cwd,
          timeout: LONG,
        });
        // The first lists the refs.
        const [, ...rounds] = relay.relayed.filter(({ method, status }) => method === "POST" && status === 200);
        const bytes = rounds.reduce((total, round) => total + round.bytes, 0);
        return { bytes, rounds: rounds.length, slowestRound: Math.max(...rounds.map(({ cpu }) => cpu)) };
      });
    } finally {
      await relay.close();
    }
    const got = await git.ok(["rev-parse", "refs/new"], { cwd });
    if (got !== tip) throw new Error(`${host.name}: the fetch brought ${got}, not ${tip}`);
    await git.ok(["rev-list", "--objects", "--quiet", `${branch}..refs/new`], { cwd, timeout: LONG });
  }

  /** Deletes a branch, and clones what is left: whole, without blobs and without trees. */
  async afterDeletion(): Promise<void> {
    const { git, remote, subject } = this.#on;
    if (subject.half === undefined) return;
    await git.ok(["push", "-q", remote, `:${subject.half}`], { cwd: subject.directory, timeout: LONG });
    await this.#clone("clone", ["--mirror"], DELETED);
    await this.filtered(DELETED);
  }

  /** Clones one branch: what HEAD names is not the same on every host. */
  async #branch(step: string, ref: string, option: string, suffix = ""): Promise<void> {
    await this.#clone(step, ["--bare", option, `--branch=${ref.replace("refs/heads/", "")}`], suffix);
  }

  /** Clones with git, and checks the objects that came. */
  async #clone(step: string, args: readonly string[], suffix = ""): Promise<void> {
    const { git, host, remote, subject } = this.#on;
    const cwd = git.fresh("partial");
    await this.#on.step(`${step}${suffix}`, async () => {
      await git.ok(["clone", "-q", ...args, remote, cwd], { timeout: LONG });
      return { bytes: packBytes(cwd) };
    });
    // Real repositories have old faults, so not `--strict`.
    await git.ok(["fsck", "--full", "--no-dangling", "--no-progress"], { cwd, timeout: LONG });
    const there = new Set(await refsOf(git, subject.directory));
    const refs = await refsOf(git, cwd);
    if (refs.length === 0 || !refs.every((ref) => there.has(ref))) throw new Error(`${host.name}: ${step}: wrong refs`);
    const objects = createHash("sha256")
      .update([...refs, ...(await this.#objects(cwd))].join("\n"))
      .digest("hex");
    // By then each host has commits that no other one was sent.
    const key = suffix === DELETED ? `${host.name}: ${step}${suffix}` : step + suffix;
    const before = this.#with.brought.get(key) ?? objects;
    if (before !== objects) throw new Error(`${host.name}: ${step} brought other objects than it did before`);
    this.#with.brought.set(key, objects);
  }

  async #objects(cwd: string): Promise<string[]> {
    const list = ["cat-file", "--batch-all-objects", "--batch-check=%(objectname)"];
    return (await this.#on.git.ok(list, { cwd, timeout: LONG })).split("\n");
  }
}

/** The bytes of the packs of a bare clone: what it was sent, but for framing. */
function packBytes(cwd: string): number {
  const folder = join(cwd, "objects", "pack");
  const packs = readdirSync(folder).filter((name) => name.endsWith(".pack"));
  return packs.reduce((total, name) => total + statSync(join(folder, name)).size, 0);
}
