/**
 * The journeys in which storage fails: each is one entry of {@link JOURNEYS}.
 *
 * @packageDocumentation
 */
import { buildPack, commitOf, objectId, type RawEntry, treeOf } from "./git-raw.ts";
import { type Act, checkRefs, type Journey, type Round } from "./fault-rounds.ts";
import type { Refs } from "./fault-client.ts";

const MAIN = "refs/heads/main";

/** A commit with one file, and the objects that it brings. */
type Made = { readonly oid: string; readonly entries: readonly RawEntry[] };

function made(text: string, parent?: Made): Made {
  const tree = treeOf(["100644", "file.txt", objectId("blob", text)]);
  const content = commitOf(objectId("tree", tree), parent === undefined ? [] : [parent.oid]);
  const entries: RawEntry[] = [
    { type: "commit", content },
    { type: "tree", content: tree },
    { type: "blob", content: text },
  ];
  return { oid: objectId("commit", content), entries };
}

/** A line of commits; the last comes last. */
function line(count: number, name: string): Made[] {
  const commits: Made[] = [];
  for (let at = 0; at < count; at++) commits.push(made(`${name} ${at}`, commits.at(-1)));
  return commits;
}

function packOf(commits: readonly Made[]): Buffer {
  return buildPack(commits.flatMap(({ entries }) => entries));
}

const BASE = line(3, "base");
const [, , TIP = made("")] = BASE;
const NEXT = made("next", TIP);

/** Makes the repository, with three commits in it. */
async function filled({ bed, path, client }: Round): Promise<Refs> {
  await bed.sure("PUT", `/repos/${path}`, {});
  const outcome = await client.push([{ name: MAIN, new: TIP.oid }], packOf(BASE));
  if (outcome.kind !== "done") throw new Error(`no beginning: ${JSON.stringify(outcome)}`);
  return { [MAIN]: TIP.oid };
}

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

/** A fetch, of which git looks at the pack. */
async function fetching(round: Round, haves: readonly string[] = []): Promise<Act> {
  const refs = await filled(round);
  return {
    act: async () => {
      const { outcome, refs: listed } = await round.client.refs();
      if (outcome.kind !== "done") return outcome;
      const fetched = await round.client.fetch(Object.values(listed), haves);
      if (fetched.kind === "done") await round.referee.pack(fetched.body, `create ${MAIN} ${TIP.oid}\n`);
      return fetched;
    },
    check: (done) => checkRefs(round, { before: refs, after: refs }, done),
  };
}

/** All journeys. */
export const JOURNEYS: readonly Journey[] = [
  { name: "push, small", prepare: (round) => pushing(round, { [MAIN]: NEXT.oid }, [NEXT]) },
  { name: "clone", prepare: (round) => fetching(round) },
];
