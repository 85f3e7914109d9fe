/** What a client sends by WebSocket is freed as soon as it was taken: the collector would let a push's worth of it lie. */
import { expect, it } from "vitest";
import { WebSocketClient } from "../../../src/doors/websocket-client.ts";

/** A socket that hands over what a test sends. */
function socketOf(): { readonly socket: WebSocket; readonly send: (data: ArrayBuffer) => void } {
  const target = new EventTarget();
  const socket = Object.assign(target, { accept: () => undefined, send: () => undefined, close: () => undefined });
  return {
    socket: socket as unknown as WebSocket,
    send: (data) => void target.dispatchEvent(new MessageEvent("message", { data })),
  };
}

it("frees a message once all of it was taken, and what waits when the connection ends", async () => {
  const { socket, send } = socketOf();
  const client = new WebSocketClient(socket);
  client.accept();
  const messages = [100, 50, 70].map((length) => Uint8Array.from({ length }, (_, at) => at).buffer);
  for (const message of messages) send(message);
  const taken: number[] = [];
  for (const expected of [60, 40, 50]) {
    const bytes = await client.input.read(new Uint8Array(60));
    expect(bytes).toHaveLength(expected);
    taken.push(...bytes);
  }
  expect(taken).toEqual([...Array(100).keys(), ...Array(50).keys()]);
  expect(messages.map(({ byteLength }) => byteLength)).toEqual([0, 0, 70]);
  socket.dispatchEvent(new Event("close"));
  expect(messages.map(({ byteLength }) => byteLength)).toEqual([0, 0, 0]);
});
