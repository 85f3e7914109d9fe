/**
 * The places that a repository has for subscribers, and each holder's share of them. Listing all sockets costs as much
 * as there are. So they are counted once, when the object wakes, and the count is then kept up to date. The sockets of
 * one holder are found by their tag.
 *
 * @packageDocumentation
 */
import type { Subscription, SubscriptionRequest } from "../../events/subscription.ts";

/** Subscribers that a repository may have; the platform's own bound is 32,768. */
export const MOST_SUBSCRIBERS = 10_000;
/** The places for those let in only because the repository is public. The others are for those with tokens. */
export const MOST_PUBLIC_SUBSCRIBERS = 8_000;
/** Subscriptions of one address that is let in without a token. */
export const MOST_OF_ADDRESS = 100;
/** Subscriptions with one token. */
export const MOST_OF_TOKEN = 1_000;
/**
 * If the counts say that all places are taken, the sockets are counted again, at most once in this time. Milliseconds.
 */
const RECOUNT_TIME = 10_000;
/** The tag of sockets that were let in only because the repository is public. */
const PUBLIC = "public";

/** The part of a Durable Object's state that is used: a socket gets its tags when it is accepted. */
export type TaggedSockets = {
  getWebSockets(tag?: string): readonly unknown[];
};

/** Whether there is a place. `full`: there is none for anybody. `too-many`: this holder has its share. */
export type PlaceAnswer = "free" | "full" | "too-many";

type Counts = { all: number; public: number };

/** The places of one repository. */
export class SubscriberPlaces {
  readonly #sockets: TaggedSockets;
  #counts: Counts | undefined;
  #countedAt = Number.NEGATIVE_INFINITY;

  constructor(sockets: TaggedSockets) {
    this.#sockets = sockets;
  }

  /** Returns whether one more subscriber may come. `now` is in milliseconds. */
  admits(request: SubscriptionRequest, now: number): PlaceAnswer {
    if (this.#isFull(request)) {
      if (now < this.#countedAt + RECOUNT_TIME) return "full";
      this.#count(now);
      if (this.#isFull(request)) return "full";
    }
    const { holder } = request;
    if (holder === undefined) return "free";
    const most = request.needsPublic ? MOST_OF_ADDRESS : MOST_OF_TOKEN;
    return this.#sockets.getWebSockets(holder).length >= most ? "too-many" : "free";
  }

  /** Takes a place for a subscription. Returns the tags with which its socket has to be accepted. */
  take({ needsPublic, holder }: SubscriptionRequest): string[] {
    this.#add({ needsPublic }, 1);
    return [...(needsPublic ? [PUBLIC] : []), ...(holder === undefined ? [] : [holder])];
  }

  /** Notes that a subscription with these tags has ended. */
  leave(tags: readonly string[]): void {
    this.#add({ needsPublic: tags.includes(PUBLIC) }, -1);
  }

  /** Forgets the counts, so that the next question counts the sockets. For callers that look at all sockets anyway. */
  recount(): void {
    this.#counts = undefined;
  }

  #isFull({ needsPublic }: Pick<Subscription, "needsPublic">): boolean {
    const counts = this.#counts ?? this.#count(Number.NEGATIVE_INFINITY);
    return counts.all >= MOST_SUBSCRIBERS || (needsPublic && counts.public >= MOST_PUBLIC_SUBSCRIBERS);
  }

  #add({ needsPublic }: Pick<Subscription, "needsPublic">, change: 1 | -1): void {
    const counts = this.#counts;
    // Nothing is counted yet; the next count includes this one.
    if (counts === undefined) return;
    counts.all += change;
    if (needsPublic) counts.public += change;
  }

  #count(now: number): Counts {
    this.#countedAt = now;
    return (this.#counts = {
      all: this.#sockets.getWebSockets().length,
      public: this.#sockets.getWebSockets(PUBLIC).length,
    });
  }
}
