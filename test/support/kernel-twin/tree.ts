/**
 * What the kernel does with trees, said plainly: the oracle for it. Trees are byte strings here, so that names compare as git has
 * it and serve as keys.
 *
 * @packageDocumentation
 */

/** An entry of a tree; `mode` and `name` have a character a byte, `oid` is hexadecimal. */
export type TwinEntry = { readonly mode: string; readonly name: string; readonly oid: string; readonly offset: number };

const CANONICAL_MODES = new Set(["40000", "100644", "100755", "120000", "160000"]);
/** Names to look at more closely: not of printable ASCII, or with what some file system reads as ".git" in it. */
const SUSPICIOUS = /^\.|^git|[^ -~]|[~\\:]|.{256}/i;

/** Parses a tree's entries; `undefined` where it is malformed. */
export function parseTreeTwin(tree: Uint8Array, rawSize: number): TwinEntry[] | undefined {
  const entries: TwinEntry[] = [];
  let text = "";
  for (const byte of tree) text += String.fromCharCode(byte);
  for (let at = 0; at < tree.length;) {
    const space = text.indexOf(" ", at);
    const nul = text.indexOf("\0", space);
    const end = nul + 1 + rawSize;
    if (space < 0 || nul < 0 || end > tree.length || !/^[0-7]+$/.test(text.slice(at, space))) return undefined;
    let oid = "";
    for (const byte of tree.subarray(nul + 1, end)) oid += byte.toString(16).padStart(2, "0");
    entries.push({ mode: text.slice(at, space), name: text.slice(space + 1, nul), oid, offset: at });
    at = end;
  }
  return entries;
}

const typeOf = (entry: TwinEntry): number => Number.parseInt(entry.mode, 8) & 0xf000;
/** Whether the entry is a tree. */
export const isTree = (entry: TwinEntry): boolean => typeOf(entry) === 0x4000;
/** Whether the entry is a gitlink. */
export const isLink = (entry: TwinEntry): boolean => typeOf(entry) === 0xe000;

const sortKey = (entry: TwinEntry): string => entry.name + (isTree(entry) ? "/" : "");
const identity = (entry: TwinEntry): string => `${entry.mode} ${entry.name} ${entry.oid}`;

/** The entries of `tree` that `base` does not have. */
export function changedEntries(tree: readonly TwinEntry[], base: readonly TwinEntry[]): TwinEntry[] {
  const known = new Set(base.map(identity));
  return tree.filter((entry) => !known.has(identity(entry)));
}

/**
 * Returns what a scan finds: names to look at, and what is referred to; or `undefined` if the tree is suspect. What the base has is
 * not referred to again, and is not looked at if the base was judged.
 */
export function scanTwin(
  tree: Uint8Array,
  base: Uint8Array,
  rawSize: number,
  baseIsJudged = true,
): { readonly suspicious: number[]; readonly references: Map<string, "tree" | "blob" | "both"> } | undefined {
  const entries = parseTreeTwin(tree, rawSize);
  if (entries === undefined || !isWellOrdered(entries)) return undefined;
  if (entries.some((entry) => !CANONICAL_MODES.has(entry.mode))) return undefined;
  const changed = changedEntries(entries, parseTreeTwin(base, rawSize) ?? []);
  const checked = baseIsJudged ? changed : entries;
  if (checked.some(({ name, oid }) => name.includes("/") || /^0+$/.test(oid))) return undefined;
  const references = new Map<string, "tree" | "blob" | "both">();
  for (const entry of changed.filter((each) => !isLink(each))) {
    const type = isTree(entry) ? "tree" : "blob";
    references.set(entry.oid, (references.get(entry.oid) ?? type) === type ? type : "both");
  }
  const suspicious = checked.filter(({ name }) => SUSPICIOUS.test(name));
  return { suspicious: suspicious.map(({ offset }) => offset), references };
}

function isWellOrdered(entries: readonly TwinEntry[]): boolean {
  if (new Set(entries.map(({ name }) => name)).size !== entries.length) return false;
  return entries.every((entry, i) => {
    const before = entries[i - 1];
    return entry.name !== "" && (before === undefined || sortKey(before) < sortKey(entry));
  });
}
