/** Git over WebSocket: what a program of one's own may rely on. */
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import type { RunningHost } from "../../scripts/host.ts";
import { openWebSocket } from "../../scripts/remote-helper/websocket.ts";
import { encodeFrame, type Frame, FrameReader, OPCODE } from "../../scripts/remote-helper/websocket-frames.ts";
import { apiClient } from "../support/api-client.ts";
import { GitSandbox, withToken } from "../support/git-client.ts";
import { importFixture, linear } from "../support/git-fixtures.ts";
import { openSocket } from "../support/git-socket.ts";
import { startTestHost } from "../support/host.ts";

const git = new GitSandbox("websocket");
let host: RunningHost;
let tip = "";

beforeAll(async () => {
  host = await startTestHost();
  const source = await importFixture(git, "source", linear(3));
  await git.ok(["push", "-q", withToken(`${host.base}/acme/widgets.git`, host.token), "main"], { cwd: source });
  tip = await git.ok(["rev-parse", "main"], { cwd: source });
});
afterAll(async () => {
  await host.stop();
  git.close();
});

const at = (rest: string): string => `${host.base.replace("http", "ws")}/${rest}`;

const fail = (): never => {
  throw new Error("not yet");
};

const pkt = (line: string): string => (line.length + 4).toString(16).padStart(4, "0") + line;

describe("a WebSocket", () => {
  it("carries the advertisement first, and is closed when the client is done", async () => {
    for (const [query, first] of [
      ["", `${tip} HEAD\0`],
      ["?version=1", "version 1"],
      ["?version=2", "version 2"],
    ]) {
      const socket = openSocket(at(`acme/widgets.git/git-upload-pack${query ?? ""}`), { token: host.token });
      expect(await socket.received(first ?? "")).toContain(first);
      socket.send("0000");
      expect(await socket.closed).toEqual({ code: 1000, reason: "" });
    }
  });

  it.each(["", "text"])("takes '%s' for the end of what the client sends", async (end) => {
    const socket = openSocket(at("acme/widgets.git/git-upload-pack?version=2"), { token: host.token });
    await socket.received("version 2");
    socket.sendText(end);
    expect((await socket.closed).code).toBe(1000);
  });

  it("tells in the protocol what is wrong, and closes with another code", async () => {
    const socket = openSocket(at("acme/widgets.git/git-upload-pack"), { token: host.token });
    await socket.received(tip);
    socket.send("0009hello");
    expect(await socket.received("ERR ")).toContain("expected to get object ID, not 'hello'");
    expect((await socket.closed).code).toBe(1011);
  });

  it("is not opened for whoever may not read, or push", async () => {
    for (const [path, token] of [
      ["acme/widgets.git/git-upload-pack", undefined],
      ["acme/missing.git/git-upload-pack", undefined],
      ["acme/widgets.git/git-receive-pack", undefined],
      ["acme/widgets.git/git-upload-pack", "wrong"],
    ] as const) {
      const socket = openSocket(at(path), token === undefined ? {} : { token });
      // A WebSocket that was never opened.
      expect((await socket.closed).code).toBe(1006);
    }
  });

  it.each([
    ["a second command of version 2", "git-upload-pack?version=2", "version 2", "0014command=ls-refs\n0000"],
    ["wants of version 0", "git-upload-pack", "HEAD", "WANTS"],
    ["commands of a push", "git-receive-pack", "report-status", "DELETION"],
  ])("answers %s only as long as its token is in force", async (_, service, first, asked) => {
    const operator = apiClient(host.base, host.token);
    const made = await operator("POST", "/tenants/acme/tokens", { name: "short", scopes: ["repo:write"] });
    const { token, id } = made.body;
    const socket = openSocket(at(`acme/widgets.git/${service}`), { token: String(token) });
    await socket.received(first);
    if (first === "version 2") {
      socket.send(asked);
      await socket.received("refs/heads/main");
    }
    expect((await operator("DELETE", `/tenants/acme/tokens/${String(id)}`)).status).toBe(204);
    const deletion = pkt(`${tip} ${"0".repeat(40)} refs/heads/main\0report-status delete-refs`);
    socket.send(
      asked.replace("WANTS", `${pkt(`want ${tip}\n`)}0000${pkt("done\n")}`).replace("DELETION", `${deletion}0000`),
    );
    expect(await socket.received("ERR ")).not.toMatch(/PACK|unpack ok/);
    expect((await socket.closed).code).toBe(1011);
    expect((await operator("GET", "/repos/acme/widgets/refs")).body).toMatchObject({ refs: [{ oid: tip }] });
  });

  it("answers a ping, and is as it was", async () => {
    const url = new URL(`${host.base}/acme/widgets.git/git-upload-pack`);
    const headers = { Authorization: `Bearer ${host.token}` };
    const opened = await openWebSocket({ url, headers, proxy: undefined, tls: {} });
    if (opened.kind !== "open") throw new Error(opened.text);
    const { stream, head } = opened;
    const frames: Frame[] = [];
    const reader = new FrameReader();
    const take = (bytes: Buffer): void => void frames.push(...reader.push(bytes));
    take(head);
    stream.on("data", take);
    stream.write(encodeFrame(OPCODE.ping, Buffer.from("there?")));
    const answered = (opcode: number) =>
      vi.waitFor(() => frames.find((frame) => frame.opcode === opcode)?.payload ?? fail());
    expect(String(await answered(OPCODE.pong))).toBe("there?");
    stream.write(encodeFrame(OPCODE.binary, Buffer.from("0000")));
    expect((await answered(OPCODE.close)).readUInt16BE(0)).toBe(1000);
    stream.destroy();
  });

  it("is closed for a client that is too far ahead", async () => {
    const socket = openSocket(at("acme/widgets.git/git-receive-pack"), { token: host.token });
    await socket.received(tip);
    for (let count = 0; count < 6; count++) socket.send(new Uint8Array(1024 * 1024));
    expect([1009, 1011]).toContain((await socket.closed).code);
  });
});
