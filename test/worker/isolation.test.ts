/**
 * Two tenants that have everything in common but their names, random operations by random people, and a model beside them: nobody sees
 * more than the model says, at any door, and what may not be seen is answered like what never was, to the byte. The isolate's caches are
 * warm, and tell their keys: each stands for one content of one repository, and none is used for somebody who may not read that.
 *
 * `ISOLATION_RUNS=50 npx vitest run test/worker/isolation.test.ts` plays fifty new games, and `ISOLATION_SEED=7` that one alone.
 *
 * @packageDocumentation
 */
import { randomInt } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { RunningHost } from "../../scripts/host.ts";
import { HostClock } from "../support/host-clock.ts";
import { startTestHost } from "../support/host.ts";
import {
  type Answered,
  type Asked,
  ask,
  type Connection,
  masked,
  operationsOf,
  type Seen,
  seenIn,
} from "../support/isolation/asked.ts";
import { ASKER_HEADER, CacheKeys, namedAsker } from "../support/isolation/cache-uses.ts";
import { type Door, READ_DOORS, type Subject } from "../support/isolation/doors.ts";
import { MORE_DOORS } from "../support/isolation/more-doors.ts";
import { CONNECTED_DOORS } from "../support/isolation/connected-doors.ts";
import { SshConnections } from "../support/isolation/connections.ts";
import { connectedPeople, forgetKeys, introduceKeys, KEY_OPERATIONS } from "../support/isolation/keyed-people.ts";
import { SessionLines } from "../support/isolation/session-lines.ts";
import { PRESIGNED_OPERATIONS } from "../support/isolation/presigned.ts";
import { TICKET_OPERATIONS, triedTicket } from "../support/isolation/tickets.ts";
import { Game } from "../support/isolation/game.ts";
import { boundPeople, neighbour } from "../support/isolation/bound-people.ts";
import { catchUp } from "../support/isolation/mirror-operation.ts";
import { MORE_OPERATIONS } from "../support/isolation/operations.ts";
import { S3StandIn } from "../support/s3-stand-in.ts";
import { SeededRandom } from "../support/seeded-random.ts";
import { NEVER, type Person } from "../support/isolation/world.ts";

/** Operations of a game, and after each the repositories and the doors that everybody asks. */
const STEPS = 40;
const PATHS = 1;
const DOORS = 3;
/** The operations after which everybody asks a door that is a connection, and the tries with tickets after each operation. */
const CONNECTED = 2;
const TICKETS = 3;
/** The same, at the end. */
const LAST_CONNECTED = 4;
const LAST_TICKETS = 10;
/** Repositories about which everybody asks the doors that take more than a token, at the end. */
const LAST_PATHS = 2;
const RUNS = process.env["ISOLATION_RUNS"];
const SEED = process.env["ISOLATION_SEED"];
/** The games of each run, unless others are asked for. */
const USUAL = [1, 2];

function seedsOf(): readonly number[] {
  if (SEED !== undefined) return [Number(SEED)];
  return RUNS === undefined ? USUAL : Array.from({ length: Number(RUNS) }, () => randomInt(2 ** 31));
}

const seeds = seedsOf();

let host: RunningHost;
let clock: HostClock;
let s3: S3StandIn;
let caches: CacheKeys;
/** The statuses that each door has answered with. */
const answered = new Map<string, Set<number>>();
let bound: readonly Person[] = [];
let ssh: SshConnections;
const stateDir = mkdtempSync(join(tmpdir(), "isolation-"));
const lines = new SessionLines(stateDir);
let connected: readonly Person[] = [];

beforeAll(async () => {
  s3 = await S3StandIn.start();
  host = await startTestHost({
    stateDir,
    entry: join(dirname(fileURLToPath(import.meta.url)), "cache-keys-entry.ts"),
    neighbours: [neighbour()],
    allowPrivateUpstreams: true,
    variables: s3.variables,
    sshPort: 0,
    gitPort: 0,
  });
  bound = await boundPeople(host);
  ssh = new SshConnections(host);
  connected = connectedPeople(host, ssh, lines);
  // By a clock that was put forward, connections have been idle for so long that the host ends them, some of them under somebody's hands.
  clock = new HostClock(host.base, async () => await ssh.end());
  s3.serve(host.miniflare);
  s3.now = () => clock.now().getTime();
});
afterAll(async () => {
  await ssh.end();
  await host.stop();
  await s3.stop();
  rmSync(stateDir, { recursive: true, force: true });
});

const NOBODY: Person = { name: "nobody", kind: "anonymous" };

/** Asks a door about a path, as everybody, and compares the answers with the model. */
async function look(game: Game, door: Door, path: string): Promise<void> {
  const subject = game.subject();
  const by = door.ask(subject).connection?.by;
  const asking = askers(game, by);
  await Promise.all(asking.map(async (person) => await compare(game, { door, path, subject, person })));
  const [stranger] = asking;
  if (stranger?.connect !== undefined) await compareCosts(game, { door, path, subject, person: stranger });
}

/** Compares what a session did that was refused with what one did at a name that never was, as the log has it. */
async function compareCosts({ world, base }: Game, { door, path, subject, person }: Look): Promise<void> {
  if (world.right(person, path) !== "none" || world.forwardOf(person, path) !== undefined) return;
  await lines.taken();
  const costs: string[][] = [];
  for (const name of [path, `${path.split("/")[0] ?? ""}/${NEVER}`]) {
    await ask(base, door.ask(subject), name, person);
    costs.push(await lines.taken());
  }
  expect(costs[0], `asked: ${door.name} of ${path} for ${person.name}`).toEqual(costs[1]);
}

/** Returns who asks at a door. */
function askers({ world }: Game, by: Connection["by"] | undefined): readonly Person[] {
  if (by === undefined) return world.people;
  if (by === "socket") return world.people.filter((person) => person.fetch === undefined);
  return world.connected.filter((person) => person.by === by);
}

/** Has whoever has a ticket try it somewhere. */
async function tryTicket(game: Game): Promise<void> {
  const tried = triedTicket(game, READ_DOORS);
  if (tried !== undefined) await compare(game, { ...tried, subject: game.subject() });
}

/** Has everybody ask, at the doors that take more than a token, about each repository that is left. */
async function lookAtTheRest(game: Game): Promise<void> {
  const paths = [...game.world.repositories.keys()].slice(0, LAST_PATHS);
  for (const path of paths) {
    for (const door of MORE_DOORS) await look(game, door, path);
    for (const door of game.random.some(CONNECTED_DOORS, LAST_CONNECTED)) await look(game, door, path);
  }
  for (let tries = 0; tries < LAST_TICKETS; tries++) await tryTicket(game);
  expect(await caches.read(host.base)).toEqual([]);
  if (paths.length === 0) return;
  // The operator may see all of them, so that each has let somebody in.
  for (const [name, status] of [
    ["front page, signed in", 200],
    ["events over a WebSocket", 101],
  ] as const)
    expect(answered.get(name), `answered: ${name}`).toContain(status);
  expect([...caches.keys].some((key) => key.startsWith("bucket repos/"))).toBe(true);
}

/** What a request names, as an answer might repeat it. */
const textOf = ({ path, body = "", connection }: Asked): string =>
  `${path} ${body.toString("latin1")} ${Buffer.from(connection?.input ?? []).toString("latin1")}`;

/**
 * Whom the host takes somebody for at a door. A cookie counts for pages alone; there it is worth what its token is, so that a browser whose
 * token is not in force any more is shown nothing, and signed out.
 */
function knownAs({ door, subject, person }: Pick<Look, "door" | "subject" | "person">): Person {
  if (door.ask(subject).byCookie !== true) return person;
  const { cookie } = person;
  if (cookie === undefined) return NOBODY;
  return door.takesNoCookie === true ? { ...NOBODY, cookie } : person;
}

type Look = { readonly door: Door; readonly path: string; readonly subject: Subject; readonly person: Person };

/** Compares an answer with the model, and with what it knows of a mirror that the host has synced meanwhile. */
async function compare(game: Game, asked: Look): Promise<void> {
  try {
    await compareOnce(game, asked);
  } catch (error) {
    if (!(await catchUp(game, asked.path))) throw error;
    await compareOnce(game, asked);
  }
}

async function compareOnce(game: Game, { door, path, subject, person: sender }: Look): Promise<void> {
  const { world, base } = game;
  if (sender.fetch !== undefined && door.ask(subject).isSocket === true) return; // A binding's own calls have lines for it.
  const person = knownAs({ door, subject, person: sender });
  const plain = door.ask(subject);
  const asker = namedAsker(world, caches, person, path);
  const asked = { ...plain, headers: { ...plain.headers, [ASKER_HEADER]: asker } };
  const answer = await ask(base, asked, path, person);
  const what = `${door.name} of ${path} for ${person.name}: ${asked.method} ${asked.path} answered ${answer.status}`;
  expect(answer.status, `asked: ${what}`).toBeLessThan(500);
  answered.set(door.name, (answered.get(door.name) ?? new Set()).add(answer.status));
  const repository = world.repositories.get(path);
  if (repository === undefined || world.right(person, path) === "none") {
    const to = world.forwardOf(person, path);
    if (to !== undefined) {
      expectForwarded(answer, { door, asked: textOf(asked), what, path: to, game, person });
      return;
    }
    const never = `${path.split("/")[0] ?? ""}/${NEVER}`;
    const nothing = await ask(base, asked, never, person);
    // Who could read it if it were there may know what was asked for it.
    const isStranger = world.givenRight(person, path) === "none";
    if (!isStranger && person.repos !== undefined) {
      // Its token is for this name, and for none that never was.
      const { oids, words } = seenIn(answer, game.pool);
      expectNone(what, [...oids, ...words], (each) => textOf(asked).includes(each));
      return;
    }
    if (!isStranger) for (const { headers } of [answer, nothing]) headers.delete("Server-Timing");
    expect(masked(answer, path), `asked: ${what}`).toBe(masked(nothing, never));
    if (isStranger) expect(operationsOf(answer), `asked: ${what}`).not.toMatch(/desc="[1-9]/);
    return;
  }
  const isOwner = world.right(person, path) === "administer";
  if (door.isForOwners === true && isOwner) return;
  expectNoMore(seenIn(answer, game.pool), { door, asked: textOf(asked), what, path, game, person });
  if (door.isForOwners !== true)
    expectAsTold(answer, what, () => door.expects?.(answer, { world, person, path, repository, subject }));
}

/** Fails where an answer leads elsewhere than the name that a repository got, or one that it got later. */
function expectForwarded(answer: Answered, sight: Sight): void {
  const { what, path, game } = sight;
  const location = answer.headers.get("Location");
  if (location !== null) {
    expect(
      game.world.namesSince(path).some((name) => location.includes(name)),
      `asked: ${what}: ${location}`,
    ).toBe(true);
    return;
  }
  // git follows no redirect of a POST, so that is answered by the repository itself.
  expect([200, 404], `asked: ${what}`).toContain(answer.status);
  const seen = seenIn(answer, game.pool);
  const read = game.world.namesSince(path).at(-1) ?? path; // It is one of them.
  if (game.world.repositories.has(read)) expectNoMore(seen, { ...sight, path: read });
  else expectNone(what, [...seen.oids, ...seen.words], (each) => sight.asked.includes(each));
}

function expectAsTold(answer: Answered, what: string, check: () => void): void {
  try {
    check();
  } catch (error) {
    throw new Error(`${what}\n${answer.body.toString("latin1").slice(0, 500)}\n${String(error)}`, { cause: error });
  }
}

type Sight = {
  readonly door: Door;
  readonly asked: string;
  readonly what: string;
  readonly path: string;
  readonly game: Game;
  readonly person: Person;
};

/** Fails where an answer has anything that the model does not let through, and that was not named in the request. */
function expectNoMore({ oids, words, paths }: Seen, { door, asked, what, path, game, person }: Sight): void {
  const { world, pool } = game;
  const repository = world.repositories.get(path);
  if (repository === undefined) throw new Error("there is no repository");
  const allowed = world.reached(repository);
  if (door.givesPast === true) for (const oid of world.pastFor(person, path)) allowed.add(oid);
  if (door.givesLog === true) for (const oid of world.loggedFor(person, path)) allowed.add(oid);
  if (door.givesRecent === true) {
    for (const { oid } of repository.recent) for (const name of pool.reachedFrom([oid])) allowed.add(name);
  }
  const mine = new Set([...pool.wordsOf(allowed), ...repository.words]);
  expectNone(what, oids, (oid) => allowed.has(oid) || asked.includes(oid));
  expectNone(what, words, (word) => mine.has(word) || asked.includes(word));
  const mayKnow = (other: string): boolean =>
    [path, repository.parent, world.mayKnowUpstream(person, path)].includes(other) ||
    world.right(person, other) !== "none";
  expectNone(what, paths, mayKnow);
}

/** Fails where there is something that may not be seen. */
function expectNone(what: string, seen: Iterable<string>, isAllowed: (each: string) => boolean): void {
  const more = [...seen].filter((each) => !isAllowed(each));
  expect(more, `asked: ${what}`).toEqual([]);
}

describe("two tenants with the same names, objects and files", () => {
  it.each(seeds)("see what the model lets them see, and nothing else (seed %i)", async (seed) => {
    caches = new CacheKeys();
    const operations = [...MORE_OPERATIONS, ...KEY_OPERATIONS, ...TICKET_OPERATIONS, ...PRESIGNED_OPERATIONS];
    await forgetKeys(host.base, connected);
    const game = new Game(host.base, clock, new SeededRandom(seed), { operations, caches, bound, connected });
    await game.begin();
    await introduceKeys(game);
    try {
      for (let step = 0; step < STEPS; step++) {
        for (const path of game.world.repositories.keys()) await catchUp(game, path);
        await game.step();
        for (let n = 0; n < PATHS; n++) {
          const path = game.anyPath();
          for (const door of game.random.some(READ_DOORS, DOORS)) await look(game, door, path);
          if (step % CONNECTED === 0) await look(game, game.random.pick(CONNECTED_DOORS), path);
          for (let tries = 0; tries < TICKETS; tries++) await tryTicket(game);
          expect(await caches.read(host.base)).toEqual([]);
        }
      }
      await lookAtTheRest(game);
    } catch (error) {
      throw new Error(`seed ${seed}, after\n${game.told.join("\n")}\n${String(error)}`, { cause: error });
    }
    expect(game.told).toHaveLength(STEPS);
    expect(caches.found).toBeGreaterThan(0);
  });
});
