/**
 * Pages that depend on nothing but content: the objects that they show, the settings of the repository, who looks, and the
 * release that renders them. Their tag is known before they are rendered, so a browser that has one is told so at once;
 * and what everybody may see is kept, so that it is rendered once.
 *
 * A page begins before it is known whether it will be whole. So each rendering has a tag of its own, and a note is kept for
 * those that became whole: a browser that has a page which lacks something is never told that it has all of it.
 *
 * @packageDocumentation
 * @see RFC 9110, section 8.8.3
 * @see RFC 9211
 */
import { createHash, randomBytes } from "node:crypto";
import type { Context } from "hono";
import { shownName } from "../access/names.ts";
import { toHex } from "../bytes/hex.ts";
import { isKnown } from "../http/content.ts";
import { type ContentPage, streamedPage } from "./content-page.tsx";
import { formTokenOf, pageHeaders } from "./page-answer.tsx";
import type { PageEnv } from "./page-host.ts";
import { type RepositoryPage, type ShownRevision, withRevision } from "./repository-request.ts";
import { twinTag } from "./twins.ts";

/** The most bytes of a page that is kept. */
const LARGEST_KEPT = 2 * 1024 * 1024;
/** Hexadecimal digits of a tag. A client could only mislead itself with another page of the same tag. */
const TAG_DIGITS = 32;
/** Bytes of what tells two renderings of a page apart. */
const SERIAL_BYTES = 8;
/** The content of a note that a rendering became whole. */
const NOTE = new ArrayBuffer(0);

/** Returns the name under which a page is kept. It is no secret, and two pages never share one. */
function keyOf(context: Context<PageEnv>, page: RepositoryPage, content: Uint8Array): string {
  const { page: host } = context.var;
  const parts = [
    host.build,
    host.sshPort ?? null,
    context.req.url,
    host.isSignedIn,
    formTokenOf(context),
    shownName(page.name),
    page.mayAdminister,
    page.showsUpstream,
    page.record,
    toHex(content),
  ];
  return createHash("sha256").update(JSON.stringify(parts)).digest("hex");
}

/** Returns the serial of the rendering that a client has, if it has one of the page with this tag. */
function serialIn(ifNoneMatch: string | undefined, tag: string): string | undefined {
  return new RegExp(`"${tag}-([0-9a-f]{${2 * SERIAL_BYTES}})"`).exec(ifNoneMatch ?? "")?.[1]; // A client need not have any.
}

/**
 * Answers with a page of some content (the raw name of an object, or any other bytes that stand for it): with nothing if the client has it,
 * with one that was kept, or with what `render` gives: a page that is then made, or another answer. It is called for a visitor that may see the
 * page, and never before that is known.
 */
export async function byContent(
  context: Context<PageEnv>,
  page: RepositoryPage,
  content: Uint8Array,
  render: () => Promise<Response | ContentPage>,
): Promise<Response> {
  const { page: host } = context.var;
  const key = keyOf(context, page, content);
  const tag = twinTag(context.req.raw, key.slice(0, TAG_DIGITS));
  const isShared = page.record.visibility === "public" && host.isAnonymous;
  const cacheControl = `${isShared ? "public" : "private"}, no-cache`;
  // Weak, as it is the same where only the bytes of a transfer differ.
  const headersWith = (name: string): Headers =>
    new Headers({ ...pageHeaders(context), "Cache-Control": cacheControl, ETag: `W/"${name}"` });
  const ifNoneMatch = context.req.header("If-None-Match");
  if (isKnown(ifNoneMatch, `"${tag}"`)) return new Response(null, { status: 304, headers: headersWith(tag) });
  const has = serialIn(ifNoneMatch, tag);
  if (has !== undefined && (await host.kept.read(`${key}-${has}`)) !== undefined)
    return new Response(null, { status: 304, headers: headersWith(`${tag}-${has}`) });
  const isGet = context.req.raw.method === "GET";
  const kept = isShared && isGet ? await host.kept.read(key) : undefined;
  if (kept !== undefined) {
    const headers = headersWith(tag);
    headers.set("Content-Length", String(kept.byteLength));
    headers.set("Cache-Status", "thinpack; hit");
    return new Response(kept, { headers });
  }
  const answer = await render();
  if (answer instanceof Response) {
    if (answer.status === 200) answer.headers.set("ETag", `W/"${tag}"`);
    return answer;
  }
  const serial = randomBytes(SERIAL_BYTES).toString("hex");
  const headers = headersWith(`${tag}-${serial}`);
  // What was known of the page only at its end, a HEAD request is told: it has no body that could have begun.
  if (!isGet) headers.delete("ETag");
  return await streamedPage(context, page, answer, {
    headers,
    mostGathered: isShared && isGet ? LARGEST_KEPT : 0,
    finish: async (bytes, length) => {
      if (!isGet) {
        headers.set("ETag", `W/"${tag}"`);
        headers.set("Content-Length", String(length));
        return;
      }
      if (bytes !== undefined) void host.kept.keep(key, bytes.buffer);
      // Whoever has the end of a page can have it confirmed.
      await host.kept.keep(`${key}-${serial}`, NOTE);
    },
  });
}

/** What renders a page of a revision, for {@link pageOfRevision}. */
export type RevisionRenderer = (
  context: Context<PageEnv>,
  page: RepositoryPage,
  shown: ShownRevision,
) => Promise<Response | ContentPage>;

/** Answers with a page that depends on the content of the revision in its address, and on nothing else. */
export async function pageOfRevision(context: Context<PageEnv>, render: RevisionRenderer): Promise<Response> {
  return await withRevision(context, async (page, shown) => {
    return await byContent(context, page, shown.object.name, async () => await render(context, page, shown));
  });
}
