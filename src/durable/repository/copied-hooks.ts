/**
 * A repository's copies of its tenant's webhooks.
 *
 * @packageDocumentation
 */
import type { TenantHook } from "../../access/tenant-hook.ts";
import { HOOK_EVENTS } from "../../events/hook.ts";
import type { SqlDatabase } from "../sql/sql-database.ts";
import { deleteDeliveries } from "./tables/deliveries.ts";
import { deleteHook, insertHook, listHooks, markAsTenants, updateHook } from "./tables/hooks.ts";
import { placeBefore } from "./tables/ref-log.ts";

/**
 * Brings the copies in step with the tenant's list, as a part of the caller's transaction. A new one is told what has
 * happened since the tenant has it.
 */
export function copyTenantHooks(db: SqlDatabase, hooks: readonly TenantHook[]): void {
  const present = listHooks(db).filter(({ isTenants }) => isTenants);
  for (const { id } of present.filter((copy) => !hooks.some((hook) => hook.id === copy.id))) {
    deleteHook(db, id);
    deleteDeliveries(db, id);
  }
  for (const { id, origin, createdAt, updatedAt, ...hook } of hooks) {
    const settings = { ...hook, events: HOOK_EVENTS.filter((event) => hook.events.includes(event)) };
    const copy = present.find((each) => each.id === id);
    if (copy === undefined) {
      insertHook(db, { id, settings, origin, seen: placeBefore(db, createdAt), now: createdAt });
      markAsTenants(db, id);
    } else if (copy.updatedAt !== updatedAt) {
      // A webhook that was off begins anew.
      const seen = copy.active ? copy.seen : placeBefore(db, updatedAt);
      updateHook(db, { id, settings, origin, seen, now: updatedAt });
    }
  }
}
