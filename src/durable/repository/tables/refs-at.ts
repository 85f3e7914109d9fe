/**
 * Refs as they were, out of tables `refs` and `ref_log`: what has not moved since is as it is, and what has is what the first move
 * after that moment moved it from.
 *
 * @packageDocumentation
 */
import { compareRefNames } from "../../../refs/ref-order.ts";
import type { RefRow } from "../../../refs/ref-rows.ts";
import type { OpenRequest } from "../../../refs/ref-store.ts";
import { logBeginning, type LogMarks, type LogPlace } from "../../../refs/visible-log.ts";
import { blobAt, type SqlDatabase, textAt } from "../../sql/sql-database.ts";
import { listRefs } from "./refs.ts";

/**
 * A moment, in milliseconds since the epoch. What the log has up to the place `beginning` is passed over, also where a clock says that
 * it came later: it is not to be seen.
 */
type PastMoment = { readonly at: number; readonly beginning: LogPlace };

/** Gives what refs that have moved since were then; all zeros where there was no such ref. */
function movedSince(db: SqlDatabase, { at, beginning }: PastMoment): Map<string, Uint8Array> {
  const rows = db.rows(
    `SELECT name, old FROM ref_log WHERE seq IN
      (SELECT min(l.seq) FROM ref_log l JOIN pushes p ON p.seq = l.push WHERE p.at > ? AND l.seq > ? GROUP BY l.name)`,
    at,
    beginning.seq,
  );
  return new Map(Array.from(rows, (row) => [textAt(row, 0), blobAt(row, 1)] as const));
}

const isThere = (oid: Uint8Array): boolean => oid.some((byte) => byte !== 0);

/** Gives the refs of a moment, in order, that come after the name `after`; none of one before the beginning. */
function* listRefsAt(db: SqlDatabase, moment: PastMoment, after: string): Generator<RefRow> {
  if (moment.at < moment.beginning.at) return;
  const moved = movedSince(db, moment);
  const names = [...moved.keys()].filter((name) => compareRefNames(name, after) > 0).sort(compareRefNames);
  let next = 0;
  for (const row of listRefs(db, [], after)) {
    for (let name = names[next]; name !== undefined && compareRefNames(name, row.name) < 0; name = names[++next]) {
      const oid = moved.get(name);
      if (oid !== undefined && isThere(oid)) yield { name, oid };
    }
    if (!moved.has(row.name)) {
      yield row;
      continue;
    }
    const oid = moved.get(row.name);
    next++;
    if (oid !== undefined && isThere(oid)) yield { name: row.name, oid };
  }
  for (const name of names.slice(next)) {
    const oid = moved.get(name);
    if (oid !== undefined && isThere(oid)) yield { name, oid };
  }
}

/** Gives the refs that a request asks for by prefix, of now or of its moment, in order, that come after the name `after`. */
export function listAskedRefs(
  db: SqlDatabase,
  { refPrefixes = [], at, publicOnly = false }: OpenRequest,
  marks: LogMarks,
  after: string,
): Iterable<RefRow> {
  if (at === undefined) return listRefs(db, refPrefixes, after);
  return listRefsAt(db, { at, beginning: logBeginning(marks, publicOnly) }, after);
}
