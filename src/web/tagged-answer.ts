/**
 * Answers with a text and a tag that is made from it, so that a client which has the same text already is sent nothing.
 *
 * @packageDocumentation
 * @see RFC 9110, section 8.8.3
 */
import type { Context } from "hono";
import { contentTag } from "../bytes/content-tag.ts";
import { isKnown } from "../http/content.ts";
import type { PageEnv } from "./page-host.ts";
import { twinTag } from "./twins.ts";

const encoder = new TextEncoder();

/**
 * Answers with a text. Its length is told, so that nothing behind has to collect it to count it. Of a page, the text is its HTML also
 * where its Markdown is wanted.
 */
export function taggedAnswer(
  context: Context<PageEnv>,
  text: string,
  headers: Readonly<Record<string, string>>,
): Response {
  const tag = `"${twinTag(context.req.raw, contentTag(text))}"`;
  // Weak, as it is the same where only the bytes of a transfer differ.
  const tagged = { ...headers, ETag: `W/${tag}` };
  if (isKnown(context.req.header("If-None-Match"), tag)) return new Response(null, { status: 304, headers: tagged });
  const body = encoder.encode(text);
  return new Response(context.req.raw.method === "HEAD" ? null : body, {
    headers: { ...tagged, "Content-Length": String(body.length) },
  });
}
