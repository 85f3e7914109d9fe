/**
 * Pointers of Git LFS among the files of a repository, and what is needed to give the files behind them.
 *
 * @packageDocumentation
 */
import { lfsPointerIn, LONGEST_POINTER } from "../object/lfs-pointer.ts";
import type { OpenBlob } from "./blob.ts";
import type { BrowseSession } from "./browse-session.ts";

/** What a pointer names. */
export type LfsPointer = { readonly oid: string; readonly size: number };

/** Opens the file behind one pointer; `undefined` if it is not here. */
export type BehindPointer = () => Promise<OpenBlob | undefined>;

/** Looks for the files behind some pointers, all in one question. Returns those that may be here, by their names. */
export type FindBehind = (pointers: readonly LfsPointer[]) => Promise<ReadonlyMap<string, BehindPointer>>;

/** Reads a blob by its raw name, and returns what it is a pointer of; `undefined` if it is none. */
export async function readPointer(session: BrowseSession, name: Uint8Array): Promise<LfsPointer | undefined> {
  const { reader } = session.graph;
  // The size stands in the entry's header or in the record of sizes: most blobs are not inflated for this.
  if ((await reader.sizeOf(name)) >= LONGEST_POINTER) return undefined;
  const copy = await reader.copyIfHeld(name);
  return copy === undefined ? undefined : lfsPointerIn(copy.bytes);
}
