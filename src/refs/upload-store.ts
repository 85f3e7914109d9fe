/**
 * The port to uploads: packs too large for one request, which come in parts and are then taken in as one push. What is kept here is
 * which uploads are under way and how long their parts are to be; the parts themselves lie in the bucket, beside those of other
 * pushes under way.
 *
 * An upload is abandoned when nothing is heard of it for as long as a lease lasts: its parts are swept then.
 *
 * @packageDocumentation
 */

/** Uploads that a repository may have under way at once. */
export const MOST_UPLOADS = 40;
/** Of them, those that one token may have. */
export const MOST_UPLOADS_OF_ONE = 10;
/** Parts that an upload may have: one listing gives them all. */
export const MOST_PARTS = 1000;

/** A part that was announced; whether it has come, the bucket knows. */
export type UploadPart = {
  /** From 1. */
  readonly number: number;
  readonly bytes: number;
};

/** An upload that is under way. */
export type Upload = {
  readonly name: string;
  readonly startedAt: number;
  /** When it is swept, unless something is heard of it before. Milliseconds since the epoch. */
  readonly expiresAt: number;
  readonly parts: readonly UploadPart[];
};

/** What is asked of a repository about its uploads. */
export type UploadRequest =
  /** Begins one. `holder` is whose share of the places it takes; absent for whom none is counted. */
  | { readonly kind: "begin"; readonly name: string; readonly holder?: string }
  | { readonly kind: "show"; readonly name: string }
  /**
   * Announces a part, or the same again, which is written next. `most` is what the repository may have, these parts included. Until
   * `written` says that its writing has ended, the part counts as the longest that may lie in the bucket.
   */
  | { readonly kind: "announce"; readonly name: string; readonly part: UploadPart; readonly most?: number }
  /** Says that the writing of a part has ended, and whether it is there whole. `missing`: the upload has ended meanwhile. */
  | { readonly kind: "written"; readonly name: string; readonly number: number; readonly isWhole: boolean }
  /** Puts off its end. */
  | { readonly kind: "hold"; readonly name: string }
  /** Ends it: its parts have gone, but for those that are being written. */
  | { readonly kind: "end"; readonly name: string };

/** What comes of it. `full`: there are as many uploads as may be; `share-full`: as many as this holder may have. */
export type UploadAnswer =
  | { readonly kind: "found"; readonly upload: Upload }
  | { readonly kind: "missing" | "full" | "share-full" }
  | { readonly kind: "over-quota"; readonly used: number };

/** Uploads of one repository. */
export interface UploadStore {
  upload(request: UploadRequest): Promise<UploadAnswer>;
}

/** The parts of one repository's uploads in the bucket. */
export interface UploadParts {
  /** Writes a part, or replaces it: it is there whole, or not at all. `body` is of that length. */
  write(name: string, part: UploadPart, body: ReadableStream): Promise<void>;
  /** Lists the parts that are there, in order. */
  list(name: string): Promise<UploadPart[]>;
  /** Deletes all there is of an upload. */
  clear(name: string): Promise<void>;
}
