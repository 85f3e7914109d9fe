/** What a connection holds on which nothing happens. */
import { expect, it } from "vitest";
import type { RunSession } from "../../../src/ssh/connection.ts";
import { MESSAGE } from "../../../src/ssh/message.ts";
import { RawSshClient } from "../../support/ssh-raw-client.ts";

/** A command that reads nothing, and ends with its client. */
const waits: RunSession = async ({ signal }) => {
  await new Promise((resolve) => signal.addEventListener("abort", resolve));
  return 0;
};

it("a connection holds few bytes for what may come, and more only once it has a session and more comes", async () => {
  const client = await new RawSshClient(waits).logIn();
  const read = client.toHost.read.bind(client.toHost);
  const asked: number[] = [];
  client.toHost.read = async (buffer) => {
    asked.push(buffer.length);
    return await read(buffer);
  };
  const ping = async (): Promise<void> => {
    client.send(MESSAGE.globalRequest, "ping", true);
    await client.next(MESSAGE.requestFailure);
  };
  for (let times = 0; times < 3; times++) await ping();
  expect(Math.max(...asked)).toBeLessThanOrEqual(4096);
  const id = await client.open();
  client.send(MESSAGE.channelRequest, id, "exec", true, "a command");
  await client.next(MESSAGE.channelSuccess);
  for (let times = 0; times < 3; times++) await ping();
  expect(Math.max(...asked)).toBeLessThanOrEqual(4096);
  for (let times = 0; times < 20; times++) client.send(MESSAGE.ignore, new Uint8Array(30_000));
  await ping();
  // Each packet comes by itself, and fits.
  expect(Math.max(...asked)).toBe(32_768);
});

it("a connection without a session holds few bytes, however much comes", async () => {
  const client = await new RawSshClient(waits).logIn();
  const read = client.toHost.read.bind(client.toHost);
  let most = 0;
  client.toHost.read = async (buffer) => {
    most = Math.max(most, buffer.length);
    return await read(buffer);
  };
  for (let times = 0; times < 20; times++) client.send(MESSAGE.ignore, new Uint8Array(30_000));
  client.send(MESSAGE.globalRequest, "ping", true);
  await client.next(MESSAGE.requestFailure);
  expect(most).toBeLessThanOrEqual(4096);
});
