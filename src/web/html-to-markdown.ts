/**
 * Turns the HTML of a page into Markdown, piece by piece: what the page's main part says, without its forms and without
 * the ways to other pages. It understands the HTML that pages are made of, whose tags are well formed and whose text is
 * escaped.
 *
 * @packageDocumentation
 * @see https://github.github.com/gfm/
 */

/** An element that is open. */
type OpenElement = {
  readonly name: string;
  /** Whether it is left out of the Markdown, with all that is in it. */
  readonly isLeftOut: boolean;
  /** What follows its text, if that is gathered by itself. */
  readonly wrap?: (text: string) => string;
};

/** Text that is gathered, and whether its last piece is a link or an image. */
type GatheredText = { text: string; endsInLink: boolean };

/** A row of a table: the text of its cells, and their classes. */
type Row = { readonly cells: string[]; readonly classes: string[] };

/** Elements without an end tag. */
const VOID = new Set(["br", "hr", "img", "input", "link", "meta", "source", "wbr"]);
/** Elements of which nothing is shown. */
const LEFT_OUT = new Set([
  "button",
  "colgroup",
  "footer",
  "form",
  "nav",
  "script",
  "select",
  "style",
  "svg",
  "textarea",
]);
/** Elements that begin and end a paragraph. */
const BLOCKS = new Set(
  "address article aside blockquote details div dl dt figcaption figure h1 h2 h3 h4 h5 h6 li ol p section summary ul".split(
    " ",
  ),
);
const LISTS = new Set(["dl", "ol", "ul"]);
const ITEMS = new Set(["dt", "li"]);
const CELLS = new Set(["td", "th"]);
const MARKS: Readonly<Record<string, string>> = { b: "**", strong: "**", em: "*", i: "*", del: "~~" };
const HEADING = /^h([1-6])$/;
/** The classes of tables whose rows are lines of code. */
const CODE_TABLES = /\b(?:unified|split|blame|lines)\b/;
const TOKEN = /<(\/?)([a-zA-Z][a-zA-Z0-9]*)([^>]*)>|<!--[^>]*-->|<![^>]*>/g;
const ENTITIES: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', "#39": "'", rarr: "→", nbsp: " " }; // prettier-ignore
/** The longest reference to a character: a piece may end within one. */
const LONGEST_REFERENCE = 12;

/** Writes text so that nothing in it is Markdown, in one line. */
export function plainMarkdown(text: string): string {
  return text.replaceAll(/[\\`*_{}[\]<>()#+\-.!|~&]/g, String.raw`\$&`).replaceAll(/\s+/g, " ");
}

/** Returns text without references to characters. */
function resolved(text: string): string {
  return text.replaceAll(/&(#?\w{1,10});/g, (all, name: string) => {
    const known = ENTITIES[name];
    if (known !== undefined) return known;
    const [, hex, decimal] = /^#(?:[xX]([0-9a-fA-F]{1,6})|(\d{1,7}))$/.exec(name) ?? [];
    const code = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16);
    return code >= 0 && code <= 0x10ffff ? String.fromCodePoint(code) : all;
  });
}

/** Returns an attribute's value; `undefined` if the element does not have it. */
function attribute(attributes: string, name: string): string | undefined {
  const value = new RegExp(String.raw`\s${name}="([^"]*)"`).exec(attributes)?.[1];
  return value === undefined ? undefined : resolved(value);
}

/** Whether an element is left out: a form, a way to other pages, or what only a program sees. */
function isNoPart(name: string, classes: string, attributes: string): boolean {
  return (
    LEFT_OUT.has(name) || /\b(?:hidden|numbers)\b/.test(classes) || attribute(attributes, "aria-hidden") === "true"
  );
}

/** Writes text as a piece of code. */
function codeSpan(text: string): string {
  if (text.trim() === "") return text;
  const longest = Array.from(text.matchAll(/`+/g)).reduce((most, [run]) => Math.max(most, run.length), 0);
  const fence = "`".repeat(longest + 1);
  return longest === 0 ? fence + text + fence : `${fence} ${text} ${fence}`;
}

/** Returns an address as a link has it: a bracket or a space would end it. */
function linkTarget(address: string): string {
  return address.replaceAll(/[()<>\s\\]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`);
}

function nothing(): GatheredText {
  return { text: "", endsInLink: false };
}

/** Turns one page into Markdown. */
export class HtmlToMarkdown {
  #rest = "";
  #output = "";
  readonly #open: OpenElement[] = [];
  /** Text that is gathered for the elements that are open and wrap theirs; the first is that of the block. */
  #texts: GatheredText[] = [nothing()];
  #isInMain = false;
  #leftOut = 0;
  /** How many lists are open, and what stands before the next block of an item. */
  #lists = 0;
  #bullet: string | undefined;
  #heading = "";
  #codeDepth = 0;
  #line: string | undefined;
  #row: Row | undefined;
  /** The rows of the table that is open so far; `undefined` outside of tables. */
  #rows: number | undefined;
  #isCodeTable = false;

  /** Takes a piece of HTML, and returns what is known of the Markdown by then. */
  write(html: string): string {
    const text = this.#rest + html;
    const end = completeLength(text);
    this.#rest = text.slice(end);
    this.#read(text.slice(0, end));
    return this.#taken();
  }

  /** Returns the rest of the Markdown. */
  end(): string {
    this.#read(this.#rest);
    this.#rest = "";
    this.#flush();
    return this.#taken();
  }

  #taken(): string {
    const output = this.#output;
    this.#output = "";
    return output;
  }

  #read(html: string): void {
    let at = 0;
    for (const match of html.matchAll(TOKEN)) {
      this.#text(html.slice(at, match.index));
      at = match.index + match[0].length;
      const [, slash, name, attributes = ""] = match;
      if (name === undefined) continue;
      if (slash === "/") this.#end(name.toLowerCase());
      else this.#begin(name.toLowerCase(), attributes);
    }
    this.#text(html.slice(at));
  }

  #text(html: string): void {
    if (html === "" || !this.#isShown) return;
    const text = resolved(html);
    if (this.#line !== undefined) this.#codeText(text);
    else this.#add(this.#codeDepth > 0 || this.#isCodeTable ? text : plainMarkdown(text));
  }

  /** Adds to what is gathered. */
  #add(text: string, isLink = false): void {
    const gathered = this.#texts.at(-1);
    if (gathered === undefined || text === "") return; // That of the block is always there.
    gathered.text += text;
    gathered.endsInLink = isLink;
  }

  /** Adds to a block of code, which goes out line by line. */
  #codeText(text: string): void {
    const lines = ((this.#line ?? "") + text).split("\n"); // A block is open wherever this is called.
    this.#line = lines.pop() ?? ""; // There is at least one line.
    for (const line of lines) this.#output += `${this.#indent}    ${line}\n`;
  }

  get #indent(): string {
    return "  ".repeat(this.#lists);
  }

  /** Ends the block that is gathered, and writes it. */
  #flush(): void {
    const text = this.#texts
      .map((each) => each.text)
      .join("")
      .replaceAll(/[ \t]+/g, " ")
      .trim();
    this.#texts = this.#texts.map(nothing);
    if (text === "") return;
    const heading = this.#heading;
    if (this.#lists === 0) {
      this.#output += `${heading}${text}\n\n`;
      return;
    }
    const outer = "  ".repeat(this.#lists - 1);
    this.#output += this.#bullet === undefined ? `${outer}  ${text}\n` : `${outer}${this.#bullet}${text}\n`;
    this.#bullet = undefined;
  }

  /** Whether what is read now is a part of the Markdown. */
  get #isShown(): boolean {
    return this.#isInMain && this.#leftOut === 0;
  }

  #begin(name: string, attributes: string): void {
    if (name === "main") this.#isInMain = true;
    if (VOID.has(name) || attributes.endsWith("/")) {
      if (this.#isShown) this.#void(name, attributes);
      return;
    }
    const classes = attribute(attributes, "class") ?? ""; // Without a class, none of them matters.
    const isLeftOut = isNoPart(name, classes, attributes);
    if (isLeftOut || !this.#isShown) {
      this.#open.push({ name, isLeftOut });
      if (isLeftOut) this.#leftOut++;
      return;
    }
    this.#beginShown(name, classes, attributes);
  }

  #beginShown(name: string, classes: string, attributes: string): void {
    const wrap = this.#wrapOf(name, attributes);
    this.#open.push({ name, isLeftOut: false, ...(wrap === undefined ? {} : { wrap }) });
    if (wrap !== undefined) this.#texts.push(nothing());
    if (this.#row === undefined) this.#beginBlock(name);
    if (name === "code" || name === "pre") this.#codeDepth++;
    if (name === "span" && classes === "note" && !this.#isCodeTable) this.#add(" ");
    this.#beginTable(name, classes);
  }

  #beginBlock(name: string): void {
    if (BLOCKS.has(name) || name === "pre" || name === "table") this.#flush();
    const heading = HEADING.exec(name)?.[1];
    if (heading !== undefined) this.#heading = `${"#".repeat(Number(heading))} `;
    if (name === "pre") this.#line = "";
    if (LISTS.has(name)) this.#lists++;
    if (ITEMS.has(name)) this.#bullet = "- ";
  }

  #beginTable(name: string, classes: string): void {
    if (name === "table") {
      this.#rows = 0;
      this.#isCodeTable = CODE_TABLES.test(classes);
    }
    if (name === "tr" && this.#rows !== undefined) this.#row = { cells: [], classes: [] };
    if (CELLS.has(name) && this.#row !== undefined) {
      this.#row.classes.push(classes);
      this.#texts.push(nothing());
    }
  }

  /** Returns how the text of an element is written, if it is gathered by itself. */
  #wrapOf(name: string, attributes: string): ((text: string) => string) | undefined {
    if (this.#line !== undefined || this.#isCodeTable) return undefined;
    if (name === "a") {
      const href = attribute(attributes, "href");
      return (text) => (href === undefined || text.trim() === "" ? text : `[${text.trim()}](${linkTarget(href)})`);
    }
    if (name === "code") return codeSpan;
    const mark = MARKS[name];
    return mark === undefined ? undefined : (text) => (text.trim() === "" ? text : mark + text.trim() + mark);
  }

  #void(name: string, attributes: string): void {
    if (name === "br") this.#text(this.#line === undefined ? " " : "\n");
    if (name === "hr") {
      this.#flush();
      this.#output += "---\n\n";
    }
    if (name === "img") {
      const alt = plainMarkdown(attribute(attributes, "alt") ?? ""); // An image may say nothing.
      this.#add(`![${alt}](${linkTarget(attribute(attributes, "src") ?? "")})`, true); // One without an address shows nothing.
    }
    // A field that nobody writes to shows something, such as an address to clone from.
    if (name === "input" && /\sreadonly\b/.test(attributes)) this.#add(codeSpan(attribute(attributes, "value") ?? "")); // It may be empty.
  }

  #end(name: string): void {
    const at = this.#open.findLastIndex((each) => each.name === name);
    if (at < 0) return;
    for (const each of this.#open.splice(at).toReversed()) this.#close(each);
    if (name === "main") {
      this.#flush();
      this.#isInMain = false;
    }
  }

  #close({ name, isLeftOut, wrap }: OpenElement): void {
    if (isLeftOut) this.#leftOut--;
    if (isLeftOut || !this.#isShown) return;
    if (wrap !== undefined) this.#endWrapped(name, wrap);
    if (name === "code" || name === "pre") this.#codeDepth--;
    if (name === "pre" && this.#line !== undefined) this.#endCode();
    if (CELLS.has(name)) this.#endCell();
    if (name === "tr") this.#endRow();
    if (name === "table") this.#endTable();
    if (this.#row === undefined) this.#endBlock(name);
  }

  #endWrapped(name: string, wrap: (text: string) => string): void {
    const text = wrap(this.#texts.pop()?.text ?? ""); // A text was begun with the element.
    // Links that a page sets apart by its style have nothing between them.
    const isBehindLink = name === "a" && this.#texts.at(-1)?.endsInLink === true;
    this.#add(isBehindLink ? ` ${text}` : text, name === "a" && text.endsWith(")"));
  }

  #endBlock(name: string): void {
    if (name === "dt") this.#add(": ");
    else if (BLOCKS.has(name) || name === "dd") this.#flush();
    if (HEADING.test(name)) this.#heading = "";
    if (!LISTS.has(name) || this.#lists === 0) return;
    this.#lists--;
    if (this.#lists === 0) this.#output += "\n";
  }

  #endCode(): void {
    if (this.#line !== "") this.#codeText("\n");
    this.#line = undefined;
    this.#output += "\n";
  }

  #endCell(): void {
    if (this.#row === undefined) return;
    const text = this.#texts.pop()?.text ?? ""; // A text was begun with the cell.
    this.#row.cells.push(this.#isCodeTable ? text.replaceAll("\n", "") : text.replaceAll(/\s+/g, " ").trim());
  }

  #endRow(): void {
    const row = this.#row;
    this.#row = undefined;
    if (row === undefined || this.#rows === undefined) return;
    if (this.#isCodeTable) {
      const isOfDifferences = row.classes.some((each) => /^l\b/.test(each)) && row.classes.filter((each) => each === "n").length > 1; // prettier-ignore
      const cells = isOfDifferences ? row.cells.filter((_, at) => row.classes[at] !== "n") : row.cells;
      this.#output += `    ${cells.filter((cell) => cell !== "").join(" ")}\n`;
    } else {
      const separators = `| ${row.cells.map(() => "-").join(" | ")} |\n`;
      this.#output += `| ${row.cells.join(" | ")} |\n${this.#rows === 0 ? separators : ""}`;
    }
    this.#rows++;
  }

  #endTable(): void {
    this.#rows = undefined;
    this.#isCodeTable = false;
    this.#output += "\n";
  }
}

/** Returns how much of a text can be read: it may end within a tag, or within a reference to a character. */
function completeLength(text: string): number {
  const tag = text.lastIndexOf("<");
  if (tag >= 0 && text.indexOf(">", tag) < 0) return tag;
  const reference = text.lastIndexOf("&");
  const isOpen = reference >= text.length - LONGEST_REFERENCE && reference >= 0 && text.indexOf(";", reference) < 0;
  return isOpen ? reference : text.length;
}
