/**
 * Lists the content of a copy of a repository: the files of its packs, and its refs. All of it comes from one snapshot,
 * so a push during the copy changes nothing in it.
 *
 * @packageDocumentation
 * @see gitrepository-layout(5)
 */
import { reverseIndexBytes } from "../format/reverse-index.ts";
import { objectFormat } from "../object/object-id.ts";
import type { StoredPackName } from "../catalog/pack-record.ts";
import type { BareFile } from "./bare-files.ts";
import type { OpenSnapshot } from "../refs/ref-store.ts";
import { formatServerInfo } from "./server-info.ts";

const PACK_FILE = /^objects\/pack\/pack-(.+)\.(pack|idx|rev|bitmap|graph)$/;

/** The repository that is copied: its id, and its packs. */
export type ExportedPacks = { readonly id: string; readonly packs: readonly StoredPackName[] };

/**
 * Returns the id of the repository below whose prefix a file of the copy lies; `undefined` for a file that is no part of
 * the copy. Of the packs, only those given are, by name: an upload under way, or a refused one, is no part of the
 * repository. Files that this host keeps beside a pack for itself stay here. The copy of a fork has the packs that the
 * fork borrows, and so needs no other repository.
 */
export function homeOf(name: string, { id, packs }: ExportedPacks): string | undefined {
  if (!name.startsWith("objects/pack/")) return id;
  const stem = PACK_FILE.exec(name)?.[1];
  const pack = packs.find((each) => each.name === stem);
  return pack === undefined ? undefined : (pack.home ?? id);
}

/**
 * Lists the files of the snapshot's packs, and then the layers of its commit-graph, the lowest first. They come from the
 * catalog and not from a listing of the bucket. If the bucket has lost a file, the copy then fails instead of leaving the
 * file out silently.
 */
export function exportedFiles({ record, packs, graphs = [] }: OpenSnapshot): BareFile[] {
  const format = objectFormat(record.objectFormat);
  const ofPacks = packs.flatMap(({ name, packBytes, indexBytes, objects, bitmap }) => [
    { name: `objects/pack/pack-${name}.pack`, size: packBytes },
    { name: `objects/pack/pack-${name}.rev`, size: reverseIndexBytes(objects, format) },
    { name: `objects/pack/pack-${name}.idx`, size: indexBytes },
    ...(bitmap === undefined || bitmap.bytes === 0
      ? []
      : [{ name: `objects/pack/pack-${name}.bitmap`, size: bitmap.bytes }]),
  ]);
  return [...ofPacks, ...graphs.map(({ name, bytes }) => ({ name: `objects/pack/pack-${name}.graph`, size: bytes }))];
}

/** Returns the snapshot's `HEAD` or `packed-refs`, in pieces. */
export function exportedRefs(file: "HEAD" | "packed-refs", snapshot: OpenSnapshot): Iterable<Uint8Array> {
  return formatServerInfo(file, snapshot, { repository: "", packName: (pack) => pack.name });
}
