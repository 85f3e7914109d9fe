/**
 * A proxy before an upstream that misbehaves: the first segment of a path says how. What comes after it is asked of the upstream.
 *
 * @packageDocumentation
 */
import {
  createServer,
  type IncomingMessage,
  request as httpRequest,
  type Server,
  type ServerResponse,
} from "node:http";
import { listening } from "./listening.ts";

type Next = (change?: Change) => void;
type Change = {
  /** Headers to be left out of the request. */
  readonly without?: string;
  /** Changes a piece of the answer; `undefined` breaks it off. */
  readonly piece?: (piece: Buffer, sent: number) => Buffer | undefined;
};
type Behaviour = (request: IncomingMessage, response: ServerResponse, next: Next) => void;

const isPackRequest = ({ method, url = "" }: IncomingMessage): boolean =>
  method === "POST" && url.endsWith("/git-upload-pack");

function answer(response: ServerResponse, status: number, headers: Record<string, string>, body = ""): void {
  response.writeHead(status, headers);
  response.end(body);
}

function pktLine(text: string): string {
  return (Buffer.byteLength(text) + 4).toString(16).padStart(4, "0") + text;
}

/** Bytes of an answer that pass before something happens to it; refs are shorter. */
const PASSED = 20_000;

function spoil(piece: Buffer, sent: number): Buffer {
  const at = Math.max(0, PASSED - sent);
  if (at < piece.length) piece[at] = (piece[at] ?? 0) ^ 0xff;
  return piece;
}

/** A running proxy. */
export class OddUpstream {
  /** The `Authorization` headers that came, in order; "" where there was none. */
  readonly credentials: string[] = [];
  readonly #target: string;
  #server: Server | undefined;
  #base = "";
  #left = Number.POSITIVE_INFINITY;
  /** Whether what is silent answers after all. */
  speaks = false;
  #wake: (() => void) | undefined;
  /** Resolves when a request was met with silence. */
  readonly silence = new Promise<void>((resolve) => (this.#wake = resolve));

  /** `target` is the upstream's origin. */
  constructor(target: string) {
    this.#target = target;
  }

  async start(): Promise<void> {
    const server = createServer((request, response) => this.#serve(request, response));
    this.#base = `http://127.0.0.1:${await listening(server)}`;
    this.#server = server;
  }

  /** Answers so many more requests, and then 500. */
  failAfter(requests: number): void {
    this.#left = requests;
  }

  stop(): void {
    this.#server?.closeAllConnections();
    this.#server?.close();
  }

  /** Gives the URL under which the upstream behaves in a certain way. */
  url(behaviour: keyof typeof this.behaviours, path: string): string {
    return `${this.#base}/${behaviour}/${path}.git`;
  }

  readonly behaviours = {
    plain: (_, __, next) => next(),
    v0: (_, __, next) => next({ without: "git-protocol" }),
    moved: ({ url = "" }, response) => answer(response, 301, { Location: url.replace("/moved/", "/plain/") }),
    elsewhere: ({ url = "" }, response) =>
      answer(response, 302, { Location: this.#target + url.slice("/elsewhere".length) }),
    loop: ({ url = "" }, response) => answer(response, 302, { Location: url }),
    astray: (_, response) => answer(response, 302, { Location: "/plain/somewhere/else" }),
    local: (_, response) =>
      answer(response, 302, { Location: "http://169.254.169.254/info/refs?service=git-upload-pack" }),
    busy: (_, response) => answer(response, 429, { "Retry-After": "7200" }),
    broken: (_, response) => answer(response, 503, { "Content-Type": "text/html" }, "<h1>secret of the proxy</h1>"),
    page: (_, response) => answer(response, 200, { "Content-Type": "text/html" }, "<h1>hello</h1>"),
    garbage: (_, response) =>
      answer(response, 200, { "Content-Type": "application/x-git-upload-pack-advertisement" }, "zzzz garbage"),
    telltale: ({ headers }, response) =>
      answer(
        response,
        200,
        { "Content-Type": "application/x-git-upload-pack-advertisement" },
        pktLine(`ERR not with ${headers.authorization}, nor with upstream-token`),
      ),
    halved: (request, response, next) => {
      if (!isPackRequest(request)) return next();
      request.resume();
      // A list of refs that ends as no list does.
      return answer(response, 200, { "Content-Type": "application/x-git-upload-pack-result" }, "0001");
    },
    endless: (request, response) => {
      request.resume();
      response.writeHead(200, { "Content-Type": "application/x-git-upload-pack-advertisement" });
      const line = pktLine(`${"1".repeat(40)} refs/heads/${"x".repeat(60_000)}\n`).repeat(16);
      const go = (): void => {
        while (!response.destroyed && response.write(line));
      };
      response.on("drain", go);
      go();
    },
    silent: (request, _, next) => {
      if (!isPackRequest(request) || this.speaks) return next();
      request.resume();
      return this.#wake?.();
    },
    nothing: (_, response) => answer(response, 200, { "Content-Type": "application/x-git-upload-pack-advertisement" }),
    cut: (request, _, next) =>
      next(
        isPackRequest(request) ? { piece: (piece, sent) => (sent + piece.length > PASSED ? undefined : piece) } : {},
      ),
    spoilt: (request, _, next) => next(isPackRequest(request) ? { piece: spoil } : {}),
    emptied: (request, response, next) => {
      if (!isPackRequest(request)) return next();
      request.resume();
      return answer(response, 200, { "Content-Type": "application/x-git-upload-pack-result" }, "0000");
    },
  } satisfies Record<string, Behaviour>;

  #serve(request: IncomingMessage, response: ServerResponse): void {
    if (this.#left-- <= 0) {
      request.resume();
      return answer(response, 500, {});
    }
    this.credentials.push(request.headers.authorization ?? "");
    const [, name = "", rest = ""] = /^\/(\w+)(\/.*)$/.exec(request.url ?? "") ?? [];
    const behaviour: Behaviour | undefined = Object.entries(this.behaviours).find(([known]) => known === name)?.[1];
    if (behaviour === undefined) return answer(response, 404, {});
    return behaviour(request, response, (change) => this.#pass(request, response, rest, change ?? {}));
  }

  #pass(request: IncomingMessage, response: ServerResponse, path: string, { without, piece }: Change): void {
    const headers = Object.fromEntries(Object.entries(request.headers).filter(([name]) => name !== without));
    const onward = httpRequest(this.#target + path, { method: request.method ?? "GET", headers }, (answered) => {
      response.writeHead(answered.statusCode ?? 500, answered.headers);
      let sent = 0;
      answered.on("data", (chunk: Buffer) => {
        const changed = piece === undefined ? chunk : piece(chunk, sent);
        if (changed === undefined) {
          response.destroy();
          return;
        }
        sent += chunk.length;
        response.write(changed);
      });
      answered.on("end", () => response.end());
    });
    onward.on("error", () => response.destroy());
    request.pipe(onward);
  }
}
