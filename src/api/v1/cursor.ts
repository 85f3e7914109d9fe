/**
 * Cursors: the position where a list continues, as text that clients hand back and need not understand. They contain no
 * secret and give no right: their content is checked like any input.
 *
 * @packageDocumentation
 */
import type { Context } from "hono";
import * as v from "valibot";
import type { ApiEnv } from "../api-host.ts";
import { Problem } from "../../http/problem.ts";
import { textOf } from "../../object/byte-text.ts";

/** Bytes of the longest cursor. */
const MOST = 16_384;

/** Makes a cursor. */
export function formatCursor(value: object): string {
  // not all bytes as arguments of one call: a path may have more of them than a call takes
  return btoa(textOf(new TextEncoder().encode(JSON.stringify(value))))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");
}

/** Returns the `Link` header of a page that is not the last. */
export function nextLink({ req }: Context<ApiEnv>, cursor: string): string {
  const { origin, pathname, search } = new URL(req.url);
  // As text: names in the query need not be UTF-8.
  const kept = search
    .slice(1)
    .split("&")
    .filter((pair) => pair !== "" && !pair.startsWith("cursor="));
  return `<${origin}${pathname}?${[...kept, `cursor=${cursor}`].join("&")}>; rel="next"`;
}

/** Returns the members and the headers that lead to the next page; none at the end. */
export function nextPage(
  context: Context<ApiEnv>,
  cursor: string | undefined,
): { readonly member: { readonly cursor?: string }; readonly headers: { readonly Link?: string } } {
  if (cursor === undefined) return { member: {}, headers: {} };
  return { member: { cursor }, headers: { Link: nextLink(context, cursor) } };
}

/**
 * Parses a cursor; `undefined` if there is none.
 *
 * @throws Problem if it is not a cursor of this list.
 */
export function parseCursor<Schema extends v.GenericSchema>(
  cursor: string | undefined,
  schema: Schema,
): v.InferOutput<Schema> | undefined {
  if (cursor === undefined || cursor === "") return undefined;
  const parsed = cursor.length > MOST ? undefined : v.safeParse(schema, decoded(cursor));
  if (parsed?.success !== true) throw new Problem(422, "cursor: not one that this list gave");
  return parsed.output;
}

function decoded(cursor: string): unknown {
  try {
    const text = atob(cursor.replaceAll("-", "+").replaceAll("_", "/"));
    return JSON.parse(new TextDecoder().decode(Uint8Array.from(text, (c) => c.charCodeAt(0))));
  } catch {
    return undefined;
  }
}
