/**
 * Webhooks, the records of their deliveries, and the port to the store of both. Every method of the port is one call.
 *
 * @packageDocumentation
 */

/**
 * The events that a webhook may subscribe to. `push`: a ref was created, updated or deleted; `create`, `delete`: a
 * branch or tag was created or deleted; `sync`: a sync updated a mirror's refs (one event for all of them);
 * `sync_failed`: a sync of a mirror failed; `status`: a status of a commit was set; `lock`: a file was locked, or its lock
 * given back.
 */
export const HOOK_EVENTS = ["push", "create", "delete", "sync", "sync_failed", "status", "lock"] as const;

/** An event that a webhook may subscribe to. */
export type HookEvent = (typeof HOOK_EVENTS)[number];

/** The event of a delivery. `ping` is sent to a new webhook, and whenever somebody asks for one. */
export type DeliveryEvent = HookEvent | "ping";

/** The settings of a webhook. */
export type HookSettings = {
  readonly url: string;
  /** The secret that signs each delivery; it is never shown again. If absent, deliveries are not signed. */
  readonly secret?: string;
  readonly events: readonly HookEvent[];
  readonly active: boolean;
};

/** A change of a webhook's settings. Absent settings stay. An empty secret removes the secret. */
export type HookChange = Partial<HookSettings>;

/** A webhook as its owner sees it. */
export type Hook = {
  readonly id: string;
  readonly url: string;
  readonly hasSecret: boolean;
  readonly events: readonly HookEvent[];
  readonly active: boolean;
  /** The reason why the host turned it off; absent if it did not. */
  readonly disabledWhy?: string;
  /** This and the next time are in milliseconds since the epoch. */
  readonly createdAt: number;
  readonly updatedAt: number;
};

/** The state of a delivery: still to be attempted, accepted by the receiver, or given up. */
export type DeliveryState = "pending" | "delivered" | "failed";

/**
 * A delivery as the webhook's owner sees it. It has nothing of the receiver's response but the status: see
 * `deliver.ts`.
 */
export type Delivery = {
  readonly id: number;
  /** The id of one event for one webhook, the same in each attempt and each redelivery. */
  readonly guid: string;
  readonly event: DeliveryEvent;
  /** The event's sequence number in the ref log and its ref; absent for a `ping`. */
  readonly seq?: number;
  readonly ref?: string;
  /** Why a sync failed; of a status or a lock, what is told of it, as JSON. */
  readonly detail?: string;
  readonly redelivery: boolean;
  readonly state: DeliveryState;
  readonly attempts: number;
  /** The last attempt: the receiver's HTTP status, the reason of a failure, and the duration in milliseconds. */
  readonly status?: number;
  readonly error?: string;
  readonly duration?: number;
  /** This and the next two times are in milliseconds since the epoch. */
  readonly createdAt: number;
  readonly attemptedAt?: number;
  readonly nextAttemptAt?: number;
};

/** The update of a ref that a delivery reports. */
export type Happening = {
  /** Its sequence number in the ref log. */
  readonly seq: number;
  readonly ref: string;
  /** This and the next name are hexadecimal; zeros stand for "no object". */
  readonly oldOid: string;
  readonly newOid: string;
  /** Whether the old value is known to be reachable from the new one. */
  readonly forward: boolean;
  readonly at: number;
  readonly actor: string;
  /** The name that the actor's token had then, where one pushed. */
  readonly actorName?: string;
  readonly options: readonly string[];
};

/** A delivery that is due, with the data of its body. */
export type DueDelivery = Pick<Delivery, "id" | "guid" | "event" | "attempts"> & {
  /** Absent for a `ping`, and where no ref moved. */
  readonly happening?: Happening;
  /** See `Delivery`. */
  readonly detail?: string;
};

/** The data of a repository that a payload has. */
export type HookedRepository = {
  readonly id: string;
  /** The name as it is shown, `{tenant}/{repo}`, if that differs from the one it is found by. */
  readonly spelled?: string;
  readonly visibility: "private" | "public";
  /** The full name of the branch that HEAD points to. */
  readonly head: string;
  readonly description: string;
  /** This and the next time are in milliseconds since the epoch. */
  readonly createdAt: number;
  readonly pushedAt?: number;
  readonly readOnly?: boolean;
  readonly sizeBytes?: number;
};

/** The due deliveries of one webhook, in the order of their events. */
export type DueDeliveries = {
  readonly hook: Hook & { readonly secret?: string };
  /** The host's origin when the webhook was set. URLs in payloads begin with it. */
  readonly origin: string;
  readonly repository: HookedRepository;
  readonly deliveries: readonly DueDelivery[];
};

/** The result of an attempt. `gone`: the receiver does not want any more deliveries (status 410). */
export type AttemptResult = {
  readonly id: number;
  readonly outcome: "delivered" | "failed" | "gone";
  readonly status?: number;
  readonly error?: string;
  readonly duration: number;
};

/**
 * The new delivery. `inactive`: the webhook is off; `too-many`: the maximum is waiting; `undefined`: no such delivery.
 */
export type RedeliverAnswer = Delivery | "inactive" | "too-many" | undefined;

/** The webhooks of one repository. For a missing repository or webhook, the methods return `undefined` or `false`. */
export interface HookStore {
  listHooks(): Promise<readonly Hook[] | undefined>;
  /** Adds a webhook and queues a `ping` for it. `origin` is the origin of the host's URLs. */
  addHook(settings: HookSettings, origin: string): Promise<Hook | "too-many" | undefined>;
  changeHook(id: string, change: HookChange, origin: string): Promise<Hook | undefined>;
  removeHook(id: string): Promise<boolean>;
  /** Lists a webhook's deliveries, the newest first: all pending ones, and a bounded number of finished ones. */
  listDeliveries(hook: string): Promise<readonly Delivery[] | undefined>;
  /** Queues another delivery of the same event, or a `ping`. */
  redeliver(hook: string, delivery: number | "ping"): Promise<RedeliverAnswer>;
  /**
   * Returns the due deliveries of a webhook of repository `id`, and holds them back from other consumers for a while.
   */
  takeDeliveries(id: string, hook: string): Promise<DueDeliveries | undefined>;
  /** Records the results of deliveries that were taken. A taken delivery without a result is due again. */
  deliveriesDone(id: string, hook: string, results: readonly AttemptResult[]): Promise<void>;
}
