/**
 * Bounds on how often is asked, by the platform's counters: one an address for wrong tokens, one a tenant for requests. They count
 * in each location of the platform, and not exactly. Without the bindings nothing is bounded.
 *
 * @packageDocumentation
 */
import { networkOf } from "../access/client-network.ts";
import type { Env } from "../env.ts";

/** How long an address is shut out in this isolate once the counter has said no: what the counter counts over. Milliseconds. */
const SHUT_TIME = 60_000;
/** Addresses remembered; the one shut out longest gives way. */
const MOST_SHUT = 10_000;

/** One an isolate. */
export class RateLimits {
  readonly #shutUntil = new Map<string, number>();

  /** Returns the bounds of one client; without an address there are none on its wrong tokens. */
  forClient(env: Pick<Env, "LOGIN_LIMIT" | "TENANT_LIMIT">, client: string): ClientBounds {
    const key = client === "" ? undefined : networkOf(client);
    return {
      // Whoever was never shut out is not.
      isShut: () => key !== undefined && (this.#shutUntil.get(key) ?? 0) > Date.now(),
      admitsAfterWrongToken: async () => {
        if (key === undefined || env.LOGIN_LIMIT === undefined) return true;
        const { success } = await env.LOGIN_LIMIT.limit({ key });
        if (!success) this.#shut(key);
        return success;
      },
      admitsRequest: async (tenant) => {
        if (env.TENANT_LIMIT === undefined) return true;
        return (await env.TENANT_LIMIT.limit({ key: tenant })).success;
      },
    };
  }

  #shut(key: string): void {
    this.#shutUntil.delete(key);
    if (this.#shutUntil.size >= MOST_SHUT) {
      const [oldest] = this.#shutUntil.keys();
      if (oldest !== undefined) this.#shutUntil.delete(oldest);
    }
    this.#shutUntil.set(key, Date.now() + SHUT_TIME);
  }
}

/** The bounds of one client. */
type ClientBounds = {
  isShut(): boolean;
  admitsAfterWrongToken(): Promise<boolean>;
  admitsRequest(tenant: string): Promise<boolean>;
};
