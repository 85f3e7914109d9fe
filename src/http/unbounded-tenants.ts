/**
 * Remembers for a while which tenants have no bounds, for one purpose: a push by the operator, who has no token to be
 * looked up, then asks nothing of the tenant's object. Bounds set meanwhile in another isolate apply to the operator,
 * who alone sets them, that much later. They apply to tenants' tokens at once.
 *
 * @packageDocumentation
 */
import type { Allowance } from "../access/quotas.ts";
import { ExpiringMap } from "../bytes/expiring-map.ts";

/** How long an entry is used, in milliseconds. */
const TIME = 5 * 60_000;
const MOST = 1000;

/** The memory of one isolate. */
export class UnboundedTenants {
  readonly #tenants = new ExpiringMap<true>({ time: TIME, most: MOST });

  /** Whether nothing bounds a tenant, as far as is remembered. */
  has(tenant: string, now: number): boolean {
    return this.#tenants.has(tenant, now);
  }

  /**
   * Remembers a tenant if nothing bounds it. The oldest entry is dropped. A tenant that does not exist has no bounds.
   */
  note(tenant: string, { bytes, objects, blobBytes }: Partial<Allowance>, now: number): void {
    if (bytes === undefined && objects === undefined && blobBytes === undefined) this.#tenants.set(tenant, true, now);
    else this.#tenants.delete(tenant);
  }

  /** Forgets a tenant whose settings have changed. */
  forget(tenant: string): void {
    this.#tenants.delete(tenant);
  }
}
