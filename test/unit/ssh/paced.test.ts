/** Connections of very many packets: whether others are served between them, though nothing is waited for. */
import { describe, expect, it } from "vitest";
import { Pacer } from "../../../src/bytes/pacer.ts";
import type { RunSession } from "../../../src/ssh/connection.ts";
import { MESSAGE } from "../../../src/ssh/message.ts";
import { RawSshClient } from "../../support/ssh-raw-client.ts";

const MANY = 1000;

/** A command that sends a thousand bytes. */
const sends: RunSession = async ({ output }) => {
  await output.write(new Uint8Array(MANY));
  return 0;
};

describe("a thousand small packets", () => {
  let pauses = 0;
  const pacer = new Pacer(async () => void pauses++);
  // A packet takes some 70 µs, and nobody is to wait for longer than some 30 ms.
  const taken = (): number => {
    const before = pauses;
    pauses = 0;
    return before;
  };

  it("make pauses, whether they ask for something, are passed over, or go to the client", async () => {
    const client = await new RawSshClient(sends, { pacer }).logIn();
    for (let at = 0; at < MANY; at++) client.send(MESSAGE.globalRequest, "ping", true);
    for (let at = 0; at < MANY; at++) await client.next(MESSAGE.requestFailure);
    expect(taken()).toBeGreaterThanOrEqual(2);
    for (let at = 0; at < MANY; at++) client.send(MESSAGE.ignore, "x");
    const id = await client.open(0, MANY, 1);
    expect(taken()).toBeGreaterThanOrEqual(2);
    client.send(MESSAGE.channelRequest, id, "exec", false, "x");
    for (let at = 0; at < MANY; at++) await client.next(MESSAGE.channelData);
    expect(taken()).toBeGreaterThanOrEqual(2);
  });
});
