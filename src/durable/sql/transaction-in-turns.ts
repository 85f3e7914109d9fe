/**
 * A transaction that may be very large. A small one is done in one turn, and costs no more than that. A large one pauses, so that
 * other objects of the isolate are served meanwhile.
 *
 * @packageDocumentation
 */
import { atOnce, Pacer } from "../../bytes/pacer.ts";
import { turnOfEvents } from "../turn-of-events.ts";
import type { SqlDatabase } from "./sql-database.ts";

/**
 * How long a transaction pauses. What is left then is done in one turn: the runtime resets an object that has got no event for 30
 * seconds, and where very many others compute, each pause is as long as their turns. Milliseconds.
 */
const PAUSING_TIME = 10_000;

/**
 * Runs `work`, which yields its steps, in one transaction: an exception undoes all of it. Where `isSmall` is true it does not pause, and
 * is done when this function returns its promise. Otherwise the object gets no other event until it has ended: see
 * `SqlDatabase.transactionInTurns`.
 */
export async function inTransaction<T>(
  db: Pick<SqlDatabase, "transaction" | "transactionInTurns">,
  isSmall: boolean,
  work: () => Generator<number, T, undefined>,
): Promise<T> {
  if (isSmall) return db.transaction(() => atOnce(work()));
  return await db.transactionInTurns(async () => {
    const until = Date.now() + PAUSING_TIME;
    const pause = async (): Promise<void> => {
      if (Date.now() < until) await turnOfEvents();
    };
    return await new Pacer(pause).finish(work());
  });
}
