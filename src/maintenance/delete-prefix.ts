/**
 * Deletes what a deleted repository left in the bucket.
 *
 * @packageDocumentation
 */
import type { BareFiles } from "./bare-files.ts";

/**
 * Deletes up to `pages` pages of files; gives whether nothing is left. Always begins at the front of what is still there, so a run
 * that broke off is simply begun again.
 */
export async function deletePrefix(files: BareFiles, pages: number): Promise<boolean> {
  for (let page = 0; page < pages; page++) {
    const { files: found } = await files.list();
    if (found.length === 0) return true;
    await files.delete(found.map((file) => file.name));
  }
  return false;
}
