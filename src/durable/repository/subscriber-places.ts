/**
 * The places that a repository has for subscribers, and each one's share of them. A look at all sockets costs as much as there are, so
 * they are counted once, when the object wakes, and by the way after that; the sockets of one holder are found by their tag.
 *
 * @packageDocumentation
 */
import type { Subscription, SubscriptionRequest } from "../../events/subscription.ts";

/** Subscribers that a repository may have; the platform's own bound is 32,768. */
export const MOST_SUBSCRIBERS = 10_000;
/** How many of them may be let in only because the repository is public: the other places are for those with tokens. */
export const MOST_PUBLIC_SUBSCRIBERS = 8_000;
/** Subscriptions of one address that is let in as anybody is. */
export const MOST_OF_ADDRESS = 100;
/** Subscriptions with one token. */
export const MOST_OF_TOKEN = 1_000;
/** Where the counts say that all places are taken, the sockets are counted anew, but not more often than this. Milliseconds. */
const RECOUNT_TIME = 10_000;
/** Marks who is let in only because the repository is public. */
const PUBLIC = "public";

/** What is used of a Durable Object's state: tags are given to a socket when it is accepted. */
export type TaggedSockets = {
  getWebSockets(tag?: string): readonly unknown[];
};

/** Says whether there is a place. `full`: none for anybody. `too-many`: this holder has its share. */
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

  /** Says whether one more may come. `now` is in milliseconds. */
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

  /** Gives the tags of a subscription, which its socket has to be accepted with, and notes that it takes a place. */
  take({ needsPublic, holder }: SubscriptionRequest): string[] {
    this.#add({ needsPublic }, 1);
    return [...(needsPublic ? [PUBLIC] : []), ...(holder === undefined ? [] : [holder])];
  }

  /** Notes that a subscription with these tags has ended. */
  leave(tags: readonly string[]): void {
    this.#add({ needsPublic: tags.includes(PUBLIC) }, -1);
  }

  /** Has the sockets counted when that is next asked for: whoever looks at all of them anyway may call this. */
  recount(): void {
    this.#counts = undefined;
  }

  #isFull({ needsPublic }: Pick<Subscription, "needsPublic">): boolean {
    const counts = this.#counts ?? this.#count(Number.NEGATIVE_INFINITY);
    return counts.all >= MOST_SUBSCRIBERS || (needsPublic && counts.public >= MOST_PUBLIC_SUBSCRIBERS);
  }

  #add({ needsPublic }: Pick<Subscription, "needsPublic">, change: 1 | -1): void {
    const counts = this.#counts;
    // Nothing is counted yet: whoever asks will see this one, too.
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
