/**
 * The port to objects that no ref reaches yet, and that are kept for a day: blobs that were sent by themselves for commits
 * to name, and small objects that were made one by one.
 *
 * @packageDocumentation
 */

import type { ObjectType } from "../object/object-type.ts";

/** Blobs that a repository may keep at once. */
export const MOST_KEPT = 10_000;

/** A kept blob: its name in hexadecimal, the lease under which its entry lies, and the bytes of both. */
export type KeptBlob = {
  readonly oid: string;
  readonly pack: string;
  /** Bytes of the content. */
  readonly size: number;
  /** Bytes of the entry in the bucket. */
  readonly bytes: number;
};

/** Small objects that a repository may keep at once. */
export const MOST_KEPT_OBJECTS = 2000;
/** Bytes of one small object. */
export const MOST_OBJECT_BYTES = 1024 * 1024;
/** Bytes of all small objects of a repository. */
export const MOST_OBJECTS_BYTES = 32 * 1024 * 1024;

/** A small object that is kept whole. Its name is hexadecimal. */
export type KeptObject = { readonly oid: string; readonly type: ObjectType; readonly bytes: Uint8Array };

/** A request about what is kept. */
export type KeptBlobRequest =
  /** Keeps a blob until the end of its lease. */
  | { readonly kind: "keep"; readonly blob: KeptBlob }
  /** Finds those of these that are kept, and will be for a while. */
  | { readonly kind: "find"; readonly oids: readonly string[] }
  /** Keeps small objects, or none of them. */
  | { readonly kind: "keep-objects"; readonly objects: readonly KeptObject[] }
  /** Finds those of these small objects that are kept, as many as one answer takes. */
  | { readonly kind: "find-objects"; readonly oids: readonly string[] };

/**
 * The answer. `full`: as many are kept as may be; `gone`: the lease has ended. Objects come in the order of their names;
 * `isCut`: those behind the last one have to be asked for.
 */
export type KeptBlobAnswer =
  | { readonly kind: "kept"; readonly blobs: readonly KeptBlob[] }
  | { readonly kind: "objects"; readonly objects: readonly KeptObject[]; readonly isCut: boolean }
  | { readonly kind: "full" | "gone" };

/** What one repository keeps. */
export interface KeptBlobStore {
  keptBlobs(request: KeptBlobRequest): Promise<KeptBlobAnswer>;
}
