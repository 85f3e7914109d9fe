/**
 * Clients that read so slowly that the packs which they are sent from are replaced meanwhile, and then deleted.
 *
 * @module-tag thorough
 */
import { type IncomingMessage, request } from "node:http";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { itemAt } from "../../src/bytes/assert.ts";
import { type FixtureStream, importFixture, linear, noise } from "../support/git-fixtures.ts";
import { packOf, parsePkts, pktLines, send } from "../support/git-raw.ts";
import { rowsOf } from "../support/simulator-rows.ts";
import { WAIT_LIMIT } from "../support/time-limits.ts";
import { MirrorBed } from "../support/upstreams.ts";

const HOUR = 3_600_000;
/** Bytes of each of the pushes, and how many of them a client is sent: more than all buffers on the way hold. */
const PUSH = 3_500_000;
const PUSHES = 4;
/** Pushes that may come while a client reads. */
const MORE = 4;
/** Small commits before those, and all that a client of the whole gets. */
const BEFORE = 6;
const ALL = BEFORE + PUSHES;
/** Bytes that a client reads at once, and the milliseconds in between: one that took nothing for two minutes would be sent no more. */
const STEP = 128_000;
const PAUSE = 2000;

const bed = new MirrorBed();
const { git } = bed;
let source = "";
/** The commits that are pushed one after the other, and those that come while a client reads. */
let commits: readonly string[] = [];
let more: readonly string[] = [];

beforeAll(async () => {
  await bed.start();
  const stream: FixtureStream = linear(BEFORE);
  for (let n = 0; n < PUSHES + MORE; n++)
    stream.commit("refs/heads/main", [{ path: `large-${n}.bin`, content: noise(PUSH, n + 1) }]);
  source = await importFixture(git, "source", stream);
  const all = (await git.ok(["rev-list", "--reverse", "main"], { cwd: source })).split("\n").slice(-PUSHES - MORE);
  commits = all.slice(0, PUSHES);
  more = all.slice(PUSHES);
});
afterAll(() => bed.stop());

let count = 0;

/** Makes a repository. Gives its path, the names of its packs, and the keys of their files in the bucket. */
async function filled(): Promise<{ path: string; packs: string[]; keys: string[] }> {
  count += 1;
  const others = keysOf();
  const path = `acme/long-${count}`;
  expect((await bed.api("PUT", path)).status).toBe(201);
  for (const commit of commits)
    await git.ok(["push", "-q", bed.url(path), `${commit}:refs/heads/main`], { cwd: source });
  await bed.maintained(path);
  const keys = keysOf().filter((key) => !others.includes(key));
  expect(keys.length).toBeGreaterThan(0);
  return { path, packs: await packsOf(path), keys };
}

/** Returns the names of the packs of a repository, as its catalog has them now. */
async function packsOf(path: string): Promise<string[]> {
  const { body } = await send(`${bed.url(path)}/objects/info/packs`);
  return [...body.toString().matchAll(/pack-(\w+)\.pack/g)].map(([, name = ""]) => name);
}

/** Has maintenance replace all packs of a repository by others. */
async function replace(path: string, packs: readonly string[]): Promise<void> {
  for (const commit of more) {
    await git.ok(["push", "-q", bed.url(path), `${commit}:refs/heads/more`], { cwd: source });
    expect((await bed.api("POST", `${path}/maintenance`, {})).status).toBe(202);
    await bed.maintained(path);
    const now = await packsOf(path);
    if (packs.every((name) => !now.includes(name))) return;
  }
  throw new Error("packs that were there before are there still");
}

/** Returns the keys of all packs in the bucket. Their names there are not those that the dumb protocol gives them. */
function keysOf(): string[] {
  const keys = rowsOf(bed.state, "_mf_objects").map(({ key }) => String(key));
  return keys.filter((key) => key.endsWith(".pack"));
}

/** Lets a day go by, after which the files of packs that were replaced are deleted. */
async function outlive(path: string, keys: readonly string[]): Promise<void> {
  await bed.clock.advance(25 * HOUR);
  expect((await bed.api("POST", `${path}/maintenance`, {})).status).toBe(202);
  await expect
    .poll(() => keysOf().filter((key) => keys.includes(key)), { timeout: WAIT_LIMIT, interval: 300 })
    .toEqual([]);
}

/** An answer of which a client has read the beginning. */
class SlowAnswer {
  readonly #chunks: Buffer[] = [];
  readonly #rest: AsyncIterator<Buffer>;
  readonly #tip: string;
  #length = 0;

  private constructor(answer: IncomingMessage, tip: string) {
    this.#rest = answer[Symbol.asyncIterator]();
    this.#tip = tip;
  }

  /** Asks for a commit and all that it reaches, and reads a little of it. */
  static async begin(path: string, tip: string): Promise<SlowAnswer> {
    const url = new URL(`${bed.url(path)}/git-upload-pack`);
    const headers = { "Git-Protocol": "version=2", "Content-Type": "application/x-git-upload-pack-request" };
    const init = { method: "POST", headers, auth: `${url.username}:${url.password}` };
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      const asked = request(url.origin + url.pathname, init, resolve);
      asked.on("error", reject);
      asked.end(pktLines("command=fetch", "0001", "ofs-delta", "no-progress", `want ${tip}`, "done", "0000"));
    });
    const begun = new SlowAnswer(answer, tip);
    await begun.#read(STEP);
    return begun;
  }

  /** Reads some more. Returns whether there is more. */
  async #read(bytes: number): Promise<boolean> {
    const end = this.#length + bytes;
    while (this.#length < end) {
      const { done, value } = await this.#rest.next();
      if (done === true) return false;
      this.#chunks.push(value);
      this.#length += value.length;
    }
    return true;
  }

  /**
   * Reads slowly while some work is done.
   *
   * @throws Error where the answer breaks off
   */
  async during(work: Promise<void>): Promise<void> {
    const ended = work.then(() => true);
    const pause = async (): Promise<boolean> => {
      await new Promise((resolve) => setTimeout(resolve, PAUSE));
      return false;
    };
    while (!(await Promise.race([ended, pause()]))) await this.#read(STEP);
  }

  /**
   * Reads the rest.
   *
   * @throws Error where the answer breaks off
   */
  async finish(): Promise<void> {
    await this.#read(Number.POSITIVE_INFINITY);
  }

  /** What the answer says is wrong, on the band for that. */
  get fault(): string {
    const lines = parsePkts(Buffer.concat(this.#chunks)).filter((line) => line[0] === 3);
    return lines.map((line) => line.subarray(1).toString()).join("");
  }

  /** Has git look at the pack that was sent. Returns how many commits are in it. */
  async commits(): Promise<number> {
    count += 1;
    const cwd = await git.init(`copy-${count}`, "--bare");
    await git.ok(["index-pack", "--stdin", "--strict"], { cwd, input: packOf(Buffer.concat(this.#chunks)) });
    await git.ok(["update-ref", "refs/heads/main", this.#tip], { cwd });
    await git.fsck(cwd);
    return Number(await git.ok(["rev-list", "--count", "main"], { cwd }));
  }
}

/** Begins to clone all that a repository has, and all but its last commit. */
async function beginBoth(path: string): Promise<SlowAnswer[]> {
  return [
    await SlowAnswer.begin(path, itemAt(commits, PUSHES - 1)),
    await SlowAnswer.begin(path, itemAt(commits, PUSHES - 2)),
  ];
}

describe("a clone whose packs are replaced while it is read", () => {
  it("is whole when it lasts for an hour", async () => {
    const { path, packs, keys } = await filled();
    const answers = await beginBoth(path);
    const work = replace(path, packs).then(async () => await bed.clock.advance(HOUR));
    await Promise.all(answers.map(async (answer) => await answer.during(work)));
    for (const answer of answers) await answer.finish();
    expect(keysOf()).toEqual(expect.arrayContaining(keys));
    for (const [at, answer] of answers.entries()) expect(await answer.commits()).toBe(ALL - at);
  });

  it("never ends as if it were whole when it lasts for more than a day, after which they are deleted", async () => {
    const { path, packs, keys } = await filled();
    const answers = await beginBoth(path);
    const work = replace(path, packs).then(async () => await outlive(path, keys));
    const read = answers.map(async (answer) => {
      await answer.during(work);
      await answer.finish();
    });
    const ends = await Promise.allSettled(read);
    await work;
    for (const [at, { status }] of ends.entries()) {
      const answer = itemAt(answers, at);
      if (status === "fulfilled" && answer.fault === "") expect(await answer.commits()).toBe(ALL - at);
    }
    // Whoever asks again gets all.
    for (const [at, answer] of (await beginBoth(path)).entries()) {
      await answer.finish();
      expect(await answer.commits()).toBe(ALL - at);
    }
  });
});
