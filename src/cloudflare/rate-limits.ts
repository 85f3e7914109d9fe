/**
 * Bounds the rate of requests, with the platform's counters: wrong tokens per address, and requests per tenant. The
 * counters count within each location of the platform, and not exactly. Without the bindings nothing is bounded.
 *
 * @packageDocumentation
 */
import { networkOf } from "../access/client-network.ts";
import type { Env } from "../env.ts";

/** How long this isolate shuts an address out after the counter refused it: the period of the counter. Milliseconds. */
const SHUT_TIME = 60_000;
/** Addresses that are remembered; the one shut out longest ago is dropped. */
const MOST_SHUT = 10_000;

/** The bounds of all clients, one object per isolate. */
export class RateLimits {
  readonly #shutUntil = new Map<string, number>();

  /** Returns the bounds of one client. Without an address, its wrong tokens are not bounded. */
  forClient(env: Pick<Env, "LOGIN_LIMIT" | "TENANT_LIMIT">, client: string): ClientBounds {
    const key = client === "" ? undefined : networkOf(client);
    return {
      // An address that was never shut out has no entry.
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
