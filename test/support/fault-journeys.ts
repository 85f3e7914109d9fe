/**
 * The journeys in which storage fails: each is an entry of {@link JOURNEYS}.
 *
 * @packageDocumentation
 */
import { API_JOURNEYS } from "./fault-journeys-api.ts";
import { BACKUP_JOURNEYS } from "./fault-journeys-backup.ts";
import { DOOR_JOURNEYS } from "./fault-journeys-doors.ts";
import { EVENT_JOURNEYS } from "./fault-journeys-events.ts";
import { LFS_JOURNEYS } from "./fault-journeys-lfs.ts";
import { MIRROR_JOURNEYS } from "./fault-journeys-mirror.ts";
import { UPKEEP_JOURNEYS } from "./fault-journeys-upkeep.ts";
import {
  assertDone,
  BASE,
  filled,
  HEAVY,
  HUGE,
  LARGE,
  type Made,
  made,
  MAIN,
  NEXT,
  packOf,
  TIP,
  TOPIC,
} from "./fault-content.ts";
import { type Act, checkRefs, type Journey, type Round } from "./fault-rounds.ts";
import type { Outcome, Refs } from "./fault-client.ts";

/** A push of refs to new commits. */
async function pushing(round: Round, after: Refs, brings: readonly Made[], capabilities = ""): Promise<Act> {
  const before = await filled(round);
  const commands = Object.entries(after)
    .filter(([name, oid]) => before[name] !== oid)
    .map(([name, oid]) => ({ name, new: oid, ...(before[name] === undefined ? {} : { old: before[name] }) }));
  return {
    act: () => round.client.push(commands, packOf(brings), capabilities),
    check: (done) => checkRefs(round, { before, after }, done),
  };
}

/** A push that makes its repository. */
async function creating(round: Round): Promise<Act> {
  return {
    act: () => round.client.push([{ name: MAIN, new: TIP.oid }], packOf(BASE)),
    check: (done) => checkRefs(round, { before: {}, after: { [MAIN]: TIP.oid } }, done),
  };
}

/** A push whose pack comes in three parts before. */
async function pushingParts(round: Round): Promise<Act> {
  const { path, client } = round;
  const before = await filled(round);
  const pack = packOf([LARGE]);
  const cut = [0, 250_000, 500_000, pack.length];
  return {
    act: async () => {
      const { outcome, refs } = await client.refs();
      if (outcome.kind !== "done" || refs[MAIN] === LARGE.oid) return outcome;
      const begun = await client.asked("POST", `/api/v1/repos/${path}/uploads`);
      if (begun.kind !== "done") return begun;
      const { id } = JSON.parse(begun.body.toString()) as { id: string };
      for (const number of [1, 2, 3]) {
        const part = pack.subarray(cut[number - 1], cut[number]);
        const url = `/api/v1/repos/${path}/uploads/${id}/parts/${number}`;
        const put = await client.asked("PUT", url, part, { "Content-Type": "application/octet-stream" });
        if (put.kind !== "done") return put;
      }
      return await client.completePush(id, [{ name: MAIN, old: TIP.oid, new: LARGE.oid }]);
    },
    check: (done) => checkRefs(round, { before, after: { [MAIN]: LARGE.oid } }, done),
  };
}

/** What a fetch begins with: how its repository is filled, and how often that was cloned before. */
type Fetched = {
  readonly fill: (round: Round) => Promise<unknown>;
  /** What the client has. */
  readonly has?: readonly Made[];
  readonly clones?: number;
  /** Whether the answer passes by the script: then it can only break off, which the client sees by its length. */
  readonly isRaw?: boolean;
};

/** A fetch, of which git looks at the pack. */
async function fetching(round: Round, { fill, has = [], clones = 0, isRaw = false }: Fetched): Promise<Act> {
  await fill(round);
  const refs = await round.referee.refs(round.path);
  for (let at = 0; at < clones; at++) assertDone(await round.client.fetch(Object.values(refs)));
  const listed = Object.keys(refs).map((name) => `create ${name} ${refs[name]}\n`);
  return {
    act: async () => {
      const { outcome, refs: seen } = await round.client.refs();
      if (outcome.kind !== "done") return outcome;
      const haves = has.slice(-1).map(({ oid }) => oid);
      const fetched = await round.client.fetch([...new Set(Object.values(seen))], haves);
      if (fetched.kind === "broken" && isRaw) return { kind: "told", status: 200, words: fetched.why };
      if (fetched.kind === "done")
        await round.referee.pack(fetched.body, listed.join(""), has.length === 0 ? undefined : packOf(has));
      return fetched;
    },
    check: (done) => checkRefs(round, { before: refs, after: refs }, done),
  };
}

/** Git's own client, which pushes and clones. */
async function byGit(round: Round, does: (cwd: string, url: string) => readonly string[]): Promise<Act> {
  const { bed, path, referee } = round;
  const before = await filled(round);
  const after = { [MAIN]: NEXT.oid };
  const cwd = await referee.workingCopy([...BASE, NEXT], NEXT.oid);
  const args = does(cwd, bed.url(path));
  const pushes = args[0] === "push";
  return {
    act: async (): Promise<Outcome> => {
      const { code, stderr } = await bed.git.git(args, { cwd, timeout: 120_000 });
      if (code === 0) return { kind: "done", body: Buffer.alloc(0) };
      if (/killed after/.test(stderr)) return { kind: "broken", why: stderr };
      return stderr.trim() === ""
        ? { kind: "broken", why: "git says nothing" }
        : { kind: "told", status: 0, words: stderr };
    },
    check: (done) => checkRefs(round, { before, after: pushes ? after : before }, done),
  };
}

/** A repository with a large pack in the bucket. */
async function heavy(round: Round): Promise<void> {
  await filled(round, [...BASE, HEAVY]);
  await round.bed.settle();
}

/** A repository whose commits were pushed one by one, each published by itself. */
async function manyPacks(round: Round, count: number): Promise<Made[]> {
  const { bed, client } = round;
  const commits = [...BASE];
  await filled(round);
  await bed.settle();
  for (let at = 0; at < count; at++) {
    const next = made(`pack ${at}\n`, commits.at(-1));
    assertDone(await client.push([{ name: MAIN, old: String(commits.at(-1)?.oid), new: next.oid }], packOf([next])));
    await bed.settle();
    commits.push(next);
  }
  return commits;
}

/** A push that makes a roll-up of ten packs due. */
async function rollingUp(round: Round): Promise<Act> {
  const commits = await manyPacks(round, 8);
  const old = String(commits.at(-1)?.oid);
  const last = made("the last pack\n", commits.at(-1));
  return {
    act: () => round.client.push([{ name: MAIN, old, new: last.oid }], packOf([last])),
    check: (done) => checkRefs(round, { before: { [MAIN]: old }, after: { [MAIN]: last.oid } }, done),
  };
}

const TWO = { [MAIN]: NEXT.oid, [TOPIC]: NEXT.oid };

/** All journeys. */
export const JOURNEYS: readonly Journey[] = [
  { name: "push, small", prepare: (round) => pushing(round, { [MAIN]: NEXT.oid }, [NEXT]) },
  { name: "push, large", prepare: (round) => pushing(round, { [MAIN]: LARGE.oid }, [LARGE]) },
  { name: "push, huge", prepare: (round) => pushing(round, { [MAIN]: HUGE.oid }, [HUGE]) },
  { name: "push, atomic", prepare: (round) => pushing(round, TWO, [NEXT], "atomic") },
  {
    name: "push, atomic and large",
    prepare: (round) => pushing(round, { [MAIN]: LARGE.oid, [TOPIC]: LARGE.oid }, [LARGE], "atomic"),
  },
  { name: "push in parts", prepare: pushingParts },
  { name: "push that makes the repository", prepare: creating },
  { name: "push by git", prepare: (round) => byGit(round, (_, url) => ["push", "-q", url, `${NEXT.oid}:${MAIN}`]) },
  { name: "clone", prepare: (round) => fetching(round, { fill: filled }) },
  { name: "clone of many packs", prepare: (round) => fetching(round, { fill: (one) => manyPacks(one, 5) }) },
  { name: "clone of a large pack", prepare: (round) => fetching(round, { fill: heavy }) },
  { name: "clone that makes a twin", prepare: (round) => fetching(round, { fill: heavy, clones: 9 }) },
  { name: "clone from a twin", prepare: (round) => fetching(round, { fill: heavy, clones: 10, isRaw: true }) },
  { name: "fetch", prepare: (round) => fetching(round, { fill: (one) => manyPacks(one, 3), has: BASE }) },
  { name: "fetch by git", prepare: (round) => byGit(round, (_, url) => ["fetch", "-q", url]) },
  { name: "roll-up", prepare: rollingUp },
  ...API_JOURNEYS,
  ...UPKEEP_JOURNEYS,
  ...LFS_JOURNEYS,
  ...MIRROR_JOURNEYS,
  ...EVENT_JOURNEYS,
  ...DOOR_JOURNEYS,
  ...BACKUP_JOURNEYS,
];
