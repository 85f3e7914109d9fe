/**
 * Which files below a prefix are the repository: what a copy of it takes along.
 *
 * @packageDocumentation
 */
import type { PackRecord } from "../catalog/pack-record.ts";
import type { BareFile, BareFiles } from "./bare-files.ts";

const PACK_FILE = /^objects\/pack\/pack-(.+)\.(pack|idx|rev|bitmap)$/;

/**
 * Whether a file belongs to the copy. Of the packs only those that the catalog names do: an upload under way, or one that was
 * refused, is no part of the repository. What this host keeps beside a pack for itself stays here.
 */
export function isExported(name: string, packs: readonly PackRecord[]): boolean {
  if (!name.startsWith("objects/pack/")) return true;
  const pack = PACK_FILE.exec(name)?.[1];
  return packs.some((candidate) => candidate.name === pack);
}

/** Lists the files of the copy. */
export async function exportedFiles(files: BareFiles, packs: readonly PackRecord[]): Promise<BareFile[]> {
  const exported: BareFile[] = [];
  let cursor: string | undefined;
  do {
    const page = await files.list(cursor);
    exported.push(...page.files.filter((file) => isExported(file.name, packs)));
    cursor = page.cursor;
  } while (cursor !== undefined);
  return exported;
}
