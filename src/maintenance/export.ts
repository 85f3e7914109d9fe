/**
 * Lists the content of a copy of a repository: the files of its packs, and its refs. All of it comes from one snapshot,
 * so a push during the copy changes nothing in it.
 *
 * @packageDocumentation
 * @see gitrepository-layout(5)
 */
import { reverseIndexBytes } from "../format/reverse-index.ts";
import { objectFormat } from "../object/object-id.ts";
import type { BareFile } from "./bare-files.ts";
import type { OpenSnapshot } from "../refs/ref-store.ts";
import { formatServerInfo } from "./server-info.ts";

const PACK_FILE = /^objects\/pack\/pack-(.+)\.(pack|idx|rev|bitmap)$/;

/**
 * Whether a file belongs to the copy. Of the packs, only these do, by name: an upload under way, or a refused one, is
 * no part of the repository. Files that this host keeps beside a pack for itself stay here.
 */
export function isExported(name: string, packs: readonly string[]): boolean {
  if (!name.startsWith("objects/pack/")) return true;
  const pack = PACK_FILE.exec(name)?.[1];
  return pack !== undefined && packs.includes(pack);
}

/**
 * Lists the files of the snapshot's packs. They come from the catalog and not from a listing of the bucket. If the
 * bucket has lost a file, the copy then fails instead of leaving the file out silently.
 */
export function exportedFiles({ record, packs }: OpenSnapshot): BareFile[] {
  const format = objectFormat(record.objectFormat);
  return packs.flatMap(({ name, packBytes, indexBytes, objects }) => [
    { name: `objects/pack/pack-${name}.pack`, size: packBytes },
    { name: `objects/pack/pack-${name}.rev`, size: reverseIndexBytes(objects, format) },
    { name: `objects/pack/pack-${name}.idx`, size: indexBytes },
  ]);
}

/** Returns the snapshot's `HEAD` or `packed-refs`, in pieces. */
export function exportedRefs(file: "HEAD" | "packed-refs", snapshot: OpenSnapshot): Iterable<Uint8Array> {
  return formatServerInfo(file, snapshot, { repository: "", packName: (pack) => pack.name });
}
