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
    // eslint-disable-next-line no-await-in-loop -- a page is listed when the one before it is gone
    const { files: found } = await files.list();
    if (found.length === 0) return true;
    // eslint-disable-next-line no-await-in-loop -- see above
    await files.delete(found.map((file) => file.name));
  }
  return false;
}
