/**
 * The port to the bytes of a tenant's Git LFS objects, and the keys that they have in the bucket.
 *
 * @packageDocumentation
 */
import type { LfsObject } from "../refs/lfs-store.ts";

/** Returns the key of an object of a tenant. The folders keep any one of them from becoming too long to list. */
export function lfsKey(home: string, oid: string): string {
  return `lfs/${home}/${oid.slice(0, 2)}/${oid.slice(2, 4)}/${oid}`;
}

/**
 * How a writing ended. `mismatch`: the bytes have another SHA-256 than their name; `broken`: they did not all come;
 * `slow`: they came too slowly. Only `written` leaves anything.
 */
export type WriteOutcome = "written" | "mismatch" | "broken" | "slow";

/** The bytes of one tenant's objects. */
export interface LfsFiles {
  /** Writes an object as its bytes come. The bucket itself checks their SHA-256. */
  write(object: LfsObject, body: ReadableStream | null): Promise<WriteOutcome>;
  /**
   * Opens a part of an object.
   *
   * @throws CorruptStore if it is not there.
   */
  open(oid: string, range: { readonly offset: number; readonly length: number }): Promise<ReadableStream>;
  /** Deletes objects, whether they are there or not. */
  delete(oids: readonly string[]): Promise<void>;
}
