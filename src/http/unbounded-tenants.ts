/**
 * Remembers for a while which tenants have no bounds, for one purpose: a push by the operator, who has no token to be
 * looked up, then asks nothing of the tenant's object. Bounds set meanwhile in another isolate apply to the operator,
 * who alone sets them, that much later. They apply to tenants' tokens at once.
 *
 * @packageDocumentation
 */
import type { Allowance } from "../access/quotas.ts";

/** How long an entry is used, in milliseconds. */
const TIME = 5 * 60_000;
const MOST = 1000;

/** The memory of one isolate. */
export class UnboundedTenants {
  readonly #until = new Map<string, number>();

  has(tenant: string, now: number): boolean {
    // An entry that was never made counts as expired.
    return (this.#until.get(tenant) ?? 0) > now;
  }

  /**
   * Remembers a tenant if nothing bounds it. The oldest entry is dropped. A tenant that does not exist has no bounds.
   */
  note(tenant: string, { bytes, objects, blobBytes }: Partial<Allowance>, now: number): void {
    this.#until.delete(tenant);
    if (bytes !== undefined || objects !== undefined || blobBytes !== undefined) return;
    if (this.#until.size >= MOST) {
      const [oldest] = this.#until.keys();
      if (oldest !== undefined) this.#until.delete(oldest);
    }
    this.#until.set(tenant, now + TIME);
  }

  /** Forgets a tenant whose settings have changed. */
  forget(tenant: string): void {
    this.#until.delete(tenant);
  }
}
