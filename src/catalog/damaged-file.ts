/**
 * Files that only save work: all that they tell can be found out from packs. Whoever meets one that is damaged or missing goes on without
 * it, and notes it. The repository's object then forgets the file, so that maintenance makes it anew.
 *
 * @packageDocumentation
 */

/** The extension of such a file. The multi-pack index is for git alone, and noted where it is put in its place. */
export type HelpingFile = "bitmap" | "graph" | "rev" | "midx";

/** A file that can't be used. */
export type DamagedFile = {
  /** The id of the repository below whose prefix it lies. */
  readonly home: string;
  /** The key stem: of a pack, of a layer of the commit-graph, or of a multi-pack index. */
  readonly pack: string;
  readonly extension: HelpingFile;
};

/** The most files that one request notes. Others are met again. */
const MOST_NOTED = 32;

/** The files that a request has found damaged, each once. */
export class DamagedFiles {
  readonly #files = new Map<string, DamagedFile>();

  /** Notes a file. */
  note(file: DamagedFile): void {
    if (this.#files.size < MOST_NOTED) this.#files.set(`${file.home}/${file.pack}.${file.extension}`, file);
  }

  /** Returns what was noted, and forgets it. */
  take(): DamagedFile[] {
    const files = [...this.#files.values()];
    this.#files.clear();
    return files;
  }
}
