/**
 * The subscribers of one repository's object: takes their WebSockets up, and tells them what moves.
 *
 * @packageDocumentation
 */
import type { LockChange } from "../../events/lock-change.ts";
import { parseSubscriptionRequest, type SubscriptionRequest } from "../../events/subscription.ts";
import { EventSockets, type EventSource } from "./event-sockets.ts";
import { SubscriberPlaces } from "./subscriber-places.ts";

/** The statuses of a refused subscription. */
const REFUSED = { over: 401, gone: 404, "too-many": 429, full: 503 } as const;

/** Returns those of the tokens that are in force. */
type InForce = (tokens: readonly string[]) => Promise<readonly string[]>;

/** The subscribers of one object. */
export class Subscribers {
  readonly #state: DurableObjectState;
  readonly #sockets: EventSockets;
  readonly #places: SubscriberPlaces;
  /** Whether subscribers may lack moves. After a sleep, only a look at the sockets tells. */
  isUntold = false;

  constructor(state: DurableObjectState, source: EventSource) {
    this.#state = state;
    // An object that an alarm wakes may not know its name.
    this.#sockets = new EventSockets(state.id.name ?? "", source, () => state.getWebSockets());
    this.#places = new SubscriberPlaces(state);
  }

  /** Whether there are any. */
  get areAny(): boolean {
    return this.#state.getWebSockets().length > 0;
  }

  /**
   * Begins a subscription. The request's JSON is the Worker's own. Its token is looked up before anything is sent: a ticket may be older
   * than the end of its token, and what a subscriber missed is sent at once.
   */
  async begin(request: Request, inForce: InForce): Promise<Response> {
    // The parser refuses a request without a subscription.
    const asked = parseSubscriptionRequest(new URL(request.url).searchParams.get("subscription") ?? "");
    const isOver = asked.token !== undefined && (await inForce([asked.token])).length === 0;
    // The repository may have changed meanwhile. From here on nothing is waited for.
    const place = isOver ? "over" : this.#placeFor(asked);
    if (place !== "free") return new Response(null, { status: REFUSED[place] });
    const { 0: client, 1: server } = new WebSocketPair();
    this.#state.setWebSocketAutoResponse(new WebSocketRequestResponsePair("ping", "pong"));
    this.#state.acceptWebSocket(server, this.#places.take(asked));
    if (this.#sockets.begin(server, asked)) this.isUntold = true;
    return new Response(null, { status: 101, webSocket: client });
  }

  #placeFor(asked: SubscriptionRequest): keyof typeof REFUSED | "free" {
    return this.#sockets.admits(asked) ? this.#places.admits(asked, Date.now()) : "gone";
  }

  /** Adds a change of a lock to what subscribers are told next. It is in no log: an object that dies before forgets it. */
  add(change: LockChange): void {
    if (this.areAny) this.#sockets.add(change);
  }

  /** Ends a subscription whose client sends something. */
  refuse(socket: WebSocket): void {
    this.#sockets.refuse(socket);
  }

  /** Gives the place of a subscription back that has ended. */
  leave(socket: WebSocket): void {
    this.#places.leave(this.#state.getTags(socket));
  }

  /** Ends the subscriptions of those who may not read any more. */
  sweep(): void {
    this.#sockets.sweep();
  }

  /** Sends all of them the moves that they lack, or a part. */
  async tell(inForce: InForce): Promise<void> {
    // The answer that is under way goes out first.
    await scheduler.wait(0);
    this.#places.recount();
    this.isUntold = await this.#sockets.tellAll(inForce);
  }
}
