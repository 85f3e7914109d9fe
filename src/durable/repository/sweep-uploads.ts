/**
 * Deletes files that uploads left in the bucket after they ended or fell silent.
 *
 * @packageDocumentation
 */
import { packPrefix } from "../../catalog/pack-keys.ts";
import type { DueWork } from "./due-work.ts";

/** Keys that R2 lists, or deletes, in one operation. */
const LIST_PAGE = 1000;

/**
 * Deletes the files of ended uploads, and calls `swept` with each upload that has none
 * left. Other requests come in between: a commit after the end of its lease is refused.
 */
export async function sweepUploads(
  bucket: R2Bucket,
  { id, expiredPacks }: Pick<DueWork, "id" | "expiredPacks">,
  swept: (pack: string) => void,
): Promise<void> {
  if (id === undefined) return;
  for (const pack of expiredPacks) {
    const { objects } = await bucket.list({ prefix: packPrefix(id, pack) });
    if (objects.length > 0) await bucket.delete(objects.map(({ key }) => key));
    // With a full page, the next alarm continues; it is set at once.
    if (objects.length < LIST_PAGE) swept(pack);
  }
}
