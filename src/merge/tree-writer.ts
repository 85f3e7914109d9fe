/**
 * Writes the trees of a merge's result. It is shown paths from the last to the first, so that what is in a directory
 * comes before the directory itself.
 *
 * @packageDocumentation
 */
import { itemAt } from "../bytes/assert.ts";
import { FILE_MODE } from "../object/tree.ts";
import type { MergeSource } from "./merge-source.ts";
import { nameOf, type PathInfo, type Paths } from "./path-info.ts";
import { OURS, type TreeEntry } from "./version.ts";

type OpenDirectory = { readonly path: string; readonly entries: TreeEntry[] };

/** The trees of one result. */
export class TreeWriter {
  readonly #source: MergeSource;
  readonly #paths: Paths;
  readonly #open: OpenDirectory[] = [];

  constructor(source: MergeSource, paths: Paths) {
    this.#source = source;
    this.#paths = paths;
  }

  /** Goes on to a path of this directory. The directory before is written if nothing of it can follow. */
  async enter(directory: string): Promise<void> {
    const last = this.#open.at(-1);
    if (last?.path === directory) return;
    if (last !== undefined && !isWithin(directory, last.path)) {
      await this.#complete(last);
      this.#open.pop();
      if (this.#open.at(-1)?.path === directory) return;
    }
    this.#open.push({ path: directory, entries: [] });
  }

  /** Adds a path of the directory that was entered last. */
  add(path: string, info: PathInfo): void {
    if (info.isRemoved) return;
    const { mode, oid } = info.result;
    itemAt(this.#open, this.#open.length - 1).entries.push({ name: nameOf(path), mode, oid });
  }

  /** Writes the top. Returns its name. */
  async finish(like: string): Promise<string> {
    const top = this.#open[0];
    return top === undefined ? await this.#write([], like) : await this.#write(top.entries, like);
  }

  async #complete({ path, entries }: OpenDirectory): Promise<void> {
    const info = this.#paths.get(path);
    if (info === undefined) return;
    info.isRemoved = entries.length === 0;
    if (entries.length === 0) return;
    const like = info.stages[OURS];
    const oid = await this.#write(entries, like.mode === FILE_MODE.tree ? like.oid : undefined);
    info.result = { mode: FILE_MODE.tree, oid };
  }

  async #write(entries: readonly TreeEntry[], like: string | undefined): Promise<string> {
    const keyed = entries.map((entry) => ({
      entry,
      key: entry.mode === FILE_MODE.tree ? `${entry.name}/` : entry.name,
    }));
    keyed.sort((one, two) => (one.key < two.key ? -1 : 1));
    return await this.#source.writeTree(
      keyed.map(({ entry }) => entry),
      like,
    );
  }
}

function isWithin(path: string, directory: string): boolean {
  return directory === "" || path.startsWith(`${directory}/`);
}
