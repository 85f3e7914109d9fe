/** What git's helper for WebSockets sends while git says nothing. */
import { Duplex, PassThrough } from "node:stream";
import { afterEach, expect, it, vi } from "vitest";
import { carry } from "../../../scripts/remote-helper/websocket.ts";

afterEach(() => void vi.useRealTimers());

it("pings a host while nothing is said, until the WebSocket is closed", async () => {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
  const sent: number[] = [];
  const stream = new Duplex({
    read: () => undefined,
    write: (frame: Buffer, _, done) => {
      sent.push(frame.readUInt8(0) & 0x0f);
      done();
    },
  });
  const closed = carry(
    { kind: "open", stream, head: Buffer.alloc(0) },
    { input: new PassThrough(), output: new PassThrough() },
  );
  vi.advanceTimersByTime(95_000);
  expect(sent).toEqual([9, 9, 9]);
  stream.push(Buffer.of(0x88, 0x02, 0x03, 0xe8));
  expect(await closed).toEqual({ code: 1000, reason: "" });
  vi.advanceTimersByTime(95_000);
  expect(sent).toEqual([9, 9, 9, 8]);
});
