/**
 * Alarms and queues that go on only in turns that a test takes, so that the order of all work behind answers is the same in each run, and
 * no test waits for a time to come. As the platform does, it delivers what failed again, and gives up after some tries.
 *
 * @packageDocumentation
 */
import type { TurnReport } from "../support/fault-plan.ts";

/** How often an alarm that throws is run, and how long after the first time it is run again. Milliseconds; it doubles. */
const ALARM_TRIES = 7;
const ALARM_PAUSE = 2000;
/** How often a job is delivered, by the binding of its queue: once, and `max_retries` of `wrangler.toml` besides. */
const TRIES: Readonly<Record<string, number>> = { JOBS: 11, MIRROR_JOBS: 4, MAINTENANCE_JOBS: 4 };
/** The queues of the bindings. */
const QUEUES: Readonly<Record<string, string>> = {
  JOBS: "thinpack-jobs",
  MIRROR_JOBS: "thinpack-mirrors",
  MAINTENANCE_JOBS: "thinpack-maintenance",
};

type Alarm = { at: number; tries: number; readonly ring: (info: AlarmInvocationInfo) => Promise<void> };
type Posted = { readonly binding: string; readonly id: string; readonly body: unknown; tries: number };

/** Runs a batch of one message. */
export type Consumer = (batch: MessageBatch) => Promise<void>;

/** The alarms of all objects, and the messages of all queues. */
export class TurnedPlatform {
  readonly #alarms = new Map<string, Alarm>();
  #posted: Posted[] = [];
  #lost: string[] = [];
  #messages = 0;

  /** Puts a message into a queue. */
  send(binding: string, body: unknown): void {
    this.#messages += 1;
    this.#posted.push({ binding, id: String(this.#messages), body: structuredClone(body), tries: 0 });
  }

  /** Has an object's alarms go off here: `ring` runs its handler. */
  takeOver(
    state: DurableObjectState,
    kind: string,
    ring: (name: string, info: AlarmInvocationInfo) => Promise<void>,
  ): DurableObjectState {
    const { storage } = state;
    const name = String(state.id.name);
    const key = `${kind} ${name}`;
    storage.setAlarm = async (at) => {
      this.#alarms.set(key, { at: Number(at), tries: 0, ring: (info) => ring(name, info) });
    };
    storage.getAlarm = async () => this.#alarms.get(key)?.at ?? null;
    return state;
  }

  /** Runs each alarm and each message that is due now once. */
  async turn(consume: Consumer): Promise<TurnReport> {
    let ran = 0;
    const posted = this.#posted;
    this.#posted = [];
    // What was delivered twice comes to two consumers at once.
    const same = Map.groupBy(posted, ({ binding, body }) => `${binding} ${JSON.stringify(body)}`);
    for (const messages of same.values()) {
      ran += messages.length;
      await Promise.all(messages.map((message) => this.#deliver(message, consume)));
    }
    const now = Date.now();
    const due = [...this.#alarms].filter(([, { at }]) => at <= now).toSorted(([, one], [, other]) => one.at - other.at);
    for (const [key, alarm] of due) {
      ran += 1;
      await this.#ring(key, alarm);
    }
    const lost = this.#lost;
    this.#lost = [];
    if (this.#posted.length > 0) return { ran, next: 0, lost };
    const times = Array.from(this.#alarms.values(), ({ at }) => at);
    return times.length === 0 ? { ran, lost } : { ran, next: Math.max(0, Math.min(...times) - Date.now()), lost };
  }

  async #deliver(message: Posted, consume: Consumer): Promise<void> {
    const { binding, id, body } = message;
    message.tries += 1;
    let isAgain = false;
    const again = (): void => void (isAgain = true);
    const only: Message = {
      id,
      body,
      attempts: message.tries,
      timestamp: new Date(),
      ack: () => undefined,
      retry: again,
    };
    const batch = { queue: QUEUES[binding] ?? binding, messages: [only], ackAll: () => undefined, retryAll: again };
    await consume(batch as unknown as MessageBatch).catch(again);
    if (!isAgain) return;
    if (message.tries < (TRIES[binding] ?? 1)) this.#posted.push(message);
    else this.#lost.push(`${binding} ${JSON.stringify(body)}`);
  }

  async #ring(key: string, alarm: Alarm): Promise<void> {
    // What the handler sets is another alarm.
    this.#alarms.delete(key);
    try {
      await alarm.ring({ retryCount: alarm.tries, isRetry: alarm.tries > 0, scheduledTime: alarm.at });
    } catch {
      const tries = alarm.tries + 1;
      if (tries >= ALARM_TRIES) {
        if (!this.#alarms.has(key)) this.#lost.push(key);
        return;
      }
      const at = Date.now() + ALARM_PAUSE * 2 ** alarm.tries;
      const set = this.#alarms.get(key);
      if (set === undefined || set.at > at) this.#alarms.set(key, { ...alarm, at, tries });
    }
  }
}
