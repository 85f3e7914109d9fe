/**
 * The place of a blob that is kept for a day.
 *
 * @packageDocumentation
 */
import type { PackFile } from "../../catalog/pack-storage.ts";

/** Returns the file in which a kept blob's entry lies. It is swept with its lease, as what a push leaves behind is. */
export function keptFile(pack: string): PackFile {
  return { pack, extension: "scratch-0" };
}
