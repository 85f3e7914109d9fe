/**
 * Parses patches as git makes them: `git diff --binary`, and mails of `git format-patch`. What stands before the files
 * of a mail is passed over, but nothing that looks like a change. Text has one character per byte.
 *
 * @packageDocumentation
 * @see git-apply(1), git-diff(1) on the format of patches; `find_header()`, `parse_chunk()`, `parse_fragment()` in
 *   git's apply.c
 */
import { concat } from "../bytes/chunk.ts";
import { binaryLineBytes } from "./binary-patch.ts";
import { Malformed, type PatchHead, PatchSection } from "./patch-section.ts";

/** A change of some lines, and where it stands: {@link readHunk} reads its lines. */
export type PatchHunk = {
  /** Where it begins in the old and in the new file: lines from 1, or 0. */
  readonly oldStart: number;
  readonly newStart: number;
  /** Lines at the end that are the same on both sides. */
  readonly trailing: number;
  /** Its line in the patch, from 1. */
  readonly line: number;
  /** Its lines are these characters of the patch. */
  readonly from: number;
  readonly to: number;
};

/** A change of some lines. Lines end in a line feed, but for a last one that has none. */
export type Hunk = Pick<PatchHunk, "oldStart" | "newStart" | "trailing"> & {
  readonly before: readonly string[];
  readonly after: readonly string[];
};

/** The new content of a binary file: whole, or a delta from the old one. */
export type BinaryChange = {
  readonly kind: "literal" | "delta";
  /** Bytes of what `deflated` inflates to. */
  readonly size: number;
  readonly deflated: Uint8Array;
};

/** The change of one file. */
export type FilePatch = PatchHead & {
  /** Its line in the patch, from 1. */
  readonly line: number;
  /** The number of its mail: each mail is a patch of its own. */
  readonly mail: number;
  readonly hunks: readonly PatchHunk[];
  readonly binary?: BinaryChange;
  /** The way back of a binary change, of which is checked that it is whole. */
  readonly reverse?: BinaryChange;
};

/** A patch: the changes of its files, and the text that has their lines. */
export type Patch = { readonly text: string; readonly files: readonly FilePatch[] };

/** What is wrong with a patch, and in which line. */
export type PatchFault = { readonly line: number; readonly detail: string };

const FILE = "diff --git ";
const HUNK = /^@@ -(\d{1,9})(?:,(\d{1,9}))? \+(\d{1,9})(?:,(\d{1,9}))? @@/;
const BINARY = /^(literal|delta) (\d{1,10})$/;
/** The line that begins a mail. */
const MAIL = /^From [0-9a-f]{40,64} Mon Sep 17 00:00:00 2001$/;
/** A line of a hunk, and one that ends a mail and looks like it. */
const OF_A_HUNK = /^[-+ @\\]/;
const SIGNATURE = /^-- ?$/;
/** Bytes of the shortest line that says that a line feed is missing, whatever the language. */
const LEAST_NO_LINE_FEED = 12;
/** Characters of a line of which more is never looked at: a path of 4096 bytes in octal digits, twice. */
const MOST_HEAD_LINE = 65_536;
/** Characters after which the work is yielded, and the steps of a character and of a line. */
const CHARACTERS_AT_ONCE = 16_384;
const CHARACTER_STEPS = 2;
const LINE_STEPS = 16;

/**
 * Parses a patch. Yields steps of work.
 *
 * @throws Error what `count` throws, which is called with the number of files after each.
 */
export function* parsePatch(
  text: string,
  count: (files: number) => void = () => undefined,
): Generator<number, Patch | PatchFault, undefined> {
  const parser = new PatchParser(text, count);
  try {
    return { text, files: yield* parser.parse() };
  } catch (error) {
    if (error instanceof Malformed) return { line: parser.line, detail: error.message };
    throw error;
  }
}

class PatchParser {
  readonly #text: string;
  readonly #count: (files: number) => void;
  readonly #files: FilePatch[] = [];
  /** Where the line begins that is read next, and its line feed. */
  #at = 0;
  #end: number;
  #mail = 0;
  #yielded = 0;
  #lines = 0;
  #yieldedLines = 0;
  #faultLine: number | undefined;

  constructor(text: string, count: (files: number) => void) {
    this.#text = text;
    this.#count = count;
    this.#end = text.indexOf("\n");
  }

  /** The line that is read, from 1. */
  get line(): number {
    return this.#faultLine ?? this.#lines + 1;
  }

  *parse(): Generator<number, readonly FilePatch[], undefined> {
    while (this.#isWhole) {
      if (this.#begins(FILE)) yield* this.#file();
      else {
        this.#passOver();
        this.#next();
      }
      if (this.#isDue) yield this.#steps();
    }
    this.#faultLine = 1;
    if (this.#files.length === 0) this.#fail('there is no "diff --git" in it');
    return this.#files;
  }

  /** Whether the line has a line feed. One that has none is cut off, and counts as none. */
  get #isWhole(): boolean {
    return this.#end >= 0;
  }

  /** The line, as far as it is looked at. */
  get #shown(): string {
    return this.#text.slice(this.#at, Math.min(this.#end, this.#at + MOST_HEAD_LINE));
  }

  #begins(text: string): boolean {
    return this.#text.startsWith(text, this.#at);
  }

  #next(): void {
    this.#at = this.#end + 1;
    this.#end = this.#text.indexOf("\n", this.#at);
    this.#lines++;
  }

  /** Whether there is work to yield. */
  get #isDue(): boolean {
    return this.#at - this.#yielded >= CHARACTERS_AT_ONCE;
  }

  /** Returns the steps since the last ones. */
  #steps(): number {
    const steps = (this.#at - this.#yielded) * CHARACTER_STEPS + (this.#lines - this.#yieldedLines) * LINE_STEPS;
    [this.#yielded, this.#yieldedLines] = [this.#at, this.#lines];
    return steps;
  }

  #fail(detail: string): never {
    throw new Malformed(detail);
  }

  /** Looks at a line that is of no file: what git would apply, or has lost its beginning, is not passed over. */
  #passOver(): void {
    const first = this.#text.charCodeAt(this.#at);
    if (this.#begins("From ") && MAIL.test(this.#shown)) this.#mail++;
    else if (first === 0x40 && HUNK.test(this.#shown)) this.#fail("a hunk that belongs to no file");
    else if (first === 0x2d && this.#begins("--- ") && this.#text.startsWith("+++ ", this.#end + 1))
      this.#fail('a file without "diff --git"');
  }

  *#file(): Generator<number, void, undefined> {
    const line = this.line;
    const section = new PatchSection(this.#shown.slice(FILE.length));
    this.#next();
    const from = this.#at;
    while (this.#isWhole && section.take(this.#shown)) {
      this.#next();
      if (this.#isDue) yield this.#steps();
    }
    // Without a line more it is no head to git.
    if (this.#at === from) this.#fail("nothing changes above this line");
    section.end();
    const hunks = yield* this.#hunks(section);
    const way = hunks.length === 0 ? yield* this.#binary() : {};
    if (hunks.length === 0 && way.binary === undefined && !section.changesMore)
      this.#fail("nothing changes above this line");
    this.#assertEnd();
    this.#files.push({ ...section.head(), ...way, line, mail: this.#mail, hunks });
    this.#count(this.#files.length);
  }

  /** Refuses lines behind a file that look like those of a hunk: the file would be changed in part. */
  #assertEnd(): void {
    for (let at = this.#at; at < this.#text.length; at++) {
      if (this.#text[at] === "\n") continue;
      const end = this.#text.indexOf("\n", at);
      const line = this.#text.slice(at, Math.min(at + 4, end < 0 ? this.#text.length : end));
      if (OF_A_HUNK.test(line) && !SIGNATURE.test(line)) this.#fail("a line that belongs to no hunk");
      return;
    }
  }

  *#hunks(section: PatchSection): Generator<number, PatchHunk[], undefined> {
    const hunks: PatchHunk[] = [];
    while (this.#isWhole && this.#begins("@@ -")) {
      const { hunk, hasOld, hasNew } = yield* this.#hunk();
      if (section.isNew && hasOld) this.#fail("a new file has no lines before");
      if (section.isDeleted && hasNew) this.#fail("a deleted file has no lines left");
      hunks.push(hunk);
      if (this.#isDue) yield this.#steps();
    }
    return hunks;
  }

  *#hunk(): Generator<number, { hunk: PatchHunk; hasOld: boolean; hasNew: boolean }, undefined> {
    const { line } = this;
    const found = HUNK.exec(this.#shown);
    if (found === null) this.#fail("this is no beginning of a hunk");
    const [, oldStart, oldCount = "1", newStart, newCount = "1"] = found;
    this.#next();
    const from = this.#at;
    const left = { old: Number(oldCount), fresh: Number(newCount) };
    const hasOld = left.old > 0;
    const hasNew = left.fresh > 0;
    let trailing = 0;
    let changes = 0;
    while (left.old > 0 || left.fresh > 0) {
      const sign = this.#hunkLine(left);
      if (sign === " ") trailing++;
      else if (sign !== "\\") [trailing, changes] = [0, changes + 1];
      if (this.#isDue) yield this.#steps();
    }
    if (left.old < 0 || left.fresh < 0) this.#fail("a hunk has more lines than it says");
    if (changes === 0) this.#fail("a hunk changes nothing");
    if (this.#isWhole && this.#begins("\\ ")) this.#next();
    const hunk = { oldStart: Number(oldStart), newStart: Number(newStart), trailing, line, from, to: this.#at };
    return { hunk, hasOld, hasNew };
  }

  /** Takes a line of a hunk, and returns its sign. */
  #hunkLine(left: { old: number; fresh: number }): string {
    if (!this.#isWhole) this.#fail("the patch ends within a hunk");
    const sign = this.#end === this.#at ? " " : this.#text.charAt(this.#at);
    if (sign === "\\") {
      const isNote = this.#begins("\\ ") && this.#end + 1 - this.#at >= LEAST_NO_LINE_FEED;
      if (!isNote) this.#fail("a line of a hunk begins with a space, + or -");
    } else if (!" -+".includes(sign)) this.#fail("a line of a hunk begins with a space, + or -");
    if (sign === " " || sign === "-") left.old--;
    if (sign === " " || sign === "+") left.fresh--;
    this.#next();
    return sign;
  }

  /** Reads the new content of a binary file, and the old one. */
  *#binary(): Generator<number, Pick<FilePatch, "binary" | "reverse">, undefined> {
    if (!this.#isWhole) return {};
    const line = this.#shown;
    if (/^(?:Binary files|Files) .* differ$/.test(line))
      this.#fail("a binary file without its content: make the patch with --binary");
    if (line !== "GIT binary patch") return {};
    this.#next();
    const binary = yield* this.#binaryHunk();
    if (!this.#begins("literal ") && !this.#begins("delta ")) return { binary };
    return { binary, reverse: yield* this.#binaryHunk() };
  }

  *#binaryHunk(): Generator<number, BinaryChange, undefined> {
    const [, kind, size] = (this.#isWhole ? BINARY.exec(this.#shown) : undefined) ?? [];
    if (kind === undefined) this.#fail("a binary patch has literal or delta, and a size");
    const parts: Uint8Array[] = [];
    for (this.#next(); this.#isWhole && this.#end > this.#at; this.#next()) {
      const part = binaryLineBytes(this.#shown);
      if (part === undefined) this.#fail("this line is not base 85");
      parts.push(part);
      if (this.#isDue) yield this.#steps();
    }
    if (!this.#isWhole) this.#fail("the patch ends within a binary file");
    this.#next();
    return { kind: kind === "delta" ? "delta" : "literal", size: Number(size), deflated: concat(parts) };
  }
}

/** Reads the lines of a hunk of a patch. Yields steps of work. */
export function* readHunk(text: string, { from, to, ...place }: PatchHunk): Generator<number, Hunk, undefined> {
  const before: string[] = [];
  const after: string[] = [];
  let yielded = from;
  for (let at = from; at < to;) {
    const end = text.indexOf("\n", at) + 1;
    const sign = end === at + 1 ? "\n" : text.charAt(at);
    // A line feed is not there if the next line says so.
    const isCut = end < to && text.charAt(end) === "\\";
    const line = text.slice(sign === "\n" ? at : at + 1, isCut ? end - 1 : end);
    if (sign === "\n" ? !isCut : sign === " " || sign === "-") before.push(line);
    if (sign === "\n" ? !isCut : sign === " " || sign === "+") after.push(line);
    at = end;
    if (at - yielded < CHARACTERS_AT_ONCE) continue;
    yield (at - yielded) * CHARACTER_STEPS * LINE_STEPS;
    yielded = at;
  }
  return { ...place, before, after };
}
