/**
 * Deletes the files that a deleted repository left in the bucket.
 *
 * @packageDocumentation
 */
import type { BareFiles } from "./bare-files.ts";

/**
 * Deletes up to `pages` pages of files. Returns whether nothing is left. It always begins at the front of the remaining
 * files, so a run that broke off is simply repeated.
 */
export async function deletePrefix(files: BareFiles, pages: number): Promise<boolean> {
  for (let page = 0; page < pages; page++) {
    const { files: found } = await files.list();
    if (found.length === 0) return true;
    await files.delete(found.map((file) => file.name));
  }
  return false;
}
