/**
 * The port to uploads: packs too large for one request, which come in parts and are then ingested as one push. The
 * store keeps which uploads are under way and how long their parts are to be. The parts themselves lie in the bucket,
 * beside those of other pushes under way.
 *
 * An upload is abandoned if nothing is heard of it for the time of a lease. Its parts are swept then.
 *
 * @packageDocumentation
 */

/** The most uploads that a repository may have under way at once. */
export const MOST_UPLOADS = 40;
/** The most of them that one token may have. */
export const MOST_UPLOADS_OF_ONE = 10;
/** The most parts of an upload. One listing returns them all. */
export const MOST_PARTS = 1000;

/** A part that was announced. Only the bucket knows whether it has come. */
export type UploadPart = {
  /** Counts from 1. */
  readonly number: number;
  readonly bytes: number;
};

/** An upload that is under way. */
export type Upload = {
  readonly name: string;
  readonly startedAt: number;
  /** The time when the upload is swept, unless something is heard of it before. Milliseconds since the epoch. */
  readonly expiresAt: number;
  readonly parts: readonly UploadPart[];
};

/** A request about a repository's uploads. */
export type UploadRequest =
  /** Begins an upload. `holder` is the token whose share of the places it takes; absent if no share is counted. */
  | { readonly kind: "begin"; readonly name: string; readonly holder?: string }
  | { readonly kind: "show"; readonly name: string }
  /**
   * Announces a part, or the same part again, that is written next. `most` is the most bytes that the repository may
   * have, its packs and these parts included. Until `written` reports the end of its writing, the part counts with the
   * longest length that may lie in the bucket.
   */
  | { readonly kind: "announce"; readonly name: string; readonly part: UploadPart; readonly most?: number }
  /**
   * Reports that the writing of a part has ended, and whether the part is there whole. `missing`: the upload has ended
   * meanwhile.
   */
  | { readonly kind: "written"; readonly name: string; readonly number: number; readonly isWhole: boolean }
  /** Extends the upload's time. */
  | { readonly kind: "hold"; readonly name: string }
  /** Ends the upload. Its parts are gone, except for those that are being written. */
  | { readonly kind: "end"; readonly name: string };

/**
 * The answer to an upload request. `full`: the repository has as many uploads as it may; `share-full`: this holder has.
 */
export type UploadAnswer =
  | { readonly kind: "found"; readonly upload: Upload }
  | { readonly kind: "missing" | "full" | "share-full" }
  | { readonly kind: "over-quota"; readonly used: number };

/** The uploads of one repository. */
export interface UploadStore {
  upload(request: UploadRequest): Promise<UploadAnswer>;
}

/** The parts of one repository's uploads in the bucket. */
export interface UploadParts {
  /** Writes or replaces a part. It is there whole, or not at all. `body` has the length of `part`. */
  write(name: string, part: UploadPart, body: ReadableStream): Promise<void>;
  /** Lists the parts that are there, in order. */
  list(name: string): Promise<UploadPart[]>;
  /** Deletes everything that there is of an upload. */
  clear(name: string): Promise<void>;
}
