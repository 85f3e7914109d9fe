/**
 * Forms: reading what they send, and knowing that they came from a page of the visitor's session.
 *
 * @packageDocumentation
 */
import type { Context } from "hono";
import { isOwnForm } from "../http/page-cookie.ts";
import { Problem } from "../http/problem.ts";
import type { PageEnv } from "./page-host.ts";

/** The most bytes of a form. */
const LONGEST_FORM = 16_384;

/** Reads the body of a form. @throws Problem */
export async function readForm(request: Request): Promise<URLSearchParams> {
  const type = request.headers.get("Content-Type") ?? ""; // A body without a type is no form.
  if (!type.startsWith("application/x-www-form-urlencoded")) throw new Problem(415, "This is not a form.");
  const length = Number(request.headers.get("Content-Length") ?? Infinity); // A body of unknown length may be too long.
  if (length > LONGEST_FORM) throw new Problem(413, "The form is too large.");
  return new URLSearchParams(await request.text());
}

/** Checks that a form came from a page of the visitor's session. @throws Problem */
export function assertOwnForm(context: Context<PageEnv>, form: URLSearchParams): void {
  const { secret } = context.var.page;
  const given = form.get("form") ?? ""; // A form without the field is refused.
  if (secret !== undefined && isOwnForm(given, context.req.raw.headers, secret)) return;
  throw new Problem(403, "This form is from another session. Load the page again.");
}
