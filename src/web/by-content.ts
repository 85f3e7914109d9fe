/**
 * Pages that depend on nothing but content: the objects that they show, the settings of the repository, who looks, and the
 * release that renders them. Their tag is known before they are rendered, so a browser that has one is told so at once;
 * and what everybody may see is kept, so that it is rendered once.
 *
 * @packageDocumentation
 * @see RFC 9211
 */
import { createHash } from "node:crypto";
import type { Context } from "hono";
import { shownName } from "../access/names.ts";
import { toHex } from "../bytes/hex.ts";
import { isKnown } from "../http/content.ts";
import { formTokenOf, pageHeaders } from "./page-answer.tsx";
import type { PageEnv } from "./page-host.ts";
import { type RepositoryPage, type ShownRevision, withRevision } from "./repository-request.ts";

/** The most bytes of a page that is kept. */
const LARGEST_KEPT = 2 * 1024 * 1024;
/** Hexadecimal digits of a tag. A client could only mislead itself with another page of the same tag. */
const TAG_DIGITS = 32;

/** What a page says of itself when it was rendered. */
export type Rendering = {
  /** Whether something was left out that a later request might find. Such a page is made anew each time. */
  isPartial: boolean;
};

/** Returns the name under which a page is kept. It is no secret, and two pages never share one. */
function keyOf(context: Context<PageEnv>, page: RepositoryPage, object: Uint8Array): string {
  const { page: host } = context.var;
  const parts = [
    host.version,
    host.sshPort ?? null,
    context.req.url,
    host.isSignedIn,
    formTokenOf(context),
    shownName(page.name),
    page.mayAdminister,
    page.showsUpstream,
    page.record,
    toHex(object),
  ];
  return createHash("sha256").update(JSON.stringify(parts)).digest("hex");
}

/**
 * Answers with a page of an object (raw name): with nothing if the client has it, with one that was kept, or with what
 * `render` makes. It is called for a visitor that may see the page, and never before that is known.
 */
export async function byContent(
  context: Context<PageEnv>,
  page: RepositoryPage,
  object: Uint8Array,
  render: (rendering: Rendering) => Promise<Response>,
): Promise<Response> {
  const { page: host } = context.var;
  const key = keyOf(context, page, object);
  const tag = `"${key.slice(0, TAG_DIGITS)}"`;
  const isShared = page.record.visibility === "public" && host.isAnonymous;
  const cacheControl = `${isShared ? "public" : "private"}, no-cache`;
  // Weak, as it is the same where only the bytes of a transfer differ.
  const headers = { ...pageHeaders(context), "Cache-Control": cacheControl, ETag: `W/${tag}` };
  if (isKnown(context.req.header("If-None-Match"), tag)) return new Response(null, { status: 304, headers });
  const isKept = isShared && context.req.raw.method === "GET";
  const kept = isKept ? await host.kept.read(key) : undefined;
  if (kept !== undefined) {
    const length = String(kept.byteLength);
    return new Response(kept, { headers: { ...headers, "Content-Length": length, "Cache-Status": "thinpack; hit" } });
  }
  const rendering: Rendering = { isPartial: false };
  const answer = await render(rendering);
  if (answer.status !== 200 || rendering.isPartial) return answer;
  answer.headers.set("ETag", headers.ETag);
  // A page that is streamed says no length.
  const length = Number(answer.headers.get("Content-Length") ?? Infinity); // It is too long to be kept, as far as we know.
  if (isKept && length <= LARGEST_KEPT) host.kept.keep(key, await answer.clone().arrayBuffer());
  return answer;
}

/** What renders a page of a revision, for {@link pageOfRevision}. */
export type RevisionRenderer = (
  context: Context<PageEnv>,
  page: RepositoryPage,
  shown: ShownRevision,
  rendering: Rendering,
) => Promise<Response>;

/** Answers with a page that depends on the content of the revision in its address, and on nothing else. */
export async function pageOfRevision(context: Context<PageEnv>, render: RevisionRenderer): Promise<Response> {
  return await withRevision(context, async (page, shown) => {
    return await byContent(context, page, shown.object.name, async (rendering) => {
      return await render(context, page, shown, rendering);
    });
  });
}
