/** What a hostile client may try, before and after its login: the connection ends with the RFC's reason, and nothing else happens. */
import { describe, expect, it, vi } from "vitest";
import { Pacer } from "../../../src/bytes/pacer.ts";
import type { RunSession } from "../../../src/ssh/connection.ts";
import { ClientGone, MESSAGE, message, OPEN_FAILURE, REASON } from "../../../src/ssh/message.ts";
import {
  DATA_BYTES,
  IDLE_TIME,
  LOGIN_TIME,
  MOST_CHANNELS,
  MOST_LOGIN_REQUESTS,
  MOST_QUESTIONS,
  MOST_WAITING,
  MOST_WRONG_SIGNATURES,
  QUIET_TIME,
  REKEY_ALLOWANCE,
  WINDOW,
} from "../../../src/ssh/ssh-limits.ts";
import { Transport } from "../../../src/ssh/transport.ts";
import { withClock } from "../../support/ssh-clock.ts";
import { RawSshClient } from "../../support/ssh-raw-client.ts";

/** A command that reads nothing, and ends with its client. */
const waits: RunSession = async ({ signal }) => {
  await new Promise((resolve) => signal.addEventListener("abort", resolve));
  return 0;
};

/** A command that sends back what it gets. */
const echoes: RunSession = async ({ input, output }) => {
  let buffer = new Uint8Array(65_536);
  for (;;) {
    const bytes = await input.read(buffer).catch(() => buffer.subarray(0, 0));
    if (bytes.length === 0) return 0;
    await output.write(bytes);
    buffer = new Uint8Array(bytes.buffer);
  }
};

/** A transport that has made its offer, to a client that says nothing. */
function heldTransport(): { readonly transport: Transport } {
  const sent = Promise.withResolvers<Uint8Array<ArrayBuffer>>();
  const greeting = new TextEncoder().encode("SSH-2.0-x\r\n");
  let isGreeted = false;
  const input = {
    read: async (buffer: Uint8Array<ArrayBuffer>) => {
      if (isGreeted) return await sent.promise;
      isGreeted = true;
      buffer.set(greeting);
      return buffer.subarray(0, greeting.length);
    },
  };
  const transport = new Transport(
    { input, output: { write: async () => undefined } },
    { hostKeys: [], software: "x", pacer: new Pacer(async () => undefined) },
  );
  void transport.start();
  return { transport };
}

async function begin(client: RawSshClient, peer = 0, window = 2 ** 20): Promise<number> {
  const id = await client.open(peer, window);
  client.send(MESSAGE.channelRequest, id, "exec", true, "a command");
  await client.next(MESSAGE.channelSuccess);
  return id;
}

describe("before keys", () => {
  it.each([
    ["a line that does not end", "x".repeat(300), REASON.protocolError],
    ["a client of HTTP", "GET / HTTP/1.1\r\n", REASON.versionNotSupported],
    ["a client of SSH 1", "SSH-1.5-old\r\n", REASON.versionNotSupported],
    ["nothing but an end of line", "\r\n", REASON.versionNotSupported],
  ])("%s", async (_, line, reason) => {
    const client = new RawSshClient();
    client.raw(line);
    await client.input.identification();
    expect(await client.reason()).toBe(reason);
    expect(await client.end).toMatchObject({ why: expect.any(String) });
    expect(await client.end).not.toHaveProperty("key");
  });

  it.each([
    ["a giant packet", Uint8Array.of(0xff, 0xff, 0xff, 0xff, 4, 2, 0, 0, 0, 0, 0, 0)],
    ["a packet that is shorter than its padding", Uint8Array.of(0, 0, 0, 12, 255, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)],
    ["a packet that is no multiple of a block", Uint8Array.of(0, 0, 0, 13, 4, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)],
    ["an empty message", Uint8Array.of(0, 0, 0, 12, 11, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)],
  ])("%s", async (_, bytes) => {
    const client = new RawSshClient();
    await client.greet();
    client.raw(bytes);
    expect(await client.reason()).toBe(REASON.protocolError);
  });

  it.each([
    ["a login", MESSAGE.userauthRequest],
    ["a channel", MESSAGE.channelOpen],
    ["new keys", MESSAGE.newKeys],
    ["a service", MESSAGE.serviceRequest],
    ["a number that nobody knows", 200],
  ])("%s in place of an offer", async (_, type) => {
    const client = new RawSshClient();
    await client.greet();
    client.send(type, "x");
    expect(await client.reason()).toBe(REASON.protocolError);
  });

  it("an offer of nothing that is known", async () => {
    for (const offer of [{ kex: ["diffie-hellman-group1-sha1"] }, { cipher: ["3des-cbc", "none"] }]) {
      const client = new RawSshClient();
      await client.greet();
      client.output.send(client.offer(offer));
      expect(await client.reason()).toBe(REASON.keyExchangeFailed);
    }
  });

  it.each([
    ["of zeros, which would make a secret that everybody knows", new Uint8Array(32)],
    ["of another length", new Uint8Array(31)],
    ["of none", new Uint8Array(0)],
  ])("a public key %s", async (_, key) => {
    const client = new RawSshClient();
    await client.greet();
    client.output.send(client.offer({ kex: ["curve25519-sha256"] }));
    client.send(MESSAGE.kexEcdhInit, key);
    expect(await client.reason()).toBe(REASON.keyExchangeFailed);
  });

  it("a point that is on no curve", async () => {
    const client = new RawSshClient();
    await client.greet();
    client.output.send(client.offer({ kex: ["ecdh-sha2-nistp256"] }));
    client.send(MESSAGE.kexEcdhInit, new Uint8Array(65).fill(4));
    expect(await client.reason()).toBe(REASON.keyExchangeFailed);
  });

  it("a guess that was wrong is passed over, and one that was right is taken", async () => {
    const client = new RawSshClient();
    await client.greet();
    client.output.send(
      client.offer({ kex: ["sntrup761x25519-sha512@openssh.com", "curve25519-sha256"], follows: true }),
    );
    client.send(MESSAGE.kexEcdhInit, "whatever the guess takes");
    client.send(MESSAGE.kexEcdhInit, new Uint8Array(32).fill(9));
    expect((await client.next(MESSAGE.kexEcdhReply)).string().length).toBeGreaterThan(40);
  });

  it("no login in time: the client is told, and is gone", async () => {
    vi.useFakeTimers();
    try {
      const client = await new RawSshClient().connect();
      await vi.advanceTimersByTimeAsync(LOGIN_TIME + 10);
      expect(await client.reason()).toBe(REASON.byApplication);
      await vi.advanceTimersByTimeAsync(LOGIN_TIME);
      expect(await client.end).toEqual({ why: "no login in time" });
    } finally {
      vi.useRealTimers();
    }
  });

  it("no login in time, of a client that takes nothing", async () => {
    vi.useFakeTimers();
    try {
      const client = new RawSshClient();
      client.toClient.isStopped = true;
      await vi.advanceTimersByTimeAsync(2 * LOGIN_TIME);
      expect(await client.end).toEqual({ why: "no login in time" });
    } finally {
      vi.useRealTimers();
    }
  });
});

describe("Terrapin (CVE-2023-48795)", () => {
  it("a strict client's first packet has to be its offer", async () => {
    const client = new RawSshClient();
    await client.greet();
    client.send(MESSAGE.ignore, "injected");
    client.output.send(client.offer());
    expect(await client.reason()).toBe(REASON.protocolError);
  });

  it("a strict client's exchange has no other packet in it", async () => {
    const client = new RawSshClient();
    await client.greet();
    client.output.send(client.offer({ kex: ["curve25519-sha256"] }));
    client.send(MESSAGE.ignore, "injected");
    expect(await client.reason()).toBe(REASON.protocolError);
  });

  it("packets are counted anew under new keys, so that none can be cut off at the beginning", async () => {
    const client = await new RawSshClient().connect();
    // The first packet of the host under the new keys is EXT_INFO; without it, the next one's tag does not fit.
    const extensions = await client.next(MESSAGE.extInfo);
    expect([extensions.number(), extensions.text()]).toEqual([1, "server-sig-algs"]);
    expect(extensions.text()).not.toMatch(/ssh-rsa|ssh-dss/);
  });

  it("no cipher is offered that it works on", async () => {
    const client = new RawSshClient();
    await client.greet();
    const { payload } = await client.input.packet();
    const text = new TextDecoder("latin1").decode(payload);
    expect(text).toContain("kex-strict-s-v00@openssh.com");
    expect(text).not.toMatch(/chacha20|cbc|-etm@|sha1|md5|zlib|none,|,none/);
  });

  it("a client that is not strict may be noisy, and is served all the same", async () => {
    const client = new RawSshClient();
    await client.greet();
    client.send(MESSAGE.ignore, "noise");
    const hostInit = await client.input.packet();
    const kept = { payload: hostInit.payload.slice(), sequence: 0 };
    client.send(MESSAGE.debug, false, "noise", "");
    await client.exchange(client.offer({ strict: false }), kept);
    client.send(MESSAGE.serviceRequest, "ssh-userauth");
    expect((await client.next(MESSAGE.serviceAccept)).text()).toBe("ssh-userauth");
  });
});

describe("a changed packet", () => {
  it.each([["aes256-gcm@openssh.com"], ["aes128-gcm@openssh.com"], ["aes256-ctr"], ["aes128-ctr"]])(
    "under %s ends the connection, whichever byte it is",
    async (cipher) => {
      const isGcm = cipher.includes("gcm");
      for (const at of isGcm ? [4, 20, 30] : [16, 20, 40]) {
        const client = new RawSshClient();
        await client.greet();
        await client.exchange(client.offer({ cipher: [cipher] }));
        const write = client.toHost.write.bind(client.toHost);
        client.toHost.write = async (bytes) => {
          bytes[at] = (bytes[at] ?? 0) ^ 1;
          await write(bytes);
        };
        client.send(MESSAGE.serviceRequest, "ssh-userauth");
        expect(await client.reason()).toBe(REASON.macError);
      }
    },
  );
});

describe("the login", () => {
  it("takes keys only, and asks for no password", async () => {
    const client = await new RawSshClient().connect();
    client.send(MESSAGE.serviceRequest, "ssh-userauth");
    for (const method of ["none", "password", "keyboard-interactive", "hostbased"]) {
      client.send(MESSAGE.userauthRequest, "git", "ssh-connection", method, false, "secret");
      const failure = await client.next(MESSAGE.userauthFailure);
      expect([failure.text(), failure.take(1)[0]]).toEqual(["publickey", 0]);
    }
  });

  it("takes no signature that is wrong, and few of them", async () => {
    const client = await new RawSshClient().connect();
    client.send(MESSAGE.serviceRequest, "ssh-userauth");
    for (let tries = 0; tries < MOST_WRONG_SIGNATURES; tries++) {
      client.output.send(await client.loginRequest({ spoil: true }));
      await client.next(MESSAGE.userauthFailure);
    }
    expect(await client.reason()).toBe(REASON.noMoreAuthMethods);
    expect(await client.end).not.toHaveProperty("key");
  });

  it("takes no signature of another connection", async () => {
    const [one, other] = [await new RawSshClient().connect(), await new RawSshClient().connect()];
    one.send(MESSAGE.serviceRequest, "ssh-userauth");
    one.output.send(await other.loginRequest());
    expect((await one.next(MESSAGE.userauthFailure)).text()).toBe("publickey");
  });

  it("answers a bounded number of questions", async () => {
    const client = await new RawSshClient().connect();
    client.send(MESSAGE.serviceRequest, "ssh-userauth");
    for (let tries = 0; tries < MOST_LOGIN_REQUESTS; tries++) {
      client.send(MESSAGE.userauthRequest, "git", "ssh-connection", "none");
    }
    expect(await client.reason()).toBe(REASON.noMoreAuthMethods);
  });

  it.each([
    ["another service", MESSAGE.serviceRequest, ["ssh-connection"], REASON.serviceNotAvailable],
    ["a channel", MESSAGE.channelOpen, ["session", 0, 1, 1], REASON.protocolError],
    ["a global request", MESSAGE.globalRequest, ["tcpip-forward", true], REASON.protocolError],
    ["its own success", MESSAGE.userauthSuccess, [], REASON.protocolError],
  ] as const)("is not got round with %s (CVE-2018-10933)", async (_, type, fields, reason) => {
    const client = await new RawSshClient().connect();
    client.send(type, ...fields);
    expect(await client.reason()).toBe(reason);
  });
});

describe("after the login", () => {
  it("channels that lead elsewhere are refused, and so is what is not known", async () => {
    const client = await new RawSshClient().logIn();
    for (const [type, reason] of [
      ["direct-tcpip", OPEN_FAILURE.prohibited],
      ["direct-streamlocal@openssh.com", OPEN_FAILURE.prohibited],
      ["x11", OPEN_FAILURE.prohibited],
      ["something", OPEN_FAILURE.unknownType],
    ] as const) {
      client.send(MESSAGE.channelOpen, type, 7, 1000, 1000, "host", 22, "host", 22);
      const failure = await client.next(MESSAGE.channelOpenFailure);
      expect([failure.number(), failure.number()]).toEqual([7, reason]);
    }
    for (const name of ["tcpip-forward", "streamlocal-forward@openssh.com", "keepalive@openssh.com"]) {
      client.send(MESSAGE.globalRequest, name, true);
      await client.next(MESSAGE.requestFailure);
    }
  });

  it("a session runs one command, and no terminal, subsystem or agent", async () => {
    const client = await new RawSshClient(waits).logIn();
    const id = await client.open();
    for (const type of ["pty-req", "subsystem", "x11-req", "auth-agent-req@openssh.com", "signal", "what"]) {
      client.send(MESSAGE.channelRequest, id, type, true, "sftp");
      await client.next(MESSAGE.channelFailure);
    }
    client.send(MESSAGE.channelRequest, id, "exec", true, "one");
    await client.next(MESSAGE.channelSuccess);
    client.send(MESSAGE.channelRequest, id, "exec", true, "two");
    expect((await client.next(MESSAGE.channelFailure)).number()).toBe(0);
  });

  it("only git's variable is taken from the environment", async () => {
    const seen = Promise.withResolvers<ReadonlyMap<string, string>>();
    const run: RunSession = async ({ environment }) => {
      seen.resolve(environment);
      return 0;
    };
    const client = await new RawSshClient(run).logIn();
    const id = await client.open();
    client.send(MESSAGE.channelRequest, id, "env", true, "LD_PRELOAD", "x");
    await client.next(MESSAGE.channelFailure);
    client.send(MESSAGE.channelRequest, id, "env", true, "GIT_PROTOCOL", "version=2");
    await client.next(MESSAGE.channelSuccess);
    client.send(MESSAGE.channelRequest, id, "exec", false, "x");
    expect([...(await seen.promise)]).toEqual([["GIT_PROTOCOL", "version=2"]]);
  });

  it("channels by the thousand: few are opened", async () => {
    const client = await new RawSshClient(waits).logIn();
    for (let peer = 0; peer < 1000; peer++) client.send(MESSAGE.channelOpen, "session", peer, 1000, 1000);
    for (let peer = 0; peer < MOST_CHANNELS; peer++) await client.next(MESSAGE.channelOpenConfirmation);
    for (let peer = MOST_CHANNELS; peer < 1000; peer++) {
      const failure = await client.next(MESSAGE.channelOpenFailure);
      expect([failure.number(), failure.number()]).toEqual([peer, OPEN_FAILURE.shortage]);
    }
  });

  it.each([
    ["data", (client: RawSshClient) => client.send(MESSAGE.channelData, 77, "x")],
    ["an end of data", (client: RawSshClient) => client.send(MESSAGE.channelEof, 77)],
    ["a close", (client: RawSshClient) => client.send(MESSAGE.channelClose, 77)],
    ["a request", (client: RawSshClient) => client.send(MESSAGE.channelRequest, 77, "exec", true, "x")],
    ["a window", (client: RawSshClient) => client.send(MESSAGE.channelWindowAdjust, 77, 1)],
  ])("%s for a channel that is not open", async (_, send) => {
    const client = await new RawSshClient().logIn();
    send(client);
    expect(await client.reason()).toBe(REASON.protocolError);
  });

  it("data before a command, and after its own end", async () => {
    const early = await new RawSshClient(waits).logIn();
    early.send(MESSAGE.channelData, await early.open(), "x");
    expect(await early.reason()).toBe(REASON.protocolError);
    const late = await new RawSshClient(waits).logIn();
    const id = await begin(late);
    late.send(MESSAGE.channelEof, id);
    late.send(MESSAGE.channelData, id, "x");
    expect(await late.reason()).toBe(REASON.protocolError);
  });

  it("more data than the window has room for", async () => {
    const client = await new RawSshClient(waits).logIn();
    const id = await begin(client);
    const piece = new Uint8Array(DATA_BYTES);
    for (let sent = 0; sent <= WINDOW; sent += piece.length) client.send(MESSAGE.channelData, id, piece);
    expect(await client.reason()).toBe(REASON.protocolError);
  });

  it("data with more behind it, which no window counts", async () => {
    const client = await new RawSshClient(waits).logIn();
    const id = await begin(client);
    client.send(MESSAGE.channelData, id, "x", "rubbish");
    expect(await client.reason()).toBe(REASON.protocolError);
  });

  it("commands whose channels were closed count as long as they run", async () => {
    const client = await new RawSshClient(async () => await new Promise<number>(() => undefined)).logIn();
    for (let count = 0; count < 2 * MOST_CHANNELS; count++) client.send(MESSAGE.channelClose, await begin(client));
    client.send(MESSAGE.channelOpen, "session", 99, 1000, 1000);
    const failure = await client.next(MESSAGE.channelOpenFailure);
    expect([failure.number(), failure.number()]).toEqual([99, OPEN_FAILURE.shortage]);
  });

  it("a window of 2³² - 1 is served", async () => {
    const client = await new RawSshClient(echoes).logIn();
    const id = await begin(client, 0, 2 ** 32 - 1);
    client.send(MESSAGE.channelData, id, "abc");
    const data = await client.next(MESSAGE.channelData);
    expect([data.number(), data.text()]).toEqual([0, "abc"]);
  });

  it("a window beyond 2³² - 1", async () => {
    const client = await new RawSshClient(waits).logIn();
    const id = await begin(client);
    client.send(MESSAGE.channelWindowAdjust, id, 2 ** 32 - 1);
    expect(await client.reason()).toBe(REASON.protocolError);
  });

  it("packets of no bytes are not agreed to, and packets of one byte are served", async () => {
    const client = await new RawSshClient(echoes).logIn();
    client.send(MESSAGE.channelOpen, "session", 0, 1000, 0);
    const failure = await client.next(MESSAGE.channelOpenFailure);
    expect([failure.number(), failure.number()]).toEqual([0, OPEN_FAILURE.connectFailed]);
    client.send(MESSAGE.channelOpen, "session", 1, 1000, 1);
    const confirmation = await client.next(MESSAGE.channelOpenConfirmation);
    confirmation.number();
    const id = confirmation.number();
    client.send(MESSAGE.channelRequest, id, "exec", false, "x");
    client.send(MESSAGE.channelData, id, "abc");
    for (const letter of "abc") {
      const data = await client.next(MESSAGE.channelData);
      expect([data.number(), data.text()]).toEqual([1, letter]);
    }
  });

  it("a window of 0 holds the command up until there is room", async () => {
    const client = await new RawSshClient(echoes).logIn();
    const id = await begin(client, 0, 0);
    client.send(MESSAGE.channelData, id, "abc");
    client.send(MESSAGE.globalRequest, "ping", true);
    await client.next(MESSAGE.requestFailure);
    client.send(MESSAGE.channelWindowAdjust, id, 2);
    const first = await client.next(MESSAGE.channelData);
    expect([first.number(), first.text()]).toEqual([0, "ab"]);
    client.send(MESSAGE.channelWindowAdjust, id, 1);
    const second = await client.next(MESSAGE.channelData);
    expect([second.number(), second.text()]).toEqual([0, "c"]);
  });

  it(
    "a client that never reads: nothing more is read from it, and little is kept for it",
    { tags: "thorough" },
    async () => {
      const client = await new RawSshClient(waits).logIn();
      client.toClient.isStopped = true;
      const { written } = client.toClient;
      for (let index = 0; index < 20_000; index++) client.send(MESSAGE.globalRequest, "ping", true);
      await new Promise((resolve) => setTimeout(resolve, 200));
      expect(client.toClient.written).toBe(written);
      client.toHost.close();
      client.toClient.close();
      await client.end;
    },
  );

  it("a command's output waits for a client that never reads, whatever its window", async () => {
    let given = 0;
    const floods: RunSession = async ({ output }) => {
      for (; given < 100_000_000; given += 32_768)
        await output.write(new Uint8Array(32_768)).catch(() => (given = 1e9));
      return 0;
    };
    const client = await new RawSshClient(floods).logIn();
    const id = await client.open(0, 2 ** 32 - 1);
    client.toClient.isStopped = true;
    client.send(MESSAGE.channelRequest, id, "exec", false, "flood");
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(given).toBeLessThanOrEqual(MOST_WAITING);
    client.toHost.close();
    client.toClient.close();
    expect(await client.end).not.toHaveProperty("fault");
  });

  it("a client that has gone without a word is asked for signs of life, and then told and closed", async () => {
    await withClock(async (advance) => {
      const client = await new RawSshClient(waits).logIn();
      await begin(client);
      await advance(QUIET_TIME + (MOST_QUESTIONS + 1) * 20_000);
      for (let asked = 0; asked < MOST_QUESTIONS; asked++) {
        expect((await client.next(MESSAGE.globalRequest)).text()).toBe("keepalive@openssh.com");
      }
      expect(await client.reason()).toBe(REASON.byApplication);
      await advance(10_000);
      expect(await client.end).toMatchObject({ why: "no sign of life" });
    });
  });

  it("a client that answers, and wants nothing for long, is closed; one with a session is not", async () => {
    await withClock(async (advance) => {
      const [idle, busy] = [await new RawSshClient(waits).logIn(), await new RawSshClient(waits).logIn()];
      const id = await begin(busy);
      let isBusyOver = false;
      void busy.end.then(() => (isBusyOver = true));
      for (let passed = 0; passed <= IDLE_TIME; passed += 30_000) {
        for (const client of [idle, busy]) client.send(MESSAGE.ignore, "here");
        await advance(30_000);
      }
      expect(await idle.reason()).toBe(REASON.byApplication);
      await advance(10_000);
      expect(await idle.end).toMatchObject({ why: "no session for long" });
      expect(isBusyOver).toBe(false);
      busy.send(MESSAGE.channelClose, id);
      busy.toHost.close();
      await busy.end;
    });
  });

  it("its commands hear that the client is gone", async () => {
    const heard = Promise.withResolvers<unknown>();
    const run: RunSession = async ({ input }) => {
      await input.read(new Uint8Array(10)).catch(heard.resolve);
      return 0;
    };
    const client = await new RawSshClient(run).logIn();
    await begin(client);
    client.toHost.close();
    expect(await heard.promise).toBeInstanceOf(ClientGone);
    expect(await client.end).toHaveProperty("key");
  });

  it("a message that is not known is answered with its number", async () => {
    const client = await new RawSshClient().logIn();
    // The offer of a service and a login came before it under these keys.
    client.send(199, "x");
    expect((await client.next(MESSAGE.unimplemented)).number()).toBe(2);
  });

  it("new keys are made when the client asks, and a storm of that ends the connection", async () => {
    const client = await new RawSshClient(echoes).logIn();
    const id = await begin(client);
    for (let times = 0; times < REKEY_ALLOWANCE.atOnce - 1; times++) await client.exchange();
    client.send(MESSAGE.channelData, id, "still here");
    const data = await client.next(MESSAGE.channelData);
    expect([data.number(), data.text()]).toEqual([0, "still here"]);
    await client.exchange();
    client.output.send(client.offer());
    expect(await client.reason()).toBe(REASON.keyExchangeFailed);
  });

  it("new keys are asked for by the host, too, also where it only receives", async () => {
    const counts: RunSession = async ({ input, signal }) => {
      let bytes = 0;
      while (!signal.aborted && bytes < 15_000) bytes += (await input.read(new Uint8Array(1000))).length;
      return 7;
    };
    const rekeyAfter = { bytes: 10_000, packets: 1_000_000 };
    const client = await new RawSshClient(counts, { rekeyAfter }).logIn();
    const id = await begin(client);
    for (let sent = 0; sent < 10_000; sent += 1000) client.send(MESSAGE.channelData, id, new Uint8Array(1000));
    const offer = await client.input.packet();
    expect(offer.payload[0]).toBe(MESSAGE.kexInit);
    await client.exchange(client.offer(), { ...offer, payload: offer.payload.slice() });
    for (let sent = 0; sent < 5000; sent += 1000) client.send(MESSAGE.channelData, id, new Uint8Array(1000));
    // The command has all of it, and ends.
    await client.next(MESSAGE.channelEof);
  });

  it("a message in the middle of a key exchange, or of one without an exchange", async () => {
    const between = await new RawSshClient(waits).logIn();
    between.output.send(between.offer());
    between.send(MESSAGE.channelOpen, "session", 0, 1, 1);
    expect(await between.reason()).toBe(REASON.protocolError);
    const without = await new RawSshClient(waits).logIn();
    without.send(MESSAGE.newKeys);
    expect(await without.reason()).toBe(REASON.protocolError);
  });

  it("answers to what comes before the client's own offer wait for the new keys, and are bounded", async () => {
    const { transport } = heldTransport();
    // It greets, and offers.
    await new Promise((resolve) => setTimeout(resolve, 10));
    expect(() => {
      for (let index = 0; index < 10_000; index++) transport.post(message(MESSAGE.ignore, "x"));
    }).toThrow("a key exchange that does not end");
  });

  it("other connections go on", async () => {
    const calm = await new RawSshClient(echoes).logIn();
    const id = await begin(calm);
    const wild = Array.from({ length: 20 }, async (_, index) => {
      const client = await new RawSshClient(waits).logIn();
      client.raw(new Uint8Array(100).fill(index));
      return await client.reason();
    });
    for (const reason of await Promise.all(wild)) expect([REASON.protocolError, REASON.macError]).toContain(reason);
    calm.send(MESSAGE.channelData, id, "abc");
    const data = await calm.next(MESSAGE.channelData);
    expect([data.number(), data.text()]).toEqual([0, "abc"]);
  });
});
