/**
 * Cuts a snapshot into pages: an answer carries 32 MiB, and refs can be more.
 *
 * @packageDocumentation
 */
import { encodeRefRows, type RefRow } from "../../refs/ref-rows.ts";
import type { BeginPushAnswer, KnownSnapshot, OpenAnswer, OpenRequest, OpenSnapshot } from "../../refs/ref-store.ts";
import type { RefLister } from "./tables/refs.ts";
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
/** Steps that are taken without a pause. */
const PART_STEPS = 1_000_000;
/** Steps of reading a ref, and of each of its bytes. */
const ROW_STEPS = 100;
const BYTE_STEPS = 2;
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

/** Encoded refs, and the last of them if there are more. */
export type RefPage = { readonly refs: Uint8Array[]; readonly refsGoOnAfter?: string };

/**
 * Encodes the refs behind `after` in the order of `list`, up to the size of a page. Yields the steps of each part, also of
 * one that finds nothing: refs may change in between, and the page is of no moment then.
 */
export function* refPage(list: RefLister, after: string): Generator<number, RefPage, undefined> {
  const refs: Uint8Array[] = [];
  let bytes = 0;
  let last = after;
  for (;;) {
    const part: RefRow[] = [];
    let steps = 0;
    let isWhole = true;
    for (const row of list(last)) {
      if (bytes >= REF_PAGE_BYTES || steps >= PART_STEPS) {
        isWhole = false;
        break;
      }
      last = row.name;
      if ("passedSteps" in row) {
        steps += row.passedSteps;
        continue;
      }
      // A ref that peels to nothing has no second oid.
      const size = REF_ROW_BYTES + row.name.length + row.oid.length + (row.peeled?.length ?? 0);
      bytes += size;
      steps += ROW_STEPS + size * BYTE_STEPS;
      part.push(row);
    }
    refs.push(...encodeRefRows(part));
    if (isWhole) return { refs };
    if (bytes >= REF_PAGE_BYTES) return { refs, refsGoOnAfter: last };
    yield steps;
  }
}
