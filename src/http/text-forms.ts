/**
 * What a path asks for that may end in `.diff` or `.patch`. Both the API and the pages read it here.
 *
 * @packageDocumentation
 */
import type { Unanswered } from "../browse/browse-session.ts";
import { found } from "./content.ts";
import { Problem } from "./problem.ts";

/** A form of differences: the text of `git diff`, or mails of `git format-patch`. */
export type TextForm = "diff" | "patch";

/** What a path may ask for: revisions, and the form that its end names; `undefined` if it names none. */
export type AskedText<Revisions> = { readonly revisions: Revisions; readonly form: TextForm | undefined };

/**
 * Returns what a path may ask for. A revision may itself end in `.diff`, so the whole text comes first. A text that can be
 * no revision, as `main~2.patch`, is left out where the text before its end can be one.
 *
 * @throws Problem if neither can be one
 */
export function askedTexts<Revisions>(
  text: string,
  read: (text: string) => Revisions,
): readonly AskedText<Revisions>[] {
  const [ending = "", form] = /\.(diff|patch)$/.exec(text) ?? [];
  if (ending === "") return [{ revisions: read(text), form: undefined }];
  const cut = { text: text.slice(0, -ending.length), form: form === "diff" ? "diff" : "patch" } as const;
  const asked: AskedText<Revisions>[] = [];
  let refusal: Problem | undefined;
  for (const each of [{ text, form: undefined }, cut]) {
    try {
      asked.push({ revisions: read(each.text), form: each.form });
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      refusal = error;
    }
  }
  if (asked.length === 0 && refusal !== undefined) throw refusal;
  return asked;
}

/** Returns the first of them whose revisions are there, with what they are. @throws Problem if there is none */
export async function chosenText<
  Asked extends { readonly revisions: unknown },
  Named extends { readonly kind: "found" },
>(
  asked: readonly Asked[],
  resolve: (revisions: Asked["revisions"]) => Promise<Named | Unanswered>,
): Promise<{ readonly asked: Asked; readonly named: Named }> {
  let last: Unanswered | undefined;
  for (const each of asked) {
    const named = await resolve(each.revisions);
    if (named.kind === "found") return { asked: each, named };
    last = named;
  }
  // A path asks for something: there is a last one.
  const { detail, kind } = last ?? { kind: "missing", detail: "There is no such revision." };
  return found<never>({ kind, detail });
}
