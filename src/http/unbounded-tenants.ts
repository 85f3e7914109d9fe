/**
 * Remembers for a while which tenants nobody has set bounds on, for one purpose: a push by the operator, who has no token to be looked up,
 * then asks the tenant's object nothing. Bounds that are set elsewhere meanwhile hold for the operator, who alone sets them, that
 * much later; tenants' tokens know them at once.
 *
 * @packageDocumentation
 */
import type { Allowance } from "../access/quotas.ts";

/** Milliseconds. */
const TIME = 5 * 60_000;
const MOST = 1000;

/** One a isolate. */
export class UnboundedTenants {
  readonly #until = new Map<string, number>();

  has(tenant: string, now: number): boolean {
    // What was never noted has run out.
    return (this.#until.get(tenant) ?? 0) > now;
  }

  /** Remembers a tenant, if nothing bounds it; the one remembered longest gives way. A tenant that is not there has no bounds. */
  note(tenant: string, { bytes, objects, blobBytes }: Partial<Allowance>, now: number): void {
    this.#until.delete(tenant);
    if (bytes !== undefined || objects !== undefined || blobBytes !== undefined) return;
    if (this.#until.size >= MOST) {
      const [oldest] = this.#until.keys();
      if (oldest !== undefined) this.#until.delete(oldest);
    }
    this.#until.set(tenant, now + TIME);
  }

  /** Forgets a tenant, whose settings have changed. */
  forget(tenant: string): void {
    this.#until.delete(tenant);
  }
}
