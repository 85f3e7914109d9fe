/**
 * Cursors: the position where a list continues, as text that clients hand back and need not understand. They contain no
 * secret and give no right: their content is checked like any input.
 *
 * @packageDocumentation
 */
import * as v from "valibot";
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
