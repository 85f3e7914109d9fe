/**
 * Where HEAD points in a repository that a push makes.
 *
 * @packageDocumentation
 */
import { isZeroOid } from "../../refs/ref-plan.ts";
import type { RefUpdate } from "../../refs/ref-update.ts";

const BRANCHES = "refs/heads/";
/** What git called it for long. */
const MASTER = "refs/heads/master";

/**
 * Gives the branch HEAD is to point to: the host's usual one where the push has it or no branch at all, else `master`, else the
 * first it brings. A clone would otherwise check out nothing, of a repository that has but the one branch.
 */
export function defaultBranchOf(updates: readonly RefUpdate[], usual: string): string {
  const branches = updates.filter(({ name, newOid }) => name.startsWith(BRANCHES) && !isZeroOid(newOid));
  const names = branches.map(({ name }) => name);
  return [usual, MASTER].find((name) => names.includes(name)) ?? names[0] ?? usual;
}
