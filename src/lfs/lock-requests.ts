/**
 * The requests about locks, and how locks are shown.
 *
 * @packageDocumentation
 * @see https://github.com/git-lfs/git-lfs/blob/main/docs/api/locking.md
 */
import * as v from "valibot";
import type { FileLock, LockQuery } from "../refs/lfs-locks.ts";

/** Locks of a page, where the client does not say; and the most of one. */
const PAGE_LOCKS = 100;
const MOST_PAGE_LOCKS = 1000;
/** Bytes of the longest path, as the file systems of clients have it. */
const LONGEST_PATH = 4096;
// oxlint-disable-next-line no-control-regex -- they are what is looked for
const CONTROL = /[\0-\x1f\x7f]/;

const LOCK = v.object({ path: v.string() });
const VERIFICATION = v.object({ cursor: v.nullish(v.string()), limit: v.nullish(v.number()) });
const UNLOCKING = v.object({ force: v.nullish(v.boolean()) });

/** What is wrong with a request. */
export type LockFault = { readonly fault: string };

/** Returns what is wrong with a path; `undefined` if nothing is. */
function pathFault(path: string): string | undefined {
  if (path === "" || !path.isWellFormed()) return "The path is empty, or is no text.";
  if (new TextEncoder().encode(path).length > LONGEST_PATH) return `A path may have ${LONGEST_PATH} bytes.`;
  if (CONTROL.test(path)) return "The path has a control character.";
  const isRelative = path.split("/").every((name) => name !== "" && name !== "." && name !== "..");
  return isRelative ? undefined : "The path has to be one from the root of the repository, without '.' and '..'.";
}

/** Parses a request to lock a file. */
export function parseLock(json: unknown): { readonly path: string } | LockFault {
  const parsed = v.safeParse(LOCK, json);
  if (!parsed.success) return { fault: "The path of the file is missing." };
  const { path } = parsed.output;
  const fault = pathFault(path);
  return fault === undefined ? { path } : { fault };
}

/** Parses a request to unlock a file. */
export function parseUnlock(json: unknown): { readonly force: boolean } | LockFault {
  const parsed = v.safeParse(UNLOCKING, json);
  return parsed.success ? { force: parsed.output.force === true } : { fault: "force has to be true or false." };
}

function pageOf(limit: number | undefined, after: string | undefined): LockQuery | LockFault {
  if (limit !== undefined && (!Number.isSafeInteger(limit) || limit < 0)) return { fault: "The limit is no number." };
  // As in other servers, 0 stands for no limit.
  const most = limit === undefined || limit === 0 ? PAGE_LOCKS : Math.min(limit, MOST_PAGE_LOCKS);
  return { limit: most, ...(after === undefined || after === "" ? {} : { after }) };
}

/** Parses the query of a list. A lock holds on all branches, so `refspec` narrows nothing. */
export function parseLockQuery(query: URLSearchParams): LockQuery | LockFault {
  const asked = query.get("limit");
  const page = pageOf(asked === null || asked === "" ? undefined : Number(asked), query.get("cursor") ?? undefined);
  const [path, id] = [query.get("path") ?? "", query.get("id") ?? ""]; // Both are left out where all are asked for.
  return { ...page, ...(path === "" ? {} : { path }), ...(id === "" ? {} : { id }) };
}

/** Parses the client's question before a push, which locks are whose. */
export function parseVerification(json: unknown): LockQuery | LockFault {
  const parsed = v.safeParse(VERIFICATION, json);
  if (!parsed.success) return { fault: "This is no question for locks." };
  return pageOf(parsed.output.limit ?? undefined, parsed.output.cursor ?? undefined);
}

/** Returns a lock as the protocol shows it. */
export function shownLock({ id, path, owner, lockedAt }: FileLock): object {
  return { id, path, locked_at: new Date(lockedAt).toISOString(), owner: { name: owner.name } };
}

/** Returns the part of an answer that says where the next page begins. */
export function nextPage(locks: readonly FileLock[], more: boolean): { readonly next_cursor?: string } {
  const last = locks.at(-1);
  return more && last !== undefined ? { next_cursor: last.id } : {};
}
