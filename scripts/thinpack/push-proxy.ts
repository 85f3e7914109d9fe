/**
 * Stands between `git push` and the host, on this machine. It passes on what git sends, except for a pack too large for
 * one request, which it sends in parts. So git itself decides what is pushed and shows the result; refspecs, options,
 * signatures, hooks and tracking branches are git's own.
 *
 * @packageDocumentation
 */
import { randomBytes } from "node:crypto";
import { createReadStream } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { ApiConnection } from "./api-connection.ts";
import { CommandFailure, errorOf, HostRefusal } from "./failure.ts";
import { exchange } from "./http-exchange.ts";
import { type PackSpool, nameOfPush } from "./pack-spool.ts";
import { PartUploads } from "./part-uploads.ts";
import { ByteBar } from "./progress.ts";
import { PushRequestHead } from "./push-request-head.ts";

/** The destination of a push. */
export type PushTarget = {
  readonly api: ApiConnection;
  /** The remote's URL without credentials, and without a slash at its end. */
  readonly url: string;
  /** The repository's path in the API. */
  readonly path: string;
};

/** Headers of the answer that are the connection's, not the message's. */
const OF_CONNECTION = new Set(["connection", "keep-alive", "transfer-encoding"]);

/** A push without commands. */
const FLUSH_BYTES = 4;

/** The proxy for one push. */
export class PushProxy {
  readonly #target: PushTarget;
  readonly #spool: PackSpool;
  readonly #secret = randomBytes(32).toString("base64url");
  readonly #server: Server;
  readonly #work = new Set<Promise<void>>();
  #failure: CommandFailure | undefined;

  constructor(target: PushTarget, spool: PackSpool) {
    this.#target = target;
    this.#spool = spool;
    this.#server = createServer((request, response) => {
      const work = this.#answer(request, response).finally(() => this.#work.delete(work));
      this.#work.add(work);
    });
    // A pack may take longer to make, and to send on, than Node waits for a request.
    this.#server.requestTimeout = 0;
  }

  /** Begins to listen; returns the URL for git in place of the target's, and the header that git has to send. */
  async start(): Promise<{ readonly url: string; readonly header: string }> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    const address = this.#server.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    return {
      url: `http://127.0.0.1:${port}${new URL(this.#target.url).pathname}`,
      // Others on this machine must not push through it.
      header: `Authorization: Bearer ${this.#secret}`,
    };
  }

  /** The error between this proxy and the host: git itself reports only a status. */
  get failure(): CommandFailure | undefined {
    return this.#failure;
  }

  /** Stops, with everything under way. */
  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await Promise.all(this.#work);
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      if (request.headers.authorization !== `Bearer ${this.#secret}`) {
        response.writeHead(403).end();
        return;
      }
      if (request.method === "POST" && request.url?.endsWith("/git-receive-pack") === true) {
        await this.#push(request, response);
      } else {
        await this.#forward(request, response, () => request);
      }
    } catch (error) {
      // git reports the reason of any other broken connection.
      if (error instanceof CommandFailure) this.#failure ??= error;
      if (response.headersSent) response.destroy();
      else response.writeHead(error instanceof HostRefusal ? error.status : 502).end();
    }
  }

  /** Passes a request on. */
  async #forward(
    request: IncomingMessage,
    response: ServerResponse,
    body: () => Readable,
    length?: number,
  ): Promise<void> {
    const { host: _host, connection: _connection, "transfer-encoding": chunked, ...headers } = request.headers;
    const answer = await exchange(new URL(this.#target.url).origin + (request.url ?? ""), {
      method: request.method ?? "GET",
      headers: {
        ...headers,
        authorization: this.#target.api.authorization,
        ...(length === undefined
          ? chunked === undefined
            ? {}
            : { "transfer-encoding": chunked }
          : { "content-length": length }),
      },
      body,
    });
    await passOn(answer, response);
  }

  async #push(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const head = new PushRequestHead();
    const pieces = request[Symbol.asyncIterator]();
    for (;;) {
      const { value, done } = await pieces.next();
      if (done === true) return await this.#pushWhole(request, response, head.unfinished);
      const cut = head.push(Buffer.from(value));
      if (cut === undefined) continue;
      // git sends this probe before a large request; it pushes nothing.
      if (cut.head.length === FLUSH_BYTES) return await this.#pushWhole(request, response, cut.head);
      return await this.#pushPack({ request, response, head: cut.head }, following(cut.rest, pieces));
    }
  }

  async #pushPack({ request, response, head }: HeldPush, pack: AsyncIterable<Uint8Array>): Promise<void> {
    const push = nameOfPush(this.#target.url, head);
    const uploads = (await this.#resumed(push)) ?? (await this.#spooled(push, pack));
    if (uploads === undefined) {
      await this.#pushWhole(request, response, head);
    } else {
      // Git has made the pack once more; it is not needed.
      for await (const _ of pack);
      const bar = this.#bar;
      try {
        await uploads.settled();
      } finally {
        bar?.stop();
      }
      await passOn(await uploads.complete(head), response);
    }
    await this.#spool.clear();
  }

  /** Passes on a push that fits one request: its head, and the pack if there is one. */
  async #pushWhole(request: IncomingMessage, response: ServerResponse, head: Uint8Array): Promise<void> {
    const hasPack = this.#spool.parts > 0;
    const file = this.#spool.file(1);
    const length = head.length + (hasPack ? this.#spool.bytes(1) : 0);
    await this.#forward(
      request,
      response,
      () => Readable.from(joined(head, hasPack ? createReadStream(file) : [])),
      length,
    );
  }

  #bar: ByteBar | undefined;
  /** Bytes that were sent, or were there. */
  #sent = 0;

  #count(bytes: number): void {
    this.#sent += bytes;
    this.#bar?.add(bytes);
  }

  #uploads(id: string): PartUploads {
    const { api, path } = this.#target;
    return new PartUploads(api, this.#spool, { path, id, onBytes: (bytes) => this.#count(bytes) });
  }

  /** Continues an interrupted upload of the same push; deletes any other that is there. */
  async #resumed(push: string): Promise<PartUploads | undefined> {
    const state = this.#spool.readState();
    if (state === undefined) {
      await this.#spool.clear();
      return undefined;
    }
    const uploads = this.#uploads(state.upload);
    const arrived = state.push === push && state.parts > 0 ? await uploads.arrived() : undefined;
    if (arrived === undefined) {
      await uploads.abandon();
      await this.#spool.clear();
      return undefined;
    }
    this.#spool.resume(state.parts);
    const missing = numbers(state.parts).filter((part) => arrived.get(part) !== this.#spool.bytes(part));
    console.error(`going on with an upload: ${state.parts - missing.length} of ${state.parts} parts were there`);
    this.#sent = sum(
      numbers(state.parts).filter((part) => !missing.includes(part)),
      (part) => this.#spool.bytes(part),
    );
    this.#showBar(state.parts);
    for (const part of missing) await uploads.send(part);
    return uploads;
  }

  /** Cuts a pack into parts and sends them as they become whole; `undefined` if there is no more than one. */
  async #spooled(push: string, pack: AsyncIterable<Uint8Array>): Promise<PartUploads | undefined> {
    const spool = this.#spool;
    let uploads: PartUploads | undefined;
    let id = "";
    let sent = 0;
    // Known when the pack is here, whole: only then an interrupted upload can go on.
    let total = 0;
    let failure: Error | undefined;
    const sendWhole = async (whole: number): Promise<void> => {
      if (failure !== undefined) return;
      if (uploads === undefined) {
        id = await PartUploads.begin(this.#target.api, this.#target.path);
        spool.writeState({ push, upload: id, parts: total });
        uploads = this.#uploads(id);
      }
      for (; sent < whole; sent++) await uploads.send(sent + 1);
    };
    const queue = new Sequence();
    const onError = (error: unknown): void => void (failure ??= errorOf(error));
    try {
      for await (const piece of pack) {
        const whole = await spool.append(piece);
        // This runs beside git, which is not held up: the sooner the pack is here, the less an interruption loses.
        if (whole.length > 0 && spool.parts > 1) queue.add(() => sendWhole(spool.parts - 1), onError);
      }
      await spool.finish();
    } catch (error) {
      // Git broke off: half a pack is of no use.
      await queue.ended();
      await uploads?.abandon();
      await spool.clear();
      throw error;
    }
    if (spool.parts <= 1) return undefined;
    total = spool.parts;
    if (id !== "") spool.writeState({ push, upload: id, parts: total });
    await queue.ended();
    if (failure === undefined) {
      this.#showBar(total);
      await sendWhole(total);
    }
    if (failure !== undefined) throw failure;
    return uploads;
  }

  #showBar(parts: number): void {
    const total = sum(numbers(parts), (part) => this.#spool.bytes(part));
    this.#bar = new ByteBar("upload", total, this.#sent);
  }
}

/** A push whose head was read. */
type HeldPush = { readonly request: IncomingMessage; readonly response: ServerResponse; readonly head: Buffer };

const numbers = (count: number): number[] => Array.from({ length: count }, (_, at) => at + 1);

function sum(parts: readonly number[], bytes: (part: number) => number): number {
  return parts.reduce((all, part) => all + bytes(part), 0);
}

/** Runs work one after the other. */
class Sequence {
  #last: Promise<unknown> = Promise.resolve();

  add(work: () => Promise<void>, onError: (error: unknown) => void): void {
    this.#last = this.#last.then(work).catch(onError);
  }

  async ended(): Promise<void> {
    await this.#last;
  }
}

async function* following(first: Uint8Array, rest: AsyncIterator<unknown>): AsyncGenerator<Uint8Array> {
  if (first.length > 0) yield first;
  for (;;) {
    const { value, done } = await rest.next();
    if (done === true) return;
    if (value instanceof Uint8Array) yield value;
  }
}

async function* joined(head: Uint8Array, rest: AsyncIterable<unknown> | Iterable<unknown>): AsyncGenerator {
  yield head;
  yield* rest;
}

/** Passes an answer on to git. */
async function passOn(answer: IncomingMessage, response: ServerResponse): Promise<void> {
  const headers = Object.fromEntries(Object.entries(answer.headers).filter(([name]) => !OF_CONNECTION.has(name)));
  response.writeHead(answer.statusCode ?? 502, headers);
  await pipeline(answer, response);
}
