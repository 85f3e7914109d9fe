/**
 * Tickets of a game: addresses and headers that stand for somebody, for a repository and for a while. They are kept, and tried later: at
 * their own place and at others, when their time is over, their holder's token is revoked, or the name is another repository's.
 *
 * @packageDocumentation
 */
import { createHash } from "node:crypto";
import { expect } from "vitest";
import { sealReadTicket } from "../../../src/http/read-ticket.ts";
import { apiClient } from "../api-client.ts";
import type { Door } from "./doors.ts";
import type { Game, NamedOperation } from "./game.ts";
import { type ModelRepository, type Person, includes } from "./world.ts";

/** Seconds for which tickets are good, by what they are for. */
const LIVES = { events: 60, lfs: 900, read: 3600 } as const;
/** Around a ticket's end nothing is said. Milliseconds. */
const UNSURE_TIME = 10_000;
const OPERATOR = "test-token";
/** Tickets that are given in one operation, and those among which one is tried: what came before is over. */
const AT_ONCE = 3;
const TRIED = 15;

/** What only names of git's paths may be asked with, and what with a ticket for Git LFS. */
const READ_PATH = /^\/PATH(?:@\d+)?\.git\/(?:info\/refs|git-upload-pack|objects\/pack\/|bundles)/;
const STORED_PATH = /^\/PATH\.git\/(?:objects\/pack|bundles)\//;
const LFS_PATH = /^\/PATH\.git\/info\/lfs\//;

/** A ticket. */
export type Ticket = {
  readonly kind: keyof typeof LIVES;
  readonly text: string;
  readonly holder: Person;
  readonly path: string;
  readonly repository: ModelRepository;
  readonly writes: boolean;
  readonly ends: number;
};

type Taken = Pick<Ticket, "text"> & Partial<Pick<Ticket, "writes">>;

async function takeEvents({ base }: Game, path: string, { token }: Person): Promise<Taken | undefined> {
  const { status, body } = await apiClient(base, token)("POST", `/repos/${path}/events/tickets`);
  expect(status).toBe(201);
  return { text: String(body["ticket"]) };
}

async function takeRead({ base, world }: Game, path: string, { token = "" }: Person): Promise<Taken | undefined> {
  const [tenant = "", repo = ""] = path.split("/");
  const { body } = await apiClient(base, OPERATOR)("GET", `/repos/${path}`);
  const hash = createHash("sha256").update(token).digest();
  const credentials = token === OPERATOR ? { kind: "operator" as const } : { kind: "unchecked" as const, tenant, hash };
  // The addresses that have one are of packs that are larger than those of a game.
  const sealed = { id: String(body["id"]), secret: OPERATOR, now: world.now() };
  const text = await sealReadTicket(credentials, { tenant, repo }, sealed);
  return text === undefined ? undefined : { text };
}

async function takeLfs(game: Game, path: string, { connect }: Person): Promise<Taken | undefined> {
  const writes = game.random.chance(50);
  const command = { service: "git-lfs-authenticate", more: writes ? " upload" : " download" };
  const answer = await connect?.({ ...command, path: `/${path}.git`, version: 0, input: Buffer.alloc(0) });
  if (answer?.status !== 200) return undefined;
  const { header } = JSON.parse(answer.body.toString()) as { header?: { Authorization: string } };
  return header === undefined ? undefined : { text: header.Authorization.replace("Bearer ", ""), writes };
}

const TAKERS = { events: takeEvents, read: takeRead, lfs: takeLfs } as const;

/** Gives some tickets. */
async function take(game: Game): Promise<string> {
  const lines: string[] = [];
  for (let count = 0; count < AT_ONCE; count++) lines.push(await takeOne(game));
  return lines.join("; ");
}

async function takeOne(game: Game): Promise<string> {
  const { random, world } = game;
  const there = [...world.repositories.keys()];
  const path = there.length === 0 ? game.anyPath() : random.pick(there);
  const repository = world.repositories.get(path);
  const kind = random.pick(["events", "read", "lfs"] as const);
  const [tenant] = path.split("/");
  const able = (kind === "lfs" ? world.connected : world.people).filter(
    (each) =>
      each.fetch === undefined &&
      (kind === "lfs" || each.token !== undefined) &&
      (each.tenant === tenant || (each.kind === "operator" && kind !== "lfs")) &&
      includes(world.right(each, path), "read"),
  );
  if (repository === undefined || able.length === 0) return "nothing there, or nobody";
  const holder = random.pick(able);
  const taken = await TAKERS[kind](game, path, holder);
  if (taken === undefined) return `${holder.name} ${path} gets none ${kind}`;
  const ends = world.now() + LIVES[kind] * 1000;
  game.tickets.push({ kind, holder, path, repository, ends, writes: false, ...taken });
  return `${holder.name} ${path} ${kind}`;
}

/** Whom a ticket makes of whoever has it, at a path, or `undefined` where that is about to change. */
function bearerOf({ world }: Game, ticket: Ticket, path: string, fits: boolean): Person | undefined {
  const { kind, holder, text, repository, writes, ends } = ticket;
  const left = ends - world.now();
  if (Math.abs(left) < UNSURE_TIME) return undefined;
  const name = `a ticket (${kind}) for ${ticket.path} of ${holder.name}, ${left > 0 ? "good" : "over"}`;
  const [tenant = "", repo = ""] = ticket.path.split("/");
  const there = world.repositories.get(path);
  const isGood = fits && left > 0 && world.isValid(holder);
  const invalid: Person = { name, kind: "invalid", token: text, holder };
  if (kind === "events") {
    const isHeard = isGood && there === repository && world.right(holder, path) !== "none";
    const { cookie: _, token: __, ...heard } = holder;
    return isHeard ? { ...heard, name, holder } : { name, kind: "invalid", holder };
  }
  if (!isGood) return invalid;
  const isOther = kind === "read" && there !== undefined && there !== repository;
  const isHis = holder.kind === "operator" || holder.repos?.has(repo) !== false;
  const scope = writes ? holder.scope : ("repo:read" as const);
  return {
    name,
    kind: "token",
    token: text,
    tenant,
    ...(scope === undefined ? {} : { scope }),
    repos: new Set(isHis && !isOther ? [repo] : []),
    holder,
  };
}

const EVENTS: Door = {
  name: "events with a ticket",
  ask: () => ({ method: "GET", path: "/api/v1/repos/PATH/events?since=0", isSocket: true }),
  expects: ({ status }) => expect(status).toBe(101),
  givesLog: true,
};

function withTicket(door: Door, text: string): Door {
  return {
    ...door,
    ask: (subject) => {
      const asked = door.ask(subject);
      return { ...asked, path: `${asked.path}${asked.path.includes("?") ? "&" : "?"}ticket=${text}` };
    },
  };
}

/**
 * Returns a door, somebody with a ticket and a path to be compared with the model, of the doors of requests; `undefined` where there is
 * no ticket, or none of which something is said.
 */
export function triedTicket(
  game: Game,
  doors: readonly Door[],
): { readonly door: Door; readonly person: Person; readonly path: string } | undefined {
  const { random } = game;
  if (game.tickets.length === 0) return undefined;
  const ticket = random.pick(game.tickets.slice(-TRIED));
  const path = random.chance(60) ? ticket.path : game.anyPath();
  const subject = game.subject();
  const pathOf = (door: Door): string => door.ask(subject).path;
  const isPlain = (door: Door): boolean => {
    const { byCookie, isSocket, connection } = door.ask(subject);
    return byCookie === undefined && isSocket === undefined && connection === undefined;
  };
  const plain = doors.filter(isPlain);
  const own = { read: READ_PATH, lfs: LFS_PATH, events: /^$/ }[ticket.kind];
  const fitting = plain.filter((door) => own.test(pathOf(door)));
  const door = ticket.kind === "events" ? EVENTS : random.pick(random.chance(80) ? fitting : plain);
  const fits = ticket.kind === "events" || own.test(pathOf(door));
  const person = bearerOf(game, ticket, path, fits);
  if (person === undefined) return undefined;
  const inAddress = ticket.kind === "events" || (STORED_PATH.test(pathOf(door)) && ticket.kind === "read");
  if (!inAddress) return { door, person, path };
  const { token: _, ...bearer } = person;
  return { door: withTicket(door, ticket.text), person: bearer, path };
}

/** Operations that make tickets. */
export const TICKET_OPERATIONS: readonly NamedOperation[] = [
  ["take a ticket", take],
  ["take a ticket", take],
];
