/**
 * `Fetcher` on the platform's `fetch`, bounded in time.
 *
 * @packageDocumentation
 */
import { type Fetcher, type UpstreamAnswer, UpstreamFailure } from "../mirror/upstream.ts";

/** Milliseconds until the head of an answer has to be there: upstreams count objects before they say anything. */
const HEAD_TIME = 120_000;
/** Milliseconds that an answer may stand still. */
const IDLE_TIME = 120_000;

class SlowUpstream extends Error {
  override readonly name = "SlowUpstream";
}

/** Aborts where nobody says in time that it goes on. */
class Watchdog {
  readonly #abort = new AbortController();
  #timer: ReturnType<typeof setTimeout> | undefined;

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** Gives it `time` milliseconds from now. */
  wait(time: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#abort.abort(new SlowUpstream()), time);
  }

  rest(): void {
    clearTimeout(this.#timer);
  }
}

/** Makes a fetcher for one sync; `deadline` ends whatever it does. */
export function webFetcher(deadline: AbortSignal): Fetcher {
  const failure = (watchdog: Watchdog, broken: string, cause: unknown): UpstreamFailure => {
    if (deadline.aborted) return new UpstreamFailure("The sync took too long.", { cause });
    return new UpstreamFailure(watchdog.signal.aborted ? "The upstream does not answer in time." : broken, { cause });
  };
  return {
    send: async (request) => {
      const watchdog = new Watchdog();
      watchdog.wait(HEAD_TIME);
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
      return answerOf(response, watchdog, (cause) => failure(watchdog, "The upstream's answer broke off.", cause));
    },
  };
}

function answerOf(response: Response, watchdog: Watchdog, broken: (cause: unknown) => UpstreamFailure): UpstreamAnswer {
  const reader = response.body?.getReader({ mode: "byob" });
  return {
    status: response.status,
    header: (name) => response.headers.get(name) ?? undefined,
    body: {
      read: async (buffer) => {
        if (reader === undefined) return buffer.subarray(0, 0);
        const size = buffer.byteLength;
        watchdog.wait(IDLE_TIME);
        try {
          const { value } = await reader.read(buffer);
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
      // Whoever gives up on an answer has the reason; that it could not be given up in order adds nothing.
      await reader?.cancel().catch(() => undefined);
    },
  };
}
