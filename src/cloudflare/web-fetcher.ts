/**
 * `Fetcher` on the platform's `fetch`, bounded in time.
 *
 * @packageDocumentation
 */
import { LEAST_RATE, LeastRate } from "../bytes/least-rate.ts";
import { type Fetcher, type UpstreamAnswer, UpstreamFailure } from "../mirror/upstream.ts";

/** How long an upstream is waited for, in milliseconds. */
export type Patience = {
  /** Until the head of the answer to a GET, which is where a silent upstream is noticed. */
  readonly first: number;
  /** Until the head of any other answer: upstreams may count objects before they send anything. */
  readonly head: number;
  /** Within an answer that has begun: {@link LEAST_BYTES} have to come in each period of this length. */
  readonly idle: number;
  /** For bytes that come more slowly than {@link LEAST_RATE}, in all answers together. */
  readonly slow: number;
  /** The same for answers before which an upstream may have to count objects. */
  readonly counting: number;
};

const PATIENCE: Patience = { first: 15_000, head: 60_000, idle: 60_000, slow: 60_000, counting: 300_000 };
/**
 * Bytes of an answer that have to come in each period, also while an upstream counts: it sends 5 bytes every 5 seconds
 * then, git's keep-alive.
 */
export const LEAST_BYTES = 32;
/** An upstream that did not answer in time is left alone for this long by all timed syncs. Milliseconds. */
const SLOW_PAUSE = 5 * 60_000;

const LATE = "The upstream does not answer in time.";
const TOO_SLOW = `The upstream sends too slowly: less than ${LEAST_RATE} bytes per second.`;

class SlowUpstream extends Error {
  override readonly name = "SlowUpstream";
}

/** How many milliseconds are left, and what is told when they are over. */
type TimeLeft = { readonly time: number; readonly why: string };

/** Returns what tells how much of a time that begins now is left. */
function timeFromNow(time: number): () => TimeLeft {
  const end = Date.now() + time;
  return () => ({ time: end - Date.now(), why: LATE });
}

/** Aborts unless it is told in time that there is progress. */
class Watchdog {
  /** What is told if it aborts. */
  why = LATE;
  readonly #abort = new AbortController();
  #timer: ReturnType<typeof setTimeout> | undefined;

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** Schedules the abort for when no time is left. What is left is looked at again then: it may have become more. */
  wait(look: () => TimeLeft): void {
    const { time, why } = look();
    this.why = why;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      if (look().time > 0) this.wait(look);
      else this.#abort.abort(new SlowUpstream());
    }, time);
  }

  rest(): void {
    clearTimeout(this.#timer);
  }
}

/** Makes a fetcher for one sync; `deadline` ends whatever it does. */
export function webFetcher(deadline: AbortSignal, patience = PATIENCE): Fetcher {
  // They are those of the sync: a new request gives an upstream no new credit.
  const rates = { usual: new LeastRate(patience.slow), counting: new LeastRate(patience.counting) };
  const failure = (watchdog: Watchdog, broken: string, cause: unknown): UpstreamFailure => {
    if (deadline.aborted) return new UpstreamFailure("The sync took too long.", { cause });
    if (!watchdog.signal.aborted) return new UpstreamFailure(broken, { cause });
    return new UpstreamFailure(watchdog.why, { cause, retryAfter: SLOW_PAUSE });
  };
  return {
    send: async (request) => {
      const watchdog = new Watchdog();
      watchdog.wait(timeFromNow(request.method === "GET" ? patience.first : patience.head));
      let response: Response;
      try {
        response = await fetch(request.url, {
          method: request.method,
          headers: { ...request.headers },
          redirect: "manual",
          signal: AbortSignal.any([deadline, watchdog.signal]),
          ...(request.body === undefined ? {} : { body: request.body }),
        });
      } catch (error) {
        watchdog.rest();
        throw failure(watchdog, "The upstream can't be reached.", error);
      }
      watchdog.rest();
      const rate = request.mayCount === true ? rates.counting : rates.usual;
      return answerOf(response, { watchdog, idle: patience.idle, rate }, (cause) =>
        failure(watchdog, "The upstream's answer broke off.", cause),
      );
    },
  };
}

function answerOf(
  response: Response,
  { watchdog, idle, rate }: { readonly watchdog: Watchdog; readonly idle: number; readonly rate: LeastRate },
  broken: (cause: unknown) => UpstreamFailure,
): UpstreamAnswer {
  const reader = response.body?.getReader({ mode: "byob" });
  /** The time left for the least bytes, and the bytes that came in it. Time in which nobody reads does not count. */
  let [left, came] = [idle, 0];
  return {
    status: response.status,
    header: (name) => response.headers.get(name) ?? undefined,
    body: {
      read: async (buffer) => {
        if (reader === undefined) return buffer.subarray(0, 0);
        const size = buffer.byteLength;
        const began = Date.now();
        const idleLeft = timeFromNow(left);
        let bytes = 0;
        rate.begin();
        // Other answers may earn time for this one while it is waited for.
        watchdog.wait(() => {
          const forBytes = idleLeft();
          return rate.left < forBytes.time ? { time: rate.left, why: TOO_SLOW } : forBytes;
        });
        try {
          const { value } = await reader.read(buffer);
          bytes = value?.length ?? 0; // Its end has none.
          came += bytes;
          left -= Date.now() - began;
          if (came >= LEAST_BYTES) [left, came] = [idle, 0];
          return value ?? new Uint8Array(size).subarray(0, 0);
        } catch (error) {
          throw broken(error);
        } finally {
          rate.end(bytes);
          watchdog.rest();
        }
      },
    },
    cancel: async () => {
      watchdog.rest();
      // The caller that gives up on an answer has its reason; a failure to cancel adds nothing.
      await reader?.cancel().catch(() => undefined);
    },
  };
}
