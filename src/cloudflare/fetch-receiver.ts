/**
 * Reaches the receivers of webhooks over the platform's `fetch`.
 *
 * @packageDocumentation
 */
import type { TenantHook } from "../access/tenant-hook.ts";
import { type DeliveryTools, pingTenantHook, type Receiver, type Sent } from "../events/deliver.ts";

/** Sends deliveries. It drops an answer's body at its beginning, however long it is. */
export const fetchReceiver: Receiver = {
  post: async (url, headers, body, signal) => {
    const answer = await fetch(url, { method: "POST", headers, body, redirect: "manual", signal });
    await answer.body?.cancel();
    return answer.status;
  },
};

/** Sends a `ping` to a tenant's webhook, and returns what came of it. */
export async function pingByFetch(
  hook: TenantHook,
  tenant: string,
  tools: Pick<DeliveryTools, "agent" | "allowPrivate">,
): Promise<Sent> {
  return await pingTenantHook(hook, tenant, { ...tools, receiver: fetchReceiver, now: () => Date.now() });
}
