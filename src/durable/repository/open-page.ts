/**
 * Cuts a snapshot into pages: an answer carries 32 MiB, and refs can be more.
 *
 * @packageDocumentation
 */
import { encodeRefRows, type RefRow } from "../../refs/ref-rows.ts";
import type { OpenAnswer, OpenSnapshot } from "../../refs/ref-store.ts";

/** A snapshot, or as much of its refs as one answer may hold. */
export type OpenPage =
  | Exclude<OpenAnswer, { kind: "found" }>
  | (OpenSnapshot & {
      /** The last ref of this page, if there are more after it. */
      readonly refsGoOnAfter?: string;
    });

/** Bytes of encoded refs that go into one answer, approximately. An RPC carries 32 MiB. */
const REF_PAGE_BYTES = 16 * 1024 * 1024;
/** Bytes that a ref takes beside its name and values. */
const REF_ROW_BYTES = 3;

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
