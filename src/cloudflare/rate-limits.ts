/**
 * Bounds on how often is asked, by the platform's counters: one an address for wrong tokens, one a tenant for requests. They count
 * in each location of the platform, and not exactly. Without the bindings nothing is bounded.
 *
 * @packageDocumentation
 */
import type { Env } from "../env.ts";

/** How long an address is shut out in this isolate once the counter has said no: what the counter counts over. Milliseconds. */
const SHUT_TIME = 60_000;
/** Addresses remembered; the one shut out longest gives way. */
const MOST_SHUT = 10_000;

/**
 * Gives what an address is counted by: for IPv6 the network of 64 bits, since whoever has one address there has them all.
 */
export function networkOf(address: string): string {
  if (!address.includes(":")) return address;
  const [head = "", tail] = address.toLowerCase().split("::");
  const first = head === "" ? [] : head.split(":");
  const last = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - first.length - last.length);
  const groups = [...first, ...Array.from({ length: zeros }, () => "0"), ...last];
  return `${groups
    .slice(0, 4)
    .map((group) => group.replace(/^0+(?=.)/, ""))
    .join(":")}::/64`;
}

/** One an isolate. */
export class RateLimits {
  readonly #shutUntil = new Map<string, number>();

  /** Gives the bounds of one client; without an address there are none on its wrong tokens. */
  forClient(env: Pick<Env, "LOGIN_LIMIT" | "TENANT_LIMIT">, client: string): ClientBounds {
    const key = client === "" ? undefined : networkOf(client);
    return {
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
