/**
 * The forms in which differences are asked for: JSON, the text of `git diff`, or mails of `git format-patch`. The query
 * says which, or else the end of the path, or else `Accept`.
 *
 * @packageDocumentation
 */
import type { Context } from "hono";
import type { Unanswered } from "../../browse/browse-session.ts";
import { found } from "../../http/content.ts";
import { Problem } from "../../http/problem.ts";
import type { ApiEnv } from "../api-host.ts";
import { restOfPath } from "./content-request.ts";

const MAIL_TYPES = /\b(?:text\/x-patch|application\/vnd\.github\.patch)\b/;
const PATCH_TYPES = /\b(?:text\/x-(?:diff|patch)|application\/vnd\.github\.diff)\b/;

/** The forms of an answer. */
export type DiffFormat = "json" | "diff" | "patch";

/** What a path may ask for: the text that names revisions, and the form that the end of the path names. */
export type AskedForm = { readonly text: string; readonly format: DiffFormat };

/** What `Accept: text/x-patch` asks for: mails where they are what the path is of, and else what has no head. */
type PatchMeaning = "mails" | "differences";

/**
 * Returns the form that the query or a header asks for.
 *
 * @throws Problem
 */
function requestedFormat(context: Context<ApiEnv>, patches: PatchMeaning): DiffFormat {
  const formats = ["json", "diff", "patch"] as const;
  const named = context.req.query("format");
  if (named !== undefined) {
    const format = formats.find((known) => known === named);
    if (format === undefined) throw new Problem(422, `format: one of ${formats.join(", ")}`);
    return format;
  }
  const accepted = context.req.header("Accept") ?? "*/*";
  if (patches === "mails" && MAIL_TYPES.test(accepted)) return "patch";
  return PATCH_TYPES.test(accepted) ? "diff" : "json";
}

/**
 * Returns what the path may ask for. A revision may itself end in `.diff`, so the whole text comes first. Where the query
 * says the form, the end of the path says none.
 *
 * @throws Problem
 */
export function askedForms(context: Context<ApiEnv>, patches: PatchMeaning = "mails"): readonly AskedForm[] {
  const text = restOfPath(context);
  const whole = { text, format: requestedFormat(context, patches) };
  const [ending, form] = /\.(diff|patch)$/.exec(text) ?? [];
  if (ending === undefined || context.req.query("format") !== undefined) return [whole];
  return [whole, { text: text.slice(0, -ending.length), format: form === "diff" ? "diff" : "patch" }];
}

/** Returns the first form whose revisions are there, with what they are. @throws Problem if there is none */
export async function chosenForm<T extends { readonly kind: "found" }>(
  forms: readonly AskedForm[],
  resolve: (text: string) => Promise<T | Unanswered>,
): Promise<{ readonly format: DiffFormat; readonly named: T }> {
  let last: Unanswered | undefined;
  for (const { text, format } of forms) {
    const named = await resolve(text);
    if (named.kind === "found") return { format, named };
    last = named;
  }
  // A path asks for something: there is a last one.
  const { detail, kind } = last ?? { kind: "missing", detail: "There is no such revision." };
  return found<never>({ kind, detail });
}
