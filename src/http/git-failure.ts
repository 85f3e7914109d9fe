/**
 * Turns an error before the first byte of a Git answer into a status and a line of text, which git shows its user
 * behind `remote:`. Later errors are reported in the service's own protocol, or break off the stream.
 *
 * @packageDocumentation
 * @see http-backend.c
 */
import {
  BucketUnavailable,
  ClientTooSlow,
  HostBusy,
  LimitExceeded,
  ObjectRejected,
  ProtocolError,
} from "../bytes/failure.ts";
import { AccessDenied, CHALLENGE, TooManyRequests } from "./denied.ts";
import { logFault } from "./log.ts";
import { RepositoryMoved } from "./moved.ts";

/** The headers of every answer that must not be kept. */
export const NO_CACHE = {
  Expires: "Fri, 01 Jan 1980 00:00:00 GMT",
  Pragma: "no-cache",
  "Cache-Control": "no-cache, max-age=0, must-revalidate",
} as const;

/** The refusal of an address that no repository can have. */
export const NO_ADDRESS =
  "There is no repository at such an address. Addresses are {host}/{tenant}/{name}.git: two names of up to 100 letters, digits, '.', '_' and '-'.";

/** Thrown by a Git route to answer at once. */
export class GitRefusal extends Error {
  override readonly name = "GitRefusal";
  readonly status: number;
  constructor(status: number, message: string, options?: ErrorOptions) {
    super(message, options);
    this.status = status;
  }
}

/**
 * Returns the status for a refusal for lack of room. With 429 the client can mend it, and git retries by itself if it
 * is told to.
 *
 * @see git-config(1), http.maxRetries
 */
export function busyStatus({ reason }: HostBusy): 429 | 503 {
  return reason === "host" ? 503 : 429;
}

/** A refusal, as HTTP would tell it. */
export type Refusal = {
  readonly status: number;
  readonly message: string;
  readonly headers?: Readonly<Record<string, string>>;
};

/** Returns the refusal that an error stands for; `undefined` for a fault of ours. */
export function refusalOf(error: unknown): Refusal | undefined {
  if (error instanceof AccessDenied) return denied(error);
  if (!(error instanceof Error)) return undefined;
  const { message } = error;
  if (error instanceof RepositoryMoved) return { status: 301, message, headers: { Location: error.location } };
  if (error instanceof TooManyRequests) return { status: 429, message, headers: error.headers };
  if (error instanceof HostBusy) {
    return { status: busyStatus(error), message, headers: { "Retry-After": String(error.retryAfter) } };
  }
  if (error instanceof ClientTooSlow) return { status: 408, message };
  if (error instanceof GitRefusal) return { status: error.status, message };
  if (error instanceof ProtocolError || error instanceof ObjectRejected) return { status: 400, message };
  return error instanceof LimitExceeded ? { status: 413, message } : undefined;
}

function denied({ decision, message }: AccessDenied): Refusal {
  switch (decision) {
    case "challenge":
      return { status: 401, message, headers: { "WWW-Authenticate": CHALLENGE } };
    case "hide":
      return { status: 404, message };
    case "forbid":
      return { status: 403, message };
  }
}

/** What clients are told while the bucket fails. */
export const STORAGE_AWAY = "The storage does not answer now: nothing was changed, try again later.";

/** Logs a fault of ours, and returns what is told of it. */
function faultOf(error: unknown): Refusal {
  logFault("git", error);
  if (error instanceof BucketUnavailable) return { status: 503, message: STORAGE_AWAY };
  return { status: 500, message: "The request failed on our side." };
}

function gitFailure(error: unknown): Response {
  const { status, message, headers } = refusalOf(error) ?? faultOf(error);
  return new Response(`${message}\n`, {
    status,
    headers: { ...NO_CACHE, "Content-Type": "text/plain; charset=utf-8", ...headers },
  });
}

/** Returns the answer that `work` makes, or the one to what it throws. */
export async function answered(work: () => Promise<Response>): Promise<Response> {
  try {
    return await work();
  } catch (error) {
    return gitFailure(error);
  }
}

/** Whether a request is answered like a GET. */
export function isReading({ req }: { readonly req: { readonly method: string } }): boolean {
  return req.method === "GET" || req.method === "HEAD";
}

/** Returns the answer to a method that a path does not support. */
export function wrongMethod(allow: string): Response {
  return new Response(null, { status: 405, headers: { ...NO_CACHE, Allow: allow } });
}
