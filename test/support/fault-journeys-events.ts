/**
 * Journeys of what is told of moved refs, on storage that fails: webhooks, and sockets of events.
 *
 * @packageDocumentation
 * @see docs/events.md
 */
import type { FaultBed } from "./fault-bed.ts";
import { type Outcome, UNFAULTED } from "./fault-client.ts";
import { assertDone, filled, MAIN, NEXT, packOf, TIP } from "./fault-content.ts";
import { type Act, checkRefs, type Journey, type Round } from "./fault-rounds.ts";
import { FaultSocket } from "./fault-socket.ts";
import type { EventMessage } from "./subscriber.ts";
import { startReceiver, type WebhookReceiver } from "./webhook-receiver.ts";

const receivers = new WeakMap<FaultBed, Promise<WebhookReceiver>>();

/** The receiver of all webhooks of a bed. Each repository has a path of its own there. */
async function receiverOf(bed: FaultBed): Promise<WebhookReceiver> {
  const start = async (): Promise<WebhookReceiver> => {
    const receiver = await startReceiver();
    bed.onStop(() => receiver.close());
    return receiver;
  };
  const started = receivers.get(bed) ?? start();
  receivers.set(bed, started);
  return await started;
}

/** The GUIDs of the deliveries of a push that came, in order: the same one for each attempt. */
async function deliveredTo({ bed, path }: Round): Promise<string[]> {
  const { received } = await receiverOf(bed);
  const own = received.filter((one) => one.path === `/${path}` && one.headers["x-github-event"] === "push");
  for (const { body } of own)
    if (body["ref"] !== MAIN || body["after"] !== NEXT.oid)
      throw new Error(`told what is not so: ${JSON.stringify(body)}`);
  return own.map(({ headers }) => String(headers["x-github-delivery"]));
}

/** A repository with a webhook. Gives the path of its deliveries. */
async function hooked({ bed, path }: Round): Promise<string> {
  const { base } = await receiverOf(bed);
  const { id } = await bed.sure("POST", `/repos/${path}/hooks`, { url: `${base}/${path}`, events: ["push"] });
  return `/repos/${path}/hooks/${String(id)}/deliveries`;
}

/** @throws Error if a delivery is still to come, or was given up */
async function assertDelivered({ bed }: Round, deliveries: string): Promise<void> {
  const { deliveries: all } = await bed.sure("GET", deliveries);
  const others = (all as { state: string }[]).filter(({ state }) => state !== "delivered");
  if (others.length > 0) throw new Error(`not delivered: ${JSON.stringify(others)}`);
}

/** A push of which a webhook is told: once, or as often as a delivery's end was lost. */
async function delivering(round: Round): Promise<Act> {
  const before = await filled(round);
  const deliveries = await hooked(round);
  return {
    act: () => round.client.push([{ name: MAIN, old: TIP.oid, new: NEXT.oid }], packOf([NEXT])),
    check: (done) => checkRefs(round, { before, after: { [MAIN]: NEXT.oid } }, done),
    swept: async () => {
      const came = new Set(await deliveredTo(round));
      if (came.size !== 1) throw new Error(`${came.size} deliveries of one push`);
      await assertDelivered(round, deliveries);
    },
  };
}

/** A delivery that is sent once more. */
async function redelivering(round: Round): Promise<Act> {
  const { bed, client } = round;
  await filled(round);
  const deliveries = await hooked(round);
  assertDone(await client.push([{ name: MAIN, old: TIP.oid, new: NEXT.oid }], packOf([NEXT])));
  await bed.settle();
  const { deliveries: sent } = await bed.sure("GET", deliveries);
  const { id } = (sent as { id: number; event: string }[]).find(({ event }) => event === "push") ?? {};
  const refs = { [MAIN]: NEXT.oid };
  return {
    act: () => client.api("POST", `${deliveries}/${String(id)}/redeliver`),
    check: (done) => checkRefs(round, { before: refs, after: refs }, done),
    swept: async () => {
      const came = await deliveredTo(round);
      if (came.length < 2 || new Set(came).size !== 1) throw new Error(`it was not sent again: ${came.join(", ")}`);
      await assertDelivered(round, deliveries);
    },
  };
}

/** A subscriber that comes again after the last message that it knows, as it is told to. */
class Listener {
  readonly #round: Round;
  readonly #heard: EventMessage[] = [];
  #socket: FaultSocket | undefined;

  constructor(round: Round) {
    this.#round = round;
  }

  /** Opens the connection. Gives what refuses it. */
  async open(headers: object = UNFAULTED): Promise<Outcome | undefined> {
    const since = this.#heard.at(-1)?.seq ?? 0;
    const path = `/api/v1/repos/${this.#round.path}/events?since=${since}`;
    const socket = await FaultSocket.open(this.#round.bed, path, headers);
    if ("kind" in socket) return socket;
    this.#socket = socket;
    return undefined;
  }

  /** Takes what has come. */
  #take(): void {
    for (const text of this.#socket?.texts.splice(0) ?? []) this.#heard.push(JSON.parse(text) as EventMessage);
  }

  /** Waits until it was told of a value of the branch. It comes again where its connection has ended. */
  async hears(oid: string): Promise<void> {
    const isTold = (): boolean => {
      this.#take();
      return this.#heard.at(-1)?.new === oid;
    };
    for (let tries = 0; tries < 2 && !isTold(); tries++) {
      if (this.#socket?.isOpen !== true) assertOpen(await this.open());
      await this.#socket?.until(isTold);
    }
    if (!isTold()) throw new Error(`not told of ${oid}: ${JSON.stringify(this.#heard)}`);
  }

  /** @throws Error unless it was told of each move once, and in order */
  assertAll(...oids: readonly string[]): void {
    this.#take();
    const told = this.#heard.map((one) => one.new);
    if (told.join() !== oids.join()) throw new Error(`told of ${told.join()}, and not of ${oids.join()}`);
  }

  close(): void {
    this.#socket?.close();
  }
}

function assertOpen(refused: Outcome | undefined): void {
  if (refused !== undefined) throw new Error(`no subscription: ${JSON.stringify(refused)}`);
}

/** A push of which a subscriber is told. */
async function telling(round: Round): Promise<Act> {
  const before = await filled(round);
  const listener = new Listener(round);
  assertOpen(await listener.open());
  await listener.hears(TIP.oid);
  return {
    act: () => round.client.push([{ name: MAIN, old: TIP.oid, new: NEXT.oid }], packOf([NEXT])),
    check: (done) => checkRefs(round, { before, after: { [MAIN]: NEXT.oid } }, done),
    swept: async () => {
      await listener.hears(NEXT.oid);
      listener.assertAll(TIP.oid, NEXT.oid);
      listener.close();
    },
  };
}

/** A subscription, which begins with what was missed. */
async function subscribing(round: Round): Promise<Act> {
  const refs = await filled(round);
  return {
    act: async () => {
      const listener = new Listener(round);
      const refused = await listener.open({});
      if (refused !== undefined) return refused;
      await listener.hears(TIP.oid);
      listener.assertAll(TIP.oid);
      listener.close();
      return { kind: "done", body: Buffer.alloc(0) };
    },
    check: (done) => checkRefs(round, { before: refs, after: refs }, done),
  };
}

/** Journeys of what is told of moved refs. */
export const EVENT_JOURNEYS: readonly Journey[] = [
  { name: "webhook, delivery", prepare: delivering },
  { name: "webhook, redelivery", prepare: redelivering },
  { name: "events, push with a subscriber", prepare: telling },
  { name: "events, subscription", prepare: subscribing },
];
