/**
 * The query of a page's address.
 *
 * @packageDocumentation
 */
import type { Context } from "hono";
import { percentDecoded } from "../http/content.ts";
import type { PageEnv } from "./page-host.ts";

/** Returns a query parameter, with one character per byte; "" if it is absent. */
export function queryBytes(context: Context<PageEnv>, name: string): string {
  const { search } = new URL(context.req.url);
  for (const pair of search.slice(1).split("&")) {
    const at = pair.indexOf("=");
    if (at >= 0 && pair.slice(0, at) === name) return percentDecoded(pair.slice(at + 1).replaceAll("+", " "));
  }
  return "";
}
