/**
 * Many clients on the refs of one repository, beside maintenance, forks, changes of who may read it, and its deletion. One order of all that
 * happened has to explain each answer that they were given. `CLIENTS=64 OPERATIONS=30000` plays for minutes.
 *
 * @module-tag thorough
 */
import { writeFileSync } from "node:fs";
import { afterAll, beforeAll, expect, it } from "vitest";
import { issueToken } from "../support/api-client.ts";
import { ForkBed } from "../support/fork-bed.ts";
import { checkHistory } from "../support/linearizability.ts";
import { withSecondMove, withStaleRef } from "../support/played-history.ts";
import { RefClient, shownRefs } from "../support/ref-clients.ts";
import {
  EMPTY,
  factsOf,
  listed,
  made,
  missing,
  RefHistory,
  removed,
  shown,
  silent,
  type Told,
} from "../support/ref-history.ts";
import { SeededRandom } from "../support/seeded-random.ts";
import { WAIT_LIMIT } from "../support/time-limits.ts";

const CLIENTS = Number(process.env["CLIENTS"] ?? 16);
const OPERATIONS = Number(process.env["OPERATIONS"] ?? 1500);
const SEED = Number(process.env["SEED"] ?? 1);
const PATH = "acme/history";
/** Operations of the owner's between two deletions. */
const OWNERS_ROUND = 40;
/** What part of the operations comes before a late wrong answer, and how many at most. */
const LATE = 0.8;
const LATEST = 1000;

let bed: ForkBed;
let token = "";
const history = new RefHistory();
const random = new SeededRandom(SEED);

beforeAll(async () => {
  bed = await ForkBed.start();
  await bed.operator("PUT", "/tenants/acme");
  token = await issueToken(bed.operator, "acme", "repo:write");
  await bed.make(PATH);
});
afterAll(() => bed.stop());

/** How many operations were written down when that last changed, and when it did. */
let progress = { operations: 0, at: Date.now() };

/** Whether there is enough, or something is wrong: nothing may be written down any more, if all are told that the host is busy. */
function isOver(): boolean {
  const { operations, faults } = history;
  if (operations.length !== progress.operations) progress = { operations: operations.length, at: Date.now() };
  else if (Date.now() - progress.at > WAIT_LIMIT && faults.length === 0)
    faults.push(`nobody was told anything within ${WAIT_LIMIT} ms`);
  return operations.length >= OPERATIONS || faults.length > 0;
}

async function client(name: string): Promise<void> {
  const one = new RefClient(
    { base: bed.host.base, path: PATH, token },
    history,
    name,
    new SeededRandom(random.below(2 ** 30)),
  );
  while (!isOver()) await one.act();
}

/** Asks as the owner. */
async function own(
  name: string,
  [method, path]: readonly [method: string, path: string],
  body: object | undefined,
  told: Told,
): Promise<void> {
  await history.ask(`the owner ${name}`, async () => {
    const { status } = await bed.operator(method, path, body);
    if (status === 404) return { kind: "reads", effect: missing };
    // A fork is refused while something lies in its parent that no ref reaches.
    if (status >= 300 && status !== 409) throw new Error(`the owner ${name}: ${status}`);
    return told;
  });
}

/** Makes a fork: its refs are those of its parent at one moment. */
async function fork(reader: RefClient, n: number): Promise<void> {
  const repo = `fork-${n}`;
  await history.ask(`the owner forks`, async () => {
    const { status } = await bed.operator("POST", `/repos/${PATH}/forks`, { tenant: "acme", repo });
    if (status === 404) return { kind: "reads", effect: missing };
    if (status === 409) return { kind: "reads", effect: silent };
    if (status !== 201) throw new Error(`a fork was answered with ${status}`);
    const refs = await reader.lsRefs(`acme/${repo}`);
    return { kind: "reads", effect: listed(refs ?? new Map()), says: shownRefs(refs ?? new Map()) };
  });
}

async function owner(): Promise<void> {
  const reader = new RefClient({ base: bed.host.base, path: PATH, token }, history, "owner", random);
  for (let n = 1; !isOver(); n++) {
    const visibility = random.pick(["public", "private"]);
    const quiet: Told = { kind: "reads", effect: silent };
    const path = `/repos/${PATH}`;
    if (n % OWNERS_ROUND === 0) {
      await own("deletes", ["DELETE", path], undefined, { kind: "changes", effect: removed });
      await own("makes it again", ["PUT", path], {}, { kind: "changes", effect: made });
    } else {
      await random.weighed<() => Promise<void>>([
        [
          3,
          () =>
            own(
              `makes it ${visibility}`,
              ["PATCH", path],
              { visibility },
              { kind: "changes", effect: shown(visibility) },
            ),
        ],
        [1, () => own("has it maintained", ["POST", `${path}/maintenance`], {}, quiet)],
        [1, () => own("has it purged", ["POST", `${path}/maintenance`], { purge: true }, quiet)],
        [2, () => fork(reader, n)],
      ])();
    }
  }
}

/** Lists refs with git itself. */
async function gitClient(): Promise<void> {
  while (!isOver()) {
    await history.ask("git ls-remote", async () => {
      const { code, stdout, stderr } = await bed.git.git(["ls-remote", bed.url(PATH, token), "refs/heads/*"]);
      if (code !== 0) return { kind: "reads", effect: stderr.includes("not found") ? missing : silent };
      const rows = stdout.split("\n").map((line) => line.split("\t"));
      const refs = new Map(rows.flatMap(([oid = "", name]) => (name === undefined ? [] : [[name, oid] as const])));
      return { kind: "reads", effect: listed(refs), says: shownRefs(refs) };
    });
  }
}

it(`${CLIENTS} clients are told of one history`, async () => {
  progress = { operations: 0, at: Date.now() };
  const clients = Array.from({ length: CLIENTS }, (_, at) => client(`c${at}`));
  await Promise.all([...clients, owner(), gitClient()]);
  expect(history.faults).toEqual([]);
  const verdict = checkHistory(history.operations, EMPTY, factsOf);
  const open = history.operations.filter(({ answered }) => answered === undefined).length;
  const figures = { clients: CLIENTS, operations: history.operations.length, open, verdict };
  if (process.env["HISTORY"] !== undefined) {
    const rows = history.operations.map(({ name, called, answered }) => JSON.stringify({ called, answered, name }));
    writeFileSync(process.env["HISTORY"], rows.join("\n"));
  }
  process.stderr.write(`${JSON.stringify(figures)}\n`);
  // A search that was given up says nothing, and is no success.
  if (verdict.kind === "undecided")
    throw new Error(`no order was found within ${verdict.tried} tries, nor that there is none`);
  expect(verdict.kind).toBe("linearizable");
  // A history with a wrong answer in it is found out. The sooner it comes, the sooner.
  for (const from of [0, Math.min(LATEST, history.operations.length * LATE)]) {
    for (const wrong of [withStaleRef(history.operations, from), withSecondMove(history.operations, from)])
      expect(checkHistory(wrong, EMPTY, factsOf).kind).toBe("impossible");
  }
}, 0);
