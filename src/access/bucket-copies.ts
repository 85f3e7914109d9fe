/**
 * The port to the files of the bucket as they lie there, for backups.
 *
 * @packageDocumentation
 */

/** A file, as a list has it. */
export type StoredFile = { readonly key: string; readonly size: number; readonly etag: string };

/** A page of a list, in the order of the keys. */
export type StoredFilePage = { readonly files: readonly StoredFile[]; readonly cursor?: string };

/** A part of an upload that is there. */
export type StoredPart = { readonly number: number; readonly etag: string };

/** The bucket. */
export interface BucketCopies {
  list(prefix: string, cursor: string | undefined, limit: number): Promise<StoredFilePage>;
  /** Opens a file, or a part of it, if it is still the one with this etag; `undefined` if there is none. */
  open(
    key: string,
    range: { readonly offset: number; readonly length: number } | undefined,
    etag: string | undefined,
  ): Promise<{ readonly size: number; readonly etag: string; readonly body: ReadableStream } | "changed" | undefined>;
  /** Writes a file, whose SHA-256 the bucket checks. Returns whether it had that. */
  write(key: string, body: ReadableStream | null, sha256: string): Promise<boolean>;
  /** Begins an upload in parts, which are all equal but the last. Returns its id. */
  beginUpload(key: string): Promise<string>;
  writePart(
    upload: { readonly key: string; readonly upload: string },
    number: number,
    body: ReadableStream,
  ): Promise<string>;
  endUpload(upload: { readonly key: string; readonly upload: string }, parts: readonly StoredPart[]): Promise<number>;
  delete(key: string): Promise<void>;
}
