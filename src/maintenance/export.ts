/**
 * What a copy of a repository consists of: the files of its packs, and what its refs are. All of it comes from one snapshot, so that a
 * push beside the copy changes nothing of it.
 *
 * @packageDocumentation
 * @see gitrepository-layout(5)
 */
import type { PackRecord } from "../catalog/pack-record.ts";
import { reverseIndexBytes } from "../format/reverse-index.ts";
import { objectFormat } from "../object/object-id.ts";
import type { BareFile } from "./bare-files.ts";
import type { OpenSnapshot } from "../refs/ref-store.ts";
import { formatServerInfo } from "./server-info.ts";

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

/**
 * Lists the files of the snapshot's packs. They come from the catalog and not from a listing of the bucket: a file that the bucket has
 * lost then fails the copy, and is not left out of it silently.
 */
export function exportedFiles({ record, packs }: OpenSnapshot): BareFile[] {
  const format = objectFormat(record.objectFormat);
  return packs.flatMap(({ name, packBytes, indexBytes, objects }) => [
    { name: `objects/pack/pack-${name}.pack`, size: packBytes },
    { name: `objects/pack/pack-${name}.rev`, size: reverseIndexBytes(objects, format) },
    { name: `objects/pack/pack-${name}.idx`, size: indexBytes },
  ]);
}

/** Gives the snapshot's `HEAD` or `packed-refs`, in pieces. */
export function exportedRefs(file: "HEAD" | "packed-refs", snapshot: OpenSnapshot): Iterable<Uint8Array> {
  return formatServerInfo(file, snapshot, { repository: "", packName: (pack) => pack.name });
}
