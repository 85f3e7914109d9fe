/**
 * What journeys on failing storage push, and repositories that have it.
 *
 * @packageDocumentation
 */
import type { Outcome, Refs } from "./fault-client.ts";
import type { Round } from "./fault-rounds.ts";
import { noise } from "./git-fixtures.ts";
import { buildPack, commitOf, objectId, type RawEntry, treeOf } from "./git-raw.ts";

/** The branch that repositories begin with, and another. */
export const MAIN = "refs/heads/main";
export const TOPIC = "refs/heads/topic";

/** A commit with one file, and the objects that it brings. */
export type Made = { readonly oid: string; readonly entries: readonly RawEntry[] };

/** Makes a commit of one file. */
export function made(content: Uint8Array | string, parent?: Made, file = "file.txt"): Made {
  const tree = treeOf(["100644", file, objectId("blob", content)]);
  const commit = commitOf(objectId("tree", tree), parent === undefined ? [] : [parent.oid]);
  const entries: RawEntry[] = [
    { type: "commit", content: commit },
    { type: "tree", content: tree },
    { type: "blob", content },
  ];
  return { oid: objectId("commit", commit), entries };
}

/** Makes a line of commits, each of one file; the last comes last. */
export function lineOf(count: number, name: string, parent?: Made): Made[] {
  const commits: Made[] = [];
  for (let at = 0; at < count; at++) commits.push(made(`${name} ${at}\n`, commits.at(-1) ?? parent));
  return commits;
}

const packs = new Map<string, Buffer>();

/** The pack of these commits. It is made once: to deflate some MB took longer than the rest of a round. */
export function packOf(commits: readonly Made[]): Buffer {
  const names = commits.map(({ oid }) => oid).join(" ");
  const pack = packs.get(names) ?? buildPack(commits.flatMap(({ entries }) => entries));
  packs.set(names, pack);
  return pack;
}

/** What every repository begins with, and its last commit. */
export const BASE = lineOf(3, "base");
export const TIP: Made = BASE[2] ?? made("");
/** A commit after it, in a pack that goes into the tail. */
export const NEXT = made("next\n", TIP);
/** A commit that is too large for the tail, in a pack that is written at once. */
export const LARGE = made(noise(700_000, 1), TIP);
/** A commit of enough that clones of it are worth a twin. */
export const HEAVY = made(noise(1_200_000, 3), TIP);
/** A commit of more than a part of an upload to R2. */
export const HUGE = made(noise(5_400_000, 2), TIP);

/** @throws Error if it is not done. */
export function assertDone(outcome: Outcome): void {
  if (outcome.kind !== "done") throw new Error(`it was not to fail: ${JSON.stringify(outcome)}`);
}

/** Makes the round's repository, with some commits in it; those of {@link BASE} if none are named. */
export async function filled(
  { bed, path, client }: Round,
  commits: readonly Made[] = BASE,
  settings: object = {},
): Promise<Refs> {
  await bed.sure("PUT", `/repos/${path}`, settings);
  const tip = commits.at(-1)?.oid ?? "";
  assertDone(await client.push([{ name: MAIN, new: tip }], packOf(commits)));
  return { [MAIN]: tip };
}
