/**
 * Checks trees as C git does: names, modes, order and duplicates.
 *
 * @packageDocumentation
 * @see git-fsck(1)
 */
import { u8At } from "../bytes/assert.ts";
import { ObjectRejected } from "../bytes/failure.ts";
import { isDotGit, isPlainName, isSpecialFile, type SpecialFile } from "./fsck-names.ts";
import { finding, FORGIVES_NOTHING, type Forgiving, type FsckFinding } from "./fsck-rule.ts";
import type { ObjectFormat } from "./object-id.ts";
import { isGitlink, isSymlink, isTree, TreeReader } from "./tree.ts";

/** A name of more bytes than this is excessive to git. */
const MAX_NAME_BYTES = 4096;
const SLASH = 0x2f;
const ZERO = 0x30;
const KNOWN_MODES: readonly number[] = [0o100755, 0o100644, 0o120000, 0o040000, 0o160000];

/** A file whose content git reads by itself, so that fsck examines it, too. */
export type AttachedFile = "gitmodules" | "gitattributes";

/** The result of checking one entry of a tree. */
export type EntryVerdict = {
  /** The finding that refuses the tree, if any. */
  readonly finding: FsckFinding | undefined;
  /** The files as which `fsckAttachedBlob` must check the entry's blob, whenever it comes; nearly always none. */
  readonly attached: readonly AttachedFile[];
};

const FINE: EntryVerdict = { finding: undefined, attached: [] };

const SYMLINK_RULE = {
  gitmodules: "gitmodulesSymlink",
  gitattributes: "gitattributesSymlink",
  gitignore: "gitignoreSymlink",
  mailmap: "mailmapSymlink",
} as const satisfies Record<SpecialFile, string>;

function nameFinding(name: Uint8Array): FsckFinding | undefined {
  if (name.includes(SLASH)) return finding("fullPathname");
  if (name.length === 0) return finding("emptyName");
  if (name.length === 1 && name[0] === 0x2e) return finding("hasDot");
  if (name.length === 2 && name[0] === 0x2e && name[1] === 0x2e) return finding("hasDotdot");
  if (isDotGit(name)) return finding("hasDotgit");
  return name.length > MAX_NAME_BYTES ? finding("largePathname") : undefined;
}

const refused = (by: FsckFinding): EntryVerdict => ({ finding: by, attached: [] });

/**
 * Returns the finding against an entry that is named like a file that git reads and is not a blob. Git would refuse it
 * when looking it up.
 */
function attachedFinding(mode: number, file: AttachedFile): FsckFinding | undefined {
  if (isTree(mode)) return finding(`${file}Blob`);
  // If a gitlink has that name, git forgives a missing .gitmodules, which may yet come from a promisor, but not a
  // missing .gitattributes.
  return isGitlink(mode) && file === "gitattributes" ? finding("gitattributesMissing") : undefined;
}

function specialVerdict(name: Uint8Array, mode: number): EntryVerdict {
  const attached: AttachedFile[] = [];
  for (const file of ["gitmodules", "gitattributes", "gitignore", "mailmap"] as const) {
    if (!isSpecialFile(name, file)) continue;
    const isAttached = file === "gitmodules" || file === "gitattributes";
    const link = isSymlink(mode) ? finding(SYMLINK_RULE[file]) : undefined;
    const bad = link ?? (isAttached ? attachedFinding(mode, file) : undefined);
    if (bad !== undefined) return refused(bad);
    if (isAttached && !isSymlink(mode) && !isGitlink(mode)) attached.push(file);
  }
  return { finding: undefined, attached };
}

/**
 * Checks the name and mode of one entry, apart from its tree. {@link fsckTree} does so for all entries. A caller that
 * checks trees by other means needs it only for some names: with a byte `/`, `\`, `~` or above, with a `.` at the
 * start, or of excessive length.
 */
export function fsckTreeEntry(name: Uint8Array, mode: number): EntryVerdict {
  if (name.length <= MAX_NAME_BYTES && name.length > 0 && isPlainName(name)) return FINE;
  const bad = nameFinding(name);
  return bad === undefined ? specialVerdict(name, mode) : refused(bad);
}

type Named = { readonly name: Uint8Array; readonly isTree: boolean };
type Order = "ordered" | "unordered" | "duplicate";

function sharedLength(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length);
  let shared = 0;
  while (shared < length && a[shared] === b[shared]) shared++;
  return shared;
}

/**
 * Returns the byte that decides after a shared beginning: the next byte, or the slash that a subtree is taken to end
 * in, or 0.
 */
function byteAfter(entry: Named, shared: number): number {
  return entry.name[shared] ?? (entry.isTree ? SLASH : 0);
}

const isBelowSlash = (byte: number): boolean => byte > 0 && byte < SLASH;

/**
 * Follows the order of entries. A subtree sorts as if its name ended in a slash, so an entry of the same name need not
 * be beside it:
 *
 * ```
 * foo  foo.bar  foo.bar.baz  foo.bar/  foo/
 * ```
 *
 * Files that a subtree of the same name may still follow wait on a stack.
 */
class EntryOrder {
  #previous: Named | undefined;
  readonly #candidates: Uint8Array[] = [];

  next(entry: Named): Order {
    const previous = this.#previous;
    this.#previous = entry;
    return previous === undefined ? "ordered" : this.#compare(previous, entry);
  }

  #compare(first: Named, second: Named): Order {
    const shared = sharedLength(first.name, second.name);
    if (shared === first.name.length && shared === second.name.length) return "duplicate";
    const firstNext = byteAfter(first, shared);
    const secondNext = byteAfter(second, shared);
    if (firstNext === 0 && isBelowSlash(secondNext)) this.#candidates.push(first.name);
    const mayRepeat = shared === second.name.length && secondNext === SLASH && isBelowSlash(firstNext);
    if (mayRepeat && this.#hasNamesake(second.name)) return "duplicate";
    return firstNext < secondNext ? "ordered" : "unordered";
  }

  #hasNamesake(tree: Uint8Array): boolean {
    for (let file = this.#candidates.pop(); file !== undefined; file = this.#candidates.pop()) {
      const length = file.length;
      if (length > tree.length || file.some((byte, i) => byte !== tree[i])) continue;
      if (length === tree.length) return true;
      if (isBelowSlash(u8At(tree, length))) {
        this.#candidates.push(file);
        return false;
      }
    }
    return false;
  }
}

/** The flaws of a tree as a whole. The first that is true refuses it, in git's order. */
type Flaws = {
  nullSha1: boolean;
  zeroPaddedFilemode: boolean;
  badFilemode: boolean;
  duplicateEntries: boolean;
  treeNotSorted: boolean;
};

function flawFinding(flaws: Flaws, forgives: Forgiving): FsckFinding | undefined {
  for (const id of ["nullSha1", "zeroPaddedFilemode", "badFilemode", "duplicateEntries", "treeNotSorted"] as const) {
    const found = flaws[id] ? finding(id) : undefined;
    if (found !== undefined && !forgives(id)) return found;
  }
  return undefined;
}

/** Reads the next entry; `undefined` if the bytes are not a tree. */
function nextEntry(reader: TreeReader): boolean | undefined {
  try {
    return reader.next();
  } catch (error) {
    if (error instanceof ObjectRejected) return undefined;
    throw error;
  }
}

/**
 * Checks a tree.
 *
 * @param forgives is called for flaws of the tree as a whole, never for its names.
 * @param onAttached receives the offset in `bytes` of the raw name of each blob that `fsckAttachedBlob` must check.
 * @returns the first finding that refuses it; `undefined` if there is none.
 */
export function fsckTree(
  bytes: Uint8Array,
  format: ObjectFormat,
  onAttached?: (file: AttachedFile, oidAt: number) => void,
  forgives: Forgiving = FORGIVES_NOTHING,
): FsckFinding | undefined {
  const reader = new TreeReader(bytes, 0, bytes.length, format.rawSize);
  const order = new EntryOrder();
  const flaws: Flaws = {
    nullSha1: false,
    zeroPaddedFilemode: false,
    badFilemode: false,
    duplicateEntries: false,
    treeNotSorted: false,
  };
  for (let more = nextEntry(reader); more !== false; more = nextEntry(reader)) {
    if (more === undefined) return finding("badTree");
    const { mode, oidAt } = reader;
    const name = bytes.subarray(reader.nameAt, reader.nameEnd);
    const verdict = fsckTreeEntry(name, mode);
    if (verdict.finding !== undefined) return verdict.finding;
    for (const file of verdict.attached) onAttached?.(file, oidAt);
    const place = order.next({ name, isTree: isTree(mode) });
    flaws.duplicateEntries ||= place === "duplicate";
    flaws.treeNotSorted ||= place === "unordered";
    flaws.zeroPaddedFilemode ||= bytes[reader.entryAt] === ZERO;
    flaws.badFilemode ||= !KNOWN_MODES.includes(mode);
    flaws.nullSha1 ||= bytes.subarray(oidAt, oidAt + format.rawSize).every((byte) => byte === 0);
  }
  return flawFinding(flaws, forgives);
}
