/**
 * Refuses updates that change files which others have locked. As in git-lfs, the new commits of a branch count.
 *
 * @packageDocumentation
 * @see https://github.com/git-lfs/git-lfs/blob/main/docs/api/locking.md
 */
import { itemAt } from "../../bytes/assert.ts";
import { Budget } from "../../bytes/budget.ts";
import { fromHex } from "../../bytes/hex.ts";
import { NewChanges } from "../../graph/new-changes.ts";
import type { LockedFile } from "../../refs/ref-update.ts";
import { isZeroOid } from "../../refs/ref-plan.ts";
import { inPushSession, type PushSources } from "./push-sources.ts";
import type { PushVerdict } from "./push-verdict.ts";

const BRANCHES = "refs/heads/";
/** New commits of a push that are looked at one by one while files are locked. */
const MOST_COMMITS = 5000;
/** Directories that are read for it. */
const MOST_TREES = 20_000;
/** Locked files that a refusal names. */
const MOST_NAMED = 20;

/**
 * Refuses each running update of a branch that changes a locked file. It takes over the kernel, so the pack can't be
 * read afterwards.
 *
 * @throws LimitExceeded if there is too much to look at.
 */
export async function refuseLocked(
  verdict: PushVerdict,
  sources: Omit<PushSources, "pack">,
  locks: readonly LockedFile[],
): Promise<void> {
  const branches = verdict.running.filter((index) => {
    const { name, newOid } = itemAt(verdict.updates, index);
    return name.startsWith(BRANCHES) && !isZeroOid(newOid);
  });
  if (branches.length === 0) return;
  const tips = new Map(
    branches.flatMap((index) => {
      const tip = fromHex(itemAt(verdict.updates, index).newOid);
      return tip === undefined ? [] : [[index, tip] as const];
    }),
  );
  const input = { paths: locks.map(({ path }) => path), most: MOST_NAMED, before: sources.database, ...budgets() };
  await inPushSession(sources, async (session) => {
    const changes = new NewChanges(input, session);
    await changes.read([...tips.values()]);
    // Both the branches and the locks may be very many, but few paths are named for each branch.
    const ranks = new Map(locks.map(({ path }, rank) => [path, rank] as const));
    for (const [index, tip] of tips) {
      const changed = changes.upTo(tip);
      const found = new Set(changed.flatMap((path) => ranks.get(path) ?? []));
      const files = [...found].sort((a, b) => a - b).map((rank) => itemAt(locks, rank));
      if (changed.length > 0) verdict.reject(index, { kind: "locked", files });
    }
  });
}

function budgets(): { readonly commits: Budget; readonly trees: Budget } {
  return {
    commits: new Budget({
      limit: "locked-commits",
      max: MOST_COMMITS,
      message: `more than ${MOST_COMMITS} commits while files are locked: push them in parts`,
    }),
    trees: new Budget({
      limit: "locked-trees",
      max: MOST_TREES,
      message: `more than ${MOST_TREES} directories to compare while files are locked: push in parts`,
    }),
  };
}
