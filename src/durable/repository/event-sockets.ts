/**
 * The subscribers to a repository's events: WebSockets that stay open while the object sleeps. Each carries its place
 * in the ref log, so that every subscriber gets each move once and in order, whatever is interrupted in between.
 *
 * Only committed moves are sent: the runtime holds messages back until the writes before them are on disk.
 *
 * @packageDocumentation
 */
import { assert } from "../../bytes/assert.ts";
import {
  formatGapMessage,
  formatRefMessage,
  type MovedRef,
  type Subscription,
  type SubscriptionRequest,
} from "../../events/subscription.ts";

import { formatLockMessage, type LockChange } from "../../events/lock-change.ts";
import { eventsBeginning, type LogMarks, LOG_START, type LogPlace } from "../../refs/visible-log.ts";

/** The members of a WebSocket that are used. */
export type EventSocket = Pick<
  WebSocket,
  "readyState" | "bufferedAmount" | "send" | "close" | "serializeAttachment"
> & {
  deserializeAttachment(): unknown;
};

/** The repository as its subscribers need it, with its ref log. */
export interface EventSource {
  record():
    | (LogMarks & { readonly id: string; readonly spelled?: string; readonly visibility: "private" | "public" })
    | undefined;
  /** Returns the newest place in the log, and the place before its oldest row. */
  ends(): { readonly newest: number; readonly before: number };
  /** Returns the place of the last move before an instant, in milliseconds since the epoch. */
  placeBefore(at: number): LogPlace;
  /** Returns the moves after a place, in order, at most `limit`. */
  movesAfter(seq: number, limit: number): readonly MovedRef[];
}

/** The most missed moves that a subscriber is sent; one that missed more is told that there is a gap. */
export const MOST_REPLAYED = 10_000;
/** Moves that one subscriber is sent in one go. */
const MOST_MOVES = 1000;
/** Characters that one subscriber is sent in one go, unless a single message is longer. */
const MOST_TOLD = 256 * 1024;
/** Characters that all subscribers together are sent in one go. */
const MOST_SENT = 8 * 1024 * 1024;
/**
 * Bytes that may wait in memory until clients take them, for one subscriber and for all. A slower subscriber is
 * dismissed.
 */
const MOST_WAITING_OF_ONE = 1024 * 1024;
const MOST_WAITING = 16 * 1024 * 1024;
assert(MOST_TOLD <= MOST_SENT, "what one subscriber is sent is part of what all are sent");
assert(MOST_TOLD <= MOST_WAITING_OF_ONE, "what is sent to one in one go may wait for it");
assert(MOST_WAITING_OF_ONE <= MOST_WAITING, "what waits for one is part of what waits for all");
/** Codes of RFC 6455: 1008 for a violated policy, 1003 for data that is not accepted, 1013 for what may work later. */
const FORBIDDEN = 1008;
const NOT_UNDERSTOOD = 1003;
const TRY_AGAIN_LATER = 1013;
const OPEN = 1;

/** The state that a socket carries through the object's sleep. */
type Attachment = Subscription & { readonly seen: number };

type Subscriber = { readonly socket: EventSocket; readonly attachment: Attachment };

function isAttachment(value: unknown): value is Attachment {
  return typeof value === "object" && value !== null && "id" in value && "needsPublic" in value && "seen" in value;
}

function isAllowed({ id, needsPublic }: Subscription, record: ReturnType<EventSource["record"]>): boolean {
  return record !== undefined && record.id === id && (record.visibility === "public" || !needsPublic);
}

/**
 * Returns the place at which a subscriber begins, and whether it has missed more than it can be sent. It is sent
 * nothing up to `before`.
 */
function beginning(
  since: number | undefined,
  { newest, before }: { readonly newest: number; readonly before: number },
): { readonly seen: number; readonly gap: boolean } {
  if (since === undefined) return { seen: newest, gap: false };
  // 0: the subscriber knows nothing yet, and begins where the log does for it.
  const seen = since === 0 ? before : since;
  const gap = seen < before || seen > newest || newest - seen > MOST_REPLAYED;
  return { seen: gap ? newest : seen, gap };
}

/** The subscribers of one repository. */
export class EventSockets {
  readonly #sockets: () => EventSocket[];
  readonly #source: EventSource;
  /** `{tenant}/{repo}`. */
  readonly #name: string;
  /** Bytes that wait for all subscribers: as counted at the last look, plus those sent since. */
  #waiting = 0;
  /** Messages about locks that are still to be sent. */
  #lockMessages: string[] = [];

  constructor(name: string, source: EventSource, sockets: () => EventSocket[]) {
    this.#name = name;
    this.#source = source;
    this.#sockets = sockets;
  }

  /** The repository's name as it is shown: `{tenant}/{repo}`. */
  get #shownName(): string {
    return this.#source.record()?.spelled ?? this.#name;
  }

  /** Adds a change of a lock to what subscribers are told next, unless too much waits already. */
  add(change: LockChange): void {
    const message = formatLockMessage(this.#shownName, change);
    const waiting = this.#lockMessages.reduce((sum, { length }) => sum + length, message.length);
    if (waiting <= MOST_TOLD) this.#lockMessages.push(message);
  }

  /** Whether this is the repository that was asked for, and the subscription may be made. */
  admits(request: Subscription): boolean {
    return isAllowed(request, this.#source.record());
  }

  /**
   * Begins a subscription on a socket that was just accepted, whose token was just looked up, and sends what it missed.
   * The other sockets are not looked at, so the cost does not grow with their number. Returns whether there is more to
   * send, which `tell` does.
   */
  begin(socket: EventSocket, request: SubscriptionRequest): boolean {
    const { id, needsPublic, token, since } = request;
    const ends = this.#source.ends();
    const visible = since === undefined ? LOG_START : this.#visibleTo(request);
    const { seen, gap } = beginning(since, { ...ends, before: Math.max(ends.before, visible.seq) });
    // Only a subscriber that named a place is told of a gap.
    if (gap) socket.send(formatGapMessage(this.#shownName, since ?? 0, ends.newest));
    const attachment: Attachment = { id, needsPublic, ...(token === undefined ? {} : { token }), seen };
    socket.serializeAttachment(attachment);
    const room = MOST_WAITING - this.#waiting;
    if (seen >= ends.newest || room <= 0) return seen < ends.newest;
    const { last, sent } = this.#tellGroup(seen, [{ socket, attachment }], room);
    this.#waiting += sent;
    return last < ends.newest;
  }

  #visibleTo({ needsPublic, administers, tokenSince }: SubscriptionRequest): LogPlace {
    if (administers === true) return LOG_START;
    const since = tokenSince === undefined ? undefined : this.#source.placeBefore(tokenSince);
    return eventsBeginning(this.#source.record() ?? {}, needsPublic, since);
  }

  /**
   * Ends the subscriptions that are no longer allowed: the repository is gone, or is no longer public. Returns the
   * subscribers that stay.
   */
  sweep(): readonly Subscriber[] {
    const staying: Subscriber[] = [];
    const record = this.#source.record();
    for (const socket of this.#sockets()) {
      if (socket.readyState !== OPEN) continue;
      const attachment = socket.deserializeAttachment();
      if (isAttachment(attachment) && isAllowed(attachment, record)) staying.push({ socket, attachment });
      else socket.close(FORBIDDEN, "The repository is not there any more.");
    }
    return staying;
  }

  /**
   * Sends every subscriber the moves that it lacks, if its token is in force or it needs none. Returns whether there is
   * more to send.
   */
  async tellAll(inForce: (tokens: readonly string[]) => Promise<readonly string[]>): Promise<boolean> {
    const tokens = this.tokens();
    const valid = new Set(tokens.length === 0 ? [] : await inForce(tokens));
    this.dismiss(tokens.filter((token) => !valid.has(token)));
    return this.tell([...valid]);
  }

  /** Returns the tokens of those subscribers that lack moves. */
  tokens(): string[] {
    const { newest } = this.#source.ends();
    const isOfAll = this.#lockMessages.length > 0;
    const behind = this.sweep().filter(({ attachment }) => isOfAll || attachment.seen < newest);
    return [...new Set(behind.flatMap(({ attachment }) => attachment.token ?? []))];
  }

  /** Ends the subscriptions of tokens that are no longer in force. */
  dismiss(tokens: readonly string[]): void {
    const dismissed = new Set(tokens);
    for (const { socket, attachment } of this.sweep()) {
      if (attachment.token === undefined || !dismissed.has(attachment.token)) continue;
      socket.close(FORBIDDEN, "The token is not valid any more.");
    }
  }

  /**
   * Sends every subscriber the moves that it lacks, as far as one go allows. A subscriber with a token gets them only
   * if `checked` has the token. Returns whether there is more to send.
   */
  tell(checked: readonly string[]): boolean {
    const known = new Set(checked);
    this.#waiting = this.#dismissSlow();
    this.#tellLocks(known);
    let room = Math.min(MOST_SENT, MOST_WAITING - this.#waiting);
    const { newest } = this.#source.ends();
    const behind = new Map<number, Subscriber[]>();
    let isMore = false;
    for (const subscriber of this.sweep()) {
      const { token, seen } = subscriber.attachment;
      if (seen >= newest) continue;
      if (token !== undefined && !known.has(token)) {
        isMore = true;
        continue;
      }
      const group = behind.get(seen);
      if (group === undefined) behind.set(seen, [subscriber]);
      else group.push(subscriber);
    }
    for (const [seen, group] of [...behind].sort(([a], [b]) => a - b)) {
      if (room <= 0) return true;
      const { last, sent } = this.#tellGroup(seen, group, room);
      room -= sent;
      this.#waiting += sent;
      isMore ||= last < newest;
    }
    return isMore;
  }

  /** Sends every subscriber what changed of locks. They come after moves that were made before, as far as one go allows. */
  #tellLocks(known: ReadonlySet<string>): void {
    const messages = this.#lockMessages;
    this.#lockMessages = [];
    if (messages.length === 0) return;
    for (const { socket, attachment } of this.sweep()) {
      if (attachment.token !== undefined && !known.has(attachment.token)) continue;
      for (const message of messages) {
        if (this.#waiting >= MOST_WAITING) return;
        socket.send(message);
        this.#waiting += message.length;
      }
    }
  }

  /** Ends the subscription of a client that sent a message: none is expected. */
  refuse(socket: EventSocket): void {
    socket.close(NOT_UNDERSTOOD, "Nothing is expected but ping.");
  }

  /** Ends the subscriptions of clients that read too slowly. Returns how many bytes wait for all. */
  #dismissSlow(): number {
    let waiting = 0;
    for (const socket of this.#sockets()) {
      waiting += socket.bufferedAmount;
      if (socket.bufferedAmount <= MOST_WAITING_OF_ONE || socket.readyState !== OPEN) continue;
      socket.close(TRY_AGAIN_LATER, "Too slow. Come back with since.");
    }
    return waiting;
  }

  /**
   * Sends moves to subscribers that are at the same place. Returns the place they reach, and how many characters were
   * sent.
   */
  #tellGroup(seen: number, group: readonly Subscriber[], room: number): { last: number; sent: number } {
    const messages: string[] = [];
    let last = seen;
    let sent = 0;
    const most = Math.min(room, MOST_TOLD * group.length);
    for (const move of this.#source.movesAfter(seen, MOST_MOVES)) {
      const message = formatRefMessage(this.#shownName, move);
      const size = message.length * group.length;
      if (messages.length > 0 && sent + size > most) break;
      messages.push(message);
      sent += size;
      last = move.seq;
    }
    for (const { socket, attachment } of group) {
      for (const message of messages) socket.send(message);
      socket.serializeAttachment({ ...attachment, seen: last });
    }
    return { last, sent };
  }
}
