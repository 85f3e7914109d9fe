/**
 * Delivers to webhooks over a port.
 *
 * Nothing of a receiver's answer is kept but its status. Where a name leads is only known to the network, so an answer shown to
 * the webhook's owner could be that of something only this host can reach.
 *
 * @packageDocumentation
 */
import { parseOutgoingUrl } from "../access/outgoing-url.ts";
import type { AttemptResult, DueDeliveries, DueDelivery } from "./hook.ts";
import { formatPayload, type PayloadContext } from "./payload.ts";
import { signBody } from "./sign.ts";

/** The port to the network. */
export interface Receiver {
  /** Sends a POST, follows no redirect, and gives the answer's status without reading its body. @throws where there is none. */
  post(
    url: URL,
    headers: Readonly<Record<string, string>>,
    body: Uint8Array<ArrayBuffer>,
    signal: AbortSignal,
  ): Promise<number>;
}

/** What deliveries need of their surroundings. */
export type DeliveryTools = {
  readonly receiver: Receiver;
  /** `{tenant}/{repo}`. */
  readonly name: string;
  /** `thinpack/{version}`. */
  readonly agent: string;
  /** See `parseOutgoingUrl`. */
  readonly allowPrivate: boolean;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** How long a receiver may take to answer, in milliseconds; ten seconds where it is absent. */
  readonly answerTime?: number;
};

/** How long a receiver may take to answer, in milliseconds. */
const ANSWER_TIME = 10_000;
/** No attempt begins this long after the first did, so that slow receivers don't hold up the queue. Milliseconds. */
const BATCH_TIME = 20_000;

/**
 * Both vendors' names: receivers written for GitHub's webhooks dispatch on `X-GitHub-Event`, and many answer 400 without it; the
 * bodies mean to them what they expect.
 */
async function headersOf(
  delivery: DueDelivery,
  due: DueDeliveries,
  body: Uint8Array<ArrayBuffer>,
  agent: string,
): Promise<Record<string, string>> {
  const { hook } = due;
  return {
    "Content-Type": "application/json",
    "User-Agent": `${agent} (webhooks)`,
    "X-Thinpack-Event": delivery.event,
    "X-Thinpack-Delivery": delivery.guid,
    "X-Thinpack-Hook-ID": hook.id,
    "X-GitHub-Event": delivery.event,
    "X-GitHub-Delivery": delivery.guid,
    "X-GitHub-Hook-ID": hook.id,
    ...(hook.secret === undefined ? {} : { "X-Hub-Signature-256": await signBody(hook.secret, body) }),
  };
}

function resultOf(status: number): Pick<AttemptResult, "outcome" | "error"> {
  if (status >= 200 && status < 300) return { outcome: "delivered" };
  if (status === 410) return { outcome: "gone", error: "The receiver is gone." };
  if (status >= 300 && status < 400) return { outcome: "failed", error: "Redirects are not followed." };
  return { outcome: "failed", error: `The receiver answered ${status}.` };
}

/** What an attempt came to, and whether the receiver let its time pass. */
type Attempt = AttemptResult & { readonly isSilent?: true };

async function attempt(delivery: DueDelivery, due: DueDeliveries, tools: DeliveryTools): Promise<Attempt> {
  const { id } = delivery;
  const began = tools.now();
  const context: PayloadContext = { ...due, name: tools.name };
  const body = new Uint8Array(new TextEncoder().encode(formatPayload(delivery.event, delivery.happening, context)));
  // Once more: what may be reached may have changed since the URL was set.
  const target = parseOutgoingUrl(due.hook.url, tools.allowPrivate);
  if (target.kind === "refused") return { id, outcome: "failed", error: target.why, duration: 0 };
  const headers = await headersOf(delivery, due, body, tools.agent);
  const { answerTime = ANSWER_TIME } = tools;
  const signal = AbortSignal.timeout(answerTime);
  try {
    const status = await tools.receiver.post(target.url, headers, body, signal);
    return { id, ...resultOf(status), status, duration: tools.now() - began };
  } catch {
    // What the network says may tell what is behind a name; which of the two it was is enough.
    const failed = { id, outcome: "failed", duration: tools.now() - began } as const;
    if (!signal.aborted) return { ...failed, error: "The receiver could not be reached." };
    return { ...failed, error: `No answer in ${answerTime / 1000} s.`, isSilent: true };
  }
}

/**
 * Delivers in order what is due of one webhook, as far as time allows, and returns what each attempt came to. A receiver that let its time
 * pass is tried with the next delivery by another job: others wait behind this one.
 */
export async function deliverAll(due: DueDeliveries, tools: DeliveryTools): Promise<AttemptResult[]> {
  const until = tools.now() + BATCH_TIME;
  const results: AttemptResult[] = [];
  for (const delivery of due.deliveries) {
    if (tools.now() >= until) break;
    const { isSilent = false, ...result } = await attempt(delivery, due, tools);
    results.push(result);
    if (isSilent || result.outcome === "gone") break;
  }
  return results;
}
