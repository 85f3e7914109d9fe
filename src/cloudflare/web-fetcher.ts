/**
 * `Fetcher` on the platform's `fetch`, bounded in time.
 *
 * @packageDocumentation
 */
import { type Fetcher, type UpstreamAnswer, UpstreamFailure } from "../mirror/upstream.ts";

/** How long an upstream is waited for, in milliseconds. */
export type Patience = {
  /** Until the head of the answer to a GET, which is where a silent upstream is noticed. */
  readonly first: number;
  /** Until the head of any other answer: upstreams may count objects before they send anything. */
  readonly head: number;
  /** Within an answer that has begun: {@link LEAST_BYTES} have to come in each period of this length. */
  readonly idle: number;
};

const PATIENCE: Patience = { first: 15_000, head: 60_000, idle: 60_000 };
/**
 * Bytes of an answer that have to come in each period. An upstream that still counts sends 5 bytes every 5 seconds,
 * git's keep-alive.
 */
export const LEAST_BYTES = 32;
/** An upstream that did not answer in time is left alone for this long by all timed syncs. Milliseconds. */
const SLOW_PAUSE = 5 * 60_000;

class SlowUpstream extends Error {
  override readonly name = "SlowUpstream";
}

/** Aborts unless it is told in time that there is progress. */
class Watchdog {
  readonly #abort = new AbortController();
  #timer: ReturnType<typeof setTimeout> | undefined;

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** Schedules the abort `time` milliseconds from now. */
  wait(time: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#abort.abort(new SlowUpstream()), time);
  }

  rest(): void {
    clearTimeout(this.#timer);
  }
}

/** Makes a fetcher for one sync; `deadline` ends whatever it does. */
export function webFetcher(deadline: AbortSignal, patience = PATIENCE): Fetcher {
  const failure = (watchdog: Watchdog, broken: string, cause: unknown): UpstreamFailure => {
    if (deadline.aborted) return new UpstreamFailure("The sync took too long.", { cause });
    if (!watchdog.signal.aborted) return new UpstreamFailure(broken, { cause });
    return new UpstreamFailure("The upstream does not answer in time.", { cause, retryAfter: SLOW_PAUSE });
  };
  return {
    send: async (request) => {
      const watchdog = new Watchdog();
      watchdog.wait(request.method === "GET" ? patience.first : patience.head);
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
      return answerOf(response, { watchdog, idle: patience.idle }, (cause) =>
        failure(watchdog, "The upstream's answer broke off.", cause),
      );
    },
  };
}

function answerOf(
  response: Response,
  { watchdog, idle }: { readonly watchdog: Watchdog; readonly idle: number },
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
        watchdog.wait(left);
        const began = Date.now();
        try {
          const { value } = await reader.read(buffer);
          if (value !== undefined) came += value.length;
          left -= Date.now() - began;
          if (came >= LEAST_BYTES) [left, came] = [idle, 0];
          return value ?? new Uint8Array(size).subarray(0, 0);
        } catch (error) {
          throw broken(error);
        } finally {
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
