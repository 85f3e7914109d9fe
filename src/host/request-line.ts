/**
 * The log line of a request, by which an operator debugs and bills.
 *
 * @packageDocumentation
 */
import { namesInPath } from "../access/path-names.ts";
import { actorOf } from "../access/principal.ts";
import { withoutTokens } from "../access/token.ts";
import { type Outcome, printable, type RequestLine } from "../http/log.ts";
import type { Traffic } from "../http/traffic.ts";
import type { RequestHost } from "./request-host.ts";

/** A request whose answer has gone out. */
export type EndedRequest = {
  readonly host: RequestHost;
  /** The request, or what stands for one where a session came on a connection. */
  readonly request: Pick<Request, "method" | "url" | "headers">;
  readonly status: number;
  /** When it came, in milliseconds since the epoch. */
  readonly began: number;
  /** The most bytes of the kernels' memory since the line before. */
  readonly wasm: number;
};

/** Returns the bytes that a header announces; `undefined` if it does not. */
function announced(headers: Headers): number | undefined {
  const length = headers.get("Content-Length");
  return length === null ? undefined : Number(length);
}

/**
 * Counts the bytes of an answer that nobody has counted. A small one is read for that, and becomes one whose length is
 * known.
 */
export async function measured(response: Response, traffic: Traffic): Promise<Response> {
  if (traffic.sent !== undefined || response.body === null) return response;
  const length = announced(response.headers);
  if (length !== undefined) {
    traffic.send(length);
    return response;
  }
  const body = await response.arrayBuffer();
  traffic.send(body.byteLength);
  return new Response(body, response);
}

function outcomeOf({ host, status }: EndedRequest): Outcome {
  if (status >= 500) return "failed";
  if (host.isRefused) return "denied";
  if (status >= 400) return "refused";
  if (host.traffic.broken !== undefined) return host.traffic.broken === "gone" ? "gone" : "broken";
  return host.servedAs === "rejected" ? "rejected" : "ok";
}

function kindOf(pathname: string): "api" | "git" | "lfs" {
  if (pathname.startsWith("/api/")) return "api";
  return pathname.includes("/info/lfs/") ? "lfs" : "git";
}

/** Returns the line of a request. */
export function requestLine(ended: EndedRequest): RequestLine {
  const { host, request, status, began, wasm } = ended;
  const { pathname } = new URL(request.url);
  const { method, headers } = request;
  const { received, sent = 0, why } = host.traffic;
  return {
    at: new Date(began).toISOString(),
    method,
    path: withoutTokens(pathname),
    status,
    sid: host.sessionId,
    ...namesInPath(pathname),
    principal: actorOf(host.principal),
    client: printable(headers.get("User-Agent") ?? ""), // A client need not name itself.
    ...host.noted,
    operation: host.servedAs ?? kindOf(pathname),
    outcome: outcomeOf(ended),
    ...(why === undefined ? {} : { broken_by: printable(why) }),
    in: received ?? announced(headers) ?? 0, // Without both there was no body.
    out: method === "HEAD" ? 0 : sent,
    ms: Date.now() - began,
    ...host.counts(),
    wasm,
  };
}
