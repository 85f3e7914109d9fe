/**
 * Lists what a tree has, and what is in its directories, up to bounds.
 *
 * @packageDocumentation
 * @see git-ls-tree(1)
 */
import { assertDepth } from "../object/tree-depth.ts";
import type { BrowseSession } from "./browse-session.ts";
import { type DirectoryEntry, HeldDirectory } from "./tree-at.ts";

/** Bytes of an answer that all items of a list may take, and those of an item beside its path. */
const MOST_LIST_BYTES = 2 * 1024 * 1024;
const ITEM_TEXT_BYTES = 160;
/** Bytes that an item takes beside its path, and copies of both until the answer is written. */
const ITEM_BYTES = 160;
const TEXT_COPIES = 3;
/** Steps of a directory that is opened, of an item, and of each character of its path. */
const DIRECTORY_STEPS = 1000;
const ITEM_STEPS = 300;
const CHARACTER_STEPS = 4;

/** An entry of a tree or of a directory in it. */
export type TreeItem = Omit<DirectoryEntry, "name"> & {
  /** The path from the tree on, one character per byte. */
  readonly path: string;
};

/** A list of items in git's order. `isCut`: there are more. */
export type TreeItems = { readonly items: readonly TreeItem[]; readonly isCut: boolean };

/** A directory that is being listed. */
type Level = {
  readonly prefix: string;
  readonly directory: HeldDirectory;
  readonly entries: Iterator<DirectoryEntry, undefined>;
};

/** Lists the directories from a tree down to where the list is. */
class Listing {
  readonly #session: BrowseSession;
  readonly #levels: Level[] = [];

  constructor(session: BrowseSession) {
    this.#session = session;
  }

  /** Opens a directory below those that are open. @throws LimitExceeded */
  async open(tree: Uint8Array, prefix: string): Promise<void> {
    assertDepth(this.#levels.length);
    const directory = await HeldDirectory.read(this.#session, tree);
    this.#levels.push({ prefix, directory, entries: directory.entries() });
    await this.#session.work(DIRECTORY_STEPS);
  }

  /** Returns the next entry of the last directory that was opened, or of those above where it has no more. */
  next(): TreeItem | undefined {
    for (let level = this.#levels.at(-1); level !== undefined; level = this.#levels.at(-1)) {
      const { value: entry } = level.entries.next();
      if (entry !== undefined) {
        const { name, ...item } = entry;
        return { ...item, path: level.prefix + name };
      }
      level.directory.release();
      this.#levels.pop();
    }
    return undefined;
  }

  close(): void {
    for (const { directory } of this.#levels.splice(0)) directory.release();
  }
}

/**
 * Lists the entries of a tree (raw name); with `isDeep` all that is in its directories, too. What the list takes is held
 * until the session is closed.
 *
 * @throws LimitExceeded if directories lie too deep within each other.
 */
export async function listTree(session: BrowseSession, tree: Uint8Array, isDeep: boolean): Promise<TreeItems> {
  const listing = new Listing(session);
  const items: TreeItem[] = [];
  let bytes = 0;
  try {
    await listing.open(tree, "");
    for (let item = listing.next(); item !== undefined; item = listing.next()) {
      bytes += ITEM_TEXT_BYTES + item.path.length;
      if ((bytes > MOST_LIST_BYTES || session.pageIsFull) && items.length > 0) return { items, isCut: true };
      session.keep(ITEM_BYTES + TEXT_COPIES * (ITEM_TEXT_BYTES + item.path.length));
      items.push(item);
      await session.work(ITEM_STEPS + CHARACTER_STEPS * item.path.length);
      if (isDeep && item.type === "tree") await listing.open(item.oid, `${item.path}/`);
    }
    return { items, isCut: false };
  } finally {
    listing.close();
  }
}
