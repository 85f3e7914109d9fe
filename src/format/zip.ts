/**
 * Archives as zip files, with the data that `git archive` writes: modes, times, names as UTF-8, and the commit as the
 * comment.
 *
 * ```text
 * for each entry: local header · name · extra fields · content · (a descriptor, if the sizes were not known before)
 * central directory: for each entry a header with the same data and the entry's offset
 * (zip64 end of central directory, and its locator) · end of central directory · comment
 * ```
 *
 * @packageDocumentation
 * @see APPNOTE.TXT, archive-zip.c
 */
import { ByteLog } from "../bytes/byte-log.ts";
import { concat } from "../bytes/chunk.ts";
import { LimitExceeded } from "../bytes/failure.ts";
import { bytesOf } from "../object/byte-text.ts";
import { isGitlink, isSymlink, isTree } from "../object/tree.ts";

const STREAMED = 1 << 3;
const UTF8 = 1 << 11;
const STORED = 0;
const DEFLATED = 8;
const MOST_16 = 0xffff;
const MOST_32 = 0xffffffff;
/** The largest size for which 32-bit fields are used: deflated content may be longer than the content. */
const LARGE = 0x7fffffff;
const UNIX = 0x0317;
const ZIP64_VERSION = 45;
/** Bytes of the largest central directory, which is kept in memory until the end of the archive. */
const MOST_DIRECTORY_BYTES = 24 * 1024 * 1024;
/** Bytes of the longest path, since its length field has two bytes. */
const MOST_PATH_BYTES = MOST_16;
const FIRST_YEAR = 1980;

/**
 * An entry of an archive. Its path has one character per byte, and ends in a slash if it is a directory or submodule.
 */
export type ZipEntry = {
  readonly path: string;
  /** The mode of the tree entry. */
  readonly mode: number;
  /** Bytes of the content; 0 for a directory. */
  readonly size: number;
  readonly isDeflated: boolean;
  /** Whether the content is text, for programs that convert line ends. */
  readonly isText: boolean;
};

/** The CRC-32 of an entry's content, and the bytes that it takes in the archive. */
export type ZipContent = { readonly crc: number; readonly storedBytes: number };

/** A path, its bytes, and the flag that says whether they are UTF-8. */
type ZipName = { readonly path: string; readonly bytes: Uint8Array; readonly flag: number };

/** Encodes an archive entry by entry and collects its central directory. */
export class ZipEncoder {
  readonly #time: number;
  readonly #dosTime: number;
  readonly #dosDate: number;
  readonly #directory = new ByteLog();
  #entries = 0;
  #written = 0;
  #name: ZipName | undefined;

  /** Creates an encoder. `time` is the modification time of all entries, in seconds since the epoch. */
  constructor(time: number) {
    this.#time = time;
    // MS-DOS times begin in 1980 and have no time zone. They are in UTC, as git's are.
    const date = new Date(Math.max(time, Date.UTC(FIRST_YEAR, 0) / 1000) * 1000);
    const year = Math.min(date.getUTCFullYear() - FIRST_YEAR, 127);
    this.#dosDate = date.getUTCDate() + (date.getUTCMonth() + 1) * 32 + year * 512;
    this.#dosTime = (date.getUTCSeconds() >> 1) + date.getUTCMinutes() * 32 + date.getUTCHours() * 2048;
  }

  /** Bytes of memory that the central directory takes so far. */
  get heldBytes(): number {
    return this.#directory.heldBytes;
  }

  /** Frees the memory of the directory at once: nothing more is asked of the encoder. */
  free(): void {
    this.#directory.free();
  }

  /**
   * Returns a whole entry; `content` is as it is stored.
   *
   * @throws LimitExceeded on too many entries or too long a path.
   */
  entry(entry: ZipEntry, content: Uint8Array, crc: number): Uint8Array<ArrayBuffer> {
    const known = { crc, storedBytes: content.length };
    const local = concat([this.#local(entry, known, 0), content]);
    this.#add(entry, known, 0);
    this.#written += local.length;
    return local;
  }

  /** Returns the header that precedes streamed content. @throws LimitExceeded on too long a path. */
  startStreamed(entry: ZipEntry): Uint8Array<ArrayBuffer> {
    return this.#local(entry, { crc: 0, storedBytes: entry.isDeflated ? 0 : entry.size }, STREAMED);
  }

  /** Returns the descriptor that follows streamed content. @throws LimitExceeded on too many entries. */
  endStreamed(entry: ZipEntry, content: ZipContent): Uint8Array<ArrayBuffer> {
    const start = this.startStreamed(entry).length;
    const wide = isLarge(entry) ? 8 : 4;
    const descriptor = new Fields();
    descriptor.add(0x08074b50, 4).add(content.crc, 4).add(content.storedBytes, wide).add(entry.size, wide);
    const bytes = descriptor.bytes();
    this.#add(entry, content, STREAMED);
    this.#written += start + content.storedBytes + bytes.length;
    return bytes;
  }

  /** Yields the central directory and the end of the archive. `comment` is ASCII. */
  *end(comment: string): Generator<Uint8Array<ArrayBuffer>> {
    const entries = this.#entries;
    const directoryBytes = this.#directory.length;
    yield* this.#directory.take();
    const fields = new Fields();
    if (entries > MOST_16 || this.#written > MOST_32) {
      fields.add(0x06064b50, 4).add(44, 8).add(UNIX, 2).add(ZIP64_VERSION, 2).add(0, 4).add(0, 4);
      fields.add(entries, 8).add(entries, 8).add(directoryBytes, 8).add(this.#written, 8);
      fields
        .add(0x07064b50, 4)
        .add(0, 4)
        .add(this.#written + directoryBytes, 8)
        .add(1, 4);
    }
    const count = Math.min(entries, MOST_16);
    fields.add(0x06054b50, 4).add(0, 2).add(0, 2).add(count, 2).add(count, 2);
    fields.add(directoryBytes, 4).add(Math.min(this.#written, MOST_32), 4).add(comment.length, 2);
    yield concat([fields.bytes(), bytesOf(comment)]);
  }

  #local(entry: ZipEntry, { crc, storedBytes }: ZipContent, flags: number): Uint8Array<ArrayBuffer> {
    if (entry.path.length > MOST_PATH_BYTES)
      throw new LimitExceeded("zip-path-bytes", MOST_PATH_BYTES, "a path is too long for a zip archive; a tar archive takes it"); // prettier-ignore
    const wide = isLarge(entry);
    const extra = wide
      ? [...this.#times(), ...new Fields().add(1, 2).add(16, 2).add(entry.size, 8).add(storedBytes, 8).bytes()]
      : this.#times();
    const fields = new Fields();
    fields.add(0x04034b50, 4);
    this.#common(fields, entry, { crc, storedBytes, flags, wide });
    fields.add(entry.path.length, 2).add(extra.length, 2);
    return concat([fields.bytes(), this.#nameOf(entry.path).bytes, Uint8Array.from(extra)]);
  }

  /** Returns a path as the headers have it. An entry has two of them, one right after the other. */
  #nameOf(path: string): ZipName {
    if (this.#name?.path !== path) this.#name = { path, bytes: bytesOf(path), flag: nameFlag(path) };
    return this.#name;
  }

  /** Adds the fields that an entry has in both its local header and the central directory. */
  #common(
    fields: Fields,
    entry: ZipEntry,
    known: ZipContent & { readonly flags: number; readonly wide: boolean },
  ): void {
    fields
      .add(known.wide ? ZIP64_VERSION : 10, 2)
      .add(known.flags | this.#nameOf(entry.path).flag, 2)
      .add(entry.isDeflated ? DEFLATED : STORED, 2)
      .add(this.#dosTime, 2)
      .add(this.#dosDate, 2)
      .add(known.crc, 4)
      .add(known.wide ? MOST_32 : known.storedBytes, 4)
      .add(known.wide ? MOST_32 : entry.size, 4);
  }

  #times(): Uint8Array {
    return new Fields()
      .add(0x5455, 2)
      .add(5, 2)
      .add(1, 1)
      .add(this.#time % 2 ** 32, 4)
      .bytes();
  }

  #add(entry: ZipEntry, content: ZipContent, flags: number): void {
    const wide = isLarge(entry);
    const offset = this.#written;
    const far = offset >= MOST_32;
    const long = new Fields();
    if (wide) long.add(entry.size, 8).add(content.storedBytes, 8);
    if (far) long.add(offset, 8);
    const longBytes = long.bytes();
    const extra = concat([
      this.#times(),
      ...(longBytes.length > 0 ? [new Fields().add(1, 2).add(longBytes.length, 2).bytes(), longBytes] : []),
    ]);
    const attributes = attributesOf(entry.mode);
    const fields = new Fields();
    fields.add(0x02014b50, 4).add(attributes.creator, 2);
    this.#common(fields, entry, { ...content, flags, wide });
    fields.add(entry.path.length, 2).add(extra.length, 2).add(0, 2).add(0, 2);
    fields
      .add(entry.isText ? 1 : 0, 2)
      .add(attributes.external, 4)
      .add(far ? MOST_32 : offset, 4);
    const row = concat([fields.bytes(), this.#nameOf(entry.path).bytes, extra]);
    this.#directory.append(row);
    this.#entries++;
    if (this.#directory.length > MOST_DIRECTORY_BYTES)
      throw new LimitExceeded("zip-directory-bytes", MOST_DIRECTORY_BYTES, "too many files for a zip archive; a tar archive takes more"); // prettier-ignore
  }
}

function isLarge({ size }: ZipEntry): boolean {
  return size > LARGE;
}

/** Returns the flag for UTF-8 if the path is UTF-8 and not ASCII, as in git; else 0. */
function nameFlag(path: string): number {
  // eslint-disable-next-line no-control-regex -- ASCII is a range that begins with them
  if (/^[\x00-\x7f]*$/.test(path)) return 0;
  try {
    new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytesOf(path));
    return UTF8;
  } catch {
    return 0;
  }
}

function attributesOf(mode: number): { readonly creator: number; readonly external: number } {
  if (isTree(mode) || isGitlink(mode)) return { creator: 0, external: 16 };
  if (isSymlink(mode)) return { creator: UNIX, external: (mode | 0o777) * 2 ** 16 };
  return mode & 0o111 ? { creator: UNIX, external: mode * 2 ** 16 } : { creator: 0, external: 0 };
}

/** A writer of numbers in little-endian order, one after the other. */
class Fields {
  readonly #bytes: number[] = [];

  add(value: number, size: number): this {
    let rest = value;
    for (let i = 0; i < size; i++) {
      this.#bytes.push(rest % 256);
      rest = Math.floor(rest / 256);
    }
    return this;
  }

  bytes(): Uint8Array<ArrayBuffer> {
    return Uint8Array.from(this.#bytes);
  }
}
