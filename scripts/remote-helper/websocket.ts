/**
 * Opens a WebSocket, and carries what git says over it.
 *
 * @packageDocumentation
 * @see RFC 6455, docs/using.md
 */
import { createHash, randomBytes } from "node:crypto";
import { type IncomingMessage, type OutgoingHttpHeaders, request as plainRequest } from "node:http";
import { request as secureRequest, type RequestOptions } from "node:https";
import type { Duplex, Readable, Writable } from "node:stream";
import { connect as connectSecurely } from "node:tls";
import { throughProxy } from "./proxy.ts";
import { encodeFrame, type Frame, FrameReader, OPCODE } from "./websocket-frames.ts";

/** What RFC 6455, section 1.3, has appended to the key. */
const KEY_END = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
/** The most bytes that are sent ahead of what the host has taken. It allows four times as much. */
const MOST_AHEAD = 1024 * 1024;
/** Milliseconds between two pings: what lies between may take a connection for dead while git or the host is at work. */
const PING_AFTER = 30_000;
/** The most bytes of an answer that refuses. */
const MOST_REFUSAL = 4096;

/** Where a WebSocket is opened, and how. */
export type WebSocketTarget = {
  /** The address, of `https:` or `http:`. */
  readonly url: URL;
  readonly headers: OutgoingHttpHeaders;
  readonly proxy: URL | undefined;
  readonly tls: Pick<RequestOptions, "ca" | "rejectUnauthorized">;
};

/** A WebSocket that is open, and what has come already. */
export type OpenWebSocket = { readonly kind: "open"; readonly stream: Duplex; readonly head: Buffer };

/** What came of opening one: its stream, or the answer that refuses it. */
export type Opened =
  | OpenWebSocket
  | {
      readonly kind: "refused";
      readonly status: number;
      readonly text: string;
      readonly challenges: readonly string[];
    };

async function refusal(answer: IncomingMessage): Promise<Opened> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of answer) {
    pieces.push(Buffer.from(piece));
    bytes += pieces.at(-1)?.length ?? 0;
    if (bytes > MOST_REFUSAL) break;
  }
  const challenge = answer.headers["www-authenticate"];
  const text = Buffer.concat(pieces).toString("utf8").slice(0, MOST_REFUSAL).trim();
  const challenges = challenge === undefined ? [] : [challenge];
  return { kind: "refused", status: answer.statusCode ?? 0, text, challenges };
}

/** Returns how to reach the host: by itself, or through a proxy. */
async function connection({ url, proxy, tls }: WebSocketTarget): Promise<RequestOptions> {
  if (proxy === undefined) return { ...tls, agent: false };
  const socket = await throughProxy(proxy, url);
  const isSecure = url.protocol === "https:";
  const stream = isSecure ? connectSecurely({ ...tls, socket, servername: url.hostname }) : socket;
  return { createConnection: () => stream, agent: false };
}

/** Opens a WebSocket. @throws Error if the host can't be reached, or speaks something else */
export async function openWebSocket(target: WebSocketTarget): Promise<Opened> {
  const key = randomBytes(16).toString("base64");
  const headers = {
    ...target.headers,
    Connection: "Upgrade",
    Upgrade: "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": key,
  };
  const ask = target.url.protocol === "https:" ? secureRequest : plainRequest;
  const request = ask(target.url.href, { ...(await connection(target)), headers });
  return await new Promise((resolve, reject) => {
    request.on("error", reject);
    request.on("response", (answer) => void refusal(answer).then(resolve, reject));
    request.on("upgrade", (answer, stream: Duplex, head: Buffer) => {
      const accepted = createHash("sha1").update(`${key}${KEY_END}`).digest("base64");
      if (answer.headers["sec-websocket-accept"] === accepted) resolve({ kind: "open", stream, head });
      else reject(new Error("the host did not open a WebSocket"));
    });
    request.end();
  });
}

/** Git's two ends. */
export type Ends = { readonly input: Readable; readonly output: Writable };

/** How a WebSocket was closed: the code and the reason of RFC 6455. */
export type Closed = { readonly code: number; readonly reason: string };

/** A code for a connection that was closed without one. */
const ABNORMAL: Closed = { code: 1006, reason: "the connection to the host broke off" };

/** What is sent: never far ahead of what the host has taken, nor of what the network has. */
class Outgoing {
  readonly #stream: Duplex;
  #ahead = 0;
  #taken = 0;
  #waiting: (() => void)[] = [];

  constructor(stream: Duplex) {
    this.#stream = stream;
    for (const event of ["drain", "close"]) stream.on(event, () => this.#wake());
  }

  get isClosed(): boolean {
    return this.#stream.destroyed;
  }

  /** Notes how much the host has taken of everything so far. */
  take(bytes: number): void {
    if (bytes <= this.#taken) return;
    this.#ahead -= bytes - this.#taken;
    this.#taken = bytes;
    this.#wake();
  }

  /** Sends a piece of what git says. */
  async send(bytes: Uint8Array): Promise<void> {
    while (!this.isClosed && this.#ahead + bytes.length > MOST_AHEAD) await this.#changed();
    this.#ahead += bytes.length;
    await this.frame(OPCODE.binary, bytes);
  }

  async frame(opcode: number, payload: Uint8Array): Promise<void> {
    if (this.isClosed || this.#stream.write(encodeFrame(opcode, payload))) return;
    while (!this.isClosed && this.#stream.writableNeedDrain) await this.#changed();
  }

  #wake(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }

  async #changed(): Promise<void> {
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }
}

/** Carries bytes both ways until the host closes the WebSocket. */
export async function carry({ stream, head }: OpenWebSocket, git: Ends): Promise<Closed> {
  const outgoing = new Outgoing(stream);
  const pings = setInterval(() => void outgoing.frame(OPCODE.ping, new Uint8Array(0)), PING_AFTER);
  const how = await new Promise<Closed>((resolve) => {
    stream.on("error", () => resolve(ABNORMAL));
    void sendAll(git.input, outgoing).catch(() => stream.destroy());
    void receiveAll(stream, head, { outgoing, output: git.output, onClose: resolve })
      .catch(() => undefined)
      .finally(() => resolve(ABNORMAL));
  });
  clearInterval(pings);
  stream.destroy();
  return how;
}

async function sendAll(input: Readable, outgoing: Outgoing): Promise<void> {
  for await (const piece of input) {
    // Git may go on to write to a host that has closed. It is read to its end, so that it ends well.
    if (!outgoing.isClosed) await outgoing.send(Buffer.from(piece));
  }
  // An empty message is the end.
  await outgoing.frame(OPCODE.binary, new Uint8Array(0));
}

type Receiver = { readonly outgoing: Outgoing; readonly output: Writable; readonly onClose: (how: Closed) => void };

async function receiveAll(stream: Duplex, head: Buffer, to: Receiver): Promise<void> {
  const reader = new FrameReader();
  for (const frame of reader.push(head)) await take(frame, to);
  for await (const piece of stream) for (const frame of reader.push(Buffer.from(piece))) await take(frame, to);
}

async function take({ opcode, payload }: Frame, { outgoing, output, onClose }: Receiver): Promise<void> {
  switch (opcode) {
    case OPCODE.binary:
    case OPCODE.continuation:
      return await writeTo(output, payload);
    case OPCODE.text:
      return outgoing.take(Number(payload.toString("latin1")));
    case OPCODE.ping:
      return await outgoing.frame(OPCODE.pong, payload);
    case OPCODE.close:
      await outgoing.frame(OPCODE.close, payload.subarray(0, 2));
      return onClose({
        code: payload.length < 2 ? 1000 : payload.readUInt16BE(0),
        reason: payload.subarray(2).toString(),
      });
    default:
      return undefined;
  }
}

/** Writes to git, at the pace at which it reads. */
async function writeTo(output: Writable, bytes: Uint8Array): Promise<void> {
  await new Promise<void>((resolve) => output.write(bytes, () => resolve()));
}
