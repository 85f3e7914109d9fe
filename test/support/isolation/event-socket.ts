/**
 * A subscription to events, for as long as it takes to be told what there is to tell.
 *
 * @packageDocumentation
 */
import { request as openRequest } from "node:http";
import { encodeFrame, FrameReader, OPCODE } from "../../../scripts/remote-helper/websocket-frames.ts";
import { WAIT_LIMIT } from "../time-limits.ts";
import type { Answered } from "./asked.ts";

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
      const frames = new FrameReader();
      const messages: string[] = [];
      const take = (piece: Buffer): void => {
        for (const { opcode, payload } of frames.push(piece))
          if (opcode === OPCODE.text) messages.push(payload.toString());
        if (!messages.includes("pong")) return;
        socket.destroy();
        const body = Buffer.from(messages.filter((message) => message !== "pong").join("\n"));
        resolve({ status: 101, headers: headersOf(answer.headers), body });
      };
      socket.on("error", reject);
      socket.on("end", () => reject(new Error(`${url} ended before it answered a ping`)));
      socket.on("data", take);
      take(first);
      socket.write(encodeFrame(OPCODE.text, Buffer.from("ping")));
    });
    asked.end();
  });
}
