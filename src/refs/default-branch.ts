/**
 * Chooses the branch that HEAD points to if nobody chose one.
 *
 * @packageDocumentation
 */
import { isZeroOid } from "./ref-plan.ts";
import type { RefUpdate } from "./ref-update.ts";

const BRANCHES = "refs/heads/";
/** The usual name of a first branch. */
const MAIN = "refs/heads/main";
/** The name of the first branch before git 2.28, and still that of many repositories. */
const MASTER = "refs/heads/master";

/**
 * Returns the branch that HEAD points to after a push to a repository whose HEAD names no branch yet. This is `usual`
 * if the push sets it, or sets no branch at all. Otherwise it is `master`, or else the first branch that the push sets.
 * Without this, a clone of a repository with a single branch would check out nothing.
 */
export function defaultBranchOf(updates: readonly RefUpdate[], usual: string): string {
  const branches = updates.filter(({ name, newOid }) => name.startsWith(BRANCHES) && !isZeroOid(newOid));
  const names = branches.map(({ name }) => name);
  return [usual, MAIN, MASTER].find((name) => names.includes(name)) ?? names[0] ?? usual;
}
