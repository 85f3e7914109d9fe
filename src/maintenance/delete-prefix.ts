/**
 * Deletes the files that a deleted repository left in the bucket.
 *
 * @packageDocumentation
 */
import type { BareFiles } from "./bare-files.ts";

const PACK_FILE = /^objects\/pack\/pack-([^.]+)\./;

/**
 * Deletes up to `pages` pages of files, but for those of packs that others have borrowed (`kept`). Returns whether
 * nothing else is left. It begins at the front again, so a run that broke off is simply repeated.
 */
export async function deletePrefix(files: BareFiles, pages: number, kept: readonly string[] = []): Promise<boolean> {
  const borrowed = new Set(kept);
  const isKept = (name: string): boolean => {
    const pack = PACK_FILE.exec(name)?.[1];
    return pack !== undefined && borrowed.has(pack);
  };
  let cursor: string | undefined;
  for (let page = 0; page < pages; page++) {
    const { files: found, cursor: next } = await files.list(cursor);
    const names = found.map(({ name }) => name).filter((name) => !isKept(name));
    if (names.length > 0) await files.delete(names);
    if (next === undefined) return true;
    cursor = next;
  }
  return false;
}
