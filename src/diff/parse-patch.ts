/**
 * Parses patches as git makes them: `git diff --binary`, and mails of `git format-patch`. What stands before and between
 * the files is passed over. Text has one character per byte.
 *
 * @packageDocumentation
 * @see git-apply(1), git-diff(1) on the format of patches; git's apply.c
 */
import { binaryBytes } from "./binary-patch.ts";
import { unquotedPath } from "./quoted-path.ts";

/** A change of some lines. Lines end in a line feed, but for a last one that has none. */
export type Hunk = {
  /** Where it begins in the old and in the new file: lines from 1, or 0. */
  readonly oldStart: number;
  readonly newStart: number;
  readonly before: readonly string[];
  readonly after: readonly string[];
  /** Lines at the end that are the same on both sides. */
  readonly trailing: number;
  /** Its line in the patch, from 1. */
  readonly line: number;
};

/** The new content of a binary file: whole, or a delta from the old one. */
export type BinaryChange = {
  readonly kind: "literal" | "delta";
  /** Bytes of what `deflated` inflates to. */
  readonly size: number;
  readonly deflated: Uint8Array;
};

/** The change of one file. Paths are `undefined` where there is none. */
export type FilePatch = {
  /** Its line in the patch, from 1. */
  readonly line: number;
  readonly oldPath?: string;
  readonly newPath?: string;
  readonly oldMode?: number;
  readonly newMode?: number;
  /** The full name of the old blob, which a binary file needs. */
  readonly oldOid?: string;
  readonly isCopy: boolean;
  readonly hunks: readonly Hunk[];
  readonly binary?: BinaryChange;
};

/** What is wrong with a patch, and in which line. */
export type PatchFault = { readonly line: number; readonly detail: string };

const FILE = "diff --git ";
const HUNK = /^@@ -(\d{1,9})(?:,(\d{1,9}))? \+(\d{1,9})(?:,(\d{1,9}))? @@/;
const BINARY = /^(literal|delta) (\d{1,10})$/;
const NO_LINE_FEED = "\\ ";

/** Thrown within this file, and caught where it was called. */
class Malformed extends Error {
  readonly line: number;
  constructor(line: number, detail: string) {
    super(detail);
    this.line = line;
  }
}

/** Parses a patch. */
export function parsePatch(text: string): readonly FilePatch[] | PatchFault {
  try {
    return new PatchParser(text).parse();
  } catch (error) {
    if (error instanceof Malformed) return { line: error.line, detail: error.message };
    throw error;
  }
}

type Names = { oldPath?: string; newPath?: string };
type Head = Names & {
  oldMode?: number;
  newMode?: number;
  oldOid?: string;
  isCopy: boolean;
  isNew: boolean;
  isDeleted: boolean;
};

class PatchParser {
  readonly #lines: readonly string[];
  #at = 0;

  constructor(text: string) {
    this.#lines = text.split("\n");
  }

  parse(): FilePatch[] {
    const files: FilePatch[] = [];
    for (; this.#at < this.#lines.length;) {
      if (this.#line.startsWith(FILE)) files.push(this.#file());
      else this.#at++;
    }
    if (files.length === 0) throw new Malformed(1, 'there is no "diff --git" in it');
    return files;
  }

  /** The line that is read next; "" past the end. */
  get #line(): string {
    return this.#lines[this.#at] ?? ""; // Past the end nothing is read.
  }

  #fail(detail: string): never {
    throw new Malformed(this.#at + 1, detail);
  }

  #file(): FilePatch {
    const line = this.#at + 1;
    const named = this.#line.slice(FILE.length);
    this.#at++;
    const head = this.#head();
    const { hunks, binary } = this.#content(head);
    const names = namesOf(head, named);
    if (names === undefined) throw new Malformed(line, "the paths can't be told apart");
    const { oldMode, newMode, oldOid, isCopy } = head;
    return {
      line,
      ...names,
      isCopy,
      hunks,
      ...(oldMode === undefined ? {} : { oldMode }),
      ...(newMode === undefined ? {} : { newMode }),
      ...(oldOid === undefined ? {} : { oldOid }),
      ...(binary === undefined ? {} : { binary }),
    };
  }

  /** Reads the lines between `diff --git` and the content. */
  #head(): Head {
    const head: Head = { isCopy: false, isNew: false, isDeleted: false };
    for (; this.#at < this.#lines.length; this.#at++) if (!takeHeader(head, this.#line)) break;
    return head;
  }

  #content(head: Head): { readonly hunks: Hunk[]; readonly binary?: BinaryChange } {
    if (this.#line === "GIT binary patch") return { hunks: [], binary: this.#binary() };
    if (this.#line.startsWith("Binary files "))
      this.#fail("a binary file without its content: make the patch with --binary");
    if (!this.#line.startsWith("--- ")) return { hunks: [] };
    const [oldName, newName] = [this.#line.slice(4), this.#lines[this.#at + 1] ?? ""]; // Past the end it does not fit.
    if (!newName.startsWith("+++ ")) this.#fail("a line that begins with +++ is missing");
    setName(head, "oldPath", oldName);
    setName(head, "newPath", newName.slice(4));
    this.#at += 2;
    const hunks: Hunk[] = [];
    while (HUNK.test(this.#line)) hunks.push(this.#hunk());
    if (hunks.length === 0) this.#fail("there is no hunk");
    return { hunks };
  }

  #hunk(): Hunk {
    const line = this.#at + 1;
    const [, oldStart, oldCount = "1", newStart, newCount = "1"] = HUNK.exec(this.#line) ?? [];
    const sides = { before: [] as string[], after: [] as string[] };
    const [old, fresh] = [Number(oldCount), Number(newCount)];
    let trailing = 0;
    for (this.#at++; sides.before.length < old || sides.after.length < fresh; this.#at++) {
      trailing = this.#hunkLine(sides) === " " ? trailing + 1 : 0;
    }
    if (sides.before.length > old || sides.after.length > fresh) this.#fail("a hunk has more lines than it says");
    return { oldStart: Number(oldStart), newStart: Number(newStart), ...sides, trailing, line };
  }

  /** Takes a line of a hunk, and returns its sign. */
  #hunkLine(sides: { readonly before: string[]; readonly after: string[] }): string {
    if (this.#at >= this.#lines.length) this.#fail("the patch ends within a hunk");
    const text = this.#line;
    const sign = text === "" ? " " : text.charAt(0);
    if (!" -+".includes(sign)) this.#fail("a line of a hunk begins with a space, + or -");
    const content = `${text.slice(1)}\n`;
    if (sign !== "+") sides.before.push(content);
    if (sign !== "-") sides.after.push(content);
    this.#noLineFeed(sign, sides);
    return sign;
  }

  /** Takes the line feed from the last line, if the next line of the patch says so. */
  #noLineFeed(sign: string, { before, after }: { readonly before: string[]; readonly after: string[] }): void {
    if (this.#lines[this.#at + 1]?.startsWith(NO_LINE_FEED) !== true) return;
    this.#at++;
    for (const side of [...(sign === "+" ? [] : [before]), ...(sign === "-" ? [] : [after])]) {
      const last = side.pop();
      if (last !== undefined) side.push(last.slice(0, -1));
    }
  }

  /** Reads the new content, and passes over the old one. */
  #binary(): BinaryChange {
    this.#at++;
    const forward = this.#binaryHunk();
    if (BINARY.test(this.#line)) this.#binaryHunk();
    return forward;
  }

  #binaryHunk(): BinaryChange {
    const [, kind, size] = BINARY.exec(this.#line) ?? [];
    if (kind === undefined) this.#fail("a binary patch has literal or delta, and a size");
    const from = ++this.#at;
    while (this.#line !== "" && this.#at < this.#lines.length) this.#at++;
    const deflated = binaryBytes(this.#lines.slice(from, this.#at));
    if (deflated === undefined) this.#fail("the lines above are not base 85");
    this.#at++;
    return { kind: kind === "delta" ? "delta" : "literal", size: Number(size), deflated };
  }
}

/** The lines between `diff --git` and the content, and what each says. Those that say nothing here are passed over. */
const HEADERS: Readonly<Record<string, (head: Head, rest: string) => void>> = {
  "old mode": (head, rest) => void (head.oldMode = Number.parseInt(rest, 8)),
  "new mode": (head, rest) => void (head.newMode = Number.parseInt(rest, 8)),
  "deleted file mode": (head, rest) => void Object.assign(head, { oldMode: Number.parseInt(rest, 8), isDeleted: true }),
  "new file mode": (head, rest) => void Object.assign(head, { newMode: Number.parseInt(rest, 8), isNew: true }),
  "similarity index": () => undefined,
  "dissimilarity index": () => undefined,
  index: takeIndex,
  "rename from": (head, rest) => void (head.oldPath = unquotedPath(rest)),
  "rename to": (head, rest) => void (head.newPath = unquotedPath(rest)),
  "copy from": (head, rest) => void Object.assign(head, { oldPath: unquotedPath(rest), isCopy: true }),
  "copy to": (head, rest) => void (head.newPath = unquotedPath(rest)),
};

/** Takes a line between `diff --git` and the content; false if it is none. */
function takeHeader(head: Head, line: string): boolean {
  const found = Object.entries(HEADERS).find(([name]) => line.startsWith(`${name} `));
  if (found === undefined) return false;
  const [name, take] = found;
  take(head, line.slice(name.length + 1));
  return true;
}

function takeIndex(head: Head, text: string): void {
  const [, oid, mode] = /^([0-9a-f]+)\.\.[0-9a-f]+(?: ([0-7]+))?$/.exec(text) ?? [];
  if (oid !== undefined) head.oldOid = oid;
  if (mode !== undefined) head.oldMode ??= Number.parseInt(mode, 8);
}

/** Sets the path of a line that begins with `---` or `+++`, unless a renaming said it. */
function setName(head: Head, side: "oldPath" | "newPath", text: string): void {
  const path = unquotedPath(text.replace(/\t.*$/, ""));
  if (path === "/dev/null") {
    head.isNew ||= side === "oldPath";
    head.isDeleted ||= side === "newPath";
  } else head[side] ??= path.slice(path.indexOf("/") + 1);
}

/** Returns the paths of a file: where no other line said them, those of `diff --git` itself. */
function namesOf(head: Head, named: string): Names | undefined {
  const { isNew, isDeleted } = head;
  const same = head.oldPath ?? head.newPath ?? samePath(named);
  if (same === undefined || same === "") return undefined;
  return {
    ...(isNew ? {} : { oldPath: head.oldPath ?? same }),
    ...(isDeleted ? {} : { newPath: head.newPath ?? same }),
  };
}

/** Returns the path of `a/path b/path`, where both are the same. */
function samePath(named: string): string | undefined {
  if (named.startsWith('"')) {
    const end = /^"(?:[^"\\]|\\.)*"/.exec(named)?.[0];
    return end === undefined ? undefined : withoutPrefix(unquotedPath(end));
  }
  const half = (named.length - 1) / 2;
  const [first, second] = [withoutPrefix(named.slice(0, half)), withoutPrefix(named.slice(half + 1))];
  return first === second ? first : undefined;
}

function withoutPrefix(path: string): string | undefined {
  const slash = path.indexOf("/");
  return slash < 0 ? undefined : path.slice(slash + 1);
}
