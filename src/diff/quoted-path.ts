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

/** Returns the path that stands in a patch, in quotes or not, with one character per byte. */
export function unquotedPath(text: string): string {
  if (!text.startsWith('"') || !text.endsWith('"')) return text;
  return text.slice(1, -1).replaceAll(/\\([0-3][0-7]{2}|.)/g, (escape, code: string) => {
    return UNESCAPES[escape] ?? (code.length === 3 ? String.fromCharCode(Number.parseInt(code, 8)) : escape);
  });
}
