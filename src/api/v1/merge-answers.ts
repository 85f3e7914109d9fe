/**
 * Answers to merges: what was made, or the conflicts.
 *
 * @packageDocumentation
 */
import { DetailedProblem, InvalidRequest, Problem, problemResponse } from "../../http/problem.ts";
import { textOf } from "../../object/byte-text.ts";
import { escapedOf } from "../../object/escaped-bytes.ts";
import { modeText } from "../../object/tree.ts";
import type { Conflict } from "../../writing/merge/conflict-report.ts";
import type { BranchOutcome, Conflicted, KeptOutcome, MovedBranch, Unbuilt } from "../../writing/merge/write-branch.ts";
import { REPLAYED } from "./idempotency.ts";
import { otherRequest, refusedUpdate, staleRef } from "./refused-writes.ts";

const NO_STORE = { "Cache-Control": "no-store" };
const BRANCHES = "refs/heads/";
/** Characters of a name that an answer repeats. */
const SHOWN = 200;
/** Conflicts that a sentence names. */
const MOST_NAMED = 5;

function short(branch: string): string {
  return branch.startsWith(BRANCHES) ? branch.slice(BRANCHES.length) : branch;
}

function movedMembers({ oid, tree, parents, branch, previous, commits }: MovedBranch): object {
  return { oid, tree, parents, branch: short(branch), previous, commits };
}

/** Text as it is, if it is UTF-8, and anything else in base64. */
function contentMembers(content: Uint8Array | undefined): object {
  if (content === undefined) return {};
  try {
    return { content: new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(content), encoding: "utf-8" };
  } catch {
    return { content: btoa(textOf(content)), encoding: "base64" };
  }
}

function conflictMembers({ path, kind, others, stages, content }: Conflict, withContent: boolean): object {
  return {
    path: escapedOf(path),
    kind,
    ...(others.length === 0 ? {} : { others: others.map(escapedOf) }),
    stages: stages.map(({ stage, mode, oid }) => ({ stage: stage + 1, mode: modeText(mode), oid })),
    ...(withContent ? contentMembers(content) : {}),
  };
}

/** Returns the members of a problem that tell of conflicts. */
function conflictsMembers({ report, commit, materialised }: Conflicted, withContent: boolean): object {
  return {
    code: "merge_conflict",
    conflict_count: report.count,
    conflicts: report.conflicts.map((conflict) => conflictMembers(conflict, withContent)),
    ...(commit === undefined ? {} : { commit }),
    ...(materialised === undefined
      ? {}
      : { materialised: { branch: short(materialised.branch), oid: materialised.oid } }),
  };
}

function conflictDetail({ report, commit, materialised }: Conflicted): string {
  const where = commit === undefined ? "" : ` at ${commit}`;
  const then = materialised === undefined ? "nothing was written" : "the markers were committed to another branch";
  const named = report.conflicts
    .slice(0, MOST_NAMED)
    .map(({ path, kind }) => `${escapedOf(path).slice(0, SHOWN)} (${kind})`);
  const more = report.count > named.length ? [`${report.count - named.length} more`] : [];
  const head = report.count === 1 ? "There is a conflict" : `There are ${report.count} conflicts`;
  return `${head}${where}: ${[...named, ...more].join(", ")}; ${then}.`;
}

/** Returns what is kept of an answer for later requests with the same key; `signed` tells of its signature. Files with markers are not told again. */
export function keptAnswer(outcome: KeptOutcome, signed: object): string {
  return outcome.kind === "moved"
    ? JSON.stringify({ ...movedMembers(outcome), ...signed })
    : JSON.stringify({ detail: conflictDetail(outcome), members: conflictsMembers(outcome, false) });
}

/** Answers as before. */
function repeated(answer: string): Response {
  const kept: unknown = JSON.parse(answer);
  if (typeof kept === "object" && kept !== null && "members" in kept && "detail" in kept) {
    const { members, detail } = kept;
    if (typeof members === "object" && members !== null) return problemResponse(409, String(detail), REPLAYED, members);
  }
  return new Response(answer, {
    status: 201,
    headers: { ...NO_STORE, ...REPLAYED, "Content-Type": "application/json" },
  });
}

function unbuilt(outcome: Exclude<Unbuilt, { kind: "up-to-date" }>): Problem {
  const coded = (status: 409 | 422, detail: string, members: object = {}): Problem =>
    new DetailedProblem(status, detail, { code: outcome.kind.replaceAll("-", "_"), ...members });
  switch (outcome.kind) {
    case "no-head":
      return new InvalidRequest("invalid_member", [{ pointer: "#/head", detail: "head: names no commit here" }]);
    case "unrelated":
      return coded(422, "The two have no commit in common, and are not merged.");
    case "not-forward":
      return coded(409, "The branch has commits that the other one lacks: it can't move forward to it.");
    case "no-commit":
      return coded(422, `${outcome.commit.slice(0, SHOWN)} names no commit here.`);
    case "nothing-changed":
      return coded(422, `${outcome.commit} changes nothing here.`, { commit: outcome.commit });
    case "needs-mainline":
      return coded(422, `${outcome.commit} is a merge: mainline says against which parent.`, {
        commit: outcome.commit,
      });
    case "no-such-parent":
      return coded(422, `${outcome.commit} has no such parent.`, { commit: outcome.commit });
  }
}

/** Returns the answer to a merge; `signed` tells of its signature. @throws Problem */
export function mergeAnswer(outcome: BranchOutcome, isTrial: boolean, signed: object): Response {
  switch (outcome.kind) {
    case "moved":
      return Response.json({ ...movedMembers(outcome), ...signed }, { status: isTrial ? 200 : 201, headers: NO_STORE });
    case "up-to-date":
      return Response.json({ status: "up-to-date" }, { headers: NO_STORE });
    case "answered":
      return repeated(outcome.answer);
    default:
      throw refused(outcome);
  }
}

/** Returns why nothing was done. */
function refused(outcome: Exclude<BranchOutcome, { kind: "moved" | "up-to-date" | "answered" }>): Problem {
  switch (outcome.kind) {
    case "conflicts":
      return new DetailedProblem(409, conflictDetail(outcome), conflictsMembers(outcome, true));
    case "other-request":
      return otherRequest();
    case "stale":
      return staleRef(outcome.ref, outcome.current);
    case "refused":
      return refusedUpdate(outcome.ref, outcome.why);
    case "no-branch":
      return new Problem(404, "There is no such branch.");
    default:
      return unbuilt(outcome);
  }
}
