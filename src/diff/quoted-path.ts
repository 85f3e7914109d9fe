/**
 * Paths in patches. A path with unusual bytes stands in quotes, as with `core.quotePath`.
 *
 * @packageDocumentation
 * @see git-config(1), `core.quotePath`
 */

const ESCAPES: Readonly<Record<string, string>> = {
  "\x07": "\\a",
  "\b": "\\b",
  "\t": "\\t",
  "\n": "\\n",
  "\v": "\\v",
  "\f": "\\f",
  "\r": "\\r",
  '"': '\\"',
  "\\": "\\\\",
};
/** Characters of the longest path that is read from quotes: 4096 bytes, each as an escape, and the quotes. */
const LONGEST_QUOTED = 16_386;
// eslint-disable-next-line eslint/no-control-regex -- control characters are what is looked for
const UNUSUAL = /[\x00-\x1f"\\\x7f-\xff]/;

/** Returns a path, one character per byte, as patches show it. */
export function quotedPath(path: string): string {
  if (!UNUSUAL.test(path)) return path;
  const escaped = Array.from(path, (c) => {
    if (!UNUSUAL.test(c)) return c;
    return ESCAPES[c] ?? `\\${c.charCodeAt(0).toString(8).padStart(3, "0")}`;
  });
  return `"${escaped.join("")}"`;
}

const UNESCAPES: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(ESCAPES).map(([character, escape]) => [escape, character]),
);

/** A path in quotes at the beginning of a text: without its quotes, and the characters that it takes with them. */
export type QuotedPath = { readonly path: string; readonly length: number };

const QUOTED = /^"((?:[^"\\]|\\(?:[abfnrtv\\"]|[0-3][0-7]{2}))*)"/;

/** Returns the path in quotes at the beginning of a text, one character per byte; `undefined` if there is none. */
export function quotedAt(text: string): QuotedPath | undefined {
  if (!text.startsWith('"')) return undefined;
  const [whole, quoted] = QUOTED.exec(text.slice(0, LONGEST_QUOTED)) ?? [];
  if (whole === undefined || quoted === undefined) return undefined;
  const path = quoted.replaceAll(/\\([0-7]{3}|.)/g, (escape, code: string) => {
    return UNESCAPES[escape] ?? String.fromCharCode(Number.parseInt(code, 8));
  });
  return { path, length: whole.length };
}
