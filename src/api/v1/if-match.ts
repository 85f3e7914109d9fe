/**
 * `If-Match`: a change is made only to what its author has seen.
 *
 * @packageDocumentation
 * @see RFC 9110, 13.1.1
 */
import type { Context } from "hono";
import { Problem } from "../../http/problem.ts";
import type { ApiEnv } from "../api-host.ts";

/** Returns the tags that the client takes; `undefined` if it takes any. */
export function expectedTags(context: Context<ApiEnv>): readonly string[] | undefined {
  const header = context.req.header("If-Match");
  if (header === undefined || header.trim() === "*") return undefined;
  // A weak tag never matches here, and stays what it is.
  return header.split(",").map((tag) => tag.trim().replace(/^"(.*)"$/, "$1"));
}

/** Whether the client asks for what it has seen, and nothing else. */
export function isConditional(context: Context<ApiEnv>): boolean {
  return expectedTags(context) !== undefined;
}

/** What is said where the settings are others by now. */
export const staleSettings = (): Problem =>
  new Problem(412, "The settings have changed since they were read: read them again.");

/** Checks what is there against what the client takes. @throws Problem */
export function assertCurrent(context: Context<ApiEnv>, tag: string): void {
  if (expectedTags(context)?.includes(tag) === false) throw staleSettings();
}
