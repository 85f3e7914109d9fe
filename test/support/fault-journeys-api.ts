/**
 * Journeys of the API on storage that fails: what changes refs without a push, and what changes repositories.
 *
 * @packageDocumentation
 */
import type { Outcome, Refs } from "./fault-client.ts";
import { assertDone, BASE, filled, LARGE, type Made, made, MAIN, NEXT, packOf, TIP, TOPIC } from "./fault-content.ts";
import { type Act, checkRefs, type Journey, type Round } from "./fault-rounds.ts";

const PERSON = { name: "A U Thor", email: "author@example.com", date: "1700000000 +0000" };
/** A commit beside {@link NEXT}, with a file of its own. */
const SIDE = made("side\n", TIP, "side.txt");

/** Something that the API is asked for with a key, so that it is done once however often it is asked for. */
async function asking(round: Round, path: string, body: object, branches: readonly Made[] = []): Promise<Act> {
  const before: Record<string, string> = { ...(await filled(round)) };
  for (const [at, commit] of branches.entries()) {
    const name = `refs/heads/branch-${at}`;
    assertDone(await round.client.push([{ name, new: commit.oid }], packOf([commit])));
    before[name] = commit.oid;
  }
  let acknowledged: string | undefined;
  return {
    act: async () => {
      const key = { "Idempotency-Key": `once-${round.path}` };
      const outcome = await round.client.api("POST", `/repos/${round.path}/${path}`, body, key);
      if (outcome.kind === "done") acknowledged = (JSON.parse(outcome.body.toString()) as { oid: string }).oid;
      return outcome;
    },
    check: async (done) => {
      const refs = await round.referee.refs(round.path);
      const { [MAIN]: main = "", ...others } = refs;
      const { [MAIN]: old, ...same } = before;
      if (JSON.stringify(others) !== JSON.stringify(same))
        throw new Error(`other refs have moved: ${JSON.stringify(refs)}`);
      if (done && main !== acknowledged) throw new Error(`${MAIN} is ${main}, and not ${acknowledged}`);
      if (!done && main !== old) await isOnTopOf(round, main, String(old));
    },
  };
}

/** @throws Error unless a commit has another for its parent. */
async function isOnTopOf({ bed, path }: Round, oid: string, parent: string): Promise<void> {
  const { parents } = await bed.sure("GET", `/repos/${path}/commits/${oid}`);
  if (!JSON.stringify(parents).includes(parent)) throw new Error(`${oid} is not on top of ${parent}`);
}

/** Moves of refs, of which the client finds out whether they were made by looking. */
async function writing(
  round: Round,
  { before, after }: { readonly before: Refs; readonly after: Refs },
  ask: () => Promise<Outcome>,
): Promise<Act> {
  const text = (refs: Refs): string =>
    Object.keys(refs)
      .toSorted()
      .map((name) => `${name} ${refs[name]}`)
      .join("\n");
  return {
    act: async () => {
      const { outcome, refs } = await round.client.refs();
      return outcome.kind !== "done" || text(refs) === text(after) ? outcome : await ask();
    },
    check: (done) => checkRefs(round, { before, after }, done),
  };
}

/** A repository with a second branch. */
async function withTopic(round: Round, oid = NEXT.oid, brings: readonly Made[] = [NEXT]): Promise<Refs> {
  const before = await filled(round);
  assertDone(await round.client.push([{ name: TOPIC, new: oid }], packOf(brings)));
  return { ...before, [TOPIC]: oid };
}

async function writingOne(round: Round): Promise<Act> {
  const before = await withTopic(round);
  const url = `/repos/${round.path}/refs/heads/main`;
  return await writing(round, { before, after: { ...before, [MAIN]: NEXT.oid } }, () =>
    round.client.api("PUT", url, { oid: NEXT.oid, expected: TIP.oid }),
  );
}

async function deletingOne(round: Round): Promise<Act> {
  const before = await withTopic(round);
  const { [TOPIC]: _, ...after } = before;
  const url = `/repos/${round.path}/refs/heads/topic?expected=${NEXT.oid}`;
  return await writing(round, { before, after }, () => round.client.api("DELETE", url));
}

async function writingSeveral(round: Round): Promise<Act> {
  const before = await withTopic(round);
  const after = { [MAIN]: NEXT.oid, [TOPIC]: TIP.oid, "refs/heads/third": NEXT.oid };
  const updates = [
    { name: MAIN, old: TIP.oid, new: NEXT.oid },
    { name: TOPIC, old: NEXT.oid, new: TIP.oid },
    { name: "refs/heads/third", old: null, new: NEXT.oid },
  ];
  return await writing(round, { before, after }, () =>
    round.client.api("POST", `/repos/${round.path}/refs`, { updates }),
  );
}

async function restoring(round: Round): Promise<Act> {
  const after = await withTopic(round);
  assertDone(await round.client.push([{ name: TOPIC, old: NEXT.oid }], new Uint8Array(0)));
  const { [TOPIC]: _, ...before } = after;
  const { pushes } = await round.bed.sure("GET", `/repos/${round.path}/reflog`);
  const id = (pushes as { id: number }[])[0]?.id;
  return await writing(round, { before, after }, () =>
    round.client.api("POST", `/repos/${round.path}/reflog/${String(id)}/restore`),
  );
}

/** Whether there is a repository under a name, whatever goes wrong. */
async function isThere({ bed }: Round, path: string): Promise<boolean> {
  const answer = await bed.api("GET", `/repos/${path}`, undefined, { "X-Unfaulted": "1" });
  if (answer.kind === "broken") throw new Error(answer.why);
  return answer.status === 200;
}

/** What a client finds out by looking whether it is done. */
async function unless(round: Round, path: string, status: number, ask: () => Promise<Outcome>): Promise<Outcome> {
  const seen = await round.bed.api("GET", `/repos/${path}`);
  if (seen.kind === "whole" && seen.status === status) return { kind: "done", body: seen.body };
  return await ask();
}

async function deleting(round: Round): Promise<Act> {
  const { bed, path, client } = round;
  await filled(round, [...BASE, LARGE]);
  const { id } = await bed.sure("GET", `/repos/${path}`);
  return {
    act: () => unless(round, path, 404, () => client.api("DELETE", `/repos/${path}`)),
    check: async (done) => {
      const isStill = await isThere(round, path);
      if (done && isStill) throw new Error("it was deleted, and is there");
      if (isStill) await round.referee.clone(path);
    },
    swept: async () => {
      const keys = await bed.keys(`repos/${String(id)}.git/`);
      if (keys.length > 0) throw new Error(`left of a deleted repository: ${keys.map(({ key }) => key).join(", ")}`);
    },
  };
}

async function renaming(round: Round): Promise<Act> {
  const { path, client, referee } = round;
  const refs = await filled(round);
  const to = `${path}-renamed`;
  return {
    act: () =>
      unless(round, to, 200, () => client.api("PATCH", `/repos/${path}`, { name: to.slice(to.indexOf("/") + 1) })),
    check: async (done) => {
      const [old, renamed] = [await isThere(round, path), await isThere(round, to)];
      if (old === renamed || (done && !renamed))
        throw new Error(`there under the old name: ${old}, the new: ${renamed}`);
      const found = await referee.refs(renamed ? to : path);
      if (JSON.stringify(found) !== JSON.stringify(refs)) throw new Error(`renamed with ${JSON.stringify(found)}`);
    },
    paths: [path, to],
  };
}

async function creatingByApi(round: Round): Promise<Act> {
  const { path, client } = round;
  return {
    act: () => client.api("PUT", `/repos/${path}`, { description: "made" }),
    check: async (done) => {
      if (done && !(await isThere(round, path))) throw new Error("it was made, and is not there");
    },
  };
}

const COMMIT = { branch: "main", message: "by the API\n", author: PERSON, committer: PERSON };
const ACTIONS = [{ action: "create", path: "new.txt", content: "new\n" }];

/** Journeys of the API. */
export const API_JOURNEYS: readonly Journey[] = [
  { name: "commit by the API", prepare: (round) => asking(round, "commits", { ...COMMIT, actions: ACTIONS }) },
  {
    name: "merge",
    prepare: (round) =>
      asking(round, "merges", { base: "main", head: "branch-0", author: PERSON, committer: PERSON }, [SIDE]),
  },
  {
    name: "cherry-pick",
    prepare: (round) =>
      asking(round, "cherry-picks", { branch: "main", commits: [SIDE.oid], committer: PERSON }, [SIDE]),
  },
  { name: "write of a ref", prepare: writingOne },
  { name: "write of several refs", prepare: writingSeveral },
  { name: "deletion of a ref", prepare: deletingOne },
  { name: "restore of a ref", prepare: restoring },
  { name: "making of a repository", prepare: creatingByApi },
  { name: "deletion of a repository", prepare: deleting },
  { name: "renaming", prepare: renaming },
];
