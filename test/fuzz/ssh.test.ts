/**
 * Feeds the SSH server with packets that are almost right, before the keys and after the login. It answers, or ends the
 * connection for a reason; it has no fault of its own, and it does not hang.
 */
import { array, assert, asyncProperty, constantFrom, oneof } from "fast-check";
import { describe, expect, it } from "vitest";
import { concat } from "../../src/bytes/chunk.ts";
import type { RunSession } from "../../src/ssh/connection.ts";
import { MESSAGE, message } from "../../src/ssh/message.ts";
import { PLAIN } from "../../src/ssh/packet-cipher.ts";
import { almost, fuzzRuns } from "../support/fuzzing.ts";
import { RawSshClient } from "../support/ssh-raw-client.ts";

/** The most packets of one connection, which has half as many on average: `FUZZ_RUNS=200000` sends two million after a login. */
const PACKETS = 200;

const echoes: RunSession = async ({ input, output, widen }) => {
  widen(100_000);
  try {
    for (;;) {
      const bytes = await input.read(new Uint8Array(1000));
      if (bytes.length === 0) return 0;
      await output.write(bytes);
    }
  } catch {
    return 1;
  }
};

const { channelRequest: request } = MESSAGE;
const SEEDS = [
  message(MESSAGE.ignore, "x"),
  message(MESSAGE.unimplemented, 3),
  message(MESSAGE.debug, true, "x", ""),
  message(MESSAGE.serviceRequest, "ssh-userauth"),
  message(MESSAGE.extInfo, 1, "server-sig-algs", "ssh-ed25519"),
  message(MESSAGE.userauthRequest, "git", "ssh-connection", "publickey", false, "ssh-ed25519", "blob"),
  message(MESSAGE.globalRequest, "keepalive@openssh.com", true),
  message(MESSAGE.requestFailure),
  message(MESSAGE.channelOpen, "session", 0, 1000, 1000),
  message(MESSAGE.channelOpen, "direct-tcpip", 1, 1000, 1000, "host", 22, "host", 22),
  message(MESSAGE.channelWindowAdjust, 0, 1000),
  message(MESSAGE.channelData, 0, "some data"),
  message(MESSAGE.channelExtendedData, 0, 1, "some data"),
  message(MESSAGE.channelEof, 0),
  message(MESSAGE.channelClose, 0),
  message(request, 0, "env", true, "GIT_PROTOCOL", "version=2"),
  message(request, 0, "exec", true, "git-upload-pack 'a/b.git'"),
  message(request, 0, "shell", true),
  message(request, 1, "pty-req", true, "xterm", 80, 24, 0, 0, ""),
  message(MESSAGE.channelSuccess, 0),
  message(MESSAGE.newKeys),
  message(MESSAGE.kexEcdhInit, new Uint8Array(32)),
  new RawSshClient().offer(),
];
/** Those after which a connection goes on. */
const CALM = SEEDS.slice(0, 3).concat(SEEDS.slice(6, 10));

/** Reads what the host says until it ends the connection. */
async function listen(client: RawSshClient): Promise<void> {
  try {
    for (;;) await client.input.packet();
  } catch {
    // Its answers may make no sense to a client that has made none.
  }
}

/** Ends a connection, and returns the fault of the host's that ended it, if there was one. */
async function finish(client: RawSshClient, listening: Promise<void>): Promise<unknown> {
  await client.output.flushed().catch(() => undefined);
  client.toHost.close();
  const { fault } = await client.end;
  client.toClient.close();
  await listening;
  return fault;
}

describe("the SSH server", () => {
  it("takes any bytes before the keys", async () => {
    const greeting = Buffer.from("SSH-2.0-x\r\n");
    const seeds = SEEDS.map((payload) => concat([greeting, PLAIN.frame(payload)]));
    const stream = array(almost(seeds), { minLength: 1, maxLength: 3 }).map((pieces) => concat(pieces));
    await assert(
      asyncProperty(stream, async (bytes) => {
        const client = new RawSshClient(echoes);
        const listening = listen(client);
        client.raw(bytes);
        expect(await finish(client, listening)).toBeUndefined();
      }),
      fuzzRuns(150),
    );
  }, 3_600_000);

  it("takes any messages after the login", async () => {
    const messages = array(
      oneof({ weight: 1, arbitrary: almost(SEEDS) }, { weight: 9, arbitrary: constantFrom(...CALM) }),
      // Without a size, no list is longer than about ten.
      { maxLength: PACKETS, size: "max" },
    );
    let packets = 0;
    const { numRuns: wanted, ...more } = fuzzRuns(40);
    const numRuns = Math.max(40, Math.ceil(wanted / 10));
    await assert(
      asyncProperty(messages, async (sent) => {
        const client = await new RawSshClient(echoes).logIn();
        const id = await client.open();
        client.send(MESSAGE.channelRequest, id, "exec", false, "x");
        const listening = listen(client);
        for (const payload of sent) if (payload.length > 0) client.output.send(payload);
        packets += sent.length;
        expect(await finish(client, listening)).toBeUndefined();
      }),
      { ...more, numRuns },
    );
    expect(packets).toBeGreaterThan((numRuns * PACKETS) / 4);
  }, 3_600_000);
});
