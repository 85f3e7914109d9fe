/**
 * Recognises names that some file system takes for `.git`, `.gitmodules` or another file that git reads by itself. HFS+
 * drops invisible characters and ignores case. NTFS drops trailing dots and spaces, has streams after a colon, and
 * gives every file a second, short name. A tree must not smuggle such a file in under a name that git doesn't
 * recognise.
 *
 * @packageDocumentation
 */
import { itemAt, u8OrNul } from "../bytes/assert.ts";

/** The files that git reads by itself, apart from `.git`. */
export type SpecialFile = "gitmodules" | "gitattributes" | "gitignore" | "mailmap";

/** The first six characters of the short name that NTFS falls back to when `GITMOD~1` … `~4` are taken. */
const SHORT_NAME: Readonly<Record<SpecialFile, string>> = {
  gitmodules: "gi7eba",
  gitattributes: "gi7d29",
  gitignore: "gi250a",
  mailmap: "maba30",
};

const DOT = 0x2e;
const SLASH = 0x2f;
const COLON = 0x3a;
const BACKSLASH = 0x5c;
const TILDE = 0x7e;
const SPACE = 0x20;

/** Returns a byte of the name, or NUL past its end, as in a C string: the rules read one byte past the name. */
const byteAt = (name: Uint8Array, at: number): number => u8OrNul(name, at);

const lower = (byte: number): number => (byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte);

/** Whether `name` has the ASCII text `text` at `at`, regardless of case. */
function hasText(name: Uint8Array, at: number, text: string): boolean {
  for (let i = 0; i < text.length; i++) if (lower(byteAt(name, at + i)) !== text.charCodeAt(i)) return false;
  return true;
}

/** Whether HFS+ ignores this code point in names. */
function isInvisible(point: number): boolean {
  return (
    (point >= 0x200c && point <= 0x200f) ||
    (point >= 0x202a && point <= 0x202e) ||
    (point >= 0x206a && point <= 0x206f) ||
    point === 0xfeff
  );
}

const MALFORMED = -1;

/** The least code point that UTF-8 may spell in this many bytes. */
const LEAST_POINT: readonly number[] = [0, 0, 0x80, 0x800, 0x10000];

function isNoCharacter(point: number): boolean {
  return (point >= 0xd800 && point <= 0xdfff) || point === 0xfffe || point === 0xffff || point > 0x10ffff;
}

/** Reads names as HFS+ does. A malformed character ends the name, as it does in git. */
class VisibleCharacters {
  readonly #name: Uint8Array;
  #at = 0;

  constructor(name: Uint8Array) {
    this.#name = name;
  }

  /** Returns the next visible code point, 0 at the end. */
  next(): number {
    for (;;) {
      const point = this.#codePoint();
      if (point === MALFORMED) return 0;
      if (!isInvisible(point)) return point;
    }
  }

  #codePoint(): number {
    const first = byteAt(this.#name, this.#at);
    const length = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    if (first >= 0x80 && (first < 0xc2 || first > 0xf4)) return MALFORMED;
    let point = length === 1 ? first : first & (0xff >> (length + 1));
    for (let i = 1; i < length; i++) {
      const byte = byteAt(this.#name, this.#at + i);
      if ((byte & 0xc0) !== 0x80) return MALFORMED;
      point = (point << 6) | (byte & 0x3f);
    }
    if (point < itemAt(LEAST_POINT, length) || isNoCharacter(point)) return MALFORMED;
    this.#at += length;
    return point;
  }
}

function isHfsName(name: Uint8Array, text: string): boolean {
  const characters = new VisibleCharacters(name);
  if (characters.next() !== DOT) return false;
  for (let i = 0; i < text.length; i++) if (lower(characters.next()) !== text.charCodeAt(i)) return false;
  const after = characters.next();
  return after === 0 || after === SLASH;
}

/** Whether all bytes from `at` to the end, or to a stream's colon, are dots and spaces, which NTFS drops. */
function isDropped(name: Uint8Array, at: number): boolean {
  for (let next = at; ; next++) {
    const byte = byteAt(name, next);
    if (byte === 0 || byte === COLON) return true;
    if (byte !== DOT && byte !== SPACE) return false;
  }
}

/**
 * Whether the name ends here as in {@link isDropped}, or at a directory separator. What follows a separator is inside
 * the directory.
 */
function isDroppedDirectory(name: Uint8Array, at: number): boolean {
  let next = at;
  while (byteAt(name, next) === DOT || byteAt(name, next) === SPACE) next++;
  return [0, COLON, SLASH, BACKSLASH].includes(byteAt(name, next));
}

function isNtfsDotGit(name: Uint8Array): boolean {
  if (hasText(name, 0, ".git")) return isDroppedDirectory(name, 4);
  return hasText(name, 0, "git~1") && isDroppedDirectory(name, 5);
}

const isDigitFrom = (byte: number, least: number): boolean => byte >= 0x30 + least && byte <= 0x39;

/**
 * Whether a name is the short one that NTFS makes of a hash when the simple ones are taken: eight characters with `~`
 * and a number at the end.
 */
function isFallbackShortName(name: Uint8Array, prefix: string): boolean {
  let tilde = 0;
  while (tilde < 6 && byteAt(name, tilde) !== TILDE) {
    if (lower(byteAt(name, tilde)) !== prefix.charCodeAt(tilde)) return false;
    tilde++;
  }
  if (byteAt(name, tilde) !== TILDE || !isDigitFrom(byteAt(name, tilde + 1), 1)) return false;
  let at = tilde + 2;
  for (; at < 8; at++) if (!isDigitFrom(byteAt(name, at), 0)) return false;
  return isDropped(name, at);
}

function isNtfsFile(name: Uint8Array, file: SpecialFile): boolean {
  if (byteAt(name, 0) === DOT && hasText(name, 1, file)) return isDropped(name, file.length + 1);
  const digit = byteAt(name, 7);
  const isShort = hasText(name, 0, file.slice(0, 6)) && byteAt(name, 6) === TILDE && digit >= 0x31 && digit <= 0x34;
  return isShort ? isDropped(name, 8) : isFallbackShortName(name, SHORT_NAME[file]);
}

/** Whether some file system takes this name, or the part of it after a backslash, for `.git`. */
export function isDotGit(name: Uint8Array): boolean {
  return isHfsName(name, "git") || isNtfsDotGit(name) || someTail(name, isNtfsDotGit);
}

/** Whether some file system takes this name for a file that git reads by itself. */
export function isSpecialFile(name: Uint8Array, file: SpecialFile): boolean {
  if (isHfsName(name, file) || isNtfsFile(name, file)) return true;
  // Git looks behind backslashes for this file alone.
  return file === "gitmodules" && someTail(name, (tail) => isNtfsFile(tail, file));
}

function someTail(name: Uint8Array, test: (tail: Uint8Array) => boolean): boolean {
  for (let at = name.indexOf(BACKSLASH); at >= 0; at = name.indexOf(BACKSLASH, at + 1)) {
    if (test(name.subarray(at + 1))) return true;
  }
  return false;
}

/** Whether a name is plain: one look at each byte shows that no rule above can apply to it. */
export function isPlainName(name: Uint8Array): boolean {
  if (name[0] === DOT) return false;
  for (const byte of name) if (byte >= 0x7e || byte === SLASH || byte === BACKSLASH) return false;
  return true;
}
