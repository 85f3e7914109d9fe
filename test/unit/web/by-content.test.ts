/**
 * Pages by content: what a browser or the host has already is not rendered again, and nobody gets what was rendered for
 * others.
 */
import { Hono } from "hono";
import { describe, expect, it } from "vitest";
import type { PageEnv, PageHost } from "../../../src/web/page-host.ts";
import { byContent } from "../../../src/web/by-content.ts";
import type { RepositoryPage } from "../../../src/web/repository-request.ts";

type Visit = {
  readonly object?: number;
  readonly isAnonymous?: boolean;
  readonly visibility?: string;
  readonly description?: string;
  readonly version?: string;
  readonly isPartial?: boolean;
  readonly length?: number;
  readonly path?: string;
  readonly etag?: string;
  readonly method?: string;
};

/** A host that remembers pages, and counts what is rendered. */
function bed(): { readonly visit: (visit?: Visit) => Promise<Response>; readonly rendered: () => number } {
  const kept = new Map<string, ArrayBuffer>();
  let rendered = 0;
  const visit = async (asked: Visit = {}): Promise<Response> => {
    const { object = 1, isAnonymous = true, visibility = "public", version = "1", isPartial = false } = asked;
    const host = {
      version,
      secret: undefined,
      isAnonymous,
      isSignedIn: !isAnonymous,
      kept: {
        read: async (key: string) => await Promise.resolve(kept.get(key)),
        keep: (key: string, bytes: ArrayBuffer) => void kept.set(key, bytes),
      },
    } as unknown as PageHost;
    const page = {
      name: { tenant: "acme", repo: "shown" },
      record: { id: "1", visibility, description: asked.description },
      mayAdminister: false,
      showsUpstream: false,
    } as unknown as RepositoryPage;
    const app = new Hono<PageEnv>();
    app.all("*", async (context) => {
      context.set("page", host);
      return await byContent(context, page, new Uint8Array([object]), async (rendering) => {
        rendered++;
        rendering.isPartial = isPartial;
        const body = `page ${rendered}`;
        const length = String(asked.length ?? body.length);
        return await Promise.resolve(new Response(body, { headers: { "Content-Length": length, ETag: '"text"' } }));
      });
    });
    const headers: HeadersInit = asked.etag === undefined ? {} : { "If-None-Match": asked.etag };
    return await app.request(asked.path ?? "/acme/shown/tree/main", { headers, method: asked.method ?? "GET" });
  };
  return { visit, rendered: () => rendered };
}

describe("a page by content", () => {
  it("is not rendered for a browser that has it", async () => {
    const { visit, rendered } = bed();
    for (const isAnonymous of [true, false]) {
      const etag = (await visit({ isAnonymous })).headers.get("ETag") ?? "";
      expect(etag).toMatch(/^W\/"[0-9a-f]{32}"$/);
      const before = rendered();
      const again = await visit({ isAnonymous, etag });
      expect([again.status, again.headers.get("ETag"), rendered()]).toEqual([304, etag, before]);
    }
  });

  it("is rendered once for all who are not signed in", async () => {
    const { visit, rendered } = bed();
    const first = await (await visit()).text();
    const second = await visit();
    expect([await second.text(), second.headers.get("Cache-Status")]).toEqual([first, "thinpack; hit"]);
    expect(second.headers.get("Content-Security-Policy")).toContain("default-src 'none'");
    expect(rendered()).toBe(1);
  });

  it.each<[string, Visit]>([
    ["another object", { object: 2 }],
    ["another address", { path: "/acme/shown/tree/main?x" }],
    ["other settings", { description: "new" }],
    ["another release", { version: "2" }],
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
    ["says no length", { length: Number.NaN }],
  ])("is not kept where it %s", async (_, asked) => {
    const { visit, rendered } = bed();
    await visit(asked);
    await visit(asked);
    expect(rendered()).toBe(2);
  });

  it("that lacks something is not taken for whole by a browser", async () => {
    const { visit, rendered } = bed();
    const whole = (await visit()).headers.get("ETag") ?? "";
    expect((await visit({ isPartial: true, object: 2 })).headers.get("ETag")).toBe('"text"');
    expect((await visit({ etag: whole })).status).toBe(304);
    expect(rendered()).toBe(2);
  });
});
