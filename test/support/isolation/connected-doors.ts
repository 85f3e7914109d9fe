/**
 * Doors of a game that are no requests: git by SSH, by git:// and over WebSocket, archives, and the login of Git LFS by SSH.
 *
 * @packageDocumentation
 */
import { expect } from "vitest";
import { packedIn, type Answered, type Connection } from "./asked.ts";
import type { Door, Place } from "./doors.ts";
import { parsePkts, pktLines } from "../git-raw.ts";
import type { ModelRepository } from "./world.ts";

/** The end of what a client says: it hangs up where there is nothing more. */
const FLUSH = Buffer.from("0000");
const LIST = pktLines("command=ls-refs", "0001", "peel", "symrefs", "0000");

const fetching = (oid: string): Buffer =>
  pktLines("command=fetch", "0001", "no-progress", `want ${oid}`, "done", "0000");

const asking = (by: Connection["by"], service: string, rest: Partial<Connection> = {}): ReturnType<Door["ask"]> => ({
  method: by,
  path: "/PATH.git",
  connection: { by, service, version: 2, input: FLUSH, ...rest },
});

function linesOf(body: Buffer): string[] {
  const found = parsePkts(body).map((line) => /^([0-9a-f]{40}) (refs\/[^\0\s^]+)/.exec(line.toString("latin1")));
  return found.flatMap((line) => (line === null || line.input.includes("^{}") ? [] : [`${line[1]} ${line[2]}`]));
}

const refsOf = ({ refs }: ModelRepository): string[] => [...refs].map(([name, oid]) => `${oid} ${name}`);

const givesRefs = ({ status, body }: Answered, { repository }: Place): void => {
  expect([status, linesOf(body).toSorted()]).toEqual([200, refsOf(repository).toSorted()]);
};

/** An object comes with all that it reaches, or is refused. */
function givesWanted(answer: Answered, { world, repository, subject }: Place): void {
  const { oid } = subject.commit;
  const isWantable = world.isWantable(repository, oid);
  if (isWantable === undefined) return;
  if (isWantable) expect(new Set(packedIn(answer))).toEqual(world.pool.reachedFrom([oid]));
  else expect(answer.body.toString("latin1")).toMatch(/ERR upload-pack: not our ref/);
}

/** Refs are listed to whoever may push, and to nobody else. */
function givesPusher(answer: Answered, place: Place): void {
  if (place.world.mayWrite(place.person, place.path)) givesRefs(answer, place);
  else expect([answer.status === 200, linesOf(answer.body)]).toEqual([false, []]);
}

/** An archive is made of what refs reach. */
function givesArchive({ body }: Answered, { world, repository, subject }: Place): void {
  const isReached = world.reached(repository).has(subject.commit.oid);
  expect(body.includes("\u0003fatal: no such ref")).toBe(!isReached);
}

/** Whose key the tenant knows gets a ticket; to anybody else it is told where the objects are. */
function givesTicket({ status, body }: Answered, { world, person, path }: Place): void {
  const { header } = JSON.parse(body.toString()) as { header?: { Authorization?: string } };
  const isKnown = world.isValid(person) && person.tenant === path.split("/")[0];
  expect([status, header?.Authorization?.startsWith("Bearer tpl_") === true]).toEqual([200, isKnown]);
}

const READS: readonly Connection["by"][] = ["ssh", "git", "socket"];

/** The doors. */
export const CONNECTED_DOORS: readonly Door[] = [
  ...READS.flatMap((by): Door[] => [
    {
      name: `list of refs by ${by}`,
      ask: () => asking(by, "git-upload-pack", { input: Buffer.concat([LIST, FLUSH]) }),
      expects: givesRefs,
    },
    {
      name: `advertisement of version 0 by ${by}`,
      ask: () => asking(by, "git-upload-pack", { version: 0 }),
      expects: givesRefs,
    },
    {
      name: `want by ${by}`,
      ask: ({ commit }) => asking(by, "git-upload-pack", { input: Buffer.concat([fetching(commit.oid), FLUSH]) }),
      expects: givesWanted,
      givesRecent: true,
    },
    {
      name: `want of a tree by ${by}`,
      ask: ({ commit }) => asking(by, "git-upload-pack", { input: Buffer.concat([fetching(commit.tree), FLUSH]) }),
      givesRecent: true,
    },
  ]),
  ...(["ssh", "socket"] as const).flatMap((by): Door[] => [
    {
      name: `advertisement to push by ${by}`,
      ask: () => asking(by, "git-receive-pack", { version: 0 }),
      expects: givesPusher,
    },
    {
      name: `archive by ${by}`,
      ask: ({ commit }) =>
        asking(by, "git-upload-archive", { version: 0, input: pktLines(`argument ${commit.oid}`, "0000") }),
      expects: givesArchive,
    },
  ]),
  { name: "push by git", ask: () => asking("git", "git-receive-pack", { version: 0 }) },
  {
    name: "login of Git LFS by ssh",
    ask: () => asking("ssh", "git-lfs-authenticate", { more: " download" }),
    expects: givesTicket,
  },
  {
    name: "login of Git LFS by ssh, to upload",
    ask: () => asking("ssh", "git-lfs-authenticate", { more: " upload" }),
    expects: (answer, place) => {
      if (place.world.mayWrite(place.person, place.path)) givesTicket(answer, place);
      else expect(answer.body.toString()).not.toContain("Bearer");
    },
  },
];
