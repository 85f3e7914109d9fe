/** A mirror's upstream that answers a batch of Git LFS slowly, or with too much. */
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { webLfsUpstream } from "../../../src/cloudflare/web-lfs-upstream.ts";
import type { LfsUpstream } from "../../../src/lfs/lfs-upstream.ts";

const OBJECT = { oid: "1".repeat(64), size: 5 };
const ANSWER = JSON.stringify({ objects: [{ ...OBJECT, actions: { download: { href: "https://files.example/1" } } }] });

const upstream = (deadline?: AbortSignal): LfsUpstream =>
  webLfsUpstream({
    ...(deadline === undefined ? {} : { deadline }),
    upstream: "https://upstream.example/a/b",
    authorization: undefined,
    userAgent: "test",
    checkUrl: (text, base) => ({ kind: "allowed", url: new URL(text, base) }),
    mostBytes: async () => undefined,
  });

/** Answers every request with pieces, and tells whether the rest was called off. */
function answering(pieces: readonly string[], ends: boolean): { cancelled: boolean } {
  const state = { cancelled: false };
  const left = [...pieces];
  const pull = (controller: ReadableStreamDefaultController<Uint8Array>): void | Promise<void> => {
    const piece = left.shift();
    if (piece !== undefined) return controller.enqueue(new TextEncoder().encode(piece));
    if (ends) return controller.close();
    return new Promise(() => undefined);
  };
  const cancel = (): void => {
    state.cancelled = true;
  };
  vi.stubGlobal("fetch", async () => new Response(new ReadableStream({ pull, cancel }, { highWaterMark: 0 })));
  return state;
}

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

it("an answer is read in whatever pieces it comes", async () => {
  answering(ANSWER.split(""), true);
  expect((await upstream().offers([OBJECT]))?.size).toBe(1);
});

it.each([
  ["sends only headers", []],
  ["stops in the middle", [ANSWER.slice(0, 20)]],
])("an upstream that %s has nothing, and is called off", async (_, pieces) => {
  const state = answering(pieces, false);
  const offered = upstream().offers([OBJECT]);
  await vi.advanceTimersByTimeAsync(15_000);
  expect(await offered).toBeUndefined();
  expect(state.cancelled).toBe(true);
  expect(vi.getTimerCount()).toBe(0);
});

it("an answer without an end is read as far as its bound", async () => {
  const state = answering(
    Array.from({ length: 40 }, () => " ".repeat(64 * 1024)),
    true,
  );
  expect(await upstream().offers([OBJECT])).toBeUndefined();
  expect(state.cancelled).toBe(true);
});

/** Stands for the platform's stream of a fixed length: no test here sends another one. */
class AnyLengthStream extends TransformStream<Uint8Array, Uint8Array> {
  constructor(_length: number) {
    super();
  }
}

describe("a file", () => {
  const FILE = { oid: OBJECT.oid, size: 1_000_000 };
  const LISTED = ANSWER.replace('"size":5', `"size":${FILE.size}`);

  /** Lists one file, and sends it in pieces of so many bytes, a second apart. Returns whether it was called off. */
  function sending(bytes: number): { cancelled: boolean } {
    const state = { cancelled: false };
    const pull = async (controller: ReadableByteStreamController): Promise<void> => {
      await new Promise((resolve) => setTimeout(resolve, 1000));
      if (!state.cancelled) controller.enqueue(new Uint8Array(bytes));
    };
    const cancel = (): void => {
      state.cancelled = true;
    };
    vi.stubGlobal("FixedLengthStream", AnyLengthStream);
    vi.stubGlobal("fetch", async (_: URL, { method }: RequestInit) =>
      method === "POST" ? new Response(LISTED) : new Response(new ReadableStream({ type: "bytes", pull, cancel })),
    );
    return state;
  }

  /** Reads it until it breaks off, or so much has come. Returns the bytes and the seconds. */
  async function read(from: LfsUpstream): Promise<{ bytes: number; seconds: number; error?: unknown }> {
    const began = Date.now();
    let bytes = 0;
    const reading = (async () => {
      const body = await from.open(FILE);
      for await (const piece of body ?? []) {
        bytes += piece.length;
        if (bytes >= FILE.size) break;
      }
    })();
    const seconds = (): number => (Date.now() - began) / 1000;
    const ended = reading.then(
      () => ({ bytes, seconds: seconds() }),
      (error: unknown) => ({ error, bytes, seconds: seconds() }),
    );
    await vi.runAllTimersAsync();
    return await ended;
  }

  it("that comes a few bytes at a time is given up after a minute, and called off", async () => {
    const state = sending(10);
    const { error, seconds } = await read(upstream());
    expect([error, Math.round(seconds), state.cancelled]).toEqual([expect.any(Error), 60, true]);
  });

  it("that comes at the least rate is passed on, however long that takes", async () => {
    sending(5000);
    const { error, seconds } = await read(upstream());
    expect([error, seconds]).toEqual([undefined, 200]);
  });

  it("that has not come by the deadline of its job is given up", async () => {
    const state = sending(5000);
    const job = new AbortController();
    setTimeout(() => job.abort(new Error("late")), 20_500);
    const { error, bytes } = await read(upstream(job.signal));
    expect([error, bytes, state.cancelled]).toEqual([expect.any(Error), 100_000, true]);
  });

  it("is not asked for once the deadline of its job has passed", async () => {
    sending(5000);
    const { error, bytes } = await read(upstream(AbortSignal.abort(new Error("late"))));
    expect([error, bytes]).toEqual([undefined, 0]);
  });

  it("is called off where the deadline of its job passes before it begins", async () => {
    const state = sending(5000);
    const job = new AbortController();
    const answer: typeof fetch = fetch;
    vi.stubGlobal("fetch", async (url: URL, init: RequestInit) => {
      if (init.method !== "POST") job.abort(new Error("late"));
      return await answer(url, init);
    });
    const { error, bytes } = await read(upstream(job.signal));
    expect([error, bytes, state.cancelled]).toEqual([undefined, 0, true]);
  });
});
