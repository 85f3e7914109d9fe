/**
 * Journeys of what a host does with repositories by itself, and of forks, on storage that fails.
 *
 * @packageDocumentation
 */
import type { FaultBed } from "./fault-bed.ts";
import { noise } from "./git-fixtures.ts";
import {
  assertDone,
  BASE,
  filled,
  HEAVY,
  LARGE,
  lineOf,
  type Made,
  made,
  MAIN,
  NEXT,
  packOf,
  TIP,
  TOPIC,
} from "./fault-content.ts";
import { type Act, checkRefs, type Journey, type Round } from "./fault-rounds.ts";

const LINE = lineOf(400, "long");
/** Enough commits and bytes that maintenance makes bitmaps and a commit-graph, and puts the pack in order, where it is asked for. */
const LONG: readonly Made[] = [...LINE, made(noise(4_300_000, 4), LINE.at(-1))];

/** A client that asks for maintenance, which changes nothing that anybody sees. */
async function maintaining(round: Round, commits: readonly Made[], purge = false): Promise<Act> {
  const refs = await filled(round, commits);
  await round.bed.settle();
  const body = purge ? { purge } : {};
  return {
    act: () => round.client.api("POST", `/repos/${round.path}/maintenance`, body),
    check: (done) => checkRefs(round, { before: refs, after: refs }, done),
    swept: () => assertMaintained(round.bed, round.path),
  };
}

/** @throws Error if maintenance is still due. */
async function assertMaintained(bed: FaultBed, path: string): Promise<void> {
  const state = await bed.sure("GET", `/repos/${path}/maintenance`);
  if (state["due"] !== null || state["purging"] === true || state["running_since"] !== null)
    throw new Error(`maintenance does not come to an end: ${JSON.stringify(state)}`);
}

/** Pushes a secret, and takes it out of its branch again. Gives its name. */
async function withSecret({ bed, client }: Round): Promise<string> {
  const secret = made("a secret\n", TIP, "secret.txt");
  assertDone(await client.push([{ name: TOPIC, new: secret.oid }], packOf([secret])));
  await bed.settle();
  assertDone(await client.push([{ name: TOPIC, old: secret.oid }], new Uint8Array(0)));
  await bed.settle();
  return secret.oid;
}

/** A purge of a secret. */
async function purging(round: Round): Promise<Act> {
  const refs = await filled(round);
  await round.bed.settle();
  const secret = await withSecret(round);
  const { id } = await round.bed.sure("GET", `/repos/${round.path}`);
  if (!(await round.referee.holds(String(id), secret))) throw new Error("there is no secret to purge");
  return {
    act: () => round.client.api("POST", `/repos/${round.path}/maintenance`, { purge: true }),
    check: (done) => checkRefs(round, { before: refs, after: refs }, done),
    swept: async () => {
      await assertMaintained(round.bed, round.path);
      if (await round.referee.holds(String(id), secret)) throw new Error("the bucket has what was purged");
    },
  };
}

/** A branch with a large file is deleted: what it had goes into a cruft pack. */
async function dropping(round: Round): Promise<Act> {
  const after = await filled(round);
  assertDone(await round.client.push([{ name: TOPIC, new: LARGE.oid }], packOf([LARGE])));
  await round.bed.settle();
  return {
    act: () => round.client.push([{ name: TOPIC, old: LARGE.oid }], new Uint8Array(0)),
    check: (done) => checkRefs(round, { before: { ...after, [TOPIC]: LARGE.oid }, after }, done),
  };
}

/** Whether there is a repository under a name, whatever goes wrong. */
async function isThere(bed: FaultBed, path: string): Promise<boolean> {
  const answer = await bed.api("GET", `/repos/${path}`, undefined, { "X-Unfaulted": "1" });
  return answer.kind === "whole" && answer.status === 200;
}

const forkOf = (path: string): string => `${path}-fork`;

async function makeFork({ bed, path }: Round): Promise<void> {
  const [tenant, repo] = forkOf(path).split("/");
  await bed.sure("POST", `/repos/${path}/forks`, { tenant, repo });
}

/** @throws Error if the fork is there, and has not the refs that it was made with. */
async function checkFork(
  { bed, path, referee }: Round,
  refs: Readonly<Record<string, string>>,
  done: boolean,
): Promise<void> {
  const fork = forkOf(path);
  if (!(await isThere(bed, fork))) {
    if (done) throw new Error("the fork was made, and is not there");
    return;
  }
  const found = await referee.clone(fork);
  if (JSON.stringify(found) !== JSON.stringify(refs)) throw new Error(`a fork with ${JSON.stringify(found)}`);
}

async function forking(round: Round): Promise<Act> {
  const { bed, path, client } = round;
  const refs = await filled(round, [...BASE, LARGE]);
  await bed.settle();
  const fork = forkOf(path);
  const [tenant, repo] = fork.split("/");
  return {
    act: async () => {
      const seen = await bed.api("GET", `/repos/${fork}`);
      if (seen.kind === "whole" && seen.status === 200) return { kind: "done", body: seen.body };
      return await client.api("POST", `/repos/${path}/forks`, { tenant, repo });
    },
    check: (done) => checkFork(round, refs, done),
    paths: [path, fork],
  };
}

/** A repository that was forked is deleted; its fork keeps what it has of it. */
async function deletingForked(round: Round): Promise<Act> {
  const { bed, path, client } = round;
  const refs = await filled(round, [...BASE, LARGE]);
  await bed.settle();
  await makeFork(round);
  await bed.settle();
  const { id } = await bed.sure("GET", `/repos/${path}`);
  return {
    act: async () => {
      const seen = await bed.api("GET", `/repos/${path}`);
      if (seen.kind === "whole" && seen.status === 404) return { kind: "done", body: seen.body };
      return await client.api("DELETE", `/repos/${path}`);
    },
    check: () => checkFork(round, refs, true),
    swept: async () => {
      const keys = await bed.keys(`repos/${String(id)}.git/`);
      const others = keys.filter(({ key }) => !/\/pack-[0-9a-f]+\.(?:pack|idx|rev|kinds|bitmap)$/.test(key));
      if (keys.length === 0 || others.length > 0) throw new Error(`below the deleted prefix: ${JSON.stringify(keys)}`);
    },
    paths: [path, forkOf(path)],
  };
}

/** A fork that borrows is deleted; its parent was before, so that nothing is left of either. */
async function deletingFork(round: Round): Promise<Act> {
  const { bed, path, client } = round;
  await filled(round, [...BASE, LARGE]);
  await bed.settle();
  await makeFork(round);
  const { id } = await bed.sure("GET", `/repos/${path}`);
  await bed.sure("DELETE", `/repos/${path}`);
  await bed.settle();
  const fork = forkOf(path);
  return {
    act: async () => {
      const seen = await bed.api("GET", `/repos/${fork}`);
      if (seen.kind === "whole" && seen.status === 404) return { kind: "done", body: seen.body };
      return await client.api("DELETE", `/repos/${fork}`);
    },
    check: async (done) => {
      if (done && (await isThere(bed, fork))) throw new Error("it was deleted, and is there");
    },
    swept: async () => {
      const keys = await bed.keys(`repos/${String(id)}.git/`);
      if (keys.length > 0)
        throw new Error(`left of two deleted repositories: ${keys.map(({ key }) => key).join(", ")}`);
    },
    paths: [fork],
  };
}

/** A purge of a repository that was forked while it had the secret: the fork gives it up, too, since no ref of its reaches it. */
async function purgingForked(round: Round): Promise<Act> {
  const { bed, path, client, referee } = round;
  const refs = await filled(round);
  const secret = made("a secret\n", TIP, "secret.txt");
  assertDone(await client.push([{ name: TOPIC, new: secret.oid }], packOf([secret])));
  await bed.settle();
  await makeFork(round);
  assertDone(await client.push([{ name: TOPIC, old: secret.oid }], new Uint8Array(0)));
  await bed.sure("DELETE", `/repos/${forkOf(path)}/refs/heads/topic`);
  await bed.settle();
  const { id } = await bed.sure("GET", `/repos/${path}`);
  const { id: forked } = await bed.sure("GET", `/repos/${forkOf(path)}`);
  return {
    act: () => client.api("POST", `/repos/${path}/maintenance`, { purge: true }),
    check: (done) => checkRefs(round, { before: refs, after: refs }, done),
    swept: async () => {
      await assertMaintained(bed, path);
      for (const one of [id, forked])
        if (await referee.holds(String(one), secret.oid)) throw new Error("the bucket has what was purged");
    },
    paths: [path, forkOf(path)],
  };
}

/** A purge is asked for, and a fork is made before it has begun: neither has the secret in the end. */
async function purgingBesideFork(round: Round): Promise<Act> {
  const { bed, path, client, referee } = round;
  const refs = await filled(round);
  await bed.settle();
  const secret = await withSecret(round);
  const { id } = await bed.sure("GET", `/repos/${path}`);
  if (!(await referee.holds(String(id), secret))) throw new Error("there is no secret to purge");
  const fork = forkOf(path);
  const [tenant, repo] = fork.split("/");
  return {
    act: async () => {
      const purged = await client.api("POST", `/repos/${path}/maintenance`, { purge: true });
      if (purged.kind !== "done" || (await isThere(bed, fork))) return purged;
      return await client.api("POST", `/repos/${path}/forks`, { tenant, repo });
    },
    check: async (done) => {
      await checkRefs(round, { before: refs, after: refs }, true);
      await checkFork(round, refs, done);
    },
    swept: async () => {
      await assertMaintained(bed, path);
      const { id: forked } = await bed.sure("GET", `/repos/${fork}`);
      for (const one of [id, forked])
        if (await referee.holds(String(one), secret)) throw new Error("the bucket has what was purged");
    },
    paths: [path, fork],
  };
}

/** A push to a fork, which brings what its parent has not. */
async function pushingToFork(round: Round): Promise<Act> {
  const { bed, path, client } = round;
  const refs = await filled(round);
  await bed.settle();
  await makeFork(round);
  await bed.settle();
  const fork = client.at(forkOf(path));
  return {
    act: () => fork.push([{ name: MAIN, old: TIP.oid, new: NEXT.oid }], packOf([NEXT])),
    check: async (done) => {
      await checkRefs(round, { before: refs, after: refs }, true);
      await checkRefs({ ...round, path: forkOf(path) }, { before: refs, after: { [MAIN]: NEXT.oid } }, done);
    },
    paths: [path, forkOf(path)],
  };
}

/** Journeys of upkeep and of forks. */
export const UPKEEP_JOURNEYS: readonly Journey[] = [
  { name: "maintenance: bitmaps, commit-graph, order", prepare: (round) => maintaining(round, LONG) },
  { name: "maintenance: a small repository", prepare: (round) => maintaining(round, [...BASE, HEAVY]) },
  { name: "maintenance: cruft", prepare: dropping },
  { name: "purge", prepare: purging },
  { name: "fork", prepare: forking },
  { name: "push to a fork", prepare: pushingToFork },
  { name: "deletion of a forked repository", prepare: deletingForked },
  { name: "deletion of the last fork", prepare: deletingFork },
  { name: "purge of a forked repository", prepare: purgingForked },
  { name: "purge beside a fork", prepare: purgingBesideFork },
];
