/**
 * The file `objects/info/packs`, by which dumb clients find a repository's packs: a line each, and an empty one at the end.
 *
 * @packageDocumentation
 * @see gitrepository-layout(5), git-update-server-info(1)
 */

/** Gives the file. `names` are what stands between `pack-` and `.pack`. */
export function formatInfoPacks(names: readonly string[]): string {
  return `${names.map((name) => `P pack-${name}.pack\n`).join("")}\n`;
}
