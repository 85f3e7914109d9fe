/**
 * Cuts a snapshot into pages: an answer carries 32 MiB, and refs can be more.
 *
 * @packageDocumentation
 */
import { encodeRefRows, type RefRow } from "../../refs/ref-rows.ts";
import type { BeginPushAnswer, KnownSnapshot, OpenAnswer, OpenRequest, OpenSnapshot } from "../../refs/ref-store.ts";
import { isHidden, type RepositoryRow } from "./tables/repository.ts";

/** A snapshot, or as much of its refs as one answer may hold. */
export type OpenPage =
  | Exclude<OpenAnswer, { kind: "found" }>
  | (OpenSnapshot & {
      /** The last ref of this page, if there are more after it. */
      readonly refsGoOnAfter?: string;
      /**
       * Of each pack that the caller said it knows: 0 if its record is told again or it has left the catalog, else whether
       * it has the mark (`KNOWN_PACK`). `packs` has the others.
       */
      readonly known: Uint8Array;
    });

/** The beginning of a push, for a caller that knows some packs: `known` is as in {@link OpenPage}. */
export type BegunPage =
  | Exclude<BeginPushAnswer, { kind: "begun" }>
  | (Extract<BeginPushAnswer, { kind: "begun" }> & { readonly known: Uint8Array });

/** Bytes of encoded refs that go into one answer, approximately. An RPC carries 32 MiB. */
const REF_PAGE_BYTES = 16 * 1024 * 1024;
/** Bytes that a ref takes beside its name and values. */
const REF_ROW_BYTES = 3;

/**
 * Whether a caller who may read the repository has the snapshot of its present version at hand. Of a mirror more than
 * that has to be asked: it comes to be newer without another version.
 */
export function isAsKnown(row: RepositoryRow | undefined, { publicOnly }: OpenRequest, known: KnownSnapshot): boolean {
  if (row === undefined || isHidden(row, publicOnly)) return false;
  return row.record.id === known.id && row.version === known.version;
}

/** Encodes refs, up to the size of a page. */
export function refPage(rows: Iterable<RefRow>): { refs: Uint8Array[]; refsGoOnAfter?: string } {
  let bytes = 0;
  let last: string | undefined;
  let isWhole = true;
  const limited = function* (): Generator<RefRow> {
    for (const row of rows) {
      if (bytes >= REF_PAGE_BYTES) {
        isWhole = false;
        return;
      }
      // A ref that peels to nothing has no second oid.
      bytes += REF_ROW_BYTES + row.name.length + row.oid.length + (row.peeled?.length ?? 0);
      last = row.name;
      yield row;
    }
  };
  const refs = encodeRefRows(limited());
  return isWhole || last === undefined ? { refs } : { refs, refsGoOnAfter: last };
}
