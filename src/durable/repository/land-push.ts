/**
 * Lands a push: what takes long is done before its transaction, in turns with other requests.
 *
 * @packageDocumentation
 */
import { Pacer } from "../../bytes/pacer.ts";
import { findInParts } from "../../refs/ref-plan.ts";
import type { CommitPushAnswer, CommitPushRequest } from "../../refs/ref-store.ts";
import type { SqlDatabase } from "../sql/sql-database.ts";
import { turnOfEvents } from "../turn-of-events.ts";
import { inTransaction } from "../sql/transaction-in-turns.ts";
import { commitPush, refuseAll } from "./commit-push.ts";
import { areFew, planPush, policyOf } from "./plan-push.ts";
import { listRules } from "./tables/ref-rules.ts";

/** How often a push is compared with rules that change meanwhile. */
const MOST_TRIES = 5;

/**
 * Compares a push with the rules, which may be a second of work, and finds out what its refs come to if they are many. Then it applies
 * it in one transaction, which pauses if they are many. If the rules have changed in between, it begins anew; if only refs have that this push
 * has to do with, the transaction finds out anew what it comes to, so that pushes that come all the time keep none from landing. `now`
 * returns milliseconds since the epoch.
 */
export async function landPush(
  db: SqlDatabase,
  request: CommitPushRequest,
  now: () => number,
): Promise<CommitPushAnswer> {
  const pacer = new Pacer(turnOfEvents);
  const { updates } = request;
  for (let tries = 0; tries < MOST_TRIES; tries++) {
    const found = await pacer.finish(findInParts(updates, { ...request, rules: listRules(db) }));
    const planned = await pacer.finish(planPush(db, request, (of) => policyOf(db, of, request, found)));
    const work = { ...found, planned };
    const answer = await inTransaction(db, areFew(updates), () => commitPush(db, request, now(), work));
    if (answer.kind !== "rules-moved") return answer;
  }
  return refuseAll(updates, { kind: "rules-moved" });
}
