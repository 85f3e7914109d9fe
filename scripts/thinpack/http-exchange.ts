/**
 * One HTTP exchange with bodies of any length, both ways, for as long as it takes: `fetch` gives up after five minutes without an answer, and
 * can't say how long a stream is.
 *
 * @packageDocumentation
 */
import { type IncomingMessage, type OutgoingHttpHeaders, request as plainRequest } from "node:http";
import { request as secureRequest } from "node:https";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { setTimeout as wait } from "node:timers/promises";
import { CommandFailure, errorOf, HostRefusal } from "./failure.ts";
import { isJson, textAt } from "./json.ts";

/** A request. `body` is called again if the request is sent again. */
export type Sent = {
  readonly method: string;
  readonly headers: OutgoingHttpHeaders;
  readonly body?: () => Readable;
};

/** Milliseconds before each new attempt. */
const AGAIN_AFTER = [500, 1000, 2000, 4000, 8000, 15_000];

/** Returns the failure that tells that a host can't be reached. */
function unreachable(url: string, caught: unknown): CommandFailure {
  const { origin } = new URL(url);
  return new CommandFailure(`${origin} can't be reached: ${errorOf(caught).message}`, undefined, { cause: caught });
}

/**
 * Sends a request; returns the answer when its headers are there.
 *
 * @throws CommandFailure if the host can't be reached.
 */
export async function exchange(url: string, { method, headers, body }: Sent): Promise<IncomingMessage> {
  const request = (url.startsWith("https:") ? secureRequest : plainRequest)(url, { method, headers });
  const answered = new Promise<IncomingMessage>((resolve, reject) => {
    request.on("response", resolve);
    request.on("error", reject);
  });
  // An answer may come before all is sent: then the rest is not wanted.
  pipeline(body?.() ?? Readable.from([]), request).catch((error: unknown) => request.destroy(errorOf(error)));
  try {
    return await answered;
  } catch (cause) {
    throw unreachable(url, cause);
  }
}

/** Reads an answer to its end. */
export async function textOf(answer: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = [];
  for await (const piece of answer) pieces.push(Buffer.from(piece));
  return Buffer.concat(pieces).toString("utf8");
}

/** Makes a refusal of an answer of 400 and more. */
export async function refusalOf(answer: IncomingMessage): Promise<HostRefusal> {
  const text = await textOf(answer);
  const status = answer.statusCode ?? 500;
  if (answer.headers["content-type"] !== "application/problem+json") return new HostRefusal(status, text.trim());
  try {
    const json: unknown = JSON.parse(text);
    return new HostRefusal(status, isJson(json) ? textAt(json, "detail") : text);
  } catch {
    return new HostRefusal(status, text.trim());
  }
}

/** Whether the same may go well the next time. */
export function isPassing(error: unknown): boolean {
  return !(error instanceof HostRefusal) || error.status === 408 || error.status === 429 || error.status >= 500;
}

async function attempt(url: string, sent: Sent): Promise<IncomingMessage> {
  const answer = await exchange(url, sent);
  if ((answer.statusCode ?? 500) >= 400) throw await refusalOf(answer);
  return answer;
}

/** Sends a request again and again while it fails for reasons that may pass. @throws HostRefusal, CommandFailure */
export async function exchangeUntilDone(url: string, sent: Sent): Promise<IncomingMessage> {
  for (const pause of AGAIN_AFTER) {
    try {
      return await attempt(url, sent);
    } catch (error) {
      if (!isPassing(error)) throw error;
      await wait(pause);
    }
  }
  return await attempt(url, sent);
}
