/**
 * Finds the entry of a tree at a path, and lists directories.
 *
 * @packageDocumentation
 * @see git-ls-tree(1)
 */
import { concat } from "../bytes/chunk.ts";
import { textOf } from "../object/byte-text.ts";
import type { ObjectType } from "../object/object-type.ts";
import { FILE_MODE, TreeReader, isTree, typeOfMode } from "../object/tree.ts";
import type { BrowseSession, Unanswered } from "./browse-session.ts";

/** The entry at a path. */
export type FoundEntry = {
  readonly kind: "found";
  readonly mode: number;
  /** A raw name. */
  readonly oid: Uint8Array;
  /** `commit` for a submodule. */
  readonly type: ObjectType;
};

/** An entry of a directory. */
export type DirectoryEntry = {
  readonly mode: number;
  readonly type: ObjectType;
  /** One character per byte. */
  readonly name: string;
  /** A raw name. */
  readonly oid: Uint8Array;
};

/** Finds the entry of a tree (raw name) at a path, one character per byte. The empty path is the tree itself. */
export async function findPath(
  session: BrowseSession,
  tree: Uint8Array,
  path: string,
): Promise<FoundEntry | Unanswered> {
  let found: FoundEntry = { kind: "found", mode: FILE_MODE.tree, oid: tree, type: "tree" };
  if (path === "") return found;
  const missing: Unanswered = { kind: "missing", detail: "There is nothing at this path." };
  for (const name of path.split("/")) {
    if (!isTree(found.mode)) return missing;
    const entry = await findEntry(session, found.oid, name);
    if (entry === undefined) return missing;
    found = entry;
  }
  return found;
}

/** Finds an entry of a tree by its name. */
async function findEntry(session: BrowseSession, tree: Uint8Array, name: string): Promise<FoundEntry | undefined> {
  const { reader: objects, inflating } = session.graph;
  const { held } = objects.readAtHand(tree) ?? (await objects.read(tree));
  const found = searchTree(inflating.bytes(held), name, session.format.rawSize);
  const { pacer } = session.repository;
  pacer.add(held.size * BYTE_STEPS);
  if (pacer.isDue) await pacer.pace();
  return found;
}

/**
 * The steps per byte of a tree that is searched; the next constant is the steps per entry of a directory that becomes
 * an object.
 */
const BYTE_STEPS = 0.2;
const ENTRY_STEPS = 40;

function searchTree(tree: Uint8Array, name: string, rawSize: number): FoundEntry | undefined {
  const reader = new TreeReader(tree, 0, tree.length, rawSize);
  while (reader.next()) {
    if (reader.nameEnd - reader.nameAt !== name.length || !isNamed(tree, reader.nameAt, name)) continue;
    const oid = tree.slice(reader.oidAt, reader.oidAt + rawSize);
    return { kind: "found", mode: reader.mode, oid, type: typeOfMode(reader.mode) };
  }
  return undefined;
}

/** Whether this name, one character per byte, stands at `at`. */
function isNamed(bytes: Uint8Array, at: number, name: string): boolean {
  for (let i = 0; i < name.length; i++) if (bytes[at + i] !== name.charCodeAt(i)) return false;
  return true;
}

/** A directory that is held while its entries are used. Call {@link HeldDirectory.release} afterwards. */
export class HeldDirectory {
  readonly #session: BrowseSession;
  readonly #bytes: Uint8Array;

  private constructor(session: BrowseSession, bytes: Uint8Array) {
    this.#session = session;
    this.#bytes = bytes;
    session.hold(bytes.length);
  }

  /** Reads the directory with this raw name. @throws LimitExceeded if too much is held already. */
  static async read(session: BrowseSession, tree: Uint8Array): Promise<HeldDirectory> {
    const { bytes } = await session.graph.reader.readCopy(tree);
    const directory = new HeldDirectory(session, bytes);
    // To inflate a large one takes a turn by itself.
    const { pacer } = session.repository;
    if (pacer.isDue) await pacer.pace();
    return directory;
  }

  /** Yields the entries from number `first` on, each made when it is requested: there may be hundreds of thousands. */
  *entries(first = 0): Generator<DirectoryEntry, undefined> {
    const bytes = this.#bytes;
    const { rawSize } = this.#session.format;
    const reader = new TreeReader(bytes, 0, bytes.length, rawSize);
    const { pacer } = this.#session.repository;
    for (let number = 0; reader.next(); number++) {
      pacer.add(ENTRY_STEPS);
      if (number < first) continue;
      yield {
        mode: reader.mode,
        type: typeOfMode(reader.mode),
        name: textOf(bytes.subarray(reader.nameAt, reader.nameEnd)),
        oid: bytes.slice(reader.oidAt, reader.oidAt + rawSize),
      };
    }
  }

  release(): void {
    this.#session.letGo(this.#bytes.length);
  }
}

/** Returns up to `count` entries of a tree (raw name), from number `first` on. */
export async function listEntries(
  session: BrowseSession,
  tree: Uint8Array,
  { first, count }: { readonly first: number; readonly count: number },
): Promise<DirectoryEntry[]> {
  const directory = await HeldDirectory.read(session, tree);
  const entries: DirectoryEntry[] = [];
  for (const entry of directory.entries(first)) {
    if (entries.length === count) break;
    entries.push(entry);
  }
  directory.release();
  return entries;
}

/** The entries whose blobs are looked up together. */
const BATCH = 64;

/**
 * Returns the sizes of entries that are blobs, `undefined` for the others. It stops after at least one entry when so
 * much was read that the page should end.
 */
export async function blobSizes(
  session: BrowseSession,
  entries: readonly DirectoryEntry[],
): Promise<(number | undefined)[]> {
  const { reader } = session.graph;
  const sizes: (number | undefined)[] = [];
  for (let at = 0; at < entries.length && (at === 0 || !session.pageIsFull); at += BATCH) {
    const batch = entries.slice(at, at + BATCH);
    await reader.prefetch(concat(batch.filter(({ type }) => type === "blob").map(({ oid }) => oid)));
    for (const { type, oid } of batch) sizes.push(type === "blob" ? await reader.sizeOf(oid) : undefined);
  }
  return sizes;
}
