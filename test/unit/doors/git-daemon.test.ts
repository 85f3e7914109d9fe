/** git:// before anything is asked for: what a connection may hold, and how many there may be. */
import { expect, it } from "vitest";
import { Doorkeeper, MOST_STRANGERS_OF_ONE } from "../../../src/doors/doorkeeper.ts";
import { serveGitDaemon } from "../../../src/doors/git-daemon.ts";
import type { ConnectedClient } from "../../../src/doors/session.ts";
import type { SocketClient } from "../../../src/doors/socket-client.ts";

/** A connection that sends `sent` again and again, and then says nothing. */
class Connection implements SocketClient {
  readonly address = "192.0.2.1";
  readonly signal = new AbortController().signal;
  readonly said: string[] = [];
  /** Bytes of the largest buffer in which the host waits for something. */
  largest = 0;
  isClosed = false;
  readonly #sent: string;
  #times: number;

  constructor(sent = "", times = 0) {
    this.#sent = sent;
    this.#times = times;
  }

  readonly input = {
    read: async (buffer: Uint8Array<ArrayBuffer>) => {
      this.largest = Math.max(this.largest, buffer.length);
      if (this.#times-- <= 0) return await new Promise<never>(() => undefined);
      const { written } = new TextEncoder().encodeInto(this.#sent, buffer);
      return buffer.subarray(0, written);
    },
  };
  readonly output = { write: async (bytes: Uint8Array) => void this.said.push(Buffer.from(bytes).toString()) };
  end = async (): Promise<void> => undefined;
  close = async (): Promise<void> => {
    this.isClosed = true;
  };
}

const served: ConnectedClient[] = [];
const run = async (session: ConnectedClient) => {
  served.push(session);
  return { status: 200 };
};

it("waits for the first line with few bytes", () => {
  const connection = new Connection();
  void serveGitDaemon(connection, { run, doorkeeper: new Doorkeeper() });
  expect(connection.largest).toBeGreaterThan(0);
  expect(connection.largest).toBeLessThanOrEqual(4096);
});

it("ends a connection whose first line is longer than one can be, before it has come", async () => {
  const connection = new Connection(`fff0${"x".repeat(996)}`, 10);
  await serveGitDaemon(connection, { run, doorkeeper: new Doorkeeper() });
  expect([connection.isClosed, connection.largest <= 16_384]).toEqual([true, true]);
});

it("lets in as many as its doorkeeper does, and tells the others why", async () => {
  const doorkeeper = new Doorkeeper();
  const silent = Array.from({ length: MOST_STRANGERS_OF_ONE }, () => new Connection());
  for (const connection of silent) void serveGitDaemon(connection, { run, doorkeeper });
  const more = new Connection();
  await serveGitDaemon(more, { run, doorkeeper });
  expect([more.isClosed, more.said.join("")]).toEqual([true, expect.stringContaining("too many connections")]);
  expect(silent.some(({ isClosed }) => isClosed)).toBe(false);
});

it("gives a place back, and counts as no stranger whoever has asked for something", async () => {
  const doorkeeper = new Doorkeeper();
  for (let times = 0; times < 3 * MOST_STRANGERS_OF_ONE; times++) {
    const line = "git-upload-pack /a/b.git\0host=x\0";
    const connection = new Connection(`00${(line.length + 4).toString(16)}${line}`, 1);
    await serveGitDaemon(connection, { run, doorkeeper });
    expect(connection.said).toEqual([]);
  }
  // Strangers are not waited for as long as clients that have logged in.
  expect(served.at(-1)).toMatchObject({
    path: "/a/b.git",
    credentials: { kind: "anonymous" },
    longestPause: 5 * 60_000,
  });
});
