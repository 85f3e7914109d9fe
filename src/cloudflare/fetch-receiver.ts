/**
 * Reaches the receivers of webhooks over the platform's `fetch`.
 *
 * @packageDocumentation
 */
import type { Receiver } from "../events/deliver.ts";

/** Sends deliveries. It drops an answer's body at its beginning, however long it is. */
export const fetchReceiver: Receiver = {
  post: async (url, headers, body, signal) => {
    const answer = await fetch(url, { method: "POST", headers, body, redirect: "manual", signal });
    await answer.body?.cancel();
    return answer.status;
  },
};
