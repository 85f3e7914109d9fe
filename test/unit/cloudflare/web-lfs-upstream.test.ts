/** A mirror's upstream that answers a batch of Git LFS slowly, or with too much. */
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { webLfsUpstream } from "../../../src/cloudflare/web-lfs-upstream.ts";
import type { LfsUpstream } from "../../../src/lfs/lfs-upstream.ts";

const OBJECT = { oid: "1".repeat(64), size: 5 };
const ANSWER = JSON.stringify({ objects: [{ ...OBJECT, actions: { download: { href: "https://files.example/1" } } }] });

const upstream = (): LfsUpstream =>
  webLfsUpstream({
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
