/**
 * What the text of a block consists of.
 *
 * @packageDocumentation
 */

import type { Block } from "./block.ts";

/** A run of signs that may open or close an emphasis. */
export type Run = {
  readonly kind: "run";
  readonly sign: string;
  /** How many of the signs are left as text. */
  left: number;
  /** The elements that it opens, the innermost first, and those that it closes, the innermost first. */
  readonly opens: string[];
  readonly closes: string[];
};

/** A piece of a text. A `text` may have references to characters in it; a `literal` has none. */
export type Token =
  | { readonly kind: "text" | "literal" | "code" | "html"; readonly text: string }
  | { readonly kind: "link" | "image"; readonly href: string; readonly title: string; readonly alt: string }
  | { readonly kind: "autolink"; readonly href: string; readonly text: string }
  | { readonly kind: "footnote"; readonly block: Block }
  | { readonly kind: "endLink" | "break" }
  | Run;

/** Returns what tokens say without their markup. */
export function plainText(tokens: readonly Token[], from = 0): string {
  let text = "";
  for (let at = from; at < tokens.length; at++) {
    const token = tokens[at];
    if (token === undefined) break;
    switch (token.kind) {
      case "text":
      case "literal":
      case "code":
      case "autolink":
        text += token.text;
        break;
      case "run":
        text += token.sign.repeat(token.left);
        break;
      case "image":
        text += token.alt;
        break;
      case "break":
        text += " ";
        break;
      case "html":
      case "link":
      case "endLink":
      case "footnote":
        break;
    }
  }
  return text;
}
