/**
 * `If-Match`: a change is made only to the state that its author has seen. `If-None-Match`: what a client has is not
 * sent again.
 *
 * @packageDocumentation
 * @see RFC 9110, 13.1.1
 */
import type { Context } from "hono";
import { contentTag } from "../../bytes/content-tag.ts";
import { isKnown } from "../../http/content.ts";
import { Problem } from "../../http/problem.ts";
import type { ApiEnv } from "../api-host.ts";

/** The part of an `ETag` that tells whether anything has changed beside the settings. */
const OF_THE_REST = /-[0-9a-f]{16}$/;

/**
 * Answers with settings and what else is shown with them. The `ETag` has a part for the settings, which `If-Match`
 * compares, and a part for all that is shown, so that a client that has it all gets 304.
 */
export function answeredSettings(
  context: Context<ApiEnv>,
  shown: object,
  settingsTag: string,
  status: 200 | 201,
): Response {
  const etag = `"${settingsTag}-${contentTag(JSON.stringify(shown))}"`;
  const headers = { ETag: etag, "Cache-Control": "private, no-cache", Vary: "Authorization" };
  const isRead = context.req.method === "GET";
  if (isRead && isKnown(context.req.header("If-None-Match"), etag)) return context.body(null, 304, headers);
  return context.json(shown, status, isRead ? headers : { ...headers, "Cache-Control": "no-store" });
}

/** Returns the tags that the client accepts; `undefined` if it accepts any. */
export function expectedTags(context: Context<ApiEnv>): readonly string[] | undefined {
  const header = context.req.header("If-Match");
  if (header === undefined || header.trim() === "*") return undefined;
  // A weak tag never matches here, and is kept as it is.
  return header.split(",").map((tag) =>
    tag
      .trim()
      .replace(/^"(.*)"$/, "$1")
      .replace(OF_THE_REST, ""),
  );
}

/** Whether the client only accepts the state that it has seen. */
export function isConditional(context: Context<ApiEnv>): boolean {
  return expectedTags(context) !== undefined;
}

/** Returns the problem for settings that have changed since. */
export const staleSettings = (): Problem =>
  new Problem(412, "The settings have changed since they were read: read them again.");

/**
 * Checks the present tag against those that the client accepts.
 *
 * @throws Problem
 */
export function assertCurrent(context: Context<ApiEnv>, tag: string): void {
  if (expectedTags(context)?.includes(tag) === false) throw staleSettings();
}
