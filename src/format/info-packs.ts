/**
 * The file `objects/info/packs`, in which dumb clients find a repository's packs. It has one line per pack and an empty
 * last line.
 *
 * @packageDocumentation
 * @see gitrepository-layout(5), git-update-server-info(1)
 */

/** Formats the file. Each of the `names` is the part of a pack's file name between `pack-` and `.pack`. */
export function formatInfoPacks(names: readonly string[]): string {
  return `${names.map((name) => `P pack-${name}.pack\n`).join("")}\n`;
}
