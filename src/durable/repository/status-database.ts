/**
 * The statuses of a repository's commits on its SQL database.
 *
 * @packageDocumentation
 */
import type { StatusAnswer, StatusRequest } from "../../refs/commit-statuses.ts";
import type { SqlDatabase } from "../sql/sql-database.ts";
import { insertAnswer, readAnswer } from "./tables/answered-requests.ts";
import { countStatusesOf, listStatuses, setStatus } from "./tables/commit-statuses.ts";
import { branchesAt } from "./tables/refs.ts";
import { noteStatusChange } from "./tables/repository.ts";

/** Branches of which a webhook is told that they are at the commit. */
const MOST_BRANCHES = 10;

type Setting = Extract<StatusRequest, { kind: "set" }>;
/** Tells webhooks of a status, at an instant. */
type TellHooks = (detail: string, at: number) => void;

function set(db: SqlDatabase, request: Setting, tell: TellHooks): StatusAnswer {
  const { oid, once, commit } = request;
  const { at } = request.status;
  const before = once === undefined ? undefined : readAnswer(db, once.key, at);
  if (before !== undefined) return { kind: "answered", before };
  const id = setStatus(db, oid, request.status);
  if (id === undefined) return { kind: "full" };
  noteStatusChange(db);
  if (once !== undefined) insertAnswer(db, once, at);
  const status = { ...request.status, id };
  tell(JSON.stringify({ oid, status, commit, branches: branchesAt(db, oid, MOST_BRANCHES) }), at);
  return { kind: "set", status };
}

/** Answers a request about statuses, as a part of the caller's transaction. */
export function answerStatuses(db: SqlDatabase, request: StatusRequest, tell: TellHooks): StatusAnswer {
  if (request.kind === "list") return { kind: "listed", statuses: listStatuses(db, request.oid) };
  if (request.kind === "count") return { kind: "counted", commits: countStatusesOf(db, request.oids) };
  return set(db, request, tell);
}
