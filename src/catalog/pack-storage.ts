/**
 * The port to where packs lie: one repository's prefix in a bucket. What is written here is invisible until a catalog names
 * it; nothing here is ever overwritten (a name is written once).
 *
 * Order of a push: `.pack` first, then `.rev`, and `.idx` last: C git takes a pack only through its `.idx`, so the prefix is a
 * valid bare repository at every moment. Who stages a pack deletes it when the commit does not happen; the repository's alarm
 * sweeps what a crash left.
 *
 * @packageDocumentation
 */

/** The files of a pack. */
export type PackExtension = "pack" | "idx" | "rev" | "kinds" | `scratch-${number}` | `part-${number}`;

/** Names one file of one pack: `objects/pack/pack-{pack}.{extension}` below the repository's prefix. */
export type PackFile = { readonly pack: string; readonly extension: PackExtension };

/** An upload of unknown length. Parts are equal but the last; the file appears on `complete`, whole, or never. */
export interface PackUpload {
  /** The size every part but the last must have, in bytes. */
  readonly partSize: number;
  /**
   * Uploads the next part. The caller keeps `bytes` unchanged until the promise settles, and may then reuse the buffer.
   * Parts may be in flight together.
   */
  writePart(bytes: Uint8Array): Promise<void>;
  /** Makes the file appear. Call once, after every part has settled. */
  complete(): Promise<void>;
  /** Gives up; never throws. */
  abort(): Promise<void>;
}

/** Reads sequentially from a stored file. */
export interface PackByteStream {
  /**
   * Fills `buffer` as far as the file goes and gives the number of bytes read; less than its length only at the end.
   * The buffer is detached and handed back: use the returned view, not the argument.
   */
  read(buffer: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>>;
  /** Stops reading; never throws. */
  cancel(): Promise<void>;
}

/** One repository's packs in the bucket. */
export interface PackStorage {
  /** Reads `[offset, offset + length)` into memory that is the caller's alone. @throws CorruptStore where the file is missing or shorter. */
  read(file: PackFile, offset: number, length: number): Promise<Uint8Array<ArrayBuffer>>;
  /** Opens `[offset, offset + length)` for sequential reading, as one storage operation. */
  openStream(file: PackFile, offset: number, length: number): Promise<PackByteStream>;
  /** Writes a whole file in one operation. `bytes` stays unchanged until the promise settles. */
  write(file: PackFile, bytes: Uint8Array): Promise<void>;
  /** Starts an upload of unknown length. */
  createUpload(file: PackFile): Promise<PackUpload>;
  /** Deletes files; those that don't exist are passed over. */
  delete(files: readonly PackFile[]): Promise<void>;
  /** Deletes whatever there is of a pack that no catalog names, scratch files too. */
  deletePack(pack: string): Promise<void>;
}
