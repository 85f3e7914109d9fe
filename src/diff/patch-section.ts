/**
 * The lines at the head of a file's part of a patch: `diff --git`, and what follows up to the hunks.
 *
 * @packageDocumentation
 * @see git-diff(1), "Generating patch text with -p"; `parse_git_diff_header()`, `git_header_name()` in git's apply.c
 */
import { canonicalMode, FILE_MODE, isGitlink, isRegular, isSymlink } from "../object/tree.ts";
import { quotedAt } from "./quoted-path.ts";

/** What is wrong with a line. The parser of patches throws it, and catches it where it was called. */
export class Malformed extends Error {}

/** What git counts as space: JavaScript's `\s` has bytes more. */
const SPACES = /^[ \t\r\n]+/;
const MODE = /^[ \t\r\n]*([0-7]{1,10})(?:[ \t\r\n]|$)/;
const INDEX = /^([^.]{0,64})\.\.([^ ]{0,64})(?: (.*))?$/;
const NOTHING = "/dev/null";
/** What ends a name: after `---` and `+++` also a tab. */
const NAME_ENDS = /[\r\n]/;
const DATED_NAME_ENDS = /[\t\r\n]/;

/** What the head of a file's part has said at its end. Paths are `undefined` where there is none. */
export type PatchHead = {
  readonly oldPath: string | undefined;
  readonly newPath: string | undefined;
  readonly oldMode: number | undefined;
  readonly newMode: number | undefined;
  /** The names of the old and the new blob, which a binary file needs. */
  readonly oldOid: string | undefined;
  readonly newOid: string | undefined;
  readonly isRename: boolean;
  readonly isCopy: boolean;
};

/** What the head of a file's part says. Paths are `undefined` where there is none. */
export class PatchSection {
  oldPath: string | undefined;
  newPath: string | undefined;
  oldMode: number | undefined;
  newMode: number | undefined;
  /** The names of the blobs, as far as the patch has them. */
  oldOid: string | undefined;
  newOid: string | undefined;
  isNew = false;
  isDeleted = false;
  isRename = false;
  isCopy = false;
  readonly #both: string | undefined;

  /** `named` is what follows `diff --git`. */
  constructor(named: string) {
    this.#both = nameOfBoth(named);
  }

  /** Whether it changes something besides the content. */
  get changesMore(): boolean {
    const { isNew, isDeleted, isRename, isCopy, oldMode, newMode } = this;
    const isOtherMode = oldMode !== undefined && newMode !== undefined && oldMode !== newMode;
    return isNew || isDeleted || isRename || isCopy || isOtherMode;
  }

  /** Takes a line, without its line feed. Returns false if it is none of the head. @throws Malformed */
  take(line: string): boolean {
    const found = TAKERS.find(([name]) => line.startsWith(name));
    if (found === undefined) return false;
    const [name, take] = found;
    take(this, line.slice(name.length));
    const ways = [this.isNew, this.isDeleted, this.isRename, this.isCopy];
    if (ways.filter(Boolean).length > 1) throw new Malformed("this line contradicts those above");
    return true;
  }

  /** Ends the head: paths that no line has said are those of `diff --git`. @throws Malformed */
  end(): void {
    if (this.oldPath === undefined && this.newPath === undefined)
      [this.oldPath, this.newPath] = [this.#both, this.#both];
    if (this.isNew) [this.oldPath, this.oldMode] = [undefined, undefined];
    if (this.isDeleted) [this.newPath, this.newMode] = [undefined, undefined];
    const lacks = (this.oldPath === undefined && !this.isNew) || (this.newPath === undefined && !this.isDeleted);
    if (lacks) throw new Malformed("the paths can't be told apart");
  }

  /** Returns what it has said. */
  head(): PatchHead {
    const { oldPath, newPath, oldMode, newMode, oldOid, newOid, isRename, isCopy } = this;
    return { oldPath, newPath, oldMode, newMode, oldOid, newOid, isRename, isCopy };
  }

  /** Takes the path after `---` or `+++`, which has to be what other lines have said. */
  takeName(side: "oldPath" | "newPath", text: string): void {
    const isNone = side === "oldPath" ? this.isNew : this.isDeleted;
    const before = this[side];
    if (isNone) {
      const isNothing = before === undefined && /^\/dev\/null(?:[ \t\r\n]|$)/.test(text);
      if (!isNothing) throw new Malformed(`${NOTHING} has to stand here, and nowhere else`);
      return;
    }
    const name = nameIn(text, 1, DATED_NAME_ENDS);
    if (before === undefined) this[side] = name;
    else if (name !== before) throw new Malformed("the path is not the one above");
  }

  /** The path that `diff --git` says twice. */
  get both(): string | undefined {
    return this.#both;
  }
}

/** The beginnings of lines of a head, and what each says. */
const TAKERS: readonly (readonly [string, (section: PatchSection, rest: string) => void])[] = [
  ["--- ", (section, rest) => section.takeName("oldPath", rest)],
  ["+++ ", (section, rest) => section.takeName("newPath", rest)],
  ["old mode ", (section, rest) => void (section.oldMode = modeIn(rest))],
  ["new mode ", (section, rest) => void (section.newMode = modeIn(rest))],
  [
    "deleted file mode ",
    (section, rest) => void Object.assign(section, { isDeleted: true, oldPath: section.both, oldMode: modeIn(rest) }),
  ],
  [
    "new file mode ",
    (section, rest) => void Object.assign(section, { isNew: true, newPath: section.both, newMode: modeIn(rest) }),
  ],
  ["copy from ", (section, rest) => void Object.assign(section, { isCopy: true, oldPath: nameIn(rest, 0, NAME_ENDS) })],
  ["copy to ", (section, rest) => void Object.assign(section, { isCopy: true, newPath: nameIn(rest, 0, NAME_ENDS) })],
  ["rename old ", takeRenamed("oldPath")],
  ["rename new ", takeRenamed("newPath")],
  ["rename from ", takeRenamed("oldPath")],
  ["rename to ", takeRenamed("newPath")],
  ["similarity index ", () => undefined],
  ["dissimilarity index ", () => undefined],
  ["index ", takeIndex],
];

function takeRenamed(side: "oldPath" | "newPath"): (section: PatchSection, rest: string) => void {
  return (section, rest) => void Object.assign(section, { isRename: true, [side]: nameIn(rest, 0, NAME_ENDS) });
}

function takeIndex(section: PatchSection, rest: string): void {
  const [, oldOid, newOid, mode] = INDEX.exec(rest) ?? [];
  if (oldOid === undefined || newOid === undefined) return;
  Object.assign(section, { oldOid, newOid });
  if (mode !== undefined) section.oldMode = modeIn(mode);
}

/** Returns the mode that git takes a text for. Trees have files, links and submodules of no other. @throws Malformed */
function modeIn(text: string): number {
  const mode = Number.parseInt(MODE.exec(text)?.[1] ?? "0", 8); // No digits are no mode.
  if (isSymlink(mode)) return FILE_MODE.symlink;
  if (isGitlink(mode)) return FILE_MODE.gitlink;
  if (!isRegular(mode) || mode > FILE_MODE.gitlink) throw new Malformed("this is no mode that a file may have");
  return canonicalMode(mode);
}

/** Returns the path at the beginning of a text, without its first `prefix` parts; `undefined` if there is none. */
function nameIn(text: string, prefix: 0 | 1, ends: RegExp): string | undefined {
  const quoted = quotedAt(text);
  const found = quoted === undefined ? undefined : withoutPrefix(quoted.path, prefix);
  if (found !== undefined) return squashed(found);
  const end = text.search(ends);
  const name = withoutPrefix(end < 0 ? text : text.slice(0, end), prefix);
  return name === undefined || name === "" ? undefined : squashed(name);
}

/** Returns a path without its first part; `undefined` if it has none to take away. */
function withoutPrefix(path: string, prefix: 0 | 1 = 1): string | undefined {
  if (prefix === 0) return path;
  const slash = path.indexOf("/");
  return slash < 0 ? undefined : path.slice(slash + 1);
}

function squashed(path: string): string {
  return path.replaceAll(/\/{2,}/g, "/");
}

/** Returns the path of `a/path b/path`, if both are the same. */
function nameOfBoth(named: string): string | undefined {
  const first = quotedAt(named);
  if (first !== undefined) {
    const rest = named.slice(first.length).replace(SPACES, "");
    return sameName(withoutPrefix(first.path), withoutPrefix(quotedAt(rest)?.path ?? rest));
  }
  const quote = named.indexOf('"');
  if (quote < 0) return nameTwice(named);
  const second = quotedAt(named.slice(quote));
  const name = withoutPrefix(named.slice(0, quote).replace(/[ \t\r\n]+$/, ""));
  return second === undefined ? undefined : sameName(name, withoutPrefix(second.path));
}

/** Returns the path of `a/path b/path` without quotes. It may have spaces, so it is the space that leaves the same on both sides. */
function nameTwice(named: string): string | undefined {
  const start = named.indexOf("/") + 1;
  if (start === 0) return undefined;
  let slash = 0;
  for (let at = start; at < named.length; at++) {
    if (named[at] !== " " && named[at] !== "\t") continue;
    if (slash <= at) slash = named.indexOf("/", at + 1);
    if (slash < 0) return undefined;
    // The first side grows and the second shrinks: they have the same length once, so that this is linear.
    if (slash + 1 + at - start !== named.length) continue;
    const name = named.slice(start, at);
    if (name !== "" && named.endsWith(name)) return name;
  }
  return undefined;
}

function sameName(one: string | undefined, other: string | undefined): string | undefined {
  return one === other && one !== "" ? one : undefined;
}
