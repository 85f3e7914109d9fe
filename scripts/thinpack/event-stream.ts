/**
 * A WebSocket that only listens, with the token in a header: Node has no client of its own that may be given one, in all versions that
 * the command runs on.
 *
 * @packageDocumentation
 * @see RFC 6455
 */
import { createHash, randomBytes } from "node:crypto";
import { type IncomingMessage, request as plainRequest } from "node:http";
import { request as secureRequest } from "node:https";
import type { Duplex } from "node:stream";
import { CommandFailure, errorOf, HostRefusal } from "./failure.ts";
import { refusalOf } from "./http-exchange.ts";

const OPCODE = { continuation: 0, text: 1, close: 8, ping: 9, pong: 10 } as const;
/** A message of the host is some hundred bytes long. */
const MOST_BYTES = 1_048_576;
/** The text that RFC 6455 appends to the key of a handshake, to make its answer. */
const HANDSHAKE = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/** One frame of the host's; its frames are not masked. */
type Frame = { readonly opcode: number; readonly final: boolean; readonly payload: Buffer; readonly size: number };

/** Takes the first frame apart; `undefined` while it is not all there. @throws CommandFailure if it is none */
function readFrame(bytes: Buffer): Frame | undefined {
  const [first, second] = bytes;
  if (first === undefined || second === undefined) return undefined;
  const short = second & 127;
  const headSize = short === 126 ? 4 : short === 127 ? 10 : 2;
  if (bytes.length < headSize) return undefined;
  const length = short === 126 ? bytes.readUInt16BE(2) : short === 127 ? Number(bytes.readBigUInt64BE(2)) : short;
  if (second > 127 || length > MOST_BYTES) throw new CommandFailure("the host sends what is no event");
  const size = headSize + length;
  if (bytes.length < size) return undefined;
  return { opcode: first & 15, final: first > 127, payload: bytes.subarray(headSize, size), size };
}

/** Makes a short frame, masked as a client's has to be. */
function maskedFrame(opcode: number, payload: Buffer): Buffer {
  const mask = randomBytes(4);
  const body = payload.map((byte, at) => byte ^ (mask[at & 3] ?? 0));
  return Buffer.concat([Buffer.from([128 | opcode, 128 | payload.length]), mask, body]);
}

async function* messagesOf(socket: Duplex, head: Buffer): AsyncGenerator<string> {
  let waiting = head;
  let message = "";
  const frames = function* (): Generator<Frame> {
    for (let frame = readFrame(waiting); frame !== undefined; frame = readFrame(waiting)) {
      waiting = waiting.subarray(frame.size);
      yield frame;
    }
  };
  const pieces = async function* (): AsyncGenerator<Buffer> {
    yield Buffer.alloc(0);
    for await (const piece of socket) yield Buffer.from(piece);
  };
  for await (const piece of pieces()) {
    waiting = Buffer.concat([waiting, piece]);
    for (const { opcode, final, payload } of frames()) {
      if (opcode === OPCODE.close) return;
      if (opcode === OPCODE.ping) socket.write(maskedFrame(OPCODE.pong, payload.subarray(0, 125)));
      if (opcode !== OPCODE.text && opcode !== OPCODE.continuation) continue;
      message += payload.toString("utf8");
      if (!final) continue;
      yield message;
      message = "";
    }
  }
}

/** Opens a socket. @throws HostRefusal if the host does not, CommandFailure where it can't be reached */
async function openSocket(url: string, authorization: string): Promise<{ socket: Duplex; head: Buffer }> {
  const key = randomBytes(16).toString("base64");
  const request = (url.startsWith("https:") ? secureRequest : plainRequest)(url, {
    headers: {
      Authorization: authorization,
      Connection: "Upgrade",
      Upgrade: "websocket",
      "Sec-WebSocket-Version": "13",
      "Sec-WebSocket-Key": key,
    },
  });
  const answered = new Promise<{ answer: IncomingMessage; socket?: Duplex; head: Buffer }>((resolve, reject) => {
    request.on("upgrade", (answer: IncomingMessage, socket: Duplex, head: Buffer) => resolve({ answer, socket, head }));
    request.on("response", (answer) => resolve({ answer, head: Buffer.alloc(0) }));
    request.on("error", reject);
  });
  request.end();
  const { answer, socket, head } = await answered.catch((error: unknown) => {
    const why = errorOf(error).message;
    throw new CommandFailure(`${new URL(url).origin} can't be reached: ${why}`, undefined, { cause: error });
  });
  if (socket === undefined) throw await refusalOf(answer);
  const accepted = createHash("sha1")
    .update(key + HANDSHAKE)
    .digest("base64");
  if (answer.headers["sec-websocket-accept"] !== accepted) throw new HostRefusal(502, "the host speaks no WebSocket");
  return { socket, head };
}

/** Returns the messages that come over a WebSocket, until it ends. @throws HostRefusal, CommandFailure */
export async function* listenTo(url: string, authorization: string): AsyncGenerator<string> {
  const { socket, head } = await openSocket(url, authorization);
  try {
    yield* messagesOf(socket, head);
  } catch (error) {
    // A connection that is cut has ended like one that was closed.
    if (error instanceof CommandFailure) throw error;
  } finally {
    socket.destroy();
  }
}
