/**
 * Checks objects as C git does with `receive.fsckObjects=true`, in git's words. Commits and tags are checked here,
 * trees in `fsck-tree.ts`, and the blobs that git reads by itself in `fsck-blob.ts`.
 *
 * @packageDocumentation
 * @see git-fsck(1)
 */
import { finding, FORGIVES_NOTHING, type Forgiving, type FsckFinding, type FsckId } from "./fsck-rule.ts";
import { hasNameLine, lineEnd, startsWithAt } from "./header-line.ts";
import type { ObjectFormat } from "./object-id.ts";
import { checkRefFormat } from "./ref-name.ts";
import { objectTypeAt } from "./tag.ts";

const LF = 10;
const SPACE = 32;
const LESS = 60;
const GREATER = 62;
/** The first time that a signed 64-bit clock cannot have. */
const OVERFLOW = 2n ** 63n;

/** Checks that headers end in an empty line or with the object. A NUL among them would hide the rest from git. */
function fsckHeaders(bytes: Uint8Array): FsckFinding | undefined {
  for (let i = 0; i < bytes.length; i++) {
    if (bytes[i] === 0) return finding("nulInHeader", String(i));
    if (bytes[i] === LF && bytes[i + 1] === LF) return undefined;
  }
  return bytes.at(-1) === LF ? undefined : finding("unterminatedHeader");
}

const isDigit = (byte: number | undefined): boolean => byte !== undefined && byte >= 48 && byte <= 57;

/** Checks `<person> <seconds> <zone>`, from just after the keyword. The line is known to end in a line feed. */
function identityProblem(bytes: Uint8Array, start: number): FsckId | undefined {
  let at = start;
  if (bytes[at] === LESS) return "missingNameBeforeEmail";
  while (bytes[at] !== LESS) {
    if (bytes[at] === LF) return "missingEmail";
    if (bytes[at] === GREATER) return "badName";
    at++;
  }
  if (bytes[at - 1] !== SPACE) return "missingSpaceBeforeEmail";
  at++;
  while (bytes[at] !== GREATER) {
    if (bytes[at] === LESS || bytes[at] === LF) return "badEmail";
    at++;
  }
  return bytes[at + 1] === SPACE ? momentProblem(bytes, at + 2) : "missingSpaceBeforeDate";
}

function momentProblem(bytes: Uint8Array, start: number): FsckId | undefined {
  let at = start;
  while (bytes[at] === SPACE || bytes[at] === 9) at++;
  if (!isDigit(bytes[at])) return "badDate";
  if (bytes[at] === 48 && bytes[at + 1] !== SPACE) return "zeroPaddedDate";
  const digitsAt = at;
  while (isDigit(bytes[at])) at++;
  if (overflows(bytes.subarray(digitsAt, at))) return "badDateOverflow";
  if (bytes[at] !== SPACE) return "badDate";
  const sign = bytes[at + 1];
  const isZone = (sign === 43 || sign === 45) && [2, 3, 4, 5].every((i) => isDigit(bytes[at + i]));
  return isZone && bytes[at + 6] === LF ? undefined : "badTimezone";
}

function overflows(digits: Uint8Array): boolean {
  if (digits.length < 19) return false;
  return digits.length > 19 || BigInt(new TextDecoder().decode(digits)) >= OVERFLOW;
}

/** Checks the identity on the line that begins at `at` with its keyword. */
function fsckIdentity(bytes: Uint8Array, at: number, forgives: Forgiving): FsckFinding | undefined {
  // The keyword has no space in it.
  const problem = identityProblem(bytes, bytes.indexOf(SPACE, at) + 1);
  return problem === undefined || forgives(problem) ? undefined : finding(problem);
}

/** Checks a commit. @returns the first finding that refuses it; `undefined` if there is none. */
export function fsckCommit(
  bytes: Uint8Array,
  format: ObjectFormat,
  forgives: Forgiving = FORGIVES_NOTHING,
): FsckFinding | undefined {
  const end = bytes.length;
  const { hexSize } = format;
  const headers = fsckHeaders(bytes);
  if (headers !== undefined) return headers;
  if (!startsWithAt(bytes, "tree ", 0, end)) return finding("missingTree");
  let at = "tree ".length;
  if (!hasNameLine(bytes, at, end, hexSize)) return finding("badTreeSha1");
  at += hexSize + 1;
  while (startsWithAt(bytes, "parent ", at, end)) {
    at += "parent ".length;
    if (!hasNameLine(bytes, at, end, hexSize)) return finding("badParentSha1");
    at += hexSize + 1;
  }
  return fsckAuthors(bytes, at, forgives);
}

function fsckAuthors(bytes: Uint8Array, from: number, forgives: Forgiving): FsckFinding | undefined {
  const end = bytes.length;
  let at = from;
  let authors = 0;
  for (; startsWithAt(bytes, "author ", at, end); authors++) {
    const bad = fsckIdentity(bytes, at, forgives);
    if (bad !== undefined) return bad;
    at = lineEnd(bytes, at, end) + 1;
  }
  if (authors === 0) return finding("missingAuthor");
  if (authors > 1 && !forgives("multipleAuthors")) return finding("multipleAuthors");
  if (!startsWithAt(bytes, "committer ", at, end)) return finding("missingCommitter");
  const bad = fsckIdentity(bytes, at, forgives);
  return bad ?? (bytes.includes(0) && !forgives("nulInCommit") ? finding("nulInCommit") : undefined);
}

/** Checks a tag. @returns the first finding that refuses it; `undefined` if there is none. */
export function fsckTag(
  bytes: Uint8Array,
  format: ObjectFormat,
  forgives: Forgiving = FORGIVES_NOTHING,
): FsckFinding | undefined {
  const end = bytes.length;
  const headers = fsckHeaders(bytes);
  if (headers !== undefined) return headers;
  if (!startsWithAt(bytes, "object ", 0, end)) return finding("missingObject");
  let at = "object ".length;
  if (!hasNameLine(bytes, at, end, format.hexSize)) return finding("badObjectSha1");
  at += format.hexSize + 1;
  if (!startsWithAt(bytes, "type ", at, end)) return finding("missingTypeEntry");
  const typeEnd = lineEnd(bytes, at, end);
  if (objectTypeAt(bytes, at + "type ".length, typeEnd) === undefined) return finding("badType");
  return fsckTagName(bytes, typeEnd + 1, forgives);
}

function fsckTagName(bytes: Uint8Array, at: number, forgives: Forgiving): FsckFinding | undefined {
  const end = bytes.length;
  if (!startsWithAt(bytes, "tag ", at, end)) return finding("missingTagEntry");
  const nameEnd = lineEnd(bytes, at, end);
  if (nameEnd === end) return finding("missingTag");
  const name = new TextDecoder().decode(bytes.subarray(at + "tag ".length, nameEnd));
  const badName = checkRefFormat(`refs/tags/${name}`) ? undefined : finding("badTagName", name);
  if (badName !== undefined) return badName;
  const hasTagger = startsWithAt(bytes, "tagger ", nameEnd + 1, end);
  return hasTagger ? fsckIdentity(bytes, nameEnd + 1, forgives) : finding("missingTaggerEntry");
}
