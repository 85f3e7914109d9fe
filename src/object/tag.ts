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
import { lineEnd, readNameLine, splitHeaders, startsWithAt, textDecoder } from "./header-line.ts";
import { parseIdentity, type Identity } from "./identity.ts";
import { parseObjectId, type ObjectFormat, type ObjectId } from "./object-id.ts";
import type { ObjectType } from "./object-type.ts";

const OBJECT = "object ";
const TYPE = "type ";
const TAG = "tag ";
const TYPES: readonly ObjectType[] = ["commit", "tree", "blob", "tag"];
/** The least number of bytes after the name with which git takes an object for a tag. */
const LEAST_REST = 24;

function refuse(): never {
  throw new ObjectRejected("invalid tag");
}

/** Returns the object type that is spelt in `bytes[at, end)`; `undefined` if it is not a type. */
export function objectTypeAt(bytes: Uint8Array, at: number, end: number): ObjectType | undefined {
  return TYPES.find((type) => end - at === type.length && startsWithAt(bytes, type, at, end));
}

/**
 * Reads the object that the tag in `bytes[start, end)` refers to: its raw name, which the caller owns, and the type
 * that the tag states.
 *
 * @throws ObjectRejected if git would not take it for a tag.
 */
export function readTagLinks(
  bytes: Uint8Array,
  start: number,
  end: number,
  format: ObjectFormat,
): { readonly object: Uint8Array; readonly type: ObjectType } {
  const { hexSize, rawSize } = format;
  const nameAt = start + OBJECT.length;
  if (end - start < hexSize + LEAST_REST || !startsWithAt(bytes, OBJECT, start, end)) refuse();
  const object = new Uint8Array(rawSize);
  if (!readNameLine(bytes, nameAt, end, object)) refuse();
  const typeAt = nameAt + hexSize + 1;
  if (!startsWithAt(bytes, TYPE, typeAt, end)) refuse();
  const typeEnd = lineEnd(bytes, typeAt, end);
  const type = objectTypeAt(bytes, typeAt + TYPE.length, typeEnd);
  const tagAt = typeEnd + 1;
  if (type === undefined || !startsWithAt(bytes, TAG, tagAt, end) || lineEnd(bytes, tagAt, end) === end) refuse();
  return { object, type };
}

/** A parsed tag, to be shown. */
export type Tag = {
  readonly object: ObjectId;
  readonly type: ObjectType;
  readonly name: string;
  /** `undefined` in the oldest tags. */
  readonly tagger: Identity | undefined;
  /** The message, with the signature, if any, at its end. */
  readonly message: string;
};

/** Parses a whole tag. @throws ObjectRejected if git would not take it for a tag. */
export function parseTag(bytes: Uint8Array, format: ObjectFormat): Tag {
  const { type } = readTagLinks(bytes, 0, bytes.length, format);
  const decoder = textDecoder(undefined);
  const { headers, body } = splitHeaders(bytes, (line) => decoder.decode(line));
  // A missing header is refused when its value is parsed.
  const valueOf = (name: string): string => headers.find((header) => header.name === name)?.value ?? "";
  return {
    object: parseObjectId(valueOf("object").toLowerCase(), format) ?? refuse(),
    type,
    name: valueOf("tag"),
    tagger: parseIdentity(valueOf("tagger")),
    message: decoder.decode(body),
  };
}
