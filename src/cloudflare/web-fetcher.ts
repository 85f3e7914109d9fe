/**
 * `Fetcher` on the platform's `fetch`, bounded in time.
 *
 * @packageDocumentation
 */
import { type Fetcher, type UpstreamAnswer, UpstreamFailure } from "../mirror/upstream.ts";

/** How long an upstream is waited for, in milliseconds. */
export type Patience = {
  /** Until the head of an answer: upstreams count objects before they say anything. */
  readonly head: number;
  /** While an answer stands still. */
  readonly idle: number;
};

const PATIENCE: Patience = { head: 120_000, idle: 120_000 };

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
export function webFetcher(deadline: AbortSignal, patience = PATIENCE): Fetcher {
  const failure = (watchdog: Watchdog, broken: string, cause: unknown): UpstreamFailure => {
    if (deadline.aborted) return new UpstreamFailure("The sync took too long.", { cause });
    return new UpstreamFailure(watchdog.signal.aborted ? "The upstream does not answer in time." : broken, { cause });
  };
  return {
    send: async (request) => {
      const watchdog = new Watchdog();
      watchdog.wait(patience.head);
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
  return {
    status: response.status,
    header: (name) => response.headers.get(name) ?? undefined,
    body: {
      read: async (buffer) => {
        if (reader === undefined) return buffer.subarray(0, 0);
        const size = buffer.byteLength;
        watchdog.wait(idle);
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
