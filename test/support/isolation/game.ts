/**
 * A game of random operations by random people on a host, with the model beside it.
 *
 * @packageDocumentation
 */
import { expect } from "vitest";
import { apiClient } from "../api-client.ts";
import type { HostClock } from "../host-clock.ts";
import { ask, type Answered, type Asked } from "./asked.ts";
import { ASKER_HEADER, type CacheKeys, namedAsker } from "./cache-uses.ts";
import { parsePkts, pushBody, ZERO } from "../git-raw.ts";
import { LFS_TYPE, lfsObject } from "../lfs-client.ts";
import { formatToken, TOKEN_RANDOM_BYTES } from "../../../src/access/token.ts";
import { fileOf, ObjectPool, type PoolCommit } from "./object-pool.ts";
import type { Subject } from "./doors.ts";
import type { Address } from "./presigned.ts";
import type { Ticket } from "./tickets.ts";
import { includes, type ModelRepository, type Person, REPOS, type Right, TENANTS, World } from "./world.ts";
import type { SeededRandom } from "../seeded-random.ts";

const BRANCHES = ["main", "topic", "extra"] as const;
const REFS = [...BRANCHES.map((branch) => `refs/heads/${branch}`), "refs/tags/v1"];
/** The bytes of Git LFS objects, the same in both tenants. */
export const LFS_CONTENTS = ["one large file\n", "another large file\n", "a third large file\n"];
/** Seconds for which a token lasts that ends by itself. */
const SHORT_LIFE = 400;
/** A token that ends within this time is let end at once: a game takes less. Milliseconds. */
const ABOUT_TO_END = 180_000;
const SECOND = 1000;
const OPERATOR = "test-token";

const JSON_TYPE = { "Content-Type": "application/json" };
const RECEIVE = { "Content-Type": "application/x-git-receive-pack-request" };

/** An operation: whether it was tried, as a line for whoever reads a failure. */
export type Operation = (game: Game) => Promise<string>;

/** An operation with what it is called. */
export type NamedOperation = readonly [name: string, operation: Operation];

/** What a game is played with: what may happen besides, and the caches of the host. */
export type GameOptions = {
  readonly operations: readonly NamedOperation[];
  readonly caches: CacheKeys;
  /** People who come by a binding of another Worker. */
  readonly bound: readonly Person[];
  /** People who come by SSH or git://. */
  readonly connected: readonly Person[];
};

/** The game. */
export class Game {
  readonly world: World;
  readonly pool = new ObjectPool();
  readonly random: SeededRandom;
  readonly base: string;
  readonly #clock: HostClock;
  /** What was done. */
  readonly told: string[] = [];

  readonly #operations: readonly NamedOperation[];
  readonly #caches: CacheKeys;
  readonly #bound: readonly Person[];
  /** Checksums of packs that some repository had. */
  readonly packs = new Set(["12".repeat(20)]);
  /** Tickets that somebody was given. */
  readonly tickets: Ticket[] = [];
  /** Addresses of the bucket's that somebody was given. */
  readonly addresses: Address[] = [];

  constructor(base: string, clock: HostClock, random: SeededRandom, options: GameOptions) {
    const { operations, caches, bound, connected } = options;
    this.#operations = [...OPERATIONS, ...operations];
    this.#caches = caches;
    this.#bound = bound;
    this.base = base;
    this.#clock = clock;
    this.random = random;
    this.world = new World(this.pool, () => clock.now().getTime());
    this.world.connected.push(...connected);
  }

  /** Makes the tenants, and everybody's tokens. */
  async begin(): Promise<void> {
    const operator = apiClient(this.base, OPERATOR);
    const { people } = this.world;
    people.push({ name: "nobody", kind: "anonymous" }, { name: "nonsense", kind: "invalid", token: "nonsense" });
    const cookie = await this.#signIn(OPERATOR);
    people.push({ name: "the operator", kind: "operator", token: OPERATOR, cookie }, ...this.#bound);
    for (const tenant of TENANTS) {
      await operator("PUT", `/tenants/${tenant}`);
      // A game before may have left repositories, and names that lead elsewhere.
      for (const repo of REPOS) {
        await operator("PUT", `/repos/${tenant}/${repo}`);
        expectStatus((await operator("DELETE", `/repos/${tenant}/${repo}`)).status, [204], repo);
      }
      const token = formatToken(tenant, crypto.getRandomValues(new Uint8Array(TOKEN_RANDOM_BYTES)));
      people.push({ name: `a forger of ${tenant}`, kind: "invalid", token });
      for (const scope of ["repo:read", "repo:write", "tenant:admin"] as const) await this.#issue(tenant, scope);
      await this.#issue(tenant, "repo:read", { repos: [REPOS[0]] });
      await this.#issue(tenant, "tenant:admin", { repos: [REPOS[1]] });
      await this.#issue(tenant, "tenant:admin", { expires_in: SHORT_LIFE });
    }
  }

  /** Signs a browser in. Returns its cookie. */
  async #signIn(token: string): Promise<string> {
    const body = new URLSearchParams({ token, to: "/" });
    const answer = await fetch(`${this.base}/-/login`, { method: "POST", body, redirect: "manual" });
    const [cookie = ""] = (answer.headers.get("Set-Cookie") ?? "").split(";");
    expectStatus(answer.status, [303], "a browser that signs in");
    return cookie;
  }

  async #issue(
    tenant: string,
    scope: "repo:read" | "repo:write" | "tenant:admin",
    more: { readonly repos?: readonly string[]; readonly expires_in?: number } = {},
  ): Promise<void> {
    const asked = { name: scope, scopes: [scope], ...more };
    const { status, body } = await apiClient(this.base, OPERATOR)("POST", `/tenants/${tenant}/tokens`, asked);
    expectStatus(status, [201], "a token");
    const { repos, expires_in: life } = more;
    const limits = `${repos === undefined ? "" : ` for ${repos.join()}`}${life === undefined ? "" : " for a while"}`;
    this.world.people.push({
      name: `${tenant} ${scope}${limits}`,
      kind: "token",
      token: String(body["token"]),
      cookie: await this.#signIn(String(body["token"])),
      since: this.world.moment(),
      id: String(body["id"]),
      tenant,
      scope,
      ...(repos === undefined ? {} : { repos: new Set(repos) }),
      ...(life === undefined ? {} : { ends: this.world.now() + life * 1000 }),
    });
  }

  /** A path that has a repository, had one, or will. */
  anyPath(): string {
    const there = [...this.world.repositories.keys()];
    if (there.length > 0 && this.random.chance(50)) return this.random.pick(there);
    return `${this.random.pick(TENANTS)}/${this.random.pick(REPOS)}`;
  }

  /** Somebody; oftener than not somebody who may do what is to be done, so that games go on. */
  somebody(path: string, right: Right): Person {
    const able = this.world.people.filter((each) => includes(this.world.givenRight(each, path), right));
    return this.random.chance(75) ? this.random.pick(able) : this.random.pick(this.world.people);
  }

  /** What a request may name: mostly of some repository, now or before. */
  subject(): Subject {
    // A merge has no file of its own, which some doors are asked for.
    const commits = [...this.pool.commits.values()].filter(({ files, word }) => files.has(fileOf(word)));
    return {
      branch: this.random.pick(BRANCHES),
      commit: commits.length === 0 ? this.pool.commitOn([]) : this.random.pick(commits),
      lfs: lfsObject(this.random.pick(LFS_CONTENTS)),
      seconds: Math.floor(this.world.now() / SECOND) - this.random.below(200),
      pack: this.random.pick([...this.packs]),
    };
  }

  /** Sends a change; gives the answer, and checks that nobody changes anything who may not. */
  async change(person: Person, path: string, may: boolean, asked: Parameters<typeof ask>[1]): Promise<Answered> {
    const answer = await ask(this.base, this.#named(asked, path, person), path, person);
    const { status } = answer;
    const said = `${person.name} ${asked.method} ${asked.path} ${path}: ${answer.body.toString().slice(0, 300)}`;
    if (status >= 500) throw new Error(`${said} was answered with ${status}`);
    if (!may) expectStatus(status, this.world.isLetIn(person) ? [301, 308, 401, 403, 404, 409] : [401], said);
    return answer;
  }

  /** Names a change to the caches, unless it may make the repository that they would be used for. */
  #named(asked: Asked, path: string, person: Person): Asked {
    const { world } = this;
    const makes = !world.repositories.has(path) && world.givenRight(person, path) === "administer";
    if (makes) return asked;
    const name = namedAsker(world, this.#caches, person, path);
    return { ...asked, headers: { ...asked.headers, [ASKER_HEADER]: name } };
  }

  /** Does something at random. */
  async step(): Promise<void> {
    const [name, operation] = this.random.pick(this.#operations);
    this.told.push(`${name}: ${await operation(this)}`);
  }

  /** Lets time pass. */
  async wait(milliseconds: number): Promise<void> {
    await this.#clock.advance(milliseconds);
    // No token ends while it is asked with: the model does not know at which of two questions it did.
    const left = this.world.people.map(({ ends = Infinity }) => ends - this.world.now());
    const soon = Math.max(...left.filter((time) => time > 0 && time < ABOUT_TO_END), 0);
    if (soon > 0) await this.#clock.advance(soon + SECOND);
    for (const person of this.world.people) {
      if (person.ends === undefined || person.ends > this.world.now()) continue;
      // Who comes after has a token of the same kind.
      if (this.world.people.filter(({ name }) => name === person.name).at(-1) !== person) continue;
      await this.#issue(String(person.tenant), "tenant:admin", { expires_in: SHORT_LIFE });
    }
  }

  /** Revokes somebody's token. Another takes the place. */
  async revoke(person: Person): Promise<void> {
    const operator = apiClient(this.base, OPERATOR);
    const { status } = await operator("DELETE", `/tenants/${String(person.tenant)}/tokens/${String(person.id)}`);
    expectStatus(status, [204], "a revocation");
    person.isRevoked = true;
    // One that lost all of its repositories has none like it: a token can't be for no repository.
    if (person.scope === undefined || person.repos?.size === 0) return;
    await this.#issue(
      String(person.tenant),
      person.scope,
      person.repos === undefined ? {} : { repos: [...person.repos] },
    );
  }
}

function expectStatus(status: number, wanted: readonly number[], said: string): void {
  expect(wanted, `answered: ${said}`).toContain(status);
}

function repositoryAt({ world }: Game, path: string): ModelRepository | undefined {
  return world.repositories.get(path);
}

/** The new value of a ref: a new commit, or one that is somewhere already. */
function nextValue({ random, pool }: Game, current: string | undefined): PoolCommit {
  const all = [...pool.commits.values()];
  if (all.length > 0 && random.chance(35)) return random.pick(all);
  return pool.commitOn(current === undefined || random.chance(15) ? [] : [current]);
}

async function push(game: Game): Promise<string> {
  const { random, world, pool } = game;
  const path = game.anyPath();
  const person = game.somebody(path, "write");
  const found = repositoryAt(game, path);
  const ref = random.pick(REFS);
  const old = found?.refs.get(ref);
  const { oid } = nextValue(game, old);
  if (oid === old) return "nothing new";
  // A push by an earlier name may be the repository's own, where git was told the name before: the model has no time.
  if (world.forwardOf(person, path) !== undefined) return "leads elsewhere";
  const may = found === undefined ? world.givenRight(person, path) === "administer" : world.mayWrite(person, path);
  const has = found === undefined ? new Set<string>() : world.reached(found);
  const lacks = [...pool.reachedFrom([oid])].filter((name) => !has.has(name));
  // Without a pack, only what is stored can be named.
  const isBare = random.chance(15);
  const pack = isBare ? undefined : pool.packOf(random.chance(50) ? pool.reachedFrom([oid]) : lacks);
  const command = { name: ref, old: old ?? ZERO, new: oid };
  const body = pushBody([command], pack ?? pool.packOf([]));
  const asked = { method: "POST", path: "/PATH.git/git-receive-pack", headers: RECEIVE, body };
  const answer = await game.change(person, path, may, asked);
  const isDone = answer.status === 200 && isAccepted(answer);
  const line = `${person.name} ${path} ${ref} ${oid} ${isBare ? "without its objects " : ""}-> ${answer.status} ${isDone}`;
  if (!may) expect(isDone, `pushed: ${line}`).toBe(false);
  else if (!isBare || lacks.length === 0) expect(isDone, `${line} ${answer.body.toString()}`).toBe(true);
  // What was never here is of another repository, and stays there.
  else if (lacks.some((name) => found?.stored.has(name) !== true)) expect(isDone, `pushed: ${line}`).toBe(false);
  if (isDone) world.move(found ?? world.make(path), ref, oid);
  return line;
}

/** Whether a push was taken, with all its refs. */
function isAccepted({ body }: Answered): boolean {
  const lines = parsePkts(body).map((line) => line.toString("latin1"));
  return lines.some((line) => line.startsWith("ok ")) && !lines.some((line) => line.startsWith("ng "));
}

async function deleteRef(game: Game): Promise<string> {
  const { random, world } = game;
  const path = game.anyPath();
  const found = repositoryAt(game, path);
  if (found === undefined || found.refs.size === 0) return "nothing there";
  const person = game.somebody(path, "write");
  const [ref, oid] = random.pick([...found.refs]);
  const may = world.mayWrite(person, path);
  const body = pushBody([{ name: ref, old: oid, new: ZERO }]);
  const answer = await game.change(person, path, may, {
    method: "POST",
    path: "/PATH.git/git-receive-pack",
    headers: RECEIVE,
    body,
  });
  const isDone = answer.status === 200 && isAccepted(answer);
  if (!may) expect(isDone).toBe(false);
  if (isDone) world.move(found, ref, undefined);
  return `${person.name} ${path} ${ref} -> ${answer.status} ${isDone}`;
}

async function make(game: Game): Promise<string> {
  const { random, world } = game;
  const path = game.anyPath();
  const person = game.somebody(path, "administer");
  const visibility = random.pick(["public", "private"] as const);
  const may = world.givenRight(person, path) === "administer";
  const body = JSON.stringify({ visibility });
  const answer = await game.change(person, path, may, {
    method: "PUT",
    path: "/api/v1/repos/PATH",
    headers: JSON_TYPE,
    body,
  });
  if (answer.status === 201) {
    expect(may && !world.repositories.has(path)).toBe(true);
    world.make(path, { visibility });
  }
  return `${person.name} ${path} ${visibility} -> ${answer.status}`;
}

async function show(game: Game): Promise<string> {
  const { random, world } = game;
  const path = game.anyPath();
  const person = game.somebody(path, "administer");
  const visibility = random.pick(["public", "private"] as const);
  const found = repositoryAt(game, path);
  const may = world.right(person, path) === "administer";
  const body = JSON.stringify({ visibility });
  const answer = await game.change(person, path, may, {
    method: "PATCH",
    path: "/api/v1/repos/PATH",
    headers: JSON_TYPE,
    body,
  });
  if (answer.status === 200 && found !== undefined) {
    expect(may).toBe(true);
    if (found.visibility !== visibility) found.recent = [];
    world.show(found, visibility);
  }
  return `${person.name} ${path} ${visibility} -> ${answer.status}`;
}

async function remove(game: Game): Promise<string> {
  const { world } = game;
  const path = game.anyPath();
  const person = game.somebody(path, "administer");
  const may = world.right(person, path) === "administer";
  const answer = await game.change(person, path, may, { method: "DELETE", path: "/api/v1/repos/PATH" });
  if (may) expect(answer.status).toBe(204);
  if (answer.status === 204) world.remove(path);
  return `${person.name} ${path} -> ${answer.status}`;
}

async function uploadLfs(game: Game): Promise<string> {
  const { random, world } = game;
  const path = game.anyPath();
  const person = game.somebody(path, "write");
  const found = repositoryAt(game, path);
  const may = world.mayWrite(person, path);
  const content = random.pick(LFS_CONTENTS);
  const object = lfsObject(content);
  const headers = { "Content-Type": LFS_TYPE, Accept: LFS_TYPE };
  const batch = JSON.stringify({ operation: "upload", objects: [object] });
  const asked = { method: "POST", path: "/PATH.git/info/lfs/objects/batch", headers, body: batch };
  if (found === undefined) return "nothing there";
  const answer = await game.change(person, path, may, asked);
  if (!may) return `${person.name} ${path} -> ${answer.status}`;
  const [offered] = (JSON.parse(answer.body.toString()) as { objects: { actions?: object }[] }).objects;
  if (world.hasLfs(found, object.oid) === undefined) return "may be there";
  // That another repository has it is told to nobody.
  expect(offered?.actions !== undefined, `${person.name} ${path} ${object.oid}`).toBe(!found.lfs.has(object.oid));
  if (found.lfs.has(object.oid)) return "is there";
  const put = { method: "PUT", path: `/PATH.git/info/lfs/objects/${object.oid}`, body: content };
  expect((await game.change(person, path, may, put)).status).toBe(200);
  found.lfs.add(object.oid);
  return `${person.name} ${path} ${object.oid}`;
}

/** Has the host tell which packs a repository has: everybody may then ask for them. */
async function listPacks(game: Game): Promise<string> {
  const path = game.anyPath();
  const answer = await ask(game.base, { method: "GET", path: "/PATH.git/objects/info/packs" }, path, {
    token: OPERATOR,
  });
  for (const [, checksum = ""] of answer.body.toString().matchAll(/^P pack-([0-9a-f]{40})\.pack$/gm))
    game.packs.add(checksum);
  return `${path} -> ${answer.status}, ${game.packs.size} packs`;
}

async function revoke(game: Game): Promise<string> {
  const { random, world } = game;
  const able = world.people.filter(
    (person) => person.id !== undefined && person.ends === undefined && world.isValid(person),
  );
  const person = random.pick(able);
  await game.revoke(person);
  return person.name;
}

async function wait(game: Game): Promise<string> {
  const seconds = game.random.pick([1, 90, 301]);
  await game.wait(seconds * 1000);
  return `${seconds} s`;
}

/** What may happen; what is listed oftener happens oftener. */
const OPERATIONS: readonly NamedOperation[] = [
  ...Array.from({ length: 6 }, () => ["push", push] as const),
  ["delete a ref", deleteRef],
  ["make", make],
  ["make", make],
  ["show or hide", show],
  ["show or hide", show],
  ["delete", remove],
  ["upload", uploadLfs],
  ["list packs", listPacks],
  ["list packs", listPacks],
  ["revoke", revoke],
  ["wait", wait],
];
