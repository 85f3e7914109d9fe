/**
 * People of a game who come with an SSH key, or by git://, and what becomes of keys: a tenant knows one for a while, and a repository
 * another.
 *
 * @packageDocumentation
 */
import { expect } from "vitest";
import type { RunningHost } from "../../../scripts/host.ts";
import { apiClient } from "../api-client.ts";
import { parsePkts, pushBody, ZERO } from "../git-raw.ts";
import { askDaemon, type SshConnections } from "./connections.ts";
import type { Game, NamedOperation } from "./game.ts";
import type { SessionLines } from "./session-lines.ts";
import { type Person, TENANTS } from "./world.ts";

const OPERATOR = "test-token";
const SCOPES = ["repo:read", "repo:write"] as const;

/** Makes the people. Nobody knows their keys yet. */
export function connectedPeople(host: RunningHost, ssh: SshConnections, lines: SessionLines): Person[] {
  const keyed = (name: string, rest: Partial<Person> = {}): Person => {
    const key = ssh.makeKey();
    const connect: Person["connect"] = async (asked) => {
      lines.asked += 1;
      return await ssh.ask(key, asked);
    };
    return { name, kind: "key", by: "ssh", publicKey: key.publicKey, connect, isRevoked: true, ...rest };
  };
  return [
    {
      name: "somebody by git://",
      kind: "anonymous",
      by: "git",
      connect: async (asked) => {
        // What it does not serve is refused before there is a session.
        if (asked.service === "git-upload-pack") lines.asked += 1;
        return await askDaemon(host.gitPort ?? 0, asked);
      },
    },
    keyed("a key that nobody knows"),
    ...TENANTS.flatMap((tenant) => [
      ...SCOPES.map((scope) => keyed(`${tenant} ${scope} by a key`, { tenant, scope })),
      keyed(`${tenant} by a deploy key`, { tenant, isDeploying: true }),
    ]),
  ];
}

/** Forgets what a game before has told hosts of keys. */
export async function forgetKeys(base: string, people: readonly Person[]): Promise<void> {
  for (const person of people) if (person.isRevoked !== true && person.id !== undefined) await removeKey(base, person);
}

async function removeKey(base: string, person: Person): Promise<void> {
  const { tenant = "", id = "", deploysTo } = person;
  const place = person.isDeploying === true ? `/repos/${deploysTo ?? ""}/deploy-keys` : `/tenants/${tenant}/ssh-keys`;
  const { status } = await apiClient(base, OPERATOR)("DELETE", `${place}/${id}`);
  // It has gone with its repository.
  expect([204, ...(person.isDeploying === true ? [404] : [])]).toContain(status);
  person.isRevoked = true;
}

/** Has a tenant know a key, or a repository; or takes that back. */
async function turnKey(game: Game): Promise<string> {
  const { random, world } = game;
  return await turnKeyOf(game, random.pick(world.connected.filter(({ tenant }) => tenant !== undefined)));
}

/** Has tenants know all keys of theirs that are for no repository alone. */
export async function introduceKeys(game: Game): Promise<void> {
  for (const person of game.world.connected)
    if (person.tenant !== undefined && person.isDeploying !== true) await turnKeyOf(game, person);
}

async function turnKeyOf(game: Game, person: Person): Promise<string> {
  const { random, world, base } = game;
  const { tenant = "", publicKey: key } = person;
  if (person.isRevoked !== true) {
    const own = person.isDeploying === true ? [...world.repositories].find(([path]) => isOf(person, path)) : undefined;
    if (own !== undefined) person.deploysTo = own[0];
    await removeKey(base, person);
    return `${person.name} is known no more`;
  }
  const operator = apiClient(base, OPERATOR);
  if (person.isDeploying !== true) {
    const asked = { name: person.name, key, scopes: [person.scope] };
    const { status, body } = await operator("POST", `/tenants/${tenant}/ssh-keys`, asked);
    expect(status).toBe(201);
    Object.assign(person, { id: String(body["id"]), isRevoked: false });
    return `${person.name} is known`;
  }
  const path = [...world.repositories.keys()].find((each) => each.startsWith(`${tenant}/`));
  if (path === undefined) return "no repository to deploy";
  const write = random.chance(50);
  const { status, body } = await operator("POST", `/repos/${path}/deploy-keys`, { name: person.name, key, write });
  expect(status).toBe(201);
  const repos = new Set([path.split("/")[1] ?? ""]);
  const scope = write ? "repo:write" : "repo:read";
  Object.assign(person, { id: String(body["id"]), isRevoked: false, scope, repos, deploysTo: path });
  return `${person.name} is known to ${path}, ${scope}`;
}

const isOf = ({ tenant, repos }: Person, path: string): boolean => {
  const [owner, repo = ""] = path.split("/");
  return owner === tenant && repos?.has(repo) === true;
};

/** A push by SSH, of a new commit. */
async function pushBySsh(game: Game): Promise<string> {
  const { random, world, pool } = game;
  const path = game.anyPath();
  const found = world.repositories.get(path);
  const keyed = world.connected.filter(({ by }) => by === "ssh");
  const able = keyed.filter((each) => world.repositories.has(path) && world.mayWrite(each, path));
  const person = random.pick(able.length > 0 && random.chance(75) ? able : keyed);
  if (world.forwardOf(person, path) !== undefined) return "leads elsewhere";
  const ref = random.pick(["refs/heads/main", "refs/heads/topic"]);
  const old = found?.refs.get(ref);
  const { oid } = pool.commitOn(old === undefined ? [] : [old]);
  const pack = pool.packOf(pool.reachedFrom([oid]));
  const input = pushBody([{ name: ref, old: old ?? ZERO, new: oid }], pack);
  const answer = await person.connect?.({ service: "git-receive-pack", path: `/${path}.git`, version: 0, input });
  const lines = parsePkts(answer?.body ?? Buffer.alloc(0)).map((line) => line.toString("latin1").trimEnd());
  const isDone = answer?.status === 200 && lines.includes(`ok ${ref}`);
  const may = found !== undefined && world.mayWrite(person, path);
  const line = `${person.name} ${path} ${ref} ${oid} -> ${isDone}`;
  expect(isDone, `${line} ${lines.join("|")} ${answer?.headers.get("X-Errors")}`).toBe(may);
  if (isDone && found !== undefined) world.move(found, ref, oid);
  return line;
}

/** Operations with keys. */
export const KEY_OPERATIONS: readonly NamedOperation[] = [
  ["turn a key", turnKey],
  ["turn a key", turnKey],
  ["push by SSH", pushBySsh],
  ["push by SSH", pushBySsh],
];
