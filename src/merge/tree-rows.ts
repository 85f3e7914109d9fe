/**
 * Walks through the entries of three trees side by side.
 *
 * @packageDocumentation
 */
import { FILE_MODE } from "../object/tree.ts";
import type { Versions } from "./path-info.ts";
import { NOTHING, STAGES, type TreeEntry } from "./version.ts";

/** A name in any of three trees, what each has there, and which have a file and which a directory. */
export type TreeRow = {
  readonly name: string;
  readonly versions: Versions;
  readonly files: number;
  readonly directories: number;
};

/** Yields the names of three trees. A file and a directory of the same name come together, however trees order them. */
export function* treeRows(trees: readonly (readonly TreeEntry[])[]): Generator<TreeRow, undefined> {
  const cursors = trees.map((entries) => new Cursor(entries));
  for (;;) {
    let name: string | undefined;
    for (const { head } of cursors)
      if (head !== undefined && (name === undefined || head.name < name)) ({ name } = head);
    if (name === undefined) return;
    const versions: Versions = [NOTHING, NOTHING, NOTHING];
    let [files, directories] = [0, 0];
    for (const stage of STAGES) {
      const entry = cursors[stage]?.take(name);
      if (entry === undefined) continue;
      versions[stage] = entry;
      if (entry.mode === FILE_MODE.tree) directories |= 1 << stage;
      else files |= 1 << stage;
    }
    yield { name, versions, files, directories };
  }
}

/** A place in the entries of a tree. */
class Cursor {
  readonly #entries: readonly TreeEntry[];
  #at = 0;
  /** Entries behind the place that were taken before their turn. */
  readonly #taken = new Set<TreeEntry>();

  constructor(entries: readonly TreeEntry[]) {
    this.#entries = entries;
  }

  /** The next entry. */
  get head(): TreeEntry | undefined {
    return this.#entries[this.#at];
  }

  /** Takes the entry of this name, if there is one. Only a directory may be behind the place: names between begin with its own. */
  take(name: string): TreeEntry | undefined {
    for (let at = this.#at; ; at++) {
      const entry = this.#entries[at];
      if (entry === undefined || !entry.name.startsWith(name)) return undefined;
      if (entry.name !== name || this.#taken.has(entry)) continue;
      this.#taken.add(entry);
      while (this.head !== undefined && this.#taken.delete(this.head)) this.#at++;
      return entry;
    }
  }
}
