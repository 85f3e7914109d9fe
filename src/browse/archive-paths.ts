/**
 * The paths to which an archive is narrowed: files and directories, each with everything in it.
 *
 * @packageDocumentation
 * @see gitglossary(7), pathspec
 */

/** The chosen paths. Texts have one character per byte. */
export class ArchivePaths {
  readonly #paths: readonly string[];

  /** `paths` are without slashes at their ends. None chooses everything, and so does an empty one. */
  constructor(paths: readonly string[]) {
    this.#paths = paths.some((path) => path === "") ? [] : paths;
  }

  /** Whether an entry is chosen. A directory's path ends in a slash. */
  hasEntry(path: string): boolean {
    const bare = path.endsWith("/") ? path.slice(0, -1) : path;
    return this.#paths.length === 0 || this.#paths.some((chosen) => chosen === bare || path.startsWith(`${chosen}/`));
  }

  /** Whether there may be something chosen in a directory, whose path ends in a slash. */
  hasPart(directory: string): boolean {
    return this.hasEntry(directory) || this.#paths.some((chosen) => chosen.startsWith(directory));
  }
}
