/**
 * Reads refs as they were, from tables `refs` and `ref_log`. A ref that has not moved since has its present value; any
 * other has the old value of its first move after that instant.
 *
 * @packageDocumentation
 */
import { itemAt } from "../../../bytes/assert.ts";
import { firstIndex } from "../../../bytes/first-index.ts";
import { compareRefNames } from "../../../refs/ref-order.ts";
import type { RefRow } from "../../../refs/ref-rows.ts";
import type { OpenRequest } from "../../../refs/ref-store.ts";
import { logBeginning, type LogMarks, type LogPlace } from "../../../refs/visible-log.ts";
import { blobAt, type SqlDatabase, textAt } from "../../sql/sql-database.ts";
import { type PassedOver, type RefLister, refLister } from "./refs.ts";

/** Steps of a ref that is passed over. */
const PASSED_STEPS = 100;

/**
 * An instant, in milliseconds since the epoch. The log up to the place `beginning` must not be seen. It is skipped even
 * if a clock says that it is younger.
 */
type PastMoment = { readonly at: number; readonly beginning: LogPlace };

/** Returns the values at that instant of the refs that have moved since; all zeros for a ref that did not exist. */
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

/** Returns what lists the refs at an instant; none for an instant before the beginning. */
function refListerAt(db: SqlDatabase, moment: PastMoment): RefLister {
  if (moment.at < moment.beginning.at) return () => [];
  const moved = movedSince(db, moment);
  const names = [...moved.keys()].sort(compareRefNames);
  const present = refLister(db, []);
  return (after) => {
    const next = firstIndex(names.length, (at) => compareRefNames(itemAt(names, at), after) > 0);
    return listRefsAt(present(after), { moved, names, next });
  };
}

/** The refs that have moved since an instant, with their values then. `names` are in order; they are listed from `next` on. */
type MovedRefs = {
  readonly moved: ReadonlyMap<string, Uint8Array>;
  readonly names: readonly string[];
  readonly next: number;
};

/** Yields refs at an instant: those of today, with the values of those that have moved since. */
function* listRefsAt(
  today: Iterable<RefRow | PassedOver>,
  { moved, names, next: first }: MovedRefs,
): Generator<RefRow | PassedOver> {
  let next = first;
  for (const row of today) {
    for (let name = names[next]; name !== undefined && compareRefNames(name, row.name) < 0; name = names[++next]) {
      yield valueThen(name, moved.get(name));
    }
    if (!moved.has(row.name)) {
      yield row;
      continue;
    }
    next++;
    yield valueThen(row.name, moved.get(row.name));
  }
  for (let name = names[next]; name !== undefined; name = names[++next]) yield valueThen(name, moved.get(name));
}

function valueThen(name: string, oid: Uint8Array | undefined): RefRow | PassedOver {
  return oid !== undefined && isThere(oid) ? { name, oid } : { name, passedSteps: PASSED_STEPS };
}

/** Returns what lists the refs that a request asks for by prefix, now or at its instant. */
export function askedRefs(
  db: SqlDatabase,
  { refPrefixes = [], at, publicOnly = false }: OpenRequest,
  marks: LogMarks,
): RefLister {
  if (at === undefined) return refLister(db, refPrefixes);
  return refListerAt(db, { at, beginning: logBeginning(marks, publicOnly) });
}
