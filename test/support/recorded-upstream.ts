/**
 * Upstreams that answer what C git's server has answered before: a test that syncs the same history hundreds of times starts git's
 * processes for it once.
 *
 * @packageDocumentation
 */
import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { listening } from "./listening.ts";

type Recorded = { readonly status: number; readonly type: string; readonly body: Buffer };

/** A server in front of another. What is asked of that must not change. */
export class RecordedUpstream {
  readonly #behind: string;
  readonly #answers = new Map<string, Promise<Recorded>>();
  #server: Server | undefined;
  #base = "";

  /** `behind` is the origin of the server that is asked first. */
  constructor(behind: string) {
    this.#behind = behind;
  }

  get base(): string {
    return this.#base;
  }

  async start(): Promise<void> {
    const server = createServer((request, response) => {
      this.#answer(request, response).catch(() => response.destroy());
    });
    this.#base = `http://127.0.0.1:${await listening(server)}`;
    this.#server = server;
  }

  stop(): void {
    this.#server?.closeAllConnections();
    this.#server?.close();
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const pieces: Buffer[] = [];
    for await (const piece of request) pieces.push(Buffer.from(piece as Uint8Array));
    const body = Buffer.concat(pieces);
    const { method = "GET", url = "/", headers } = request;
    const key = createHash("sha256").update(`${method} ${url}\n`).update(body).digest("hex");
    const known = this.#answers.get(key) ?? this.#ask(method, url, { headers, body });
    this.#answers.set(key, known);
    const { status, type, body: answer } = await known;
    response.writeHead(status, { "Content-Type": type });
    response.end(answer);
  }

  async #ask(
    method: string,
    url: string,
    { headers, body }: { readonly headers: IncomingMessage["headers"]; readonly body: Buffer },
  ): Promise<Recorded> {
    const passed = new Headers();
    for (const name of ["authorization", "content-type", "content-encoding", "git-protocol", "accept"]) {
      const value = headers[name];
      if (typeof value === "string") passed.set(name, value);
    }
    const answer = await fetch(this.#behind + url, {
      method,
      headers: passed,
      ...(method === "POST" ? { body: new Uint8Array(body) } : {}),
    });
    const type = answer.headers.get("Content-Type") ?? "text/plain";
    return { status: answer.status, type, body: Buffer.from(await answer.arrayBuffer()) };
  }
}
