/**
 * Mirrors in a game: a repository that follows another one of the same host, which its upstream then is.
 *
 * @packageDocumentation
 */
import { expect } from "vitest";
import { apiClient } from "../api-client.ts";
import { WAIT_LIMIT } from "../time-limits.ts";
import type { Game, NamedOperation } from "./game.ts";
import type { ModelRepository } from "./world.ts";

const OPERATOR = "test-token";
/** Milliseconds between two looks at a sync that is under way. */
const PAUSE = 50;

type State = { readonly syncing: boolean; readonly last_attempt: string | null; readonly last_error: string | null };

/** Has a mirror synced, and waits until it was tried. Returns what went wrong. */
async function synced({ base }: Game, path: string): Promise<string | null> {
  const operator = apiClient(base, OPERATOR);
  const before = (await operator("GET", `/repos/${path}/mirror`)).body as unknown as State;
  expect((await operator("POST", `/repos/${path}/mirror/sync`, {})).status).toBe(202);
  for (const end = Date.now() + WAIT_LIMIT; Date.now() < end;) {
    const { syncing, last_attempt: last, last_error: error } = (await operator("GET", `/repos/${path}/mirror`)).body as unknown as State; // prettier-ignore
    if (!syncing && last !== null && last !== before.last_attempt) return error;
    await new Promise((resolve) => setTimeout(resolve, PAUSE));
  }
  throw new Error(`${path} was not synced`);
}

/** Notes that a mirror has what its upstream has. */
function follow({ world }: Pick<Game, "world">, mirror: ModelRepository, { refs, head }: ModelRepository): void {
  for (const ref of mirror.refs.keys()) if (!refs.has(ref)) world.move(mirror, ref, undefined);
  for (const [ref, oid] of refs) if (mirror.refs.get(ref) !== oid) world.move(mirror, ref, oid);
  mirror.head = head;
}

/** Branches and tags are what a mirror takes unless it is told otherwise. */
function followed(source: ModelRepository): ModelRepository {
  const refs = new Map([...source.refs].filter(([ref]) => /^refs\/(?:heads|tags)\//.test(ref)));
  return { ...source, refs };
}

async function makeMirror(game: Game): Promise<string> {
  const { random, world, base } = game;
  const sources = [...world.repositories].filter(([, { refs, isMirror }]) => refs.size > 0 && !isMirror);
  const target = game.anyPath();
  if (sources.length === 0 || world.repositories.has(target)) return "nothing there";
  const [path, source] = random.pick(sources);
  const visibility = random.pick(["public", "private"] as const);
  const operator = apiClient(base, OPERATOR);
  expect((await operator("PUT", `/repos/${target}`, { visibility })).status).toBe(201);
  const login = { username: "game", password: OPERATOR };
  const asked = await operator("PUT", `/repos/${target}/mirror`, {
    upstream: `${base}/${path}.git`,
    interval: 0,
    ...login,
  });
  expect(asked).toMatchObject({ status: 200 });
  expect(await synced(game, target)).toBe(null);
  const mirror = world.make(target, { visibility, isMirror: true, upstream: path });
  follow(game, mirror, followed(source));
  return `${target} of ${path}`;
}

async function sync(game: Game): Promise<string> {
  const { random, world } = game;
  // Where the upstream is another repository by now, or none, it is not for the model to say what becomes of the mirror.
  const mirrors = [...world.repositories].filter(([, { upstream = "" }]) => world.repositories.has(upstream));
  if (mirrors.length === 0) return "nothing there";
  const [path, mirror] = random.pick(mirrors);
  const source = world.repositories.get(mirror.upstream ?? "");
  if (source === undefined || source.refs.size === 0 || source.isMirror) return "nothing to follow";
  expect(await synced(game, path)).toBe(null);
  follow(game, mirror, followed(source));
  return `${path} of ${String(mirror.upstream)}`;
}

/**
 * Has the model follow a mirror that the host synced by itself, as it does soon after something else of it changed, such as its packs. What
 * it then has is what its upstream has or had. Returns whether there was anything new.
 */
export async function catchUp(game: Game, path: string): Promise<boolean> {
  const { world, base } = game;
  const mirror = world.repositories.get(path);
  if (mirror?.isMirror !== true) return false;
  const { body } = await apiClient(base, OPERATOR)("GET", `/repos/${path}/refs`);
  const { refs, head } = body as { refs?: { name: string; oid: string }[]; head?: string };
  const now = new Map((refs ?? []).map(({ name, oid }) => [name, oid]));
  const isSame = now.size === mirror.refs.size && [...now].every(([name, oid]) => mirror.refs.get(name) === oid);
  if (isSame) return false;
  const source = world.namesSince(mirror.upstream ?? "").map((name) => world.repositories.get(name));
  const had = new Set(source.flatMap((each) => [...(each?.refs.values() ?? []), ...(each?.log ?? []).flatMap(({ oids }) => oids)])); // prettier-ignore
  expect([...now.values()].filter((oid) => !had.has(oid) && ![...mirror.refs.values()].includes(oid))).toEqual([]);
  follow(game, mirror, { ...mirror, refs: now, head: head ?? mirror.head });
  return true;
}

/** The operations. */
export const MIRROR_OPERATIONS: readonly NamedOperation[] = [
  ["make a mirror", makeMirror],
  ["make a mirror", makeMirror],
  ["sync", sync],
];
