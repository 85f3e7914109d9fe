/**
 * Webhooks: what they are, what is kept of their deliveries, and the port to where both are kept. Every method is one call.
 *
 * @packageDocumentation
 */

/**
 * What a webhook may ask for. `push`: a ref was made, moved or removed; `create`, `delete`: a branch or tag was; `sync`: a mirror's
 * refs moved, one event for all of them.
 */
export const HOOK_EVENTS = ["push", "create", "delete", "sync"] as const;

/** An event that a webhook may ask for. */
export type HookEvent = (typeof HOOK_EVENTS)[number];

/** What a delivery is about: `ping` is sent once, to a webhook that was just made. */
export type DeliveryEvent = HookEvent | "ping";

/** What is set of a webhook. */
export type HookSettings = {
  readonly url: string;
  /** Signs each delivery; never shown again. Absent: deliveries are not signed. */
  readonly secret?: string;
  readonly events: readonly HookEvent[];
  readonly active: boolean;
};

/** What is changed of a webhook; what is absent stays. An empty secret takes it away. */
export type HookChange = Partial<HookSettings>;

/** A webhook as its owner sees it. */
export type Hook = {
  readonly id: string;
  readonly url: string;
  readonly hasSecret: boolean;
  readonly events: readonly HookEvent[];
  readonly active: boolean;
  /** Why it was turned off, where the host did it. */
  readonly disabledWhy?: string;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  readonly updatedAt: number;
};

/** Whether a delivery is still to be tried, was taken by the receiver, or was given up. */
export type DeliveryState = "pending" | "delivered" | "failed";

/** A delivery as the webhook's owner sees it. Nothing of what the receiver said but its status: see `deliver.ts`. */
export type Delivery = {
  readonly id: number;
  /** The same for each attempt, and each redelivery, of one event to one webhook. */
  readonly guid: string;
  readonly event: DeliveryEvent;
  /** The place in the ref log, and the ref, that it is about. */
  readonly seq?: number;
  readonly ref?: string;
  readonly redelivery: boolean;
  readonly state: DeliveryState;
  readonly attempts: number;
  /** Of the last attempt: the receiver's HTTP status, or why there was none; how long it took, in milliseconds. */
  readonly status?: number;
  readonly error?: string;
  readonly duration?: number;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  readonly attemptedAt?: number;
  readonly nextAttemptAt?: number;
};

/** What a delivery tells of. */
export type Happening = {
  /** Its place in the ref log. */
  readonly seq: number;
  readonly ref: string;
  /** Hex; zeros for none. */
  readonly oldOid: string;
  readonly newOid: string;
  /** Known to keep the old value reachable. */
  readonly forward: boolean;
  readonly at: number;
  readonly actor: string;
  readonly options: readonly string[];
};

/** A delivery that is due, with all that its body is made from. */
export type DueDelivery = Pick<Delivery, "id" | "guid" | "event" | "attempts"> & {
  /** Absent for a `ping`. */
  readonly happening?: Happening;
};

/** What a payload says of the repository. */
export type HookedRepository = {
  readonly id: string;
  readonly visibility: "private" | "public";
  /** Full name of the branch HEAD points to. */
  readonly head: string;
  readonly description: string;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  readonly pushedAt?: number;
};

/** Deliveries of one webhook that are due, in the order of what happened. */
export type DueDeliveries = {
  readonly hook: Hook & { readonly secret?: string };
  /** Where the host was reached when the webhook was set: the origin of its URLs. */
  readonly origin: string;
  readonly repository: HookedRepository;
  readonly deliveries: readonly DueDelivery[];
};

/** What an attempt came to. `gone`: the receiver says that it will never want any more. */
export type AttemptResult = {
  readonly id: number;
  readonly outcome: "delivered" | "failed" | "gone";
  readonly status?: number;
  readonly error?: string;
  readonly duration: number;
};

/** The new delivery. `inactive`: the webhook is off. `too-many`: as many deliveries wait as may. `undefined`: there is none to repeat. */
export type RedeliverAnswer = Delivery | "inactive" | "too-many" | undefined;

/** One repository's webhooks. A repository or webhook that is not there gives `undefined` or `false`. */
export interface HookStore {
  listHooks(): Promise<readonly Hook[] | undefined>;
  /** Adds a webhook and has a `ping` sent to it. `origin` is where the host is reached. */
  addHook(settings: HookSettings, origin: string): Promise<Hook | "too-many" | undefined>;
  changeHook(id: string, change: HookChange, origin: string): Promise<Hook | undefined>;
  removeHook(id: string): Promise<boolean>;
  /** The newest first; pending ones and a bounded number of those that ended. */
  listDeliveries(hook: string): Promise<readonly Delivery[] | undefined>;
  /** Has the same event delivered once more. */
  redeliver(hook: string, delivery: number): Promise<RedeliverAnswer>;
  /** For the queue's consumer: gives what is due of a webhook of repository `id`, and holds it back from others for a while. */
  takeDeliveries(id: string, hook: string): Promise<DueDeliveries | undefined>;
  /** Says what became of what was taken; what is not named is due again. */
  deliveriesDone(id: string, hook: string, results: readonly AttemptResult[]): Promise<void>;
}
