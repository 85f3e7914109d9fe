import { describe, expect, it } from "vitest";
import { parseOutgoingUrl } from "../../../src/access/outgoing-url.ts";
import { parseRetryAfter, UpstreamConnection } from "../../../src/mirror/upstream-connection.ts";
import type { UpstreamAnswer, UpstreamRequest } from "../../../src/mirror/upstream.ts";

const ADVERTISEMENT = { "content-type": "application/x-git-upload-pack-advertisement" };
const RESULT = { "content-type": "application/x-git-upload-pack-result; charset=x" };

type Scripted = { readonly status: number; readonly headers?: Record<string, string>; readonly body?: string };

function answerOf({ status, headers = {}, body = "" }: Scripted): UpstreamAnswer {
  let rest = body;
  return {
    status,
    header: (name) => headers[name.toLowerCase()],
    body: {
      read: async (buffer) => {
        const { read, written } = new TextEncoder().encodeInto(rest, buffer);
        rest = rest.slice(read);
        return buffer.subarray(0, written);
      },
    },
    cancel: async () => undefined,
  };
}

/** A connection whose upstream answers as scripted, and the requests that it made. */
function connection(
  upstream: string,
  script: readonly Scripted[],
): { connection: UpstreamConnection; sent: UpstreamRequest[] } {
  const sent: UpstreamRequest[] = [];
  const answers = [...script];
  const made = new UpstreamConnection({
    fetcher: {
      send: async (request) => {
        sent.push(request);
        return answerOf(answers.shift() ?? { status: 500 });
      },
    },
    upstream,
    checkUrl: (text, base) => parseOutgoingUrl(text, false, base),
    authorization: "Bearer secret",
    userAgent: "git/test",
    gzip: (bytes) => bytes.slice(0, 10),
    now: () => 0,
  });
  return { connection: made, sent };
}

const TAIL = "/info/refs?service=git-upload-pack";

describe("an upstream that is no smart HTTP server", () => {
  it.each([
    ["<html>", /answer is not git's smart HTTP/],
    ["", /answer is not git's smart HTTP/],
  ])("is told apart by what it answers: %j", async (body, why) => {
    const plain = { status: 200, headers: { "content-type": "text/plain" }, body };
    const { connection: made } = connection("https://plain.example.com/a.git", [plain]);
    await expect(made.discover("version=2")).rejects.toThrow(why);
  });
});

describe("an upstream that serves info/refs as a file", () => {
  it("is known by its first line, which is handed on", async () => {
    const body = `${"a".repeat(40)}\trefs/heads/main\n`;
    const plain = { status: 200, headers: { "content-type": "text/plain" }, body };
    const { connection: made } = connection("https://plain.example.com/a.git", [plain]);
    const found = await made.discover("version=2");
    expect(new TextDecoder().decode(found.plain)).toBe(body);
  });
});

describe("a redirect of an upstream", () => {
  it("is followed on the first request, and later requests go to its target", async () => {
    const { connection: made, sent } = connection("https://old.example.com/a.git", [
      { status: 301, headers: { location: `https://old.example.com/b${TAIL}` } },
      { status: 307, headers: { location: `/c.git${TAIL}` } },
      { status: 200, headers: ADVERTISEMENT },
      { status: 200, headers: RESULT },
    ]);
    await made.discover("version=2");
    await made.ask(new Uint8Array(5), { protocol: "version=2", mayCount: true });
    expect(sent.map(({ url }) => url.href)).toEqual([
      `https://old.example.com/a.git${TAIL}`,
      `https://old.example.com/b${TAIL}`,
      `https://old.example.com/c.git${TAIL}`,
      "https://old.example.com/c.git/git-upload-pack",
    ]);
    expect(sent.every(({ headers }) => headers["Authorization"] === "Bearer secret")).toBe(true);
  });

  it("to another origin drops the credentials for good", async () => {
    const { connection: made, sent } = connection("https://old.example.com/a.git", [
      { status: 302, headers: { location: `https://new.example.com/a.git${TAIL}` } },
      { status: 200, headers: ADVERTISEMENT },
      { status: 200, headers: RESULT },
    ]);
    await made.discover("version=2");
    await made.ask(new Uint8Array(5), { protocol: undefined, mayCount: true });
    expect(sent.map(({ headers }) => headers["Authorization"])).toEqual(["Bearer secret", undefined, undefined]);
  });

  it.each([
    [`http://old.example.com/a.git${TAIL}`, /has to begin with https/],
    [`https://127.0.0.1/a.git${TAIL}`, /public internet/],
    [`https://[::ffff:10.0.0.1]/a.git${TAIL}`, /public internet/],
    [`https://user:pw@old.example.com/a.git${TAIL}`, /Credentials/],
    ["https://old.example.com/login", /redirects to something else/],
    [undefined, /redirects to nowhere/],
  ])("to %s is refused", async (location, why) => {
    const { connection: made, sent } = connection("https://old.example.com/a.git", [
      { status: 302, headers: location === undefined ? {} : { location } },
    ]);
    await expect(made.discover("version=2")).rejects.toThrow(why);
    expect(sent).toHaveLength(1);
  });

  it("is refused on a later request", async () => {
    const { connection: made } = connection("https://old.example.com/a.git", [
      { status: 307, headers: { location: "/b.git/git-upload-pack" } },
    ]);
    await expect(made.ask(new Uint8Array(5), { protocol: undefined, mayCount: true })).rejects.toThrow(
      /may not be redirected/,
    );
  });
});

describe("UpstreamConnection", () => {
  it("compresses a long request, as git does", async () => {
    const { connection: made, sent } = connection("https://example.com/a.git/", [
      { status: 200, headers: RESULT },
      { status: 200, headers: RESULT },
    ]);
    await made.ask(new Uint8Array(1024), { protocol: undefined, mayCount: true });
    await made.ask(new Uint8Array(1025), { protocol: undefined, mayCount: true });
    expect(sent.map(({ headers }) => headers["Content-Encoding"])).toEqual([undefined, "gzip"]);
    expect(sent.map(({ body }) => body?.length)).toEqual([1024, 10]);
    expect(sent[0]?.url.href).toBe("https://example.com/a.git/git-upload-pack");
  });

  it("refuses a forbidden upstream before anything is sent", () => {
    expect(() => connection("https://localhost/a.git", [])).toThrow(/can't be asked/);
  });

  it("reads Retry-After in both its forms", () => {
    expect(parseRetryAfter("120", 0)).toBe(120_000);
    expect(parseRetryAfter("Thu, 01 Jan 1970 00:10:00 GMT", 60_000)).toBe(540_000);
    expect(parseRetryAfter("Thu, 01 Jan 1970 00:10:00 GMT", 3_600_000)).toBe(0);
    expect(parseRetryAfter("999999999", 0)).toBe(86_400_000);
    expect(parseRetryAfter("soon", 0)).toBeUndefined();
    expect(parseRetryAfter(undefined, 0)).toBeUndefined();
  });
});
