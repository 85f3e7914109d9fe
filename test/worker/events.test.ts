/**
 * Events over WebSockets, from pushes of the real client.
 *
 * @packageDocumentation
 */
import { get, type IncomingMessage } from "node:http";
import { connect } from "node:net";
import type { Duplex } from "node:stream";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import type { RunningHost } from "../../scripts/host.ts";
import { MOST_OF_ADDRESS } from "../../src/durable/repository/subscriber-places.ts";
import { GitSandbox, withToken } from "../support/git-client.ts";
import { buildPack, pushBody, send, ZERO } from "../support/git-raw.ts";
import { startTestHost } from "../support/host.ts";
import { subscribe } from "../support/subscriber.ts";
import { WAIT_LIMIT } from "../support/time-limits.ts";

const WAIT = { timeout: WAIT_LIMIT, interval: 50 };

let host: RunningHost;
let git: GitSandbox;
let count = 0;

async function api(method: string, path: string, body?: unknown): Promise<Response> {
  return await fetch(`${host.base}/api/v1/repos/${path}`, {
    method,
    headers: { Authorization: `Bearer ${host.token}`, "Content-Type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}

async function tenantApi(method: string, path: string, body?: unknown): Promise<Response> {
  return await fetch(`${host.base}/api/v1/tenants/acme/${path}`, {
    method,
    headers: { Authorization: `Bearer ${host.token}`, "Content-Type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}

type Pushed = {
  readonly path: string;
  readonly events: string;
  readonly first: string;
  /** Pushes what git's arguments say. */
  readonly push: (...refspecs: string[]) => Promise<void>;
};

/** A repository with one commit on `main`. */
async function repository(visibility: "public" | "private" = "public"): Promise<Pushed> {
  const path = `acme/told-${++count}`;
  await api("PUT", path, { visibility });
  const cwd = await git.init(`work-${count}`);
  await git.commit(cwd, "a.txt", "a\n");
  const url = withToken(`${host.base}/${path}.git`, host.token);
  const push = async (...refspecs: string[]): Promise<void> => {
    await git.ok(["push", "-q", url, ...refspecs], { cwd });
  };
  await push("HEAD:refs/heads/main");
  const first = (await git.ok(["rev-parse", "HEAD"], { cwd })).trim();
  return { path, events: `${host.base}/api/v1/repos/${path}/events`, first, push };
}

type Upgraded = {
  readonly status: number;
  readonly retryAfter: string | null;
  readonly detail: string;
  /** The open connection, where there is one. */
  readonly socket?: Duplex;
};

/** Asks for a WebSocket, and gives the answer whatever it is. */
async function upgraded(url: string, more: Readonly<Record<string, string>> = {}): Promise<Upgraded> {
  const { promise, resolve, reject } = Promise.withResolvers<{ message: IncomingMessage; socket?: Duplex }>();
  const headers = {
    Upgrade: "websocket",
    Connection: "Upgrade",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Version": "13",
    ...more,
  };
  const request = get(url, { headers, agent: false });
  request.on("response", (message) => resolve({ message })).on("error", reject);
  request.on("upgrade", (message, socket) => resolve({ message, socket }));
  const { message, socket } = await promise;
  const status = message.statusCode ?? 0;
  const retryAfter = message.headers["retry-after"] ?? null;
  if (socket !== undefined) return { status, retryAfter, detail: "", socket };
  return { status, retryAfter, detail: Buffer.concat(await message.toArray()).toString() };
}

/** Ends the objects of all repositories, as the platform does after some silence: only their sockets and their storage stay. */
async function putToSleep(): Promise<void> {
  for (const id of await host.miniflare.listDurableObjectIds("REPOSITORIES")) {
    await host.miniflare.unsafeEvictDurableObject("thinpack", "RepositoryObject", { id, webSockets: "hibernate" });
  }
}

beforeAll(async () => {
  host = await startTestHost();
  git = new GitSandbox("events");
});

afterAll(async () => {
  await host.stop();
  git.close();
});

describe("a subscriber", () => {
  it("is told of every ref that moves, in order", async () => {
    const { path, events, first, push } = await repository();
    const subscriber = await subscribe(events);
    await push("main:refs/heads/a", "main:refs/tags/v1");
    await push(":refs/heads/a");
    await vi.waitFor(() => expect(subscriber.messages).toHaveLength(3), WAIT);
    const [a, tag, gone] = subscriber.messages;
    expect(a).toEqual({
      type: "ref",
      repo: path,
      name: "refs/heads/a",
      old: ZERO,
      new: first,
      at: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
      seq: 2,
    });
    expect(tag).toMatchObject({ name: "refs/tags/v1", old: ZERO, new: first, seq: 3 });
    expect(gone).toMatchObject({ name: "refs/heads/a", old: first, new: ZERO, seq: 4 });
    subscriber.close();
    expect((await subscriber.closed).code).not.toBe(1006);
  });

  it("is sent what it missed, if it names the place that it knows", async () => {
    const { events, push } = await repository();
    const before = await subscribe(events);
    await push("main:refs/heads/a");
    await vi.waitFor(() => expect(before.messages).toHaveLength(1), WAIT);
    before.close();
    await before.closed;
    await push("main:refs/heads/b", "main:refs/heads/c");
    const after = await subscribe(`${events}?since=${before.messages[0]?.seq}`);
    await push("main:refs/heads/d");
    await vi.waitFor(() => expect(after.messages).toHaveLength(3), WAIT);
    expect(after.messages.map(({ name }) => name)).toEqual(["refs/heads/b", "refs/heads/c", "refs/heads/d"]);
    const all = await subscribe(`${events}?since=0`);
    await vi.waitFor(() => expect(all.messages.map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5]), WAIT);
    after.close();
    all.close();
  });

  it("is told of a move after a long silence, in which the object was put to sleep", async () => {
    const { events, push } = await repository();
    const subscriber = await subscribe(events);
    await push("main:refs/heads/a");
    await vi.waitFor(() => expect(subscriber.messages).toHaveLength(1), WAIT);
    await putToSleep();
    await push("main:refs/heads/b");
    await vi.waitFor(() => expect(subscriber.messages).toHaveLength(2), WAIT);
    expect(subscriber.messages.map(({ seq }) => seq)).toEqual([2, 3]);
    subscriber.close();
  });

  it("is told that there is a gap if it names a place that never was", async () => {
    const { path, events, push } = await repository();
    const subscriber = await subscribe(`${events}?since=999`);
    await push("main:refs/heads/a");
    await vi.waitFor(() => expect(subscriber.messages).toHaveLength(2), WAIT);
    expect(subscriber.messages[0]).toEqual({ type: "gap", repo: path, since: 999, seq: 1 });
    expect(subscriber.messages[1]).toMatchObject({ type: "ref", seq: 2 });
    subscriber.close();
  });

  it("gets pong for ping, and is disconnected for anything else", async () => {
    const { events } = await repository();
    const subscriber = await subscribe(events);
    subscriber.send("ping");
    await vi.waitFor(() => expect(subscriber.others).toEqual(["pong"]), WAIT);
    subscriber.send("hello");
    expect(await subscriber.closed).toMatchObject({ code: 1003 });
  });

  it("needs the same rights as a reader", async () => {
    const open = await repository();
    const closed = await repository("private");
    await expect(subscribe(closed.events)).rejects.toThrow("no subscription");
    await expect(subscribe(open.events, "wrong")).rejects.toThrow("no subscription");
    await expect(subscribe(`${host.base}/api/v1/repos/acme/missing/events`, host.token)).rejects.toThrow(
      "no subscription",
    );
    const subscriber = await subscribe(closed.events, host.token);
    await closed.push("main:refs/heads/a");
    await vi.waitFor(() => expect(subscriber.messages).toHaveLength(1), WAIT);
    subscriber.close();
  });

  it("without headers, as in a browser, gets in with a ticket", async () => {
    const { path, events, push } = await repository("private");
    const other = await repository("private");
    const made = await api("POST", `${path}/events/tickets`);
    expect(made.status).toBe(201);
    const { ticket, expires_in } = await made.json<{ ticket: string; expires_in: number }>();
    expect(expires_in).toBe(60);
    const subscriber = await subscribe(`${events}?ticket=${ticket}&since=0`);
    await push("main:refs/heads/more");
    await vi.waitFor(() => expect(subscriber.messages).toHaveLength(2), WAIT);
    subscriber.close();
    expect((await fetch(`${events}/tickets`, { method: "POST" })).status).toBe(401);
    for (const url of [`${other.events}?ticket=${ticket}`, `${events}?ticket=x`, `${events}?ticket=${ticket}x`]) {
      const refused = await fetch(url);
      expect([url, refused.status]).toEqual([url, 401]);
    }
  });

  it("gets nothing for a ticket whose token has ended, not even of what was before", async () => {
    const { events, push } = await repository("private");
    await push("main:refs/heads/more");
    const made = await tenantApi("POST", "tokens", { name: "lent", scopes: ["repo:read"] });
    const { id, token } = await made.json<{ id: string; token: string }>();
    const asked = await fetch(`${events}/tickets`, { method: "POST", headers: { Authorization: `Bearer ${token}` } });
    expect(asked.status).toBe(201);
    const { ticket } = await asked.json<{ ticket: string }>();
    const url = `${events}?ticket=${ticket}`;
    const before = await subscribe(url);
    expect((await tenantApi("DELETE", `tokens/${id}`)).status).toBe(204);
    for (const since of ["", "&since=0", "&since=1", "&since=999"]) {
      expect([since, (await upgraded(url + since)).status]).toEqual([since, 401]);
    }
    await push("main:refs/heads/later");
    expect(await before.closed).toMatchObject({ code: 1008 });
    expect(before.messages).toEqual([]);
  });

  it("can only subscribe over a WebSocket", async () => {
    const { path } = await repository("private");
    const plain = await api("GET", `${path}/events`);
    expect(plain.status).toBe(426);
    expect(plain.headers.get("Content-Type")).toBe("application/problem+json");
    expect((await fetch(`${host.base}/api/v1/repos/${path}/events`)).status).toBe(401);
    expect((await api("POST", `${path}/events`)).status).toBe(405);
    for (const since of ["-1", "x", "1e3", "", "9".repeat(16)]) {
      const answer = await fetch(`${host.base}/api/v1/repos/${path}/events?since=${since}`, {
        headers: { Authorization: `Bearer ${host.token}`, Upgrade: "websocket" },
      }).catch(() => undefined);
      if (answer !== undefined) expect(answer.status).toBeGreaterThanOrEqual(400);
    }
  });

  it("is disconnected when the repository becomes private, unless it may read that, too", async () => {
    const { path, events, push } = await repository();
    const anybody = await subscribe(events);
    const operator = await subscribe(events, host.token);
    await api("PATCH", path, { visibility: "private" });
    expect(await anybody.closed).toMatchObject({ code: 1008 });
    await push("main:refs/heads/secret");
    await vi.waitFor(() => expect(operator.messages).toHaveLength(1), WAIT);
    expect(anybody.messages).toEqual([]);
    operator.close();
  });

  it("is disconnected when its token is revoked, before it is told anything more", async () => {
    const { path, events, push } = await repository("private");
    const tokens = `${host.base}/api/v1/tenants/acme/tokens`;
    const headers = { Authorization: `Bearer ${host.token}`, "Content-Type": "application/json" };
    const issue = async (): Promise<{ id: string; token: string }> => {
      const body = JSON.stringify({ name: "ci", scopes: ["repo:read"], repos: [path.split("/")[1]] });
      const answer = await fetch(tokens, { method: "POST", headers, body });
      expect(answer.status).toBe(201);
      return await answer.json<{ id: string; token: string }>();
    };
    const [kept, revoked] = [await issue(), await issue()];
    const stays = await subscribe(events, kept.token);
    const goes = await subscribe(events, revoked.token);
    await push("main:refs/heads/a");
    await vi.waitFor(() => expect([stays.messages.length, goes.messages.length]).toEqual([1, 1]), WAIT);
    expect((await fetch(`${tokens}/${revoked.id}`, { method: "DELETE", headers })).status).toBe(204);
    await push("main:refs/heads/b");
    await vi.waitFor(() => expect(stays.messages).toHaveLength(2), WAIT);
    await vi.waitFor(() => expect(goes.isOpen()).toBe(false), WAIT);
    expect(goes.messages).toHaveLength(1);
    await expect(subscribe(events, revoked.token)).rejects.toThrow("no subscription");
    stays.close();
  });

  it("is disconnected when the repository is deleted, and hears nothing of the next one", async () => {
    const { path, events, push } = await repository();
    const subscriber = await subscribe(events);
    await api("DELETE", path);
    await api("PUT", path, { visibility: "public" });
    const next = await subscribe(`${events}?since=1`);
    await push("main:refs/heads/new");
    expect(subscriber.isOpen()).toBe(false);
    expect(subscriber.messages).toEqual([]);
    // What it knows is another repository's: the numbers go on, so that it can be told.
    await vi.waitFor(() => expect(next.messages).toHaveLength(2), WAIT);
    expect(next.messages).toMatchObject([
      { type: "gap", since: 1 },
      { type: "ref", name: "refs/heads/new", seq: 2 },
    ]);
    next.close();
  });
});

it.runIf(process.env["LONG"] !== undefined)(
  "sends one away who never reads, and tells the others everything",
  async () => {
    const { path, events, first } = await repository();
    const quick = await subscribe(events);
    const { port } = new URL(host.base);
    const slow = connect(Number(port), "127.0.0.1");
    slow.write(
      `GET /api/v1/repos/${path}/events HTTP/1.1\r\nHost: localhost:${port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
    );
    slow.pause();
    const many = 6000;
    for (let at = 0; at < many; at += 500) {
      const commands = Array.from({ length: 500 }, (_, index) => ({
        name: `refs/heads/b${at + index}${"x".repeat(3000)}`,
        new: first,
      }));
      const answer = await send(`${withToken(`${host.base}/${path}.git`, host.token)}/git-receive-pack`, {
        method: "POST",
        headers: { "Content-Type": "application/x-git-receive-pack-request" },
        body: pushBody(commands, buildPack([])),
      });
      expect(answer.status).toBe(200);
    }
    await vi.waitFor(() => expect(quick.messages).toHaveLength(many), { timeout: WAIT_LIMIT, interval: 500 });
    let end = "";
    slow.on("data", (piece: Buffer) => (end = (end + piece.toString("latin1")).slice(-100)));
    slow.resume();
    // A close frame; this client does not answer it.
    await vi.waitFor(() => expect(end).toContain("Too slow. Come back with since."), WAIT);
    slow.destroy();
    quick.close();
  },
);

it("leaves places to subscribers of other addresses", async () => {
  const { events } = await repository();
  const from = async (address: string): Promise<{ status: number; retryAfter: string | null; detail: string }> => {
    const { socket, ...answer } = await upgraded(events, { "CF-Connecting-IP": address });
    if (socket !== undefined) open.push(socket);
    return answer;
  };
  const open: Duplex[] = [];
  for (let n = 0; n < MOST_OF_ADDRESS; n++) expect(await from("192.0.2.1")).toMatchObject({ status: 101 });
  const refused = await from("192.0.2.1");
  expect(refused).toMatchObject({ status: 429, retryAfter: "60" });
  expect(refused.detail).toContain("as many subscribers from this address as it may");
  expect(await from("192.0.2.2")).toMatchObject({ status: 101 });
  // A place is free when somebody leaves.
  open[0]?.destroy();
  await vi.waitFor(async () => expect(await from("192.0.2.1")).toMatchObject({ status: 101 }), WAIT);
  for (const socket of open) socket.destroy();
});

it("and 999 others are told of every move, once and in order", async () => {
  const { events, push } = await repository();
  // One address has a share of the places; the operator has not.
  const subscribers = await Promise.all(Array.from({ length: 1000 }, async () => await subscribe(events, host.token)));
  const names = ["a", "b", "c", "d", "e"].map((name) => `refs/heads/${name}`);
  for (const name of names) await push(`main:${name}`);
  await vi.waitFor(
    () => {
      for (const { messages } of subscribers) expect(messages).toHaveLength(names.length);
    },
    { timeout: WAIT_LIMIT, interval: 200 },
  );
  for (const { messages } of subscribers) {
    expect(messages.map(({ name }) => name)).toEqual(names);
    expect(messages.map(({ seq }) => seq)).toEqual([2, 3, 4, 5, 6]);
  }
  for (const subscriber of subscribers) subscriber.close();
  await Promise.all(subscribers.map(({ closed }) => closed));
});
