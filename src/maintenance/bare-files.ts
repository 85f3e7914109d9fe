/**
 * The port to everything below a repository's prefix, packs and plain files alike. It serves to write the derived
 * files, to copy the repository out, and to delete it.
 *
 * @packageDocumentation
 */

/** A file below the prefix. */
export type BareFile = {
  /** The name relative to the prefix: `objects/info/packs`. */
  readonly name: string;
  /** The size in bytes. */
  readonly size: number;
};

/** A page of a listing. */
export type BareFilePage = { readonly files: readonly BareFile[]; readonly cursor?: string };

/** The prefix of one repository. */
export interface BareFiles {
  /** Writes or replaces a plain file; it appears whole. The pieces may be of any size. */
  write(name: string, pieces: Iterable<Uint8Array>): Promise<void>;
  /** Copies a file over another one, or to where none is. Returns whether there was one. */
  copy(from: string, to: string): Promise<boolean>;
  list(cursor?: string): Promise<BareFilePage>;
  /** Opens a file; `undefined` if there is none. */
  open(name: string): Promise<{ readonly size: number; readonly body: ReadableStream } | undefined>;
  delete(names: readonly string[]): Promise<void>;
}
