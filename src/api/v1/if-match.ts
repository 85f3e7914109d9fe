/**
 * `If-Match`: a change is made only to the state that its author has seen.
 *
 * @packageDocumentation
 * @see RFC 9110, 13.1.1
 */
import type { Context } from "hono";
import { Problem } from "../../http/problem.ts";
import type { ApiEnv } from "../api-host.ts";

/** Returns the tags that the client accepts; `undefined` if it accepts any. */
export function expectedTags(context: Context<ApiEnv>): readonly string[] | undefined {
  const header = context.req.header("If-Match");
  if (header === undefined || header.trim() === "*") return undefined;
  // A weak tag never matches here, and is kept as it is.
  return header.split(",").map((tag) => tag.trim().replace(/^"(.*)"$/, "$1"));
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
