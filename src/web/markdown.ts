/**
 * Markdown in GitHub's dialect, as HTML that is safe to stand in a page: what an author writes never becomes markup
 * except through the lists of `html-filter.ts`, and every address is rewritten here.
 *
 * @packageDocumentation
 * @see https://github.github.com/gfm/
 */
import { Marked, type Tokens } from "marked";
import type { RepositoryName } from "../access/names.ts";
import { highlighted } from "./highlight.ts";
import { ANCHOR, escapeHtml, type HtmlAddresses, HtmlFilter } from "./html-filter.ts";
import { pathLink } from "./links.ts";

/** Where a document lies. `revision` and `directory` have one character per byte. */
export type DocumentPlace = {
  readonly name: RepositoryName;
  readonly revision: string;
  readonly directory: string;
};

const SCHEME = /^[a-zA-Z][a-zA-Z0-9+.-]*:/;
const OUTSIDE = /^(?:https?:\/\/|mailto:)/i;
/** The most signs with a meaning in one line: lists and quotations within each other take time for each level. */
const MOST_NESTED = 64;
const NESTED = new RegExp(String.raw`^(?:[ \t]*(?:>|[-*+]|\d{1,9}[.)])){${MOST_NESTED},}`, "m");
/** The signs for which a parser looks for a partner. */
const PAIRED: ReadonlySet<string> = new Set("*_~[");
/**
 * The most of these signs in one paragraph. A parser looks for a partner of each among all that follow, so that its
 * time grows with their square.
 */
const MOST_PAIRED = 1000;
/** The most cells of all tables, and the longest line in characters. */
const MOST_CELLS = 50_000;
const LONGEST_LINE = 20_000;
/**
 * The most characters that are read for lists, a line as often as there are lists around it: a parser reads what is in an
 * item again for each of them.
 */
const MOST_LISTED = 4_000_000;
/**
 * The most characters that are read again, since a parser looks for an end that is not there. It looks from each line
 * that may stand under a title or the head of a table, from each line of an item, from each sign that opens an
 * instruction or a comment, and from each quotation that begins within a paragraph. All but the third count
 * {@link LINE_WEIGHT} times, since they take as much longer for each character. What stands in a quotation counts as
 * it does outside.
 */
const MOST_SCANNED = 160_000_000;
const LINE_WEIGHT = 8;
/** The columns by which a list has to be indented to be within another one, at least. */
const LEVEL_COLUMNS = 2;
const TAB_COLUMNS = 4;
const ITEM = /^([ \t]*)(?:[-*+]|\d{1,9}[.)])(?:[ \t]|$)/;
/** The line under the head of a table, without what stands before it. */
const DELIMITERS = /^\|?[ \t]*:?-[-:| \t]*$/;
/** A line that may stand under a title or the head of a table, without what stands before it. */
const UNDERLINE = /^(?:=+[ \t]*|[-:| \t]*-[-:| \t]*)$/;
/** What a browser takes for an instruction, a declaration or a comment, if it is ended. */
const INSTRUCTION = /<[?!]/g;
/** The signs of the quotations in which a line stands. */
const QUOTATIONS = /^(?: {0,3}> ?)*/;
/** A line with which every block before it ends, beside an empty one. */
const ENDS_BLOCK = /^ {0,3}(?:[-*+]|1[.)]) [^ ]/;
/** A title, and a row of a table. */
const TITLE = /^ {0,3}#{1,6} /;
const ROW = /^ {0,3}\|/;
/** An item of a list: what stands before its sign, and the sign. One that has no text interrupts none. */
const FILLED_ITEM = /^( *)([-*+]|\d{1,9}[.)]) [^ ]/;
/** The most columns by which a sign may be further in than what is around it. */
const MOST_INDENT = 3;
/** The most characters of all blocks of code together that are coloured: the document is rendered without a pause. */
const MOST_COLOURED = 32 * 1024;
/** The longest run of signs that may open an emphasis, a link or code: a parser looks for the end of each. */
const RUN = /[*_[\]`~!<]{400,}/;

const utf8 = new TextEncoder();

/** Removes the characters that browsers ignore within an address, and spaces around it. */
function trimmed(address: string): string {
  return Array.from(address)
    .filter((c) => c > "\x1f" && c !== "\x7f")
    .join("")
    .trim();
}

/** Returns the path, one character per byte, that a relative address leads to; `undefined` if it leads out. */
function resolvedPath(directory: string, address: string): string | undefined {
  const bytes = String.fromCharCode(...utf8.encode(address.slice(0, 4096)));
  const path = bytes.replaceAll(/%([0-9a-fA-F]{2})/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  const parts = path.startsWith("/") || directory === "" ? [] : directory.split("/");
  for (const part of path.split("/")) {
    if (part === "..") {
      if (parts.pop() === undefined) return undefined;
    } else if (part !== "." && part !== "") parts.push(part);
  }
  return parts.join("/");
}

/** Splits an address into its path and what begins with `?` or `#`. */
function splitAddress(address: string): { readonly path: string; readonly fragment: string } {
  const at = address.search(/[?#]/);
  if (at < 0) return { path: address, fragment: "" };
  const hash = address.indexOf("#");
  return { path: address.slice(0, at), fragment: hash < 0 ? "" : address.slice(hash + 1) };
}

function anchorOf(fragment: string): string {
  return fragment === ""
    ? ""
    : `#${/^L\d+$/.test(fragment) ? "" : ANCHOR}${encodeURIComponent(decodedFragment(fragment))}`;
}

function decodedFragment(fragment: string): string {
  try {
    return decodeURIComponent(fragment);
  } catch {
    return fragment;
  }
}

/** Returns how the addresses of a document are rewritten. */
export function addressesOf({ name, revision, directory }: DocumentPlace): HtmlAddresses {
  const inside = (page: "blob" | "raw", address: string): string | undefined => {
    const { path, fragment } = splitAddress(address);
    const target = resolvedPath(directory, path);
    if (target === undefined) return undefined;
    return `${pathLink(name, target === "" ? "tree" : page, revision, target)}${page === "blob" ? anchorOf(fragment) : ""}`;
  };
  return {
    link: (address) => {
      const text = trimmed(address);
      if (OUTSIDE.test(text)) return text;
      if (SCHEME.test(text) || text.startsWith("//")) return undefined;
      if (text.startsWith("#")) return anchorOf(text.slice(1));
      return inside("blob", text);
    },
    image: (address) => {
      const text = trimmed(address);
      if (SCHEME.test(text) || text.startsWith("//")) return undefined;
      return inside("raw", text);
    },
  };
}

/** Returns the anchors of headings as GitHub makes them, each once. */
function slugger(): (text: string) => string {
  const seen = new Map<string, number>();
  return (text) => {
    const slug = text
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{M}\p{N}\p{Pc} -]/gu, "")
      .replaceAll(" ", "-");
    const count = seen.get(slug) ?? 0; // A heading that is new has no number.
    seen.set(slug, count + 1);
    return count === 0 ? slug : `${slug}-${count}`;
  };
}

/**
 * Whether a line may stand under the head of a table. Spaces and quotations before it are taken away first: an expression
 * in which two parts may take the same characters takes time that grows with the square of a line.
 */
export function isTableDelimiter(line: string): boolean {
  const row = line.slice(line.search(/[^ \t>]|$/));
  return row.includes("|") && DELIMITERS.test(row);
}

/** Counts what a parser reads for the lists of a text. */
class ListedText {
  /** Characters, each as often as there are lists around it. */
  count = 0;
  #levels = 0;
  #isAfterEmpty = false;

  add(line: string): void {
    const indent = ITEM.exec(line)?.[1];
    if (indent !== undefined) {
      const columns = indent.length + (TAB_COLUMNS - 1) * (indent.split("\t").length - 1);
      this.#levels = 1 + Math.floor(columns / LEVEL_COLUMNS);
    } else if (this.#isAfterEmpty && /^[^ \t]/.test(line)) this.#levels = 0;
    this.#isAfterEmpty = line.trim() === "";
    this.count += line.length * this.#levels;
  }
}

/** Takes the quotations away in which a line stands. `depth` says how many there are. */
function unquoted(line: string): { readonly depth: number; readonly text: string } {
  const marks = QUOTATIONS.exec(line)?.[0] ?? ""; // It matches every line, if only with nothing.
  return { depth: marks.split(">").length - 1, text: line.slice(marks.length) };
}

/** Counts the characters that a parser reads again, once for each place from which it looks for an end. */
class ScannedText {
  /** See {@link MOST_SCANNED}. */
  count = 0;
  #places = 0;
  /** Places where a quotation begins or ends, since the last empty line. What is inside may go on behind its end. */
  #turns = 0;
  #isInItem = false;
  #isAfterEmpty = false;
  #depth = 0;

  add(line: string): void {
    const { depth, text: quoted } = unquoted(line);
    const text = line.slice(line.search(/[^ \t>]|$/));
    if (text === "" && depth === 0) {
      [this.#places, this.#turns, this.#depth, this.#isAfterEmpty] = [0, 0, 0, true];
      return;
    }
    // What is indented behind an empty line belongs to the item above.
    if (this.#isAfterEmpty && /^[^ \t]/.test(line)) this.#isInItem = false;
    this.#isAfterEmpty = false;
    // A line outside of a quotation may go on with what is inside: nothing has ended there.
    if (depth === this.#depth && ENDS_BLOCK.test(quoted)) {
      [this.#places, this.#isInItem] = [0, true];
    } else {
      if (this.#isInItem || UNDERLINE.test(text)) this.#places += LINE_WEIGHT;
      if (ITEM.test(text)) this.#isInItem = true;
    }
    if (depth !== this.#depth) this.#turns += LINE_WEIGHT;
    this.#depth = depth;
    for (const _ of text.matchAll(INSTRUCTION)) this.#places++;
    this.count += (this.#places + this.#turns) * (line.length + 1);
  }
}

/** Counts the signs with a partner in one paragraph. A line begins another one only where a parser agrees. */
class PairedSigns {
  /** See {@link MOST_PAIRED}. */
  count = 0;
  /** The column in which the text of the item above begins; `undefined` outside of lists. */
  #column: number | undefined;
  #isInTable = false;
  #before = "";

  add(line: string): void {
    // Each of these looks at the line, whatever the other found: a title ends a table.
    const [isRow, isItem] = [this.#isRow(line), this.#isItem(line)];
    if (isRow || isItem || line.trim() === "" || TITLE.test(line)) this.count = 0;
    if (this.#before.trim() === "" && /^[^ \t]/.test(line) && !FILLED_ITEM.test(line)) this.#column = undefined;
    for (const sign of line) if (PAIRED.has(sign)) this.count++;
    this.#before = line;
  }

  /** Whether a line is a row of a table for certain. */
  #isRow(line: string): boolean {
    const head = this.#before;
    const cells = (row: string): number => row.trim().split("|").length;
    const begins = ROW.test(head) && isTableDelimiter(line) && !head.includes("\\") && cells(head) === cells(line);
    this.#isInTable = ROW.test(line) && (this.#isInTable || begins);
    return this.#isInTable;
  }

  #isItem(line: string): boolean {
    const [, indent = "", sign = ""] = FILLED_ITEM.exec(line) ?? []; // It may be no item.
    if (sign === "" || indent.length > (this.#column ?? 0) + MOST_INDENT) return false;
    // Another number does not interrupt a paragraph.
    const interrupts = this.#column !== undefined || /^(?:[-*+]|1[.)])$/.test(sign) || this.#before.trim() === "";
    if (interrupts) this.#column = indent.length + sign.length + 1;
    return interrupts;
  }
}

/** Whether a parser would take long over a text: nobody writes such a paragraph. */
function isHostile(text: string): boolean {
  if (NESTED.test(text) || RUN.test(text)) return true;
  const listed = new ListedText();
  const scanned = new ScannedText();
  const paired = new PairedSigns();
  let [columns, cells] = [0, 0];
  // A parser takes each of these for the end of a line.
  for (const line of text.split(/\r\n?|\n/)) {
    if (line.length > LONGEST_LINE) return true;
    // Each row of a table is made as wide as its head.
    if (isTableDelimiter(line)) columns = line.split("|").length;
    else if (line.trim() === "") columns = 0;
    cells += columns;
    if (cells > MOST_CELLS) return true;
    listed.add(line);
    scanned.add(line);
    if (listed.count > MOST_LISTED || scanned.count > MOST_SCANNED) return true;
    paired.add(line);
    if (paired.count > MOST_PAIRED) return true;
  }
  return false;
}

/** Returns a document as HTML. One that would take long to parse is shown as it is written. */
export function renderMarkdown(text: string, place: DocumentPlace): string {
  if (isHostile(text)) return `<pre>${escapeHtml(text)}</pre>`;
  const addresses = addressesOf(place);
  const slug = slugger();
  let coloured = 0;
  const link = (href: string, inner: string, title?: string | null): string => {
    const hint = title === undefined || title === null || title === "" ? "" : ` title="${escapeHtml(title)}"`;
    return `<a href="${escapeHtml(href)}"${hint}>${inner}</a>`;
  };
  // What it makes is not trusted: a parser and a browser may differ in what is a tag. The filter is the last step.
  const marked = new Marked({
    gfm: true,
    renderer: {
      link({ href, title, tokens }: Tokens.Link) {
        return link(href, this.parser.parseInline(tokens), title);
      },
      image({ href, title, text: alt }: Tokens.Image) {
        if (addresses.image(href) === undefined) return link(href, escapeHtml(alt === "" ? "image" : alt), title);
        return `<img src="${escapeHtml(href)}" alt="${escapeHtml(alt)}">`;
      },
      heading({ tokens, depth }: Tokens.Heading) {
        const inner = this.parser.parseInline(tokens);
        const id = slug(this.parser.parseInline(tokens, this.parser.textRenderer));
        return `<h${depth} id="${escapeHtml(ANCHOR + id)}">${inner}</h${depth}>\n`;
      },
      code({ text: code, lang }: Tokens.Code) {
        const language = /^[\w+#-]{1,20}/.exec(lang ?? "")?.[0]; // A block need not name its language.
        coloured += code.length;
        const html = coloured > MOST_COLOURED ? escapeHtml(code) : highlighted(code, language);
        return `<pre><code>${html}</code></pre>\n`;
      },
    },
  });
  try {
    const filter = new HtmlFilter(addresses);
    return filter.filter(marked.parse(text, { async: false })) + filter.end();
  } catch (error) {
    // Thousands of levels within each other exhaust the stack.
    if (error instanceof RangeError) return `<pre>${escapeHtml(text)}</pre>`;
    throw error;
  }
}
