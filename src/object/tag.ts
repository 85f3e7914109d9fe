/**
 * Annotated tags.
 *
 * ```
 * object <name>
 * type commit|tree|blob|tag
 * tag <short name>
 * tagger <identity>      missing in the oldest tags
 *
 * message, and a signature at its end where there is one
 * ```
 *
 * @packageDocumentation
 * @see git-mktag(1)
 */
import { ObjectRejected } from "../bytes/failure.ts";
import { hasNameLine, hexByteAt, lineEnd, splitHeaders, startsWithAt, textDecoder } from "./header-line.ts";
import { parseIdentity, type Identity } from "./identity.ts";
import { parseObjectId, type ObjectFormat, type ObjectId } from "./object-id.ts";
import type { ObjectKind } from "./object-kind.ts";

const OBJECT = "object ";
const TYPE = "type ";
const TAG = "tag ";
const KINDS: readonly ObjectKind[] = ["commit", "tree", "blob", "tag"];
/** Bytes after the name below which git takes no tag for one. */
const LEAST_REST = 24;

function refuse(): never {
  throw new ObjectRejected("invalid tag");
}

/** Gives the object type whose name is in `bytes[at, end)`; `undefined` where it is none. */
export function kindAt(bytes: Uint8Array, at: number, end: number): ObjectKind | undefined {
  return KINDS.find((kind) => end - at === kind.length && startsWithAt(bytes, kind, at, end));
}

/**
 * Reads what the tag in `bytes[start, end)` refers to: the raw name, which is the caller's, and what the tag says it is.
 *
 * @throws ObjectRejected for what git does not take for a tag.
 */
export function readTagLinks(
  bytes: Uint8Array,
  start: number,
  end: number,
  format: ObjectFormat,
): { readonly object: Uint8Array; readonly kind: ObjectKind } {
  const { hexSize, rawSize } = format;
  const nameAt = start + OBJECT.length;
  if (end - start < hexSize + LEAST_REST || !startsWithAt(bytes, OBJECT, start, end)) refuse();
  if (!hasNameLine(bytes, nameAt, end, hexSize)) refuse();
  const typeAt = nameAt + hexSize + 1;
  if (!startsWithAt(bytes, TYPE, typeAt, end)) refuse();
  const typeEnd = lineEnd(bytes, typeAt, end);
  const kind = kindAt(bytes, typeAt + TYPE.length, typeEnd);
  const tagAt = typeEnd + 1;
  if (kind === undefined || !startsWithAt(bytes, TAG, tagAt, end) || lineEnd(bytes, tagAt, end) === end) refuse();
  const object = new Uint8Array(rawSize);
  for (let i = 0; i < rawSize; i++) object[i] = hexByteAt(bytes, nameAt + 2 * i);
  return { object, kind };
}

/** A tag, for those who show it. */
export type Tag = {
  readonly object: ObjectId;
  readonly kind: ObjectKind;
  readonly name: string;
  /** `undefined` in the oldest tags. */
  readonly tagger: Identity | undefined;
  /** With the signature, if any, at its end. */
  readonly message: string;
};

/** Parses a whole tag. @throws ObjectRejected for what git does not take for a tag. */
export function parseTag(bytes: Uint8Array, format: ObjectFormat): Tag {
  const { kind } = readTagLinks(bytes, 0, bytes.length, format);
  const decoder = textDecoder(undefined);
  const { headers, body } = splitHeaders(bytes, (line) => decoder.decode(line));
  // A header that is missing is refused by whoever parses its value.
  const valueOf = (name: string): string => headers.find((header) => header.name === name)?.value ?? "";
  return {
    object: parseObjectId(valueOf("object").toLowerCase(), format) ?? refuse(),
    kind,
    name: valueOf("tag"),
    tagger: parseIdentity(valueOf("tagger")),
    message: decoder.decode(body),
  };
}
