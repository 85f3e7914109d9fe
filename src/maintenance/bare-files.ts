/**
 * The port to everything below a repository's prefix, packs and plain files alike: for who writes the derived files, copies the
 * repository out, or deletes it.
 *
 * @packageDocumentation
 */

/** A file below the prefix. */
export type BareFile = {
  /** Relative to the prefix: `objects/info/packs`. */
  readonly name: string;
  /** Bytes. */
  readonly size: number;
};

/** A page of a listing. */
export type BareFilePage = { readonly files: readonly BareFile[]; readonly cursor?: string };

/** One repository's prefix. */
export interface BareFiles {
  /** Writes a plain file, or replaces it; it appears whole. The pieces may be of any size. */
  write(name: string, pieces: Iterable<Uint8Array>): Promise<void>;
  list(cursor?: string): Promise<BareFilePage>;
  /** Opens a file; `undefined` where there is none. */
  open(name: string): Promise<{ readonly size: number; readonly body: ReadableStream } | undefined>;
  delete(names: readonly string[]): Promise<void>;
}
