/**
 * Explains in git's words the outcomes of a push's commands.
 *
 * @packageDocumentation
 * @see builtin/receive-pack.c `update()`, refs/files-backend.c, gitprotocol-pack(5)
 */
import { explainRefusal } from "../../refs/ref-policy.ts";
import { isZeroOid } from "../../refs/ref-plan.ts";
import type { RefOutcome, RefRejection, RefUpdate } from "../../refs/ref-update.ts";
import type { RefReport } from "../../wire/report-status.ts";

/** The texts that explain why a ref was not moved. */
export type RejectionText = {
  /** The text after `ng <ref>`, short, in the words of git since 2.50 (`ref_transaction_error_msg`). */
  readonly why: string;
  /** The line on band 2 that explains more, without its line feed; `undefined` if `why` is enough. */
  readonly detail?: string;
};

/** The most characters of a name that a message repeats. */
const SHOWN = 1000;

/** The texts of rejections that need no detail. */
const PLAIN = {
  // C git has no read-only repositories.
  "read-only": "the repository is read-only",
  "missing-objects": "missing necessary objects",
  "too-many-for-rules": "too many refs in one push for the rules of the repository",
  "rules-moved": "the rules of the repository changed meanwhile: push again",
  "too-many-directories": "the names of the refs have too many directories: push them in parts",
  shallow: "shallow update not allowed",
  "inconsistent-options": "inconsistent push options",
  // C git does not remember certificates either: it leaves them to hooks.
  "used-certificate": "push certificate was used before",
  atomic: "atomic push failure",
  "unpacker-error": "unpacker error",
} as const;

/** Explains a rejection of `update`. */
export function explainRejection(
  why: RefRejection,
  update: Pick<RefUpdate, "name" | "oldOid" | "newOid">,
): RejectionText {
  const name = update.name.slice(0, SHOWN);
  const locked = (reason: string, detail: string): RejectionText => ({
    why: reason,
    detail: `error: cannot lock ref '${name}': ${detail}`,
  });
  switch (why.kind) {
    case "stale":
      return locked("incorrect old value provided", `is at ${why.current} but expected ${update.oldOid}`);
    case "exists":
      return locked("reference already exists", "reference already exists");
    case "missing-ref":
      return locked("reference does not exist", `unable to resolve reference '${name}'`);
    case "directory-conflict":
      return locked("refname conflict", `'${why.other}' exists; cannot create '${name}'`);
    case "bad-name":
      return { why: "funny refname", detail: `error: refusing to create funny ref '${name}' remotely` };
    case "delete-current":
      return {
        why: "deletion of the current branch prohibited",
        detail: `error: refusing to delete the current branch: ${name}`,
      };
    case "rule":
      return { why: explainRefusal(why.refusal) };
    case "locked":
      // In the words of git-lfs, which looks before it pushes.
      return {
        why: "cannot update locked files",
        detail: `error: Unable to push locked files:${why.files.map(({ path, owner }) => `\n* ${path} - ${owner}`).join("")}`,
      };
    case "duplicate":
      return { why: "failed to update ref", detail: `error: multiple updates for ref '${name}' not allowed` };
    case "wrong-type":
      return {
        why: "invalid new value provided",
        detail: `error: cannot update ref '${name}': trying to write non-commit object ${update.newOid} to branch '${name}'`,
      };
    default:
      return { why: PLAIN[why.kind] };
  }
}

/** The most characters of a refused name in a report. A pkt-line holds this many, whatever characters they are. */
const LONGEST_REPORTED = 16_384;
/** The most outcomes that are explained on band 2. The report alone covers the rest. */
const MOST_EXPLAINED = 100;

/** Yields the lines of the report, one per outcome. `updates` are in the same order. */
export function* reportOutcomes(
  outcomes: readonly RefOutcome[],
  updates: readonly RefUpdate[],
  atomic: boolean,
): Generator<RefReport> {
  const fellTogether = atomic ? whyAllFell(outcomes) : undefined;
  let index = 0;
  for (const outcome of outcomes) {
    const update = updates[index++];
    if (outcome.kind === "ok" || update === undefined) {
      yield { kind: "ok", name: outcome.name };
    } else {
      const isCause = fellTogether === undefined || !isOfTransaction(outcome.why);
      const why = isCause ? explainRejection(outcome.why, update).why : fellTogether;
      yield { kind: "ng", name: outcome.name.slice(0, LONGEST_REPORTED), why };
    }
  }
}

/**
 * Returns the text for the refs of an atomic push that were not refused for themselves. C git checks each command
 * first, and begins the ref transaction only if it accepts all of them. It reports a failure of the transaction for
 * every ref in the same words.
 */
function whyAllFell(outcomes: readonly RefOutcome[]): string | undefined {
  const refused = outcomes.flatMap((outcome) => (outcome.kind === "ok" ? [] : [outcome.why]));
  if (refused.length === 0) return undefined;
  return refused.every(isOfTransaction) ? "atomic transaction failed" : PLAIN.atomic;
}

/** Whether C git finds the fault in the ref transaction, or would not have reached the transaction. */
function isOfTransaction({ kind }: RefRejection): boolean {
  switch (kind) {
    case "stale":
    case "exists":
    case "missing-ref":
    case "directory-conflict":
    case "duplicate":
    case "wrong-type":
    case "atomic":
      return true;
    default:
      return false;
  }
}

/** Returns the warning about an update that succeeded; `undefined` for most. */
function warningOf({ oldOid, newOid }: RefUpdate): string | undefined {
  return isZeroOid(oldOid) && isZeroOid(newOid) ? "warning: deleting a non-existent ref" : undefined;
}

/** Returns the text of band 2 about the outcomes, as in C git: a line for each outcome that needs one, or "". */
export function explainOutcomes(outcomes: Iterable<RefOutcome>, updates: readonly RefUpdate[]): string {
  let text = "";
  let [index, explained] = [0, 0];
  for (const outcome of outcomes) {
    const update = updates[index++];
    if (explained === MOST_EXPLAINED) break;
    if (update === undefined) continue;
    const detail = outcome.kind === "ok" ? warningOf(update) : explainRejection(outcome.why, update).detail;
    if (detail === undefined) continue;
    text += `${detail}\n`;
    explained++;
  }
  return text;
}
