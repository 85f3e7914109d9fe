/**
 * Answers to writes that were refused.
 *
 * @packageDocumentation
 */
import { DetailedProblem, Problem } from "../../http/problem.ts";
import { explainRefusal } from "../../refs/ref-policy.ts";
import type { RefRejection } from "../../refs/ref-update.ts";

/** Characters of a name that an answer repeats. */
const SHOWN = 200;

/** A ref that is elsewhere than the request expects. */
export function staleRef(name: string, current: string | undefined): Problem {
  const where = current === undefined ? "does not exist" : `is at ${current}`;
  const members = { code: "stale", current: current ?? null };
  return new DetailedProblem(409, `${name.slice(0, SHOWN)} ${where}, which is not what was expected.`, members);
}

/** A key that came with another request before. */
export function otherRequest(): Problem {
  return new DetailedProblem(422, "Another request had this Idempotency-Key within the last day.", {
    code: "idempotency_key_reused",
  });
}

/** Returns the answer to an update of a ref that was refused. */
export function refusedUpdate(name: string, why: RefRejection): Problem {
  const shown = name.slice(0, SHOWN);
  const detailed = (status: 403 | 409 | 422, detail: string): Problem =>
    new DetailedProblem(status, detail, { code: why.kind.replaceAll("-", "_") });
  switch (why.kind) {
    case "stale":
    case "exists":
      return staleRef(name, why.current);
    case "missing-ref":
      return staleRef(name, undefined);
    case "rule":
      return detailed(403, `${shown}: ${explainRefusal(why.refusal)}`);
    case "read-only":
      return detailed(403, "The repository is read-only.");
    case "delete-current":
      return detailed(409, `${shown} is the default branch, and stays.`);
    case "directory-conflict":
      return detailed(409, `${shown} can't be beside ${why.other.slice(0, SHOWN)}.`);
    case "locked":
      return detailed(
        409,
        `Others have locked ${why.files.map(({ path, owner }) => `${path} (${owner})`).join(", ")}.`,
      );
    case "wrong-type":
      return detailed(422, `${shown} can't name an object of this type: a branch names a commit.`);
    case "missing-objects":
      return detailed(422, `${shown}: there is no such object here.`);
    case "rules-moved":
      return detailed(409, "The rules of the repository changed meanwhile. Try again.");
    case "unpacker-error":
      return new Problem(503, "What this refers to was being cleaned up. Try again.", { "Retry-After": "1" });
    case "atomic":
      return detailed(409, `${shown} was not moved, since another ref could not be.`);
    default:
      return detailed(422, `${shown} can't be moved: ${why.kind}.`);
  }
}
