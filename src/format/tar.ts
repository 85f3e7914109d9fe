/**
 * Archives as tar files, byte for byte as `git archive` writes them: ustar, with pax headers for values that do not
 * fit.
 *
 * ```text
 * header (512 bytes): name 100 · mode 8 · uid 8 · gid 8 · size 12 · mtime 12 · checksum 8 · type 1 · link 100
 *                     · "ustar" NUL "00" · owner 32 · group 32 · major 8 · minor 8 · prefix 155
 * content, filled up to a multiple of 512 with NUL
 * end: two records of NUL, filled up to a multiple of 10240
 * ```
 *
 * @packageDocumentation
 * @see git-archive(1), archive-tar.c, pax(1)
 */
import { concat } from "../bytes/chunk.ts";
import { bytesOf } from "../object/byte-text.ts";
import { isGitlink, isRegular, isSymlink, isTree } from "../object/tree.ts";

const RECORD = 512;
const BLOCK = 20 * RECORD;
const NAME_BYTES = 100;
const PREFIX_BYTES = 155;
/** The largest number of eleven octal digits. Larger sizes and times are put into a pax header. */
const MOST_OCTAL = 0o77777777777;
const UMASK = 0o002;
const PAX_MODE = 0o100666;

const FIELD = {
  name: 0,
  mode: 100,
  uid: 108,
  gid: 116,
  size: 124,
  mtime: 136,
  checksum: 148,
  type: 156,
  link: 157,
  magic: 257,
  owner: 265,
  group: 297,
  major: 329,
  minor: 337,
  prefix: 345,
} as const;

/**
 * An entry of an archive. Its path has one character per byte, and ends in a slash if it is a directory or submodule.
 */
export type TarEntry = {
  readonly path: string;
  /** The mode of the tree entry. */
  readonly mode: number;
  /** Bytes of the content; 0 for a directory. */
  readonly size: number;
  /** The object name in hexadecimal, after which pax headers are named. */
  readonly oid: string;
  /** The target of a symbolic link, with one character per byte. */
  readonly target?: string;
};

/** Encodes the headers of an archive. */
export class TarEncoder {
  readonly #mtime: number;

  /** Creates an encoder. `time` is the modification time of all entries, in seconds since the epoch. */
  constructor(time: number) {
    this.#mtime = time;
  }

  /** Returns the beginning of an archive, which names `commit` (hexadecimal). It is empty if no header is needed. */
  start(commit: string | undefined): Uint8Array<ArrayBuffer> {
    const comment = commit === undefined ? "" : paxRecord("comment", commit);
    const mtime = this.#mtime > MOST_OCTAL ? paxRecord("mtime", String(this.#mtime)) : "";
    const records = comment + mtime;
    return records === "" ? new Uint8Array(0) : this.#pax("g", "pax_global_header", records);
  }

  /** Returns an entry's header. `size` bytes of content follow it (none for a link), and then {@link padding}. */
  entry(entry: TarEntry): Uint8Array<ArrayBuffer> {
    const { path, oid, target = "" } = entry;
    const header = new Header();
    const { type, mode } = typeOf(entry.mode);
    let records = this.#putPath(header, path, oid);
    if (target.length > NAME_BYTES) {
      header.put(FIELD.link, `see ${oid}.paxheader`);
      records += paxRecord("linkpath", target);
    } else {
      header.put(FIELD.link, target);
    }
    let size = isRegular(entry.mode) ? entry.size : 0;
    if (size > MOST_OCTAL) {
      records += paxRecord("size", String(size));
      size = 0;
    }
    const bytes = this.#finish(header, { type, mode, size });
    return records === "" ? bytes : concat([this.#pax("x", `${oid}.paxheader`, records), bytes]);
  }

  /** Puts a path into the field in which it fits. Returns the pax record of a path that fits in none, else "". */
  #putPath(header: Header, path: string, oid: string): string {
    if (path.length <= NAME_BYTES) {
      header.put(FIELD.name, path);
      return "";
    }
    const split = splitAt(path);
    if (split > 0 && path.length - split - 1 <= NAME_BYTES) {
      header.put(FIELD.prefix, path.slice(0, split));
      header.put(FIELD.name, path.slice(split + 1));
      return "";
    }
    header.put(FIELD.name, `${oid}.data`);
    return paxRecord("path", path);
  }

  #pax(type: string, name: string, records: string): Uint8Array<ArrayBuffer> {
    const header = new Header();
    header.put(FIELD.name, name);
    const size = records.length;
    return concat([this.#finish(header, { type, mode: PAX_MODE, size }), bytesOf(records), padding(size)]);
  }

  #finish(header: Header, { type, mode, size }: { type: string; mode: number; size: number }): Uint8Array<ArrayBuffer> {
    header.put(FIELD.type, type);
    header.octal(FIELD.mode, mode & 0o7777, 7);
    header.octal(FIELD.size, size, 11);
    header.octal(FIELD.mtime, Math.min(this.#mtime, MOST_OCTAL), 11);
    header.octal(FIELD.uid, 0, 7);
    header.octal(FIELD.gid, 0, 7);
    header.put(FIELD.owner, "root");
    header.put(FIELD.group, "root");
    header.octal(FIELD.major, 0, 7);
    header.octal(FIELD.minor, 0, 7);
    header.put(FIELD.magic, "ustar\x0000");
    return header.finish();
  }
}

/** Returns the NULs that follow `size` bytes of content. */
export function padding(size: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array((RECORD - (size % RECORD)) % RECORD);
}

/** Returns the end of an archive of which `written` bytes have been written. */
export function tarEnd(written: number): Uint8Array<ArrayBuffer> {
  const rest = BLOCK - (written % BLOCK);
  return new Uint8Array(rest < 2 * RECORD ? rest + BLOCK : rest);
}

class Header {
  readonly #bytes = new Uint8Array(RECORD);

  put(at: number, text: string): void {
    for (let i = 0; i < text.length; i++) this.#bytes[at + i] = text.charCodeAt(i);
  }

  octal(at: number, value: number, digits: number): void {
    this.put(at, value.toString(8).padStart(digits, "0"));
  }

  finish(): Uint8Array<ArrayBuffer> {
    this.#bytes.fill(0x20, FIELD.checksum, FIELD.type);
    let sum = 0;
    for (const byte of this.#bytes) sum += byte;
    this.octal(FIELD.checksum, sum, 7);
    this.#bytes[FIELD.checksum + 7] = 0;
    return this.#bytes;
  }
}

function typeOf(mode: number): { readonly type: string; readonly mode: number } {
  if (isTree(mode) || isGitlink(mode)) return { type: "5", mode: (mode | 0o777) & ~UMASK };
  if (isSymlink(mode)) return { type: "2", mode: mode | 0o777 };
  return { type: "0", mode: (mode | (mode & 0o100 ? 0o777 : 0o666)) & ~UMASK };
}

/** Returns the index of the slash at which a long path is split: the last one with a prefix that fits before it. */
function splitAt(path: string): number {
  const end = path.endsWith("/") ? path.length - 1 : path.length;
  return Math.max(0, path.lastIndexOf("/", Math.min(end, PREFIX_BYTES) - 1));
}

/** Formats a pax record, which begins with its own length. */
function paxRecord(key: string, value: string): string {
  const rest = ` ${key}=${value}\n`;
  let length = rest.length + 1;
  while (String(length).length + rest.length > length) length++;
  return `${length}${rest}`;
}
