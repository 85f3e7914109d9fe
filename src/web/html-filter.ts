/**
 * The HTML that a document may become. It is the last step, whatever made the HTML: nothing is passed on as it is. Each
 * tag is read, and written anew if it is one of a list, with the attributes of a list and with values that are escaped
 * here. Whatever is not understood is shown as text. Tags that are left open are closed, so that a document can't change
 * the page around it.
 *
 * @packageDocumentation
 * @see https://github.github.com/gfm/#html-blocks
 */

/** Elements that may be there, and whether they have an end tag. */
const ELEMENTS: ReadonlyMap<string, boolean> = new Map([
  ...[
    ..."a abbr b bdi blockquote caption cite code dd del details dfn div dl dt em figcaption figure h1 h2 h3 h4 h5".split(
      " ",
    ),
    ..."h6 i ins kbd li mark ol p picture pre q rp rt ruby s samp small span strike strong sub summary sup table".split(
      " ",
    ),
    ..."tbody td tfoot th thead tr tt u ul var".split(" "),
  ].map((name) => [name, true] as const),
  ...["br", "hr", "img", "input", "wbr"].map((name) => [name, false] as const),
]);
/** Attributes that may be there, on any element. Of these, `href` and `src` are rewritten. */
const ATTRIBUTES = new Set(
  "align alt checked class colspan dir height href id lang open reversed rowspan scope src start title width".split(
    " ",
  ),
);
/** The most elements that are open at once. More are shown as text. */
const DEEPEST = 256;
const TAG = /<(\/?)([a-zA-Z][a-zA-Z0-9]{0,15})((?:\s[^<>]{0,4000})?)\/?>/g;
/** Steps after which the filter says how far it has come; those of a tag, and of a character. */
const TOLD_AFTER = 100_000;
const TAG_STEPS = 400;
const CHARACTER_STEPS = 3;
const ATTRIBUTE = /([a-zA-Z]{1,16})(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'=<>`]+)))?/g;

/** Begins every anchor of a document, so that none is the anchor of a page. */
export const ANCHOR = "user-content-";

/** Escapes text for HTML, inside of elements and of quoted attributes. */
export function escapeHtml(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replaceAll("'", "&#39;");
}

/** Escapes text that may contain references to characters, such as `&amp;` and `&#169;`, which stay. */
export function escapeOutsideReferences(text: string): string {
  return escapeHtml(text).replaceAll(/&amp;(#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z][a-zA-Z0-9]{1,31});/g, "&$1;");
}

/** Whether an element is an image that says nothing of itself: then it counts as an ornament. */
function needsAlt(name: string, attributes: string): boolean {
  return name === "img" && !/\salt\s*=/i.test(attributes);
}

/** Removes comments. One that is never ended stays, and is shown as text. */
function withoutComments(html: string): string {
  let result = "";
  for (let at = 0; ;) {
    const start = html.indexOf("<!--", at);
    const end = start < 0 ? -1 : html.indexOf("-->", start + "<!--".length);
    if (end < 0) return result + html.slice(at);
    result += html.slice(at, start);
    at = end + "-->".length;
  }
}

/** Turns an address that an author wrote into one that a page may have; `undefined` if it may not. */
export type Rewrite = (address: string) => string | undefined;

/** How the addresses in HTML are rewritten. */
export type HtmlAddresses = { readonly link: Rewrite; readonly image: Rewrite };

/** Filters the HTML of one document, whose tags may come in several pieces. */
export class HtmlFilter {
  readonly #addresses: HtmlAddresses;
  readonly #open: string[] = [];

  constructor(addresses: HtmlAddresses) {
    this.#addresses = addresses;
  }

  /** Returns what may be shown of a piece of HTML. Yields the steps that were taken. */
  *filter(piece: string): Generator<number, string, undefined> {
    const html = withoutComments(piece);
    let result = "";
    let at = 0;
    let steps = 0;
    for (const match of html.matchAll(TAG)) {
      steps += TAG_STEPS + (match.index + match[0].length - at) * CHARACTER_STEPS;
      if (steps >= TOLD_AFTER) {
        yield steps;
        steps = 0;
      }
      result += escapeOutsideReferences(html.slice(at, match.index));
      at = match.index + match[0].length;
      const [text, slash, name = "", attributes = ""] = match;
      const shown = this.#tag(text, { isEnd: slash === "/", name: name.toLowerCase(), attributes });
      steps += shown.length * CHARACTER_STEPS; // An address may become much longer than it was written.
      result += shown;
    }
    yield steps + (html.length - at) * CHARACTER_STEPS;
    return result + escapeOutsideReferences(html.slice(at));
  }

  /** Returns the end tags of what is still open. */
  end(): string {
    return this.#open
      .splice(0)
      .toReversed()
      .map((name) => `</${name}>`)
      .join("");
  }

  #tag(
    text: string,
    { isEnd, name, attributes }: { readonly isEnd: boolean; readonly name: string; readonly attributes: string },
  ): string {
    const hasEnd = ELEMENTS.get(name);
    if (hasEnd === undefined) return escapeHtml(text);
    if (isEnd) return this.#close(name);
    // The box of a task, which nobody can tick here.
    if (name === "input")
      return `<input type="checkbox" disabled aria-label="Task"${/\schecked/.test(attributes) ? " checked" : ""}>`;
    if (!hasEnd) return `<${name}${this.#attributes(name, attributes)}${needsAlt(name, attributes) ? ' alt=""' : ""}>`;
    if (this.#open.length >= DEEPEST) return escapeHtml(text);
    this.#open.push(name);
    return `<${name}${this.#attributes(name, attributes)}>`;
  }

  /** Closes an element and those that stand open within it. An end without a beginning is left out. */
  #close(name: string): string {
    const at = this.#open.lastIndexOf(name);
    if (at < 0) return "";
    return this.#open
      .splice(at)
      .toReversed()
      .map((each) => `</${each}>`)
      .join("");
  }

  #attributes(element: string, text: string): string {
    let result = "";
    for (const [, written = "", double, single, bare] of text.matchAll(ATTRIBUTE)) {
      const name = written.toLowerCase();
      if (!ATTRIBUTES.has(name)) continue;
      const value = double ?? single ?? bare ?? ""; // An attribute without a value has an empty one.
      const shown = this.#value(name, value);
      if (shown !== undefined) result += ` ${name}="${escapeOutsideReferences(shown)}"`;
    }
    return element === "a" ? `${result} rel="nofollow ugc noopener"` : result;
  }

  #value(name: string, value: string): string | undefined {
    if (name === "href") return this.#addresses.link(plainText(value));
    if (name === "src") return this.#addresses.image(plainText(value));
    // Anchors of a document are told from those of a page by how they begin, and colours by theirs.
    if (name === "id") return value.startsWith(ANCHOR) ? value : undefined;
    if (name === "class") return /^hljs[\w -]{0,100}$/.test(value) ? value : undefined;
    if (name === "align") return /^(?:left|right|center)$/i.test(value) ? value.toLowerCase() : undefined;
    if (name === "width" || name === "height") return /^\d{1,4}%?$/.test(value) ? value : undefined;
    return value;
  }
}

const NAMED: Readonly<Record<string, string>> = {
  amp: "&",
  lt: "<",
  gt: ">",
  quot: '"',
  apos: "'",
  colon: ":",
  Tab: "\t",
  NewLine: "\n",
};

/** Resolves the references to characters that can hide the scheme of an address. */
function plainText(value: string): string {
  return value.replaceAll(/&(?:#(\d{1,7})|#[xX]([0-9a-fA-F]{1,6})|([a-zA-Z]{1,16}));?/g, (all, decimal, hex, name) => {
    const code = decimal === undefined ? (hex === undefined ? undefined : Number.parseInt(hex, 16)) : Number(decimal);
    if (code !== undefined) return code <= 0x10ffff ? String.fromCodePoint(code) : "";
    return NAMED[name] ?? all; // Other names are no part of a scheme.
  });
}
