/**
 * The source of subscribers' events: the ref log of a repository's database.
 *
 * @packageDocumentation
 */
import type { SqlDatabase } from "../sql/sql-database.ts";
import type { EventSource } from "./event-sockets.ts";
import { placeBefore, readRefLog, refLogEnds } from "./tables/ref-log.ts";

/** Returns the source. `hasTables` says whether there is a log. */
export function eventSource(db: SqlDatabase, record: EventSource["record"], hasTables: () => boolean): EventSource {
  return {
    record,
    ends: () => (hasTables() ? refLogEnds(db) : { newest: 0, before: 0 }),
    placeBefore: (at) => ({ seq: hasTables() ? placeBefore(db, at) : 0, at }),
    movesAfter: (seq, limit) => readRefLog(db, seq, limit),
  };
}
