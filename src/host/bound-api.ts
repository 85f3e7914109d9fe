/**
 * The API as a binding asks it: requests within this Worker, whose answers become values, streams or errors of a call.
 *
 * @packageDocumentation
 */
import { present } from "../bytes/assert.ts";
import { urlOfPath } from "../http/path-segments.ts";
import { streamMessages } from "./event-lines.ts";
import type { GitFile, GitHostError, GitHostProblem } from "./git-host-types.ts";

/** The application, as far as it answers requests. */
export type Serve = (request: Request) => Response | Promise<Response>;

/** The origin where nobody knows the host's own: addresses in answers are of no use then. */
const NOWHERE = "https://thinpack.invalid";
const JSON_TYPE = "application/json";

/** A call in the form of a request. */
export type Asked = {
  readonly method?: "PUT" | "POST" | "PATCH" | "DELETE";
  readonly query?: Readonly<Record<string, string | number | boolean>>;
  /** The body. Its `idempotency_key` is sent as the header. */
  readonly json?: object;
  /** A body of bytes. */
  readonly body?: ReadableStream<Uint8Array> | ArrayBuffer | ArrayBufferView;
  readonly headers?: Readonly<Record<string, string>>;
};

/** What a refused call throws. Its own members come through to the Worker that called. */
class RefusedCall extends Error implements GitHostError {
  override readonly name = "GitHostError";
  readonly status: number;
  readonly code: string;
  readonly problem: GitHostProblem;
  constructor(problem: GitHostProblem) {
    super(problem.detail);
    this.status = problem.status;
    this.code = problem.code;
    this.problem = problem;
  }
}

function refused(status: 404 | 422, code: string, detail: string): RefusedCall {
  const title = status === 404 ? "Not Found" : "Unprocessable Content";
  return new RefusedCall({ type: "about:blank", title, status, detail, code });
}

/** Percent-encodes a path, but for its slashes. @throws GitHostError */
function encoded(path: string): string {
  if (typeof path !== "string" || !path.isWellFormed()) throw refused(422, "invalid_parameter", "This is no text.");
  return encodeURIComponent(path).replaceAll("%2F", "/");
}

/** The API, for one call. */
export class BoundApi {
  /** The tenant. */
  readonly home: string;
  readonly #ask: (request: Request) => Promise<Response>;
  readonly #origin: string;

  constructor(
    ask: (request: Request) => Promise<Response>,
    { tenant, origin = "" }: { readonly tenant: string; readonly origin: string | undefined },
  ) {
    this.home = tenant;
    this.#ask = ask;
    this.#origin = origin === "" ? NOWHERE : origin;
  }

  /** Returns the path of a repository of the tenant, or of something below it. */
  repo(repo: string, ...below: readonly string[]): string {
    return ["/api/v1/repos", this.home, encodeURIComponent(repo), ...below.map(encoded)].join("/");
  }

  /** Returns the path of something of the tenant's. */
  tenant(...below: readonly string[]): string {
    return ["/api/v1/tenants", this.home, ...below.map(encoded)].join("/");
  }

  #request(path: string, { method, query = {}, json, body, headers: given = {} }: Asked): Request {
    const headers = new Headers(given);
    const target = urlOfPath(path, this.#origin);
    if (target === undefined) throw refused(404, "not_found", "There is nothing of this name.");
    for (const [name, value] of Object.entries(query)) target.searchParams.set(name, String(value));
    if (json === undefined)
      return new Request(target, { method: method ?? "GET", headers, ...(body === undefined ? {} : { body }) });
    const { idempotency_key: key, ...members }: { idempotency_key?: unknown } = { ...json };
    if (typeof key === "string") headers.set("Idempotency-Key", key);
    headers.set("Content-Type", JSON_TYPE);
    return new Request(target, { method: method ?? "GET", headers, body: JSON.stringify(members) });
  }

  /** Asks, and returns an answer that is no refusal. @throws GitHostError */
  async done(path: string, asked: Asked = {}): Promise<Response> {
    const answer = await this.#ask(this.#request(path, asked));
    if (answer.status < 300) return answer;
    throw new RefusedCall(await answer.json<GitHostProblem>());
  }

  /** Asks for JSON. @throws GitHostError */
  async json<T>(path: string, asked: Asked = {}): Promise<T> {
    const answer = await this.done(path, asked);
    return await answer.json<T>();
  }

  /** Asks for a file. @throws GitHostError */
  async file(path: string): Promise<GitFile> {
    const { headers, body } = await this.done(path);
    const oid = present(headers.get("ETag") ?? undefined, "the tag of a file").replaceAll('"', "");
    const size = Number(present(headers.get("Content-Length") ?? undefined, "the length of a file"));
    return { oid, size, content: body ?? new Blob([]).stream() };
  }

  /** Subscribes to the events below a path. @throws GitHostError */
  async events(path: string, query: Readonly<Record<string, number>>): Promise<ReadableStream<Uint8Array>> {
    const { webSocket } = await this.done(path, { query, headers: { Upgrade: "websocket" } });
    if (webSocket === null) throw new Error("a subscription came without its socket");
    return streamMessages(webSocket);
  }
}
