/**
 * Turns an error into an API answer: `application/problem+json`.
 *
 * @packageDocumentation
 * @see RFC 9457
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
import { busyStatus, GitRefusal, STORAGE_AWAY } from "./git-failure.ts";
import { logFault } from "./log.ts";
import { RepositoryMoved } from "./moved.ts";

const TITLES = {
  308: "Permanent Redirect",
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  408: "Request Timeout",
  409: "Conflict",
  411: "Length Required",
  412: "Precondition Failed",
  413: "Content Too Large",
  415: "Unsupported Media Type",
  416: "Range Not Satisfiable",
  422: "Unprocessable Content",
  426: "Upgrade Required",
  429: "Too Many Requests",
  500: "Internal Server Error",
  501: "Not Implemented",
  503: "Service Unavailable",
} as const;

/** The statuses of the API's errors. */
export type ProblemStatus = keyof typeof TITLES;

function isProblemStatus(status: number): status is ProblemStatus {
  return Object.hasOwn(TITLES, status);
}

/** Thrown by a handler to answer at once. */
export class Problem extends Error {
  override readonly name = "Problem";
  readonly status: ProblemStatus;
  readonly headers: Readonly<Record<string, string>>;
  /** Members beside those of RFC 9457. */
  readonly members: object = {};
  constructor(
    status: ProblemStatus,
    detail: string,
    headers: Readonly<Record<string, string>> = {},
    options?: ErrorOptions,
  ) {
    super(detail, options);
    this.status = status;
    this.headers = headers;
  }
}

/** A fault in one part of a request: a member of its body, by JSON pointer, or a query parameter. */
export type RequestFault = { readonly detail: string } & (
  | { readonly pointer: string }
  | { readonly parameter: string }
);

/** Thrown if the query or the body is not as described. */
export class InvalidRequest extends Problem {
  /** The kind of fault, for programs. */
  readonly code: string;
  readonly faults: readonly RequestFault[];
  override readonly members: object;
  constructor(code: string, faults: readonly RequestFault[]) {
    super(422, faults.map(({ detail }) => detail).join("; "));
    this.code = code;
    this.faults = faults;
    this.members = { code, errors: faults };
  }
}

/** Thrown with more for programs than a status tells. */
export class DetailedProblem extends Problem {
  override readonly members: object;
  constructor(status: ProblemStatus, detail: string, members: object) {
    super(status, detail);
    this.members = members;
  }
}

/** Returns the name of a status for programs, such as `not_found`. */
function codeOf(status: ProblemStatus): string {
  return TITLES[status].toLowerCase().replaceAll(" ", "_");
}

/** Makes the answer. `members` are members beside those of RFC 9457. */
export function problemResponse(
  status: ProblemStatus,
  detail: string,
  more: Readonly<Record<string, string>> = {},
  members: object = {},
): Response {
  const headers = new Headers({ ...more, "Content-Type": "application/problem+json", "Cache-Control": "no-store" });
  if (status === 401) headers.set("WWW-Authenticate", CHALLENGE);
  const body = { type: "about:blank", title: TITLES[status], status, detail, code: codeOf(status), ...members };
  return new Response(JSON.stringify(body), {
    status,
    headers,
  });
}

/** What an error is answered with. */
export type ExplainedError = {
  readonly status: ProblemStatus;
  readonly detail: string;
  readonly headers?: Readonly<Record<string, string>>;
};

const DENIALS = { challenge: 401, hide: 404, forbid: 403 } as const;

/** Returns what an error that reached an edge is answered with. A fault of ours is logged as one of `where`. */
export function explainError(where: string, error: unknown): ExplainedError {
  const explained = (status: ProblemStatus, headers?: Readonly<Record<string, string>>): ExplainedError => ({
    status,
    detail: error instanceof Error ? error.message : String(error),
    ...(headers === undefined ? {} : { headers }),
  });
  if (error instanceof Problem) return explained(error.status, error.headers);
  if (error instanceof RepositoryMoved) return explained(308, { Location: error.location });
  if (error instanceof TooManyRequests) return explained(429, error.headers);
  if (error instanceof HostBusy) return explained(busyStatus(error), { "Retry-After": String(error.retryAfter) });
  if (error instanceof ClientTooSlow) return explained(408);
  if (error instanceof AccessDenied) return explained(DENIALS[error.decision]);
  if (error instanceof GitRefusal) return explained(isProblemStatus(error.status) ? error.status : 400);
  if (error instanceof ProtocolError) return explained(400);
  if (error instanceof LimitExceeded) return explained(413);
  if (error instanceof ObjectRejected) return explained(422);
  logFault(where, error);
  if (error instanceof BucketUnavailable) return { status: 503, detail: STORAGE_AWAY };
  return { status: 500, detail: "The request failed on our side." };
}

/** Returns the answer to an error that reached the edge of the API. */
export function problemOf(error: unknown): Response {
  const { status, detail, headers } = explainError("api", error);
  return problemResponse(status, detail, headers, error instanceof Problem ? error.members : {});
}
