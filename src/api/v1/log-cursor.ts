/**
 * Cursors of what goes along a log: the list of commits, and activity.
 *
 * @packageDocumentation
 */
import type { Context } from "hono";
import * as v from "valibot";
import type { BrowseSession } from "../../browse/browse-session.ts";
import { CommitLog, type LogPosition } from "../../browse/commit-log.ts";
import { toHex } from "../../bytes/hex.ts";
import { Problem } from "../../http/problem.ts";
import type { ApiEnv } from "../api-host.ts";
import { number, oidText, rawOid } from "./content-pages.ts";
import { formatCursor, parseCursor } from "./cursor.ts";

const logCursor = v.strictObject({
  tip: oidText,
  path: v.string(),
  walked: number,
  oldest: number,
  next: v.pipe(v.array(oidText), v.maxLength(64)),
  /** Where a log that follows renames has come to. */
  followed: v.optional(v.string()),
});

/** Returns the cursor of the place where the log of a path continues. */
export function formatLogCursor({ tip, next, ...rest }: LogPosition, path: string): string {
  return formatCursor({ ...rest, tip: toHex(tip), next: next.map((name) => toHex(name)), path });
}

/**
 * Opens the log of a path, or of a file that is followed through renames, where the request's cursor says. Returns
 * `undefined` if it has none.
 *
 * @throws Problem if it is not a cursor of a log of this path.
 */
export async function resumedLog(
  context: Context<ApiEnv>,
  session: BrowseSession,
  path: string,
  follows = false,
): Promise<{ readonly log: CommitLog; readonly tip: Uint8Array } | undefined> {
  const cursor = parseCursor(context.req.query("cursor"), logCursor);
  if (cursor === undefined) return undefined;
  const { walked, oldest, followed } = cursor;
  const tip = rawOid(session, cursor.tip);
  const next = cursor.next.map((oid) => rawOid(session, oid));
  const position = { walked, oldest, tip, next, ...(followed === undefined ? {} : { followed }) };
  const isOfThis = cursor.path === path && follows === (followed !== undefined);
  const log = isOfThis ? await CommitLog.resume(session, position, path, { follows }) : undefined;
  if (log === undefined) throw new Problem(422, "cursor: not one that this list gave");
  return { log, tip };
}
