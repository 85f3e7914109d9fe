/**
 * A subscription to events, for as long as it takes to be told what there is to tell.
 *
 * @packageDocumentation
 * @see RFC 6455
 */
import { request as openRequest } from "node:http";
import { WAIT_LIMIT } from "../time-limits.ts";
import type { Answered } from "./asked.ts";

const TEXT = 1;
const PING = Buffer.from("ping");

/** A text message of a client: with a mask of zeros, which changes nothing. */
function messageOf(payload: Buffer): Buffer {
  return Buffer.concat([Buffer.from([0x80 | TEXT, 0x80 | payload.length, 0, 0, 0, 0]), payload]);
}

/** Returns the whole text messages of a server that bytes begin with. */
function messagesIn(bytes: Buffer): string[] {
  const messages: string[] = [];
  for (let at = 0; at + 2 <= bytes.length;) {
    const short = (bytes[at + 1] ?? 0) & 0x7f;
    const head = short === 126 ? 4 : short === 127 ? 10 : 2;
    if (at + head > bytes.length) break;
    const length =
      short === 126 ? bytes.readUInt16BE(at + 2) : short === 127 ? Number(bytes.readBigUInt64BE(at + 2)) : short;
    if (at + head + length > bytes.length) break;
    if (((bytes[at] ?? 0) & 0x0f) === TEXT) messages.push(bytes.toString("utf8", at + head, at + head + length));
    at += head + length;
  }
  return messages;
}

/** Asks for a subscription. Gives the refusal, or 101 with all that came before the answer to a `ping`, one message a line. */
export async function askSocket(url: string, headers: Readonly<Record<string, string>>): Promise<Answered> {
  const upgrade = { Connection: "Upgrade", Upgrade: "websocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": btoa("0123456789abcdef") }; // prettier-ignore
  return await new Promise<Answered>((resolve, reject) => {
    const asked = openRequest(url, { headers: { ...headers, ...upgrade } });
    asked.setTimeout(WAIT_LIMIT, () => asked.destroy(new Error(`no answer to ${url}`)));
    asked.on("error", reject);
    const headersOf = (raw: Readonly<Record<string, string | string[] | undefined>>): Headers =>
      new Headers(Object.entries(raw).map(([name, value]): [string, string] => [name, String(value)]));
    asked.on("response", (answer) => {
      const pieces: Buffer[] = [];
      answer.on("data", (piece: Buffer) => pieces.push(piece));
      answer.on("error", reject);
      answer.on("end", () =>
        resolve({ status: answer.statusCode ?? 0, headers: headersOf(answer.headers), body: Buffer.concat(pieces) }),
      );
    });
    asked.on("upgrade", (answer, socket, first) => {
      let bytes = first;
      const look = (): void => {
        const messages = messagesIn(bytes);
        if (!messages.includes("pong")) return;
        socket.destroy();
        const body = Buffer.from(messages.filter((message) => message !== "pong").join("\n"));
        resolve({ status: 101, headers: headersOf(answer.headers), body });
      };
      socket.on("error", reject);
      socket.on("end", () => reject(new Error(`${url} ended before it answered a ping`)));
      socket.on("data", (piece: Buffer) => {
        bytes = Buffer.concat([bytes, piece]);
        look();
      });
      socket.write(messageOf(PING));
    });
    asked.end();
  });
}
