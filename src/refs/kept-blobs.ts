/**
 * The port to blobs that were sent by themselves, and are kept for a day for commits to name.
 *
 * @packageDocumentation
 */

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

/** A request about kept blobs. */
export type KeptBlobRequest =
  /** Keeps a blob until the end of its lease. */
  | { readonly kind: "keep"; readonly blob: KeptBlob }
  /** Finds those of these that are kept, and will be for a while. */
  | { readonly kind: "find"; readonly oids: readonly string[] };

/** The answer. `full`: as many are kept as may be; `gone`: the lease has ended. */
export type KeptBlobAnswer =
  | { readonly kind: "kept"; readonly blobs: readonly KeptBlob[] }
  | { readonly kind: "full" | "gone" };

/** The kept blobs of one repository. */
export interface KeptBlobStore {
  keptBlobs(request: KeptBlobRequest): Promise<KeptBlobAnswer>;
}
