/**
 * Which pack of a repository is written in the order of its history next.
 *
 * @packageDocumentation
 */
import { ORDERING, type OrderPack, planOrder } from "../../catalog/order-plan.ts";
import type { SqlDatabase } from "../sql/sql-database.ts";
import { readLending } from "./tables/forks.ts";

/**
 * Returns the pack that is put in order next; `undefined` if none is. A repository that has lent packs keeps all of them as they are: a fork would
 * go on with the old one, and the bucket would have both.
 */
export function packToOrder<Pack extends OrderPack>(
  db: SqlDatabase,
  packs: readonly Pack[],
  asked = false,
): Pack | undefined {
  const pack = planOrder(packs, asked ? ORDERING.leastAsked : ORDERING.leastBytes);
  return pack === undefined || readLending(db) !== undefined ? undefined : pack;
}
