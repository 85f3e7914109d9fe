import { createServer, type RequestListener, type Server } from "node:http";
import { afterEach, describe, expect, it, vi } from "vitest";
import { LEAST_BYTES, webFetcher } from "../../../src/cloudflare/web-fetcher.ts";
import type { UpstreamAnswer } from "../../../src/mirror/upstream.ts";

let server: Server | undefined;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

async function serve(listener: RequestListener): Promise<URL> {
  const started = createServer(listener);
  server = started;
  await new Promise<void>((resolve) => started.listen(0, "127.0.0.1", resolve));
  const address = started.address();
  return new URL(`http://127.0.0.1:${typeof address === "object" ? address?.port : ""}/`);
}

const never = new AbortController().signal;
const patience = { first: 100, head: 1000, idle: 100, slow: 10_000, counting: 10_000 };
const get = (url: URL): { method: "GET"; url: URL; headers: Record<string, string> } => ({
  method: "GET",
  url,
  headers: { "X-Asked": "yes" },
});

it("returns head and body, and follows no redirect", async () => {
  const url = await serve((request, response) => {
    response.writeHead(302, { Location: "/elsewhere" });
    response.end(`asked: ${String(request.headers["x-asked"])}`);
  });
  const answer = await webFetcher(never).send(get(url));
  expect(answer.status).toBe(302);
  expect(answer.header("Location")).toBe("/elsewhere");
  expect(answer.header("X-None")).toBeUndefined();
  expect(Buffer.from(await answer.body.read(new Uint8Array(100))).toString()).toBe("asked: yes");
  expect(await answer.body.read(new Uint8Array(100))).toHaveLength(0);
});

it("does not wait forever for an answer to begin", async () => {
  const url = await serve(() => undefined);
  await expect(webFetcher(never, patience).send(get(url))).rejects.toThrow("does not answer in time");
});

it("waits longer for an answer that may have to be counted first, and not forever", async () => {
  const url = await serve((request, response) => {
    if (request.url !== "/slow") return;
    setTimeout(() => response.end("counted"), 300);
  });
  const post = (to: URL): Parameters<ReturnType<typeof webFetcher>["send"]>[0] => ({ ...get(to), method: "POST" });
  expect((await webFetcher(never, patience).send(post(new URL("/slow", url)))).status).toBe(200);
  await expect(webFetcher(never, patience).send(post(url))).rejects.toMatchObject({
    message: "The upstream does not answer in time.",
    retryAfter: 300_000,
  });
});

it("does not wait for an answer that trickles", async () => {
  let timer: ReturnType<typeof setInterval> | undefined;
  const url = await serve((_, response) => {
    response.writeHead(200);
    timer = setInterval(() => response.write("."), 10);
  });
  const answer = await webFetcher(never, { ...patience, first: 10_000, idle: 200 }).send(get(url));
  const all = async (): Promise<void> => {
    while ((await answer.body.read(new Uint8Array(100))).length > 0);
  };
  await expect(all()).rejects.toThrow("does not answer in time");
  clearInterval(timer);
});

it("reads on while enough comes, however long it takes in all", async () => {
  const url = await serve((_, response) => {
    response.writeHead(200);
    let count = 0;
    const timer = setInterval(() => {
      response.write(Buffer.alloc(LEAST_BYTES));
      if (++count < 10) return;
      clearInterval(timer);
      response.end();
    }, 50);
  });
  const answer = await webFetcher(never, { ...patience, first: 10_000, head: 10_000, idle: 2000 }).send(get(url));
  let size = 0;
  for (let piece = 1; piece > 0; size += piece) piece = (await answer.body.read(new Uint8Array(100))).length;
  expect(size).toBe(10 * LEAST_BYTES);
});

/** Serves {@link LEAST_BYTES} every 50 ms: alive, and slower than the least rate. */
async function dripping(): Promise<URL> {
  return await serve((_, response) => {
    response.writeHead(200);
    const timer = setInterval(() => {
      if (response.destroyed) clearInterval(timer);
      else response.write(Buffer.alloc(LEAST_BYTES));
    }, 50);
  });
}

/** Reads an answer to its end, or for so many pieces. */
async function readOn(answer: UpstreamAnswer, pieces = Infinity): Promise<void> {
  for (let count = 0; count < pieces; count++) {
    if ((await answer.body.read(new Uint8Array(100))).length === 0) return;
  }
}

it("gives up an answer whose bytes drip for longer than its credit, and a sync that makes many of them", async () => {
  const url = await dripping();
  const long = { ...patience, first: 10_000, head: 10_000, idle: 10_000 };
  const answer = await webFetcher(never, { ...long, slow: 300 }).send(get(url));
  await expect(readOn(answer)).rejects.toMatchObject({
    message: "The upstream sends too slowly: less than 4096 bytes per second.",
    retryAfter: 300_000,
  });
  const fetcher = webFetcher(never, { ...long, slow: 500 });
  const again = async (): Promise<void> => {
    for (let count = 0; count < 100; count++) await readOn(await fetcher.send(get(url)), 2);
  };
  await expect(again()).rejects.toThrow("too slowly");
});

it("has more patience with an upstream that may have to count objects", async () => {
  const url = await dripping();
  const long = { ...patience, first: 10_000, head: 10_000, idle: 10_000, slow: 100 };
  const fetcher = webFetcher(never, { ...long, counting: 10_000 });
  const answer = await fetcher.send({ ...get(url), method: "POST", mayCount: true });
  await readOn(answer, 10);
  const impatient = await webFetcher(never, { ...long, counting: 200 }).send({ ...get(url), mayCount: true });
  await expect(readOn(impatient)).rejects.toThrow("too slowly");
});

it("does not wait forever for an answer to go on", async () => {
  const url = await serve((_, response) => {
    response.writeHead(200);
    response.write("a little");
  });
  const answer = await webFetcher(never, patience).send(get(url));
  expect(await answer.body.read(new Uint8Array(100))).toHaveLength(8);
  await expect(answer.body.read(new Uint8Array(100))).rejects.toThrow("does not answer in time");
});

it("ends with the sync", async () => {
  const url = await serve(() => undefined);
  await expect(webFetcher(AbortSignal.timeout(50)).send(get(url))).rejects.toThrow("took too long");
});

it("reports that no server answers, and that an answer broke off", async () => {
  const url = await serve((request, response) => {
    if (request.url === "/gone") return request.socket.destroy();
    response.writeHead(200, { "Content-Length": "100" });
    response.write("a little");
    setTimeout(() => response.destroy(), 20);
    return undefined;
  });
  await expect(webFetcher(never).send(get(new URL("/gone", url)))).rejects.toThrow("can't be reached");
  const answer = await webFetcher(never).send(get(url));
  await expect(
    (async () => {
      while ((await answer.body.read(new Uint8Array(100))).length > 0);
    })(),
  ).rejects.toThrow("broke off");
});

describe("an upstream that gives several answers at once", () => {
  /** Bytes that an answer sends in a second, given the seconds since it began. */
  type Sending = (second: number) => number;

  /** Answers a request for `/n` as the sending with this number says, a second after the other, until it is called off. */
  function sending(...sendings: readonly Sending[]): void {
    vi.useFakeTimers();
    vi.stubGlobal("fetch", async (url: URL, { signal }: { readonly signal: AbortSignal }) => {
      const bytesAt = sendings[Number(url.pathname.slice(1))];
      let second = 0;
      const start = (controller: ReadableByteStreamController): void => {
        const timer = setInterval(() => {
          const bytes = bytesAt?.(second++) ?? 0;
          if (bytes > 0) controller.enqueue(new Uint8Array(bytes));
        }, 1000);
        signal.addEventListener("abort", () => {
          clearInterval(timer);
          controller.error(signal.reason);
        });
      };
      return new Response(new ReadableStream({ type: "bytes", start }));
    });
  }

  /** Reads so many bytes of each answer of one sync. Returns what became of each. */
  async function readAll(sizes: readonly number[]): Promise<unknown[]> {
    const fetcher = webFetcher(never);
    const read = async (size: number, at: number): Promise<string> => {
      const answer = await fetcher.send(get(new URL(`http://upstream.example/${at}`)));
      for (let left = size; left > 0;) left -= (await answer.body.read(new Uint8Array(65_536))).length;
      return "read";
    };
    const settled = Promise.allSettled(sizes.map(read));
    await vi.advanceTimersByTimeAsync(400_000);
    return (await settled).map((one) => (one.status === "fulfilled" ? one.value : String(one.reason.message)));
  }

  it("is read on while they come at the least rate together", async () => {
    const each: Sending = () => 3277;
    sending(each, each, each, each, each);
    expect(await readAll(Array.from({ length: 5 }, () => 3277 * 300))).toEqual(Array(5).fill("read"));
  });

  it("is given up where they come more slowly than that together", async () => {
    const each: Sending = () => 500;
    sending(each, each, each, each, each);
    const slow = "The upstream sends too slowly: less than 4096 bytes per second.";
    expect(await readAll(Array.from({ length: 5 }, () => 500 * 300))).toEqual(Array(5).fill(slow));
  });

  it("is waited for in one answer while another earns the time for it", async () => {
    // The first uses most of the credit up, and then earns it back. The second begins to wait before that.
    const first: Sending = (second) => (second < 50 ? 100 : 16_384);
    const second: Sending = (time) => (time < 45 ? 100 : time < 85 ? 0 : 16_384);
    sending(first, second);
    expect(await readAll([16_384 * 100, 16_384 * 60])).toEqual(["read", "read"]);
  });
});
