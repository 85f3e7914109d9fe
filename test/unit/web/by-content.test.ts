/**
 * Pages by content: what a browser or the host has already is not rendered again, nobody gets what was rendered for others, and a
 * page that lacks something is never taken for whole.
 */
import { Hono } from "hono";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { BrowseSession } from "../../../src/browse/browse-session.ts";
import type { Host } from "../../../src/http/host.ts";
import { Traffic } from "../../../src/http/traffic.ts";
import type { PageEnv, PageHost } from "../../../src/web/page-host.ts";
import { byContent } from "../../../src/web/by-content.ts";
import type { RepositoryPage } from "../../../src/web/repository-request.ts";
import { TestStore } from "../../support/store.ts";

type Visit = {
  readonly object?: number;
  readonly isAnonymous?: boolean;
  readonly visibility?: string;
  readonly description?: string;
  readonly build?: string;
  readonly isPartial?: boolean;
  readonly length?: number;
  readonly path?: string;
  readonly etag?: string;
  readonly method?: string;
  readonly hasDifferences?: boolean;
};

beforeAll(() => {
  // The streams of workerd that pass on what is written have the same parts.
  vi.stubGlobal("IdentityTransformStream", TransformStream);
});
afterAll(() => {
  vi.unstubAllGlobals();
});

/** An answer that has come whole. */
type Answer = { readonly status: number; readonly headers: Headers; readonly html: string };

/** A host that remembers pages, and counts what is rendered. */
function bed(): {
  readonly visit: (visit?: Visit) => Promise<Answer>;
  readonly rendered: () => number;
  readonly store: TestStore;
} {
  const kept = new Map<string, ArrayBuffer>();
  const store = new TestStore();
  let rendered = 0;
  const visit = async (asked: Visit = {}): Promise<Answer> => {
    const { object = 1, isAnonymous = true, visibility = "public", build = "1", isPartial = false } = asked;
    const page = {
      build,
      secret: undefined,
      isAnonymous,
      isSignedIn: !isAnonymous,
      kept: {
        read: async (key: string) => await Promise.resolve(kept.get(key)),
        keep: async (key: string, bytes: ArrayBuffer) => await Promise.resolve(void kept.set(key, bytes)),
      },
    } as unknown as PageHost;
    const host = { traffic: new Traffic(), until: () => undefined } as unknown as Host;
    const session = await BrowseSession.open(store.repository(), store.answer(new Uint8Array(0)));
    const shown: RepositoryPage = {
      name: { tenant: "acme", repo: "shown" },
      record: { id: "1", visibility, description: asked.description ?? "" },
      mayAdminister: false,
      showsUpstream: false,
      session,
      handOver: () => undefined,
    } as unknown as RepositoryPage;
    const app = new Hono<PageEnv>();
    app.all("*", async (context) => {
      context.set("page", page);
      context.set("host", host);
      return await byContent(context, shown, new Uint8Array([object]), async () => ({
        tab: "files",
        hasDifferences: asked.hasDifferences === true,
        content: async (rendering) => {
          rendered++;
          rendering.isPartial = isPartial;
          return [`page ${rendered}`, "x".repeat(asked.length ?? 0)];
        },
      }));
    });
    const headers: HeadersInit = asked.etag === undefined ? {} : { "If-None-Match": asked.etag };
    const init = { headers, method: asked.method ?? "GET" };
    const answer = await app.request(asked.path ?? "/acme/shown/tree/main", init);
    const html = await answer.text();
    session.close();
    return { status: answer.status, headers: answer.headers, html };
  };
  return { visit, rendered: () => rendered, store };
}

describe("a page by content", () => {
  it("is not rendered for a browser that has it", async () => {
    const { visit, rendered } = bed();
    for (const isAnonymous of [true, false]) {
      const etag = (await visit({ isAnonymous })).headers.get("ETag") ?? "";
      expect(etag).toMatch(/^W\/"[0-9a-f]{32}-[0-9a-f]{16}"$/);
      const before = rendered();
      const again = await visit({ isAnonymous, etag });
      expect([again.status, again.headers.get("ETag"), rendered()]).toEqual([304, etag, before]);
    }
  });

  it("is rendered once for all who are not signed in", async () => {
    const { visit, rendered } = bed();
    const { html } = await visit();
    expect(html).toMatch(/^<!doctype html>.*page 1.*<\/html>$/s);
    const second = await visit();
    expect([second.html, second.headers.get("Cache-Status")]).toEqual([html, "thinpack; hit"]);
    expect(second.headers.get("Content-Security-Policy")).toContain("default-src 'none'");
    const etag = second.headers.get("ETag") ?? "";
    expect(etag).toMatch(/^W\/"[0-9a-f]{32}"$/);
    expect((await visit({ etag })).status).toBe(304);
    expect(rendered()).toBe(1);
  });

  it.each<[string, Visit]>([
    ["another object", { object: 2 }],
    ["another address", { path: "/acme/shown/tree/main?x" }],
    ["other settings", { description: "new" }],
    ["another build", { build: "2" }],
    ["somebody who signed in", { isAnonymous: false }],
    ["a private repository", { visibility: "private" }],
    ["a HEAD request", { method: "HEAD" }],
  ])("is not what is kept for %s", async (_, other) => {
    const { visit, rendered } = bed();
    await visit();
    expect((await visit(other)).headers.get("Cache-Status")).toBeNull();
    expect(rendered()).toBe(2);
  });

  it.each<[string, Visit]>([
    ["is private", { visibility: "private" }],
    ["is for somebody who signed in", { isAnonymous: false }],
    ["lacks something", { isPartial: true }],
    ["is very large", { length: 3 * 1024 * 1024 }],
  ])("is not kept where it %s", async (_, asked) => {
    const { visit, rendered } = bed();
    await visit(asked);
    expect((await visit(asked)).headers.get("Cache-Status")).toBeNull();
    expect(rendered()).toBe(2);
  });

  it("that lacks something is not taken for whole by a browser, whoever gets a whole one meanwhile", async () => {
    const { visit, rendered } = bed();
    const partial = (await visit({ isPartial: true })).headers.get("ETag") ?? "";
    expect((await visit({ isPartial: true, etag: partial })).status).toBe(200);
    const whole = (await visit()).headers.get("ETag") ?? "";
    expect((await visit({ etag: partial })).status).toBe(200);
    expect((await visit({ etag: `"other", ${whole}` })).status).toBe(304);
    expect((await visit({ etag: whole.replace(/-\w+/, `-${"0".repeat(16)}`) })).status).toBe(200);
    expect(rendered()).toBe(3);
  });

  it("tells a HEAD request what is known at its end", async () => {
    const { visit } = bed();
    const { html } = await visit({ isAnonymous: false });
    const head = await visit({ isAnonymous: false, method: "HEAD" });
    expect([head.status, head.html, head.headers.get("Content-Length")]).toEqual([200, "", String(html.length)]);
    const etag = head.headers.get("ETag") ?? "";
    expect((await visit({ isAnonymous: false, etag })).status).toBe(304);
    const partial = await visit({ isPartial: true, method: "HEAD", object: 2 });
    expect([partial.headers.get("ETag"), partial.headers.get("Content-Length")]).toEqual([null, null]);
  });

  it("makes no differences for a HEAD request, which is told neither a length nor a tag", async () => {
    const { visit, rendered } = bed();
    const head = await visit({ method: "HEAD", hasDifferences: true });
    expect([head.status, head.html, rendered()]).toEqual([200, "", 0]);
    expect([head.headers.get("ETag"), head.headers.get("Content-Length")]).toEqual([null, null]);
    expect(head.headers.get("Content-Type")).toBe("text/html; charset=utf-8");
    expect((await visit({ hasDifferences: true })).html).toContain("page 1");
  });
});
