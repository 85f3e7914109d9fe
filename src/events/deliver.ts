/**
 * Delivers events to webhooks over a port to the network.
 *
 * It keeps nothing of a receiver's response but the status. Only the network knows to which address a name leads. So a
 * response could come from a server that only this host can reach, and must not be shown to the webhook's owner.
 *
 * @packageDocumentation
 */
import { parseOutgoingUrl } from "../access/outgoing-url.ts";
import type { TenantHook } from "../access/tenant-hook.ts";
import type { AttemptResult, DueDeliveries, DueDelivery, Happening, Hook } from "./hook.ts";
import { numberOf } from "./github-shapes.ts";
import { parseLockChange } from "./lock-change.ts";
import { parseToldStatus } from "./status-payload.ts";
import { formatPayload, formatTenantPing, type PayloadContext, type Told } from "./payload.ts";
import type { PushContent } from "./push-content.ts";
import { signBody } from "./sign.ts";

/** The port to the network. */
export interface Receiver {
  /**
   * Sends a POST without following redirects. Returns the response's status without reading the body.
   *
   * @throws if there is none.
   */
  post(
    url: URL,
    headers: Readonly<Record<string, string>>,
    body: Uint8Array<ArrayBuffer>,
    signal: AbortSignal,
  ): Promise<number>;
}

/** The environment of deliveries. */
export type DeliveryTools = {
  readonly receiver: Receiver;
  /** The name of the repository: `{tenant}/{repo}`. */
  readonly name: string;
  /** The name and version of this server: `thinpack/{version}`. */
  readonly agent: string;
  /** Whether receivers may be in private networks: see `parseOutgoingUrl`. */
  readonly allowPrivate: boolean;
  /** Returns the current time in milliseconds since the epoch. */
  readonly now: () => number;
  /** Returns the commits of a push; `undefined` if they can't be read. Never throws. */
  readonly contentOf?: (happening: Happening) => Promise<PushContent | undefined>;
  /** Milliseconds that a receiver may take to respond; 10,000 by default. */
  readonly answerTime?: number;
};

/** Milliseconds that a receiver may take to respond by default. */
export const ANSWER_TIME = 10_000;
/** Milliseconds after which no further attempt of a batch begins, so that slow receivers don't hold up the queue. */
export const BATCH_TIME = 20_000;

/** One POST: to which webhook, and what it holds. */
type Sending = {
  readonly hook: Pick<Hook, "id" | "url"> & { readonly secret?: string };
  readonly event: DueDelivery["event"];
  readonly guid: string;
  readonly body: Uint8Array<ArrayBuffer>;
};

/**
 * Returns the headers of a delivery under thinpack's and GitHub's names. Receivers that are written for GitHub's
 * webhooks dispatch on `X-GitHub-Event`, and many respond 400 without it. The bodies have the members that such
 * receivers expect.
 */
async function headersOf({ hook, event, guid, body }: Sending, agent: string): Promise<Record<string, string>> {
  return {
    "Content-Type": "application/json",
    "User-Agent": `${agent} (webhooks)`,
    "X-Thinpack-Event": event,
    "X-Thinpack-Delivery": guid,
    "X-Thinpack-Hook-ID": hook.id,
    "X-GitHub-Event": event,
    "X-GitHub-Delivery": guid,
    // Receivers take it for a number.
    "X-GitHub-Hook-ID": String(numberOf(hook.id)),
    ...(hook.secret === undefined ? {} : { "X-Hub-Signature-256": await signBody(hook.secret, body) }),
  };
}

function resultOf(status: number): Pick<AttemptResult, "outcome" | "error"> {
  if (status >= 200 && status < 300) return { outcome: "delivered" };
  if (status === 410) return { outcome: "gone", error: "The receiver is gone." };
  if (status >= 300 && status < 400) return { outcome: "failed", error: "Redirects are not followed." };
  return { outcome: "failed", error: `The receiver answered ${status}.` };
}

/** What came of one POST. */
export type Sent = Omit<AttemptResult, "id">;

/** What a POST needs. */
type SendingTools = Pick<DeliveryTools, "receiver" | "agent" | "allowPrivate" | "now" | "answerTime">;

/** What came of a POST, and whether the receiver did not respond in time. */
type Attempt = Sent & { readonly isSilent?: true };

async function send(sending: Sending, tools: SendingTools): Promise<Attempt> {
  const began = tools.now();
  // The URL is checked again, since the rules may have changed since it was set.
  const target = parseOutgoingUrl(sending.hook.url, tools.allowPrivate);
  if (target.kind === "refused") return { outcome: "failed", error: target.why, duration: 0 };
  const headers = await headersOf(sending, tools.agent);
  const { answerTime = ANSWER_TIME } = tools;
  const signal = AbortSignal.timeout(answerTime);
  try {
    const status = await tools.receiver.post(target.url, headers, sending.body, signal);
    return { ...resultOf(status), status, duration: tools.now() - began };
  } catch {
    // The network's own error could reveal what is behind a name. So the message tells only these two cases apart.
    const failed = { outcome: "failed", duration: tools.now() - began } as const;
    if (!signal.aborted) return { ...failed, error: "The receiver could not be reached." };
    return { ...failed, error: `No answer in ${answerTime / 1000} s.`, isSilent: true };
  }
}

const encoder = new TextEncoder();

async function attempt(delivery: DueDelivery, due: DueDeliveries, tools: DeliveryTools): Promise<Attempt> {
  const context: PayloadContext = { ...due, name: due.repository.spelled ?? tools.name };
  const { event, guid, happening, detail } = delivery;
  const told: Told = {
    event,
    ...(happening === undefined ? {} : { happening }),
    ...(event === "push" && happening !== undefined ? { content: await tools.contentOf?.(happening) } : {}),
    ...(event === "sync_failed" && detail !== undefined ? { error: detail } : {}),
    ...(event === "lock" && detail !== undefined ? { lock: parseLockChange(detail) } : {}),
    ...(event === "status" && detail !== undefined ? { status: parseToldStatus(detail) } : {}),
  };
  const body = new Uint8Array(encoder.encode(formatPayload(told, context)));
  return await send({ hook: due.hook, event, guid, body }, tools);
}

/** Sends a `ping` to a tenant's webhook, once. */
export async function pingTenantHook(hook: TenantHook, tenant: string, tools: SendingTools): Promise<Sent> {
  const body = new Uint8Array(encoder.encode(formatTenantPing(hook, tenant, hook.origin)));
  const { isSilent: _, ...sent } = await send({ hook, event: "ping", guid: crypto.randomUUID(), body }, tools);
  return sent;
}

/**
 * Makes the due deliveries of one webhook in order, as far as time allows. Returns the result of each attempt. After a
 * receiver that did not respond in time it stops: another job makes the next delivery, since other webhooks wait.
 */
export async function deliverAll(due: DueDeliveries, tools: DeliveryTools): Promise<AttemptResult[]> {
  const until = tools.now() + BATCH_TIME;
  const results: AttemptResult[] = [];
  for (const delivery of due.deliveries) {
    if (tools.now() >= until) break;
    const { isSilent = false, ...result } = await attempt(delivery, due, tools);
    results.push({ id: delivery.id, ...result });
    if (isSilent || result.outcome === "gone") break;
  }
  return results;
}
