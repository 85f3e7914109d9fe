/**
 * Sweeps what uploads left in the bucket that ended, or were heard of no more.
 *
 * @packageDocumentation
 */
import { packPrefix } from "../../catalog/pack-keys.ts";

/** Keys that R2 lists, and deletes, in one operation. */
const LIST_PAGE = 1000;

/**
 * Deletes the files of ended uploads to the repository with this id, whatever there are, and calls `swept` with each that has none left.
 * Other requests come in between; a commit that is as late as this is refused.
 */
export async function sweepUploads(
  bucket: R2Bucket,
  id: string,
  packs: readonly string[],
  swept: (pack: string) => void,
): Promise<void> {
  for (const pack of packs) {
    const { objects } = await bucket.list({ prefix: packPrefix(id, pack) });
    if (objects.length > 0) await bucket.delete(objects.map(({ key }) => key));
    // A full page: the next alarm goes on, and it is set at once.
    if (objects.length < LIST_PAGE) swept(pack);
  }
}
