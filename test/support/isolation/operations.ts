/**
 * Operations of a game that concern two repositories, or that the host makes objects for.
 *
 * @packageDocumentation
 */
import { expect } from "vitest";
import { commitOf } from "../git-raw.ts";
import type { Answered } from "./asked.ts";
import type { Game, NamedOperation } from "./game.ts";
import { contentOf, fileOf, type PoolCommit } from "./object-pool.ts";
import { MIRROR_OPERATIONS } from "./mirror-operation.ts";
import { NOTE_OPERATIONS } from "./note-operation.ts";
import { type ModelRepository, REPOS, TENANTS } from "./world.ts";

const JSON_TYPE = { "Content-Type": "application/json" };
const API = "/api/v1/repos/PATH";
const WHEN = "1700000000 +0000";

const send = (method: string, path: string, body: object): Parameters<Game["change"]>[3] => ({
  method,
  path,
  headers: JSON_TYPE,
  body: JSON.stringify(body),
});

const oidOf = ({ body }: Answered): unknown => (JSON.parse(body.toString()) as { oid?: unknown }).oid;

/** Who makes what has a word. */
const personOf = (word: string): object => ({ name: word, email: `${word}@example.com`, date: WHEN });

/** A branch of a repository that has one, or nothing. */
function branchesOf({ refs }: ModelRepository): string[] {
  return [...refs.keys()]
    .filter((name) => name.startsWith("refs/heads/"))
    .map((name) => name.slice("refs/heads/".length));
}

async function fork(game: Game): Promise<string> {
  const { random, world } = game;
  const path = game.anyPath();
  const person = game.somebody(path, "read");
  const target = `${random.pick([...TENANTS, person.tenant ?? TENANTS[0]])}/${random.pick(REPOS)}`;
  const found = world.repositories.get(path);
  const mayMake = world.givenRight(person, target) === "administer" && !world.repositories.has(target);
  const may = world.right(person, path) !== "none" && mayMake;
  const [tenant, repo] = target.split("/");
  const answer = await game.change(person, path, may, send("POST", `${API}/forks`, { tenant, repo }));
  if (answer.status === 201 && found !== undefined) {
    expect(may).toBe(true);
    const { visibility, head, lineage } = found;
    const refs = new Map(found.refs);
    const made = world.make(target, {
      visibility,
      head,
      lineage,
      refs,
      stored: world.reached(found),
      lfs: new Set(found.lfs),
      fetched: new Set(found.fetched),
      parent: path,
    });
    world.tell(made, [...refs.values()]);
  }
  return `${person.name} ${path} to ${target} -> ${answer.status}`;
}

async function rename(game: Game): Promise<string> {
  const { random, world } = game;
  const path = game.anyPath();
  const person = game.somebody(path, "administer");
  const [tenant = "", repo] = path.split("/");
  const goes = random.chance(30);
  const target = goes ? `${random.pick(TENANTS)}/${String(repo)}` : `${tenant}/${random.pick(REPOS)}`;
  if (target === path) return "nowhere";
  const isFree = !world.repositories.has(target);
  const mayMove = !goes || person.kind === "operator";
  const may =
    mayMove &&
    isFree &&
    [path, target].every((each) => world.givenRight(person, each) === "administer") &&
    world.repositories.has(path);
  const body = goes ? { tenant: target.split("/")[0] } : { name: target.split("/")[1] };
  const answer = await game.change(person, path, may, send("PATCH", API, body));
  if (may) expect(answer.status, `${person.name} ${path} to ${target}: ${answer.body.toString()}`).toBe(200);
  if (answer.status === 200) {
    expect(may).toBe(true);
    world.rename(path, target);
  }
  return `${person.name} ${path} to ${target} -> ${answer.status}`;
}

async function commit(game: Game): Promise<string> {
  const { random, world, pool } = game;
  const path = game.anyPath();
  const found = world.repositories.get(path);
  const [branch] = found === undefined ? [] : random.some(branchesOf(found), 1);
  const tip = branch === undefined ? undefined : found?.refs.get(`refs/heads/${branch}`);
  if (found === undefined || branch === undefined || tip === undefined) return "nothing there";
  const person = game.somebody(path, "write");
  const may = world.mayWrite(person, path);
  const made = pool.commitOn([tip]);
  const { word } = made;
  const author = personOf(word);
  const actions = [{ action: "create", path: fileOf(word), content: contentOf(word) }];
  const asked = { branch, message: word, author, committer: author, actions };
  const answer = await game.change(person, path, may, send("POST", `${API}/commits`, asked));
  if (!may) return `${person.name} ${path} -> ${answer.status}`;
  expect([answer.status, oidOf(answer)]).toEqual([201, made.oid]);
  world.move(found, `refs/heads/${branch}`, made.oid);
  return `${person.name} ${path} ${branch} ${made.oid}`;
}

/** The merge of two commits that have nothing but files added: all files of both. */
function merged({ pool }: Game, base: PoolCommit, head: PoolCommit): PoolCommit {
  const word = pool.nextWord();
  const files = new Map([...base.files, ...head.files]);
  const tree = pool.addTree(files);
  const who = `${word} <${word}@example.com> ${WHEN}`;
  const parents = [base.oid, head.oid];
  const text = commitOf(tree, parents, `author ${who}\ncommitter ${who}`).replace("message\n", `${word}\n`);
  return pool.addCommit(text, { tree, parents, word, files });
}

async function merge(game: Game): Promise<string> {
  const { random, world, pool } = game;
  const path = game.anyPath();
  const found = world.repositories.get(path);
  const [into, from] = found === undefined ? [] : random.some(branchesOf(found), 2);
  const base = found?.refs.get(`refs/heads/${String(into)}`);
  const head = found?.refs.get(`refs/heads/${String(from)}`);
  if (found === undefined || base === undefined || head === undefined) return "nothing there";
  const person = game.somebody(path, "write");
  const may = world.mayWrite(person, path);
  const made = merged(game, pool.commit(base), pool.commit(head));
  const author = personOf(made.word);
  const asked = { base: into, head: from, message: made.word, author, committer: author };
  const answer = await game.change(person, path, may, send("POST", `${API}/merges`, asked));
  if (answer.status === 201) {
    expect([may, oidOf(answer)]).toEqual([true, made.oid]);
    world.move(found, `refs/heads/${String(into)}`, made.oid);
  }
  return `${person.name} ${path} ${String(from)} into ${String(into)} -> ${answer.status}`;
}

async function setStatus(game: Game): Promise<string> {
  const { random, world, pool } = game;
  const path = game.anyPath();
  const found = world.repositories.get(path);
  if (found === undefined || found.refs.size === 0) return "nothing there";
  const person = game.somebody(path, "write");
  const may = world.mayWrite(person, path);
  const oid = random.pick([...found.refs.values()]);
  const word = pool.nextWord();
  const asked = { context: "ci", state: "success", description: word };
  const answer = await game.change(person, path, may, send("POST", `${API}/commits/${oid}/statuses`, asked));
  if (answer.status === 201) {
    expect(may).toBe(true);
    found.words.add(word);
    world.tell(found, [oid]);
  }
  return `${person.name} ${path} ${oid} ${word} -> ${answer.status}`;
}

async function purge(game: Game): Promise<string> {
  const { world } = game;
  const path = game.anyPath();
  const person = game.somebody(path, "administer");
  const may = world.right(person, path) === "administer";
  const answer = await game.change(person, path, may, send("POST", `${API}/maintenance`, { purge: true }));
  const found = world.repositories.get(path);
  if (answer.status === 202 && found !== undefined) {
    expect(may).toBe(true);
    // It may take them away at any time from now on.
    found.isPurged = true;
  }
  return `${person.name} ${path} -> ${answer.status}`;
}

/** The operations, those with notes among them. */
export const MORE_OPERATIONS: readonly NamedOperation[] = [
  ["fork", fork],
  ["fork", fork],
  ["rename", rename],
  ["commit", commit],
  ["merge", merge],
  ["set a status", setStatus],
  ["purge", purge],
  ...NOTE_OPERATIONS,
  ...MIRROR_OPERATIONS,
];
