/**
 * The forms in which differences are asked for: JSON, the text of `git diff`, or mails of `git format-patch`. The query
 * says which, or else the end of the path, or else `Accept`.
 *
 * @packageDocumentation
 */
import type { Context } from "hono";
import { Problem } from "../../http/problem.ts";
import { askedTexts } from "../../http/text-forms.ts";
import type { ApiEnv } from "../api-host.ts";
import { restOfPath } from "./content-request.ts";

const MAIL_TYPES = /\b(?:text\/x-patch|application\/vnd\.github\.patch)\b/;
const PATCH_TYPES = /\b(?:text\/x-(?:diff|patch)|application\/vnd\.github\.diff)\b/;

/** The forms of an answer. */
export type DiffFormat = "json" | "diff" | "patch";

/** What a path may ask for: revisions, and the form of the answer. */
export type AskedForm<Revisions> = { readonly revisions: Revisions; readonly format: DiffFormat };

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
 * Returns what the path may ask for, by {@link askedTexts}. Where the query says the form, the end of the path says none.
 *
 * @throws Problem
 */
export function askedForms<Revisions>(
  context: Context<ApiEnv>,
  read: (text: string) => Revisions,
  patches: PatchMeaning = "mails",
): readonly AskedForm<Revisions>[] {
  const text = restOfPath(context);
  const format = requestedFormat(context, patches);
  if (context.req.query("format") !== undefined) return [{ revisions: read(text), format }];
  return askedTexts(text, read).map(({ revisions, form }) => ({ revisions, format: form ?? format })); // A path without an end takes what the header says.
}
