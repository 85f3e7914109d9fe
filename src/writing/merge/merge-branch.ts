/**
 * Merges a branch or a commit into a branch: by a merge commit, by one commit, by moving forward, or by making its
 * commits again.
 *
 * @packageDocumentation
 * @see git-merge(1), git-rebase(1)
 */
import type { Identity } from "../../object/identity.ts";
import { expandRefName } from "../../object/ref-name.ts";
import type { MergeOptions } from "../../merge/merge-state.ts";
import type { WriteExchange } from "../commit/write-session.ts";
import { byteText, subjectOf } from "./commit-record.ts";
import type { MergeRun, Standing } from "./merge-run.ts";
import { assertPickable, pickAll } from "./pick-commits.ts";
import { type BranchOrder, type BranchOutcome, type Built, type Unbuilt, writeBranch } from "./write-branch.ts";

/** Ways to merge. */
export type MergeStrategy = "merge" | "squash" | "ff-only" | "rebase";

/** Commits that the message of a squashed merge lists. */
const MOST_LISTED = 100;
/** Branches whose names git leaves out of messages. */
const UNNAMED = ["main", "master"];
const BRANCHES = "refs/heads/";

/** What is to be merged. */
export type MergeOrder = Omit<BranchOrder, "names"> & {
  /** A branch, a tag or the full name of a commit. */
  readonly head: string;
  readonly strategy: MergeStrategy;
  readonly message?: string;
  readonly favor?: "ours" | "theirs";
  readonly author: Identity;
  readonly committer: Identity;
};

/** Merges. */
export async function mergeBranch(exchange: WriteExchange, order: MergeOrder): Promise<BranchOutcome> {
  return await writeBranch(exchange, { ...order, names: [order.head] }, async (run, ours) => {
    const [theirs] = await run.resolve([order.head]);
    if (theirs === undefined) return { kind: "no-head" };
    const standing = await run.standingOf(ours, theirs);
    if (standing.isUpToDate) return { kind: "up-to-date" };
    if (standing.isUnrelated) return { kind: "unrelated" };
    return await new Merging(run, order, { ours, theirs, standing }).build();
  });
}

type Tips = { readonly ours: string; readonly theirs: string; readonly standing: Standing };

class Merging {
  readonly #run: MergeRun;
  readonly #order: MergeOrder;
  readonly #tips: Tips;

  constructor(run: MergeRun, order: MergeOrder, tips: Tips) {
    this.#run = run;
    this.#order = order;
    this.#tips = tips;
  }

  async build(): Promise<Built | Unbuilt> {
    const { isForward } = this.#tips.standing;
    switch (this.#order.strategy) {
      case "ff-only":
        return isForward ? await this.#forward() : { kind: "not-forward" };
      case "rebase":
        return isForward ? await this.#forward() : await this.#rebase();
      case "merge":
      case "squash":
        return await this.#merge();
    }
  }

  async #forward(): Promise<Built> {
    const { oid, tree, parents } = await this.#run.commitOf(this.#tips.theirs);
    return { kind: "built", oid, tree, parents, commits: [] };
  }

  async #rebase(): Promise<Built | Unbuilt> {
    const { committer, favor } = this.#order;
    const { ours, standing } = this.#tips;
    // Comparing changes takes time for each commit, too.
    assertPickable(standing.theirs.length);
    const known = await this.#run.alreadyThere(standing);
    return await pickAll(this.#run, ours, {
      commits: standing.theirs.filter((commit) => !known.has(commit)),
      label: this.#options().labels.ours,
      committer,
      action: "rebase",
      ...(favor === undefined ? {} : { favor }),
    });
  }

  async #merge(): Promise<Built> {
    const { author, committer, strategy } = this.#order;
    const { ours, theirs } = this.#tips;
    const result = await this.#run.merge(ours, theirs, this.#options());
    const parents = strategy === "squash" ? [ours] : [ours, theirs];
    const message = await this.#message();
    const commit = { tree: result.tree, parents, author, committer, encoding: undefined, message };
    if (!result.isClean) {
      // A person settles the conflicts in a merge of both.
      return { kind: "conflicted", result, marked: { ...commit, parents: [ours, theirs] } };
    }
    const oid = await this.#run.add(commit);
    return { kind: "built", oid, tree: result.tree, parents, commits: [oid] };
  }

  #options(): MergeOptions {
    const { branch, head, favor } = this.#order;
    const labels = { ours: byteText(branch.slice(BRANCHES.length)), theirs: byteText(head) };
    return { labels, ...(favor === undefined ? {} : { favor }) };
  }

  async #message(): Promise<string> {
    const { message, strategy, head, branch } = this.#order;
    if (message !== undefined) return byteText(message);
    const short = branch.slice(BRANCHES.length);
    const into = UNNAMED.includes(short) ? "" : ` into ${short}`;
    const what = this.#nameOfHead(head);
    if (strategy !== "squash") return byteText(`Merge ${what}${into}\n`);
    const { theirs } = this.#tips.standing;
    const subjects: string[] = [];
    for (const oid of theirs.slice(0, MOST_LISTED)) subjects.push(`* ${subjectOf(await this.#run.commitOf(oid))}\n`);
    const more = theirs.length - subjects.length;
    const rest = more > 0 ? [`* and ${more} more\n`] : [];
    return [byteText(`Squash ${what}${into}\n\n`), ...subjects, ...rest].join("");
  }

  /** Returns how git's message calls what is merged. */
  #nameOfHead(head: string): string {
    const [, kind, name] = /^(?:refs\/)?(heads|tags)\/(.+)$/.exec(head) ?? [];
    if (kind !== undefined && name !== undefined) return `${kind === "tags" ? "tag" : "branch"} '${name}'`;
    const ref = expandRefName(head).find((full) => this.#run.hasRef(full));
    if (ref === undefined) return `commit '${head}'`;
    return `${ref.startsWith("refs/tags/") ? "tag" : "branch"} '${head}'`;
  }
}
