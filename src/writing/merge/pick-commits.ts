/**
 * Brings the changes of single commits onto a branch, or takes them back.
 *
 * @packageDocumentation
 * @see git-cherry-pick(1), git-revert(1)
 */
import { itemAt } from "../../bytes/assert.ts";
import { LimitExceeded } from "../../bytes/failure.ts";
import type { Identity } from "../../object/identity.ts";
import type { WriteExchange } from "../commit/write-session.ts";
import { type CommitRecord, labelOf, type NewRecord, subjectOf } from "./commit-record.ts";
import type { MergeRun } from "./merge-run.ts";
import { type BranchOrder, type BranchOutcome, type Built, type Unbuilt, writeBranch } from "./write-branch.ts";

/** What is done with each commit. `rebase` leaves out merges, and what changes nothing any more. */
export type PickAction = "pick" | "revert" | "rebase";

/** Commits that one request may make again. */
const MOST_PICKS = 1000;

/** Commits to pick, by their full names, and how. */
export type Picks = {
  readonly commits: readonly string[];
  readonly action: PickAction;
  /** The parent, from 1, against which a merge changes something. */
  readonly mainline?: number;
  readonly favor?: "ours" | "theirs";
  readonly committer: Identity;
  /** What stands behind the markers of our side. */
  readonly label: string;
};

/** What is to be picked onto a branch. The commits are refs, or full names. */
export type PickOrder = Omit<BranchOrder, "names"> & Omit<Picks, "label">;

/** Picks or reverts commits. */
export async function pickCommits(exchange: WriteExchange, order: PickOrder): Promise<BranchOutcome> {
  return await writeBranch(exchange, { ...order, names: order.commits }, async (run, head) => {
    const commits: string[] = [];
    const resolved = await run.resolve(order.commits);
    for (const [at, name] of order.commits.entries()) {
      const commit = resolved[at];
      if (commit === undefined) return { kind: "no-commit", commit: name };
      commits.push(commit);
    }
    return await pickAll(run, head, { ...order, commits, label: order.branch.replace(/^refs\/heads\//, "") });
  });
}

/** Refuses more commits than one request may make again. @throws LimitExceeded */
export function assertPickable(count: number): void {
  if (count > MOST_PICKS)
    throw new LimitExceeded("picked-commits", MOST_PICKS, `more than ${MOST_PICKS} commits would be made again`);
}

/** Picks commits one after the other, onto a commit. */
export async function pickAll(run: MergeRun, head: string, picks: Picks): Promise<Built | Unbuilt> {
  let { oid, tree, parents } = await run.commitOf(head);
  const commits: string[] = [];
  assertPickable(picks.commits.length);
  for (const name of picks.commits) {
    const commit = await run.commitOf(name);
    if (picks.action === "rebase" && commit.parents.length > 1) continue;
    const change = await changeOf(run, commit, picks);
    if ("kind" in change) return change;
    const labels = { ours: picks.label, theirs: change.label };
    const result = await run.apply(change, tree, {
      labels,
      ...(picks.favor === undefined ? {} : { favor: picks.favor }),
    });
    const record = recordOf(commit, picks, { tree: result.tree, parents: [oid] });
    if (!result.isClean) return { kind: "conflicted", result, marked: record, commit: name };
    if (result.tree === tree) {
      // What was empty before stays; what has become empty is there already.
      if (picks.action !== "rebase") return { kind: "nothing-changed", commit: name };
      if (change.from !== change.to) continue;
    }
    parents = [oid];
    oid = await run.add(record);
    ({ tree } = result);
    commits.push(oid);
  }
  return commits.length === 0 ? { kind: "up-to-date" } : { kind: "built", oid, tree, parents, commits };
}

/** What is to be applied: the change from one tree to another. */
type Change = { readonly from: string; readonly to: string; readonly label: string };

async function changeOf(run: MergeRun, commit: CommitRecord, { action, mainline }: Picks): Promise<Change | Unbuilt> {
  if (commit.parents.length > 1 && mainline === undefined) return { kind: "needs-mainline", commit: commit.oid };
  const number = mainline ?? 1;
  if (number > Math.max(commit.parents.length, 1)) return { kind: "no-such-parent", commit: commit.oid };
  const parent =
    commit.parents.length === 0 ? run.source.emptyTree : (await run.commitOf(itemAt(commit.parents, number - 1))).tree;
  if (action === "revert") return { from: commit.tree, to: parent, label: `parent of ${labelOf(commit)}` };
  return { from: parent, to: commit.tree, label: labelOf(commit) };
}

function recordOf(
  commit: CommitRecord,
  { action, committer, mainline }: Picks,
  made: Pick<NewRecord, "tree" | "parents">,
): NewRecord {
  const { encoding, author, message } = commit;
  if (action !== "revert") return { ...made, author, committer, encoding, message };
  const merge = commit.parents.length > 1 ? `, reversing\nchanges made to ${itemAt(commit.parents, (mainline ?? 1) - 1)}` : ""; // prettier-ignore
  const text = `Revert "${subjectOf(commit)}"\n\nThis reverts commit ${commit.oid}${merge}.\n`;
  return { ...made, author: committer, committer, encoding, message: text };
}
