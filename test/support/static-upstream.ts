/**
 * Directories served as static files, as a web server without git does: the upstream of a dumb client.
 *
 * @packageDocumentation
 */
import { existsSync, readFileSync, statSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { join, normalize } from "node:path";
import { listening } from "./listening.ts";

/** What an answer is to be in place of a file. */
export type StaticAnswer = {
  readonly status: number;
  readonly body?: Buffer;
  readonly headers?: Record<string, string>;
};

/** A running server of files. */
export class StaticUpstream {
  /** The paths that were asked for, in order, with the range where one was asked for. */
  readonly asked: string[] = [];
  /** Whether the server knows ranges. */
  knowsRanges = true;
  /** Answers for some paths, which come before the files: `undefined` gives the file. */
  instead: (path: string, request: IncomingMessage) => StaticAnswer | undefined = () => undefined;
  /** Bytes after which the next answer breaks off. */
  cutAfter: number | undefined;
  readonly #root: string;
  #server: Server | undefined;
  #base = "";

  constructor(root: string) {
    this.#root = root;
  }

  /** The origin. */
  get base(): string {
    return this.#base;
  }

  async start(): Promise<void> {
    const server = createServer((request, response) => this.#serve(request, response));
    this.#base = `http://127.0.0.1:${await listening(server)}`;
    this.#server = server;
  }

  stop(): void {
    this.#server?.closeAllConnections();
    this.#server?.close();
  }

  #serve(request: IncomingMessage, response: ServerResponse): void {
    const path = normalize(new URL(request.url ?? "/", "http://x").pathname);
    const { range } = request.headers;
    this.asked.push(range === undefined ? path : `${path} ${range}`);
    const instead = this.instead(path, request);
    if (instead !== undefined) {
      response.writeHead(instead.status, instead.headers);
      response.end(instead.body);
      return;
    }
    const file = join(this.#root, path);
    if (!existsSync(file) || !statSync(file).isFile()) {
      response.writeHead(404, { "Content-Type": "text/html" });
      response.end("<h1>Not Found</h1>");
      return;
    }
    this.#send(readFileSync(file), range, response);
  }

  #send(content: Buffer, range: string | undefined, response: ServerResponse): void {
    const [, first, last] = /^bytes=(\d+)-(\d*)$/.exec(this.knowsRanges ? (range ?? "") : "") ?? [];
    const from = Number(first ?? 0);
    const to = last === undefined || last === "" ? content.length : Math.min(Number(last) + 1, content.length);
    const part = content.subarray(from, to);
    const headers = { "Content-Type": "application/octet-stream", "Content-Length": String(part.length) };
    if (first === undefined) response.writeHead(200, headers);
    else response.writeHead(206, { ...headers, "Content-Range": `bytes ${from}-${to - 1}/${content.length}` });
    const cut = this.cutAfter;
    if (cut === undefined || part.length <= cut) {
      response.end(part);
      return;
    }
    this.cutAfter = undefined;
    response.write(part.subarray(0, cut), () => response.destroy());
  }
}
