/**
 * What a document defines by labels: the targets of links, and footnotes. And the parts of links: labels, destinations and titles. Each function looks at what it
 * takes once, and ends where that can't go on.
 *
 * @packageDocumentation
 * @see https://github.github.com/gfm/#link-reference-definitions
 */

import type { Block } from "./block.ts";

/** Where a link leads to, and its title. */
export type LinkTarget = { readonly href: string; readonly title: string };
/** A part of a text that ends before `end`. */
type Part = { readonly value: string; readonly end: number };

/** The most characters of a label, as the specification has it. */
export const LONGEST_LABEL = 999;
/** The characters of targets that links by labels may take together: those of the document, or this many if it is shorter. */
const LEAST_EXPANSION = 100_000;
/** The most parentheses within each other in a destination, as in GitHub's own parser. */
const MOST_PARENTHESES = 32;
const PUNCTUATION = /[!-/:-@[-`{-~]/;
const CONTROL = /[\0-\x20\x7f]/;
const CLOSING: Readonly<Record<string, string>> = { '"': '"', "'": "'", "(": ")" };

/**
 * The targets that a document defines, by their labels. A target is written once and may be named by three characters:
 * all that are named have a bound together, as in GitHub's own parser, beyond which a name is text.
 */
export class References {
  readonly #targets = new Map<string, LinkTarget>();
  readonly #footnotes = new Map<string, Block>();
  #room: number;

  constructor(documentLength: number) {
    this.#room = Math.max(documentLength, LEAST_EXPANSION);
  }

  /** Defines a label, unless it is defined. */
  define(label: string, target: LinkTarget): void {
    if (!this.#targets.has(label)) this.#targets.set(label, target);
  }

  /** Makes a block the footnote with a label, unless another one is. */
  defineFootnote(label: string, block: Block): void {
    const name = normalizedLabel(label);
    if (!this.#footnotes.has(name)) this.#footnotes.set(name, block);
  }

  /** Returns the footnote with a label, if there is one. */
  footnote(label: string): Block | undefined {
    return this.#footnotes.get(normalizedLabel(label));
  }

  /** Returns the target of a label, which takes room; `undefined` if there is none, or no room for it. */
  take(label: string): LinkTarget | undefined {
    const target = this.#targets.get(label);
    if (target === undefined) return undefined;
    const length = target.href.length + target.title.length;
    if (length > this.#room) return undefined;
    this.#room -= length;
    return target;
  }
}

/** Whether a backslash takes a character's meaning away. */
export function isEscapable(c: string): boolean {
  return PUNCTUATION.test(c);
}

/** Takes backslashes away that stand before punctuation. */
export function unescaped(text: string): string {
  return text.includes("\\") ? text.replaceAll(/\\([!-/:-@[-`{-~])/g, "$1") : text;
}

/** Returns a label as labels are compared. */
export function normalizedLabel(label: string): string {
  return label
    .trim()
    .replaceAll(/[ \t\r\n]+/g, " ")
    .toLowerCase()
    .toUpperCase();
}

/** Returns where a label ends that begins at `at` with a bracket. */
export function labelEnd(text: string, at: number): number | undefined {
  if (text.charAt(at) !== "[") return undefined;
  const last = Math.min(text.length, at + LONGEST_LABEL + 2);
  for (let end = at + 1; end < last; end++) {
    const c = text.charAt(end);
    if (c === "]") return end + 1;
    if (c === "[") return undefined;
    if (c === "\\") end++;
  }
  return undefined;
}

/** Skips spaces with one end of a line among them at most. */
export function skipSpaces(text: string, from: number): number {
  let at = from;
  for (let hasEnd = false; at < text.length; at++) {
    const c = text.charAt(at);
    if (c === "\n" && !hasEnd) hasEnd = true;
    else if (c !== " " && c !== "\t") break;
  }
  return at;
}

/** Returns the destination of a link that begins at `at`. */
export function destinationAt(text: string, at: number): Part | undefined {
  if (text.charAt(at) === "<") return bracketedAt(text, at);
  let depth = 0;
  let end = at;
  for (; end < text.length; end++) {
    const c = text.charAt(end);
    if (c === "\\" && isEscapable(text.charAt(end + 1))) end++;
    else if (c === "(") {
      if (++depth > MOST_PARENTHESES) return undefined;
    } else if (c === ")") {
      if (depth === 0) break;
      depth--;
    } else if (CONTROL.test(c)) break;
  }
  return depth > 0 ? undefined : { value: unescaped(text.slice(at, end)), end };
}

function bracketedAt(text: string, at: number): Part | undefined {
  for (let end = at + 1; end < text.length; end++) {
    const c = text.charAt(end);
    if (c === ">") return { value: unescaped(text.slice(at + 1, end)), end: end + 1 };
    if (c === "<" || c === "\n") return undefined;
    if (c === "\\") end++;
  }
  return undefined;
}

/** Returns the title of a link that begins at `at`. */
export function titleAt(text: string, at: number): Part | undefined {
  const opening = text.charAt(at);
  const closing = CLOSING[opening];
  if (closing === undefined) return undefined;
  for (let end = at + 1; end < text.length; end++) {
    const c = text.charAt(end);
    if (c === closing) return { value: unescaped(text.slice(at + 1, end)), end: end + 1 };
    if (c === "(" && opening === "(") return undefined;
    if (c === "\\") end++;
  }
  return undefined;
}

/** Returns where a line ends of which nothing is left but spaces. */
function lineEnd(text: string, from: number): number | undefined {
  let at = from;
  while (text.charAt(at) === " " || text.charAt(at) === "\t") at++;
  if (at >= text.length) return at;
  return text.charAt(at) === "\n" ? at + 1 : undefined;
}

/** Takes a definition that begins at `from`, and returns where it ends; `undefined` if there is none. */
export function takeDefinition(text: string, from: number, references: References): number | undefined {
  const afterLabel = labelEnd(text, from);
  if (afterLabel === undefined || text.charAt(afterLabel) !== ":") return undefined;
  const label = normalizedLabel(text.slice(from + 1, afterLabel - 1));
  const at = skipSpaces(text, afterLabel + 1);
  const destination = destinationAt(text, at);
  if (label === "" || destination === undefined || destination.end === at) return undefined;
  const titleStart = skipSpaces(text, destination.end);
  const title = titleStart === destination.end ? undefined : titleAt(text, titleStart);
  const withTitle = title === undefined ? undefined : lineEnd(text, title.end);
  // What looked like a title may be the next line of a paragraph.
  const end = withTitle ?? lineEnd(text, destination.end);
  if (end === undefined) return undefined;
  const target = { href: destination.value, title: withTitle === undefined ? "" : (title?.value ?? "") }; // There is one.
  references.define(label, target);
  return end;
}
