/**
 * Says in git's words what became of the commands of a push.
 *
 * @packageDocumentation
 * @see builtin/receive-pack.c `update()`, refs/files-backend.c, gitprotocol-pack(5)
 */
import { explainRefusal } from "../../refs/ref-policy.ts";
import { isZeroOid } from "../../refs/ref-plan.ts";
import type { RefOutcome, RefRejection, RefUpdate } from "../../refs/ref-update.ts";
import type { RefReport } from "../../wire/report-status.ts";

/** Why a ref was not moved. */
export type RejectionText = {
  /** Behind `ng <ref>`: short, the same for all that fails in the same place, as with C git. */
  readonly why: string;
  /** The line on band 2 that says more, without its line feed; `undefined` where `why` says it all. */
  readonly detail?: string;
};

/** The characters of a name that a message repeats. */
const SHOWN = 1000;

/** What needs no more words. */
const PLAIN = {
  // C git has no read-only repositories.
  "read-only": "the repository is read-only",
  "missing-objects": "missing necessary objects",
  shallow: "shallow update not allowed",
  "inconsistent-options": "inconsistent push options",
  // Nor does C git remember certificates: it leaves them to hooks.
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
  const locked = (detail: string): RejectionText => ({
    why: "failed to update ref",
    detail: `error: cannot lock ref '${name}': ${detail}`,
  });
  switch (why.kind) {
    case "stale":
      return locked(`is at ${why.current} but expected ${update.oldOid}`);
    case "exists":
      return locked("reference already exists");
    case "missing-ref":
      return locked(`unable to resolve reference '${name}'`);
    case "directory-conflict":
      return locked(`'${why.other}' exists; cannot create '${name}'`);
    case "bad-name":
      return { why: "funny refname", detail: `error: refusing to create funny ref '${name}' remotely` };
    case "delete-current":
      return {
        why: "deletion of the current branch prohibited",
        detail: `error: refusing to delete the current branch: ${name}`,
      };
    case "rule":
      return { why: explainRefusal(why.refusal) };
    case "duplicate":
      return { why: "failed to update ref", detail: `error: multiple updates for ref '${name}' not allowed` };
    case "wrong-type":
      return {
        why: "failed to update ref",
        detail: `error: cannot update ref '${name}': trying to write non-commit object ${update.newOid} to branch '${name}'`,
      };
    default:
      return { why: PLAIN[why.kind] };
  }
}

/** Characters of a refused name that fit a line whatever they are. */
const LONGEST_REPORTED = 16_384;
/** Outcomes that are explained; beyond them the report has to do. */
const MOST_EXPLAINED = 100;

/** Gives the lines of the report, one an outcome: `updates` are in the same order. */
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
 * What an atomic push says of refs that were not refused for themselves. C git looks at each command first; only where it likes all
 * of them it begins the transaction, and what goes wrong there is told of every ref in the same words.
 */
function whyAllFell(outcomes: readonly RefOutcome[]): string | undefined {
  const refused = outcomes.flatMap((outcome) => (outcome.kind === "ok" ? [] : [outcome.why]));
  if (refused.length === 0) return undefined;
  return refused.every(isOfTransaction) ? "atomic transaction failed" : PLAIN.atomic;
}

/** Whether C git finds it out in the transaction of refs, or would have not come that far. */
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

/** What is said of an update that was made; `undefined` of most. */
function warningOf({ oldOid, newOid }: RefUpdate): string | undefined {
  return isZeroOid(oldOid) && isZeroOid(newOid) ? "warning: deleting a non-existent ref" : undefined;
}

/** Gives what band 2 says of the outcomes, as C git does: a line for each that needs one, "" where none does. */
export function explainOutcomes(outcomes: Iterable<RefOutcome>, updates: readonly RefUpdate[]): string {
  let text = "";
  let [index, explained] = [0, 0];
  for (const outcome of outcomes) {
    const update = updates[index++];
    if (update === undefined) continue;
    const detail = outcome.kind === "ok" ? warningOf(update) : explainRejection(outcome.why, update).detail;
    if (detail !== undefined && explained++ < MOST_EXPLAINED) text += `${detail}\n`;
  }
  return text;
}
