/**
 * Objects of Git LFS that go past the host of a game, by addresses that are signed for the bucket: whoever has one may use it until it
 * ends. What is sent by one becomes a repository's only where that repository was to have it, and is asked whether it has.
 *
 * @packageDocumentation
 */
import { createHash } from "node:crypto";
import { expect } from "vitest";
import { LFS_TYPE, actionsOf } from "../lfs-client.ts";
import type { Door } from "./doors.ts";
import { type Game, LFS_CONTENTS, type NamedOperation } from "./game.ts";
import type { ModelRepository } from "./world.ts";

/** Seconds for which addresses are good. */
const LIVES = { upload: 3600, download: 900 } as const;
/** Around an address's end nothing is said. Milliseconds. */
const UNSURE_TIME = 10_000;
/** Of a hundred uses of addresses, those of one that somebody was given before. */
const OLD = 40;

/** An address that somebody was given. */
export type Address = {
  readonly kind: keyof typeof LIVES;
  readonly href: string;
  readonly header: Readonly<Record<string, string>>;
  readonly content: string;
  /** Whose object it is, where it lies, and until when the address is good. */
  readonly repository: ModelRepository;
  readonly home: string;
  readonly ends: number;
};

const HEADERS = { "Content-Type": LFS_TYPE, Accept: LFS_TYPE };
const VERIFY = "verify of an LFS object";

const oidOf = (content: string): string => createHash("sha256").update(content).digest("hex");

/** The door that says whether an object has come. */
const DOOR: Door = {
  name: VERIFY,
  ask: ({ lfs }) => ({
    method: "POST",
    path: `/PATH.git/info/lfs/objects/${lfs.oid}/verify`,
    headers: HEADERS,
    body: JSON.stringify(lfs),
  }),
  expects: ({ status }, { world, person, path, repository, subject }) => {
    const { oid } = subject.lfs;
    if (!world.mayWrite(person, path)) {
      expect(status).toBe(person.kind === "anonymous" ? 401 : 403);
      return;
    }
    const isSent = world.sent.get(`${path.split("/")[0] ?? ""} ${oid}`) === repository;
    const has = world.hasLfs(repository, oid);
    // What was sent is there until it was waited for too long, or nobody had it.
    const allowed = has === true ? [200] : isSent || has === undefined ? [200, 404] : [404];
    expect(allowed).toContain(status);
    if (status === 200) repository.lfs.add(oid);
  },
};

/** The same, for a game. */
export const PRESIGNED_DOORS: readonly Door[] = [DOOR];

/** Asks for the address of an object, as somebody who may have it; `undefined` where there is none. */
async function given(game: Game, kind: Address["kind"]): Promise<Address | undefined> {
  const { random, world } = game;
  const paths = [...world.repositories.keys()];
  const path = paths.length === 0 ? game.anyPath() : random.pick(paths);
  const repository = world.repositories.get(path);
  const able = world.people.filter((each) =>
    kind === "upload" ? world.mayWrite(each, path) : world.right(each, path) !== "none",
  );
  if (repository === undefined || able.length === 0) return undefined;
  const content = random.pick(LFS_CONTENTS);
  const object = { oid: oidOf(content), size: content.length };
  const body = JSON.stringify({ operation: kind, objects: [object] });
  const asked = { method: "POST", path: "/PATH.git/info/lfs/objects/batch", headers: HEADERS, body };
  const answer = await game.change(random.pick(able), path, true, asked);
  const [offered] = (JSON.parse(answer.body.toString()) as { objects: Record<string, unknown>[] }).objects;
  const action = actionsOf(offered)[kind];
  // What a mirror fetches of its upstream comes through the host.
  if (action === undefined || action.href.startsWith(game.base)) return undefined;
  const [home = ""] = path.split("/");
  const ends = world.now() + LIVES[kind] * 1000;
  const address = { kind, href: action.href, header: action.header, content, repository, home, ends };
  game.addresses.push(address);
  return address;
}

/** Uses an address, whatever has become of the repository, or of the person to whom it was given. */
async function use(game: Game, kind: Address["kind"]): Promise<string> {
  const { random, world, addresses } = game;
  const old = addresses.filter((each) => each.kind === kind);
  const address = old.length > 0 && random.chance(OLD) ? random.pick(old) : await given(game, kind);
  if (address === undefined) return "none is given";
  const { href, header, content, repository, home, ends } = address;
  const left = ends - world.now();
  if (Math.abs(left) < UNSURE_TIME) return "about to end";
  const sent = kind === "upload" ? { method: "PUT", headers: header, body: content } : {};
  const answer = await fetch(href, sent);
  const bytes = Buffer.from(await answer.arrayBuffer());
  if (left < 0) expect(answer.status).toBe(403);
  else if (kind === "upload") expect(answer.status).toBe(200);
  else if (answer.status === 200) expect(oidOf(bytes.toString())).toBe(oidOf(content));
  else expect(answer.status).toBe(404);
  if (kind === "upload" && left > 0) world.sent.set(`${home} ${oidOf(content)}`, repository);
  return `${repository.refs.size} refs, ${home} ${oidOf(content)} -> ${answer.status}`;
}

/** Has somebody who may push say that what was sent to the bucket is a repository's: the one that it was sent for, or another. */
async function claim(game: Game): Promise<string> {
  const { random, world } = game;
  const content = random.pick(LFS_CONTENTS);
  const paths = [...world.repositories].filter(([path]) =>
    world.sent.has(`${path.split("/")[0] ?? ""} ${oidOf(content)}`),
  );
  if (paths.length === 0) return "nothing was sent";
  const [path, repository] = random.pick(paths);
  const able = world.people.filter((each) => world.mayWrite(each, path));
  if (able.length === 0) return "nobody may";
  const person = random.pick(able);
  const lfs = { oid: oidOf(content), size: content.length };
  const subject = { ...game.subject(), lfs };
  const answer = await game.change(person, path, true, DOOR.ask(subject));
  DOOR.expects?.(answer, { world, person, path, repository, subject });
  return `${person.name} ${path} ${lfs.oid} -> ${answer.status}`;
}

/** Operations with addresses. */
export const PRESIGNED_OPERATIONS: readonly NamedOperation[] = [
  ["send to the bucket", async (game) => `${await use(game, "upload")}; ${await claim(game)}`],
  ["send to the bucket", async (game) => await use(game, "upload")],
  ["get from the bucket", async (game) => await use(game, "download")],
];
