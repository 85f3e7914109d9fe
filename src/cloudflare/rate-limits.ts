/**
 * Bounds the rate of requests, with the platform's counters: wrong tokens per address, and requests per tenant. The
 * counters count within each location of the platform, and not exactly. Without the bindings nothing is bounded.
 *
 * @packageDocumentation
 */
import { networkOf } from "../access/client-network.ts";
import { ExpiringMap } from "../bytes/expiring-map.ts";
import type { Env } from "../env.ts";

/** How long this isolate shuts an address out after the counter refused it: the period of the counter. Milliseconds. */
const SHUT_TIME = 60_000;
/** Addresses that are remembered; the one shut out longest ago is dropped. */
const MOST_SHUT = 10_000;

/** The bounds of all clients, one object per isolate. */
export class RateLimits {
  readonly #shut = new ExpiringMap<true>({ time: SHUT_TIME, most: MOST_SHUT });

  /** Returns the bounds of one client. Without an address, its wrong tokens are not bounded. */
  forClient(env: Pick<Env, "LOGIN_LIMIT" | "TENANT_LIMIT">, client: string): ClientBounds {
    const key = client === "" ? undefined : networkOf(client);
    return {
      isShut: () => key !== undefined && this.#shut.has(key, Date.now()),
      admitsAfterWrongToken: async () => {
        if (key === undefined || env.LOGIN_LIMIT === undefined) return true;
        const { success } = await env.LOGIN_LIMIT.limit({ key });
        if (!success) this.#shut.set(key, true, Date.now());
        return success;
      },
      admitsRequest: async (tenant) => {
        if (env.TENANT_LIMIT === undefined) return true;
        return (await env.TENANT_LIMIT.limit({ key: tenant })).success;
      },
    };
  }
}

/** The bounds of one client. */
type ClientBounds = {
  isShut(): boolean;
  admitsAfterWrongToken(): Promise<boolean>;
  admitsRequest(tenant: string): Promise<boolean>;
};
