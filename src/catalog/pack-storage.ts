/**
 * The port to the place where packs lie: one repository's prefix in a bucket. What is written here is invisible until a
 * catalog names it. A name is written once, except for what only saves work: two runs of the same step may write the bitmaps
 * and tips of the same pack, and what is damaged is made anew. Nothing else here is ever overwritten.
 *
 * A push writes the `.pack` first, then `.rev`, and `.idx` last. C git recognises a pack by its `.idx`, so the prefix
 * is a valid bare repository at every moment. A caller that stages a pack deletes it if the commit does not happen. The
 * repository's alarm sweeps what a crash left.
 *
 * @packageDocumentation
 */

/** The files of a pack, by extension. */
export type PackExtension =
  | "pack"
  | "idx"
  | "rev"
  | "kinds"
  | "mtimes"
  | "bitmap"
  | "graph"
  | "twin"
  | "midx"
  | "tips"
  | `scratch-${number}`
  | `part-${number}`;

/**
 * The files that a step makes from a pack that is in the catalog already. A step that failed in between writes them again, the tips
 * as they are by then. Every other file is written once.
 */
export const MADE_FROM_PACKS: ReadonlySet<PackExtension> = new Set<PackExtension>(["bitmap", "tips"]);

/** Names one file of one pack: `objects/pack/pack-{pack}.{extension}` below the repository's prefix. */
export type PackFile = { readonly pack: string; readonly extension: PackExtension };

/**
 * An upload of unknown length. All parts but the last are of equal size. The file appears whole on `complete`, or
 * never.
 */
export interface PackUpload {
  /** The size in bytes that every part but the last must have. */
  readonly partSize: number;
  /**
   * Uploads the next part. The caller keeps `bytes` unchanged until the promise settles, and may then reuse the buffer.
   * Several parts may be in flight at once.
   */
  writePart(bytes: Uint8Array): Promise<void>;
  /** Makes the file appear. It must be called once, after every part has settled. */
  complete(): Promise<void>;
  /** Aborts the upload; never throws. */
  abort(): Promise<void>;
}

/** Reads sequentially from a stored file. */
export interface PackByteStream {
  /**
   * Fills `buffer` as far as the file goes, and returns a view of the bytes read. It is shorter than `buffer` only at
   * the end, and empty past it. The buffer is detached and handed back: use the returned view, not the argument.
   */
  read(buffer: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>>;
  /** Stops reading; never throws. */
  cancel(): Promise<void>;
}

/** One repository's packs in the bucket. */
export interface PackStorage {
  /**
   * Reads `[offset, offset + length)` into memory that the caller owns.
   *
   * @throws CorruptStore if the file is missing or shorter.
   */
  read(file: PackFile, offset: number, length: number): Promise<Uint8Array<ArrayBuffer>>;
  /** Opens `[offset, offset + length)` for sequential reading, as one storage operation. */
  openStream(file: PackFile, offset: number, length: number): Promise<PackByteStream>;
  /**
   * Writes a whole file in one operation. `bytes` must not change until the promise settles.
   *
   * @throws CorruptStore if the file exists, unless it is one of {@link MADE_FROM_PACKS}.
   */
  write(file: PackFile, bytes: Uint8Array): Promise<void>;
  /** Starts an upload of unknown length. */
  createUpload(file: PackFile): Promise<PackUpload>;
  /** Deletes files. Files that don't exist are skipped. */
  delete(files: readonly PackFile[]): Promise<void>;
  /** Deletes every file of a pack that no catalog names, scratch files included. */
  deletePack(pack: string): Promise<void>;
}
