/**
 * The filter-spec by which a client says which objects it does not want. `filter` carries it in every version.
 *
 * ```text
 * spec := "blob:none" | "blob:limit=" n [ "k" | "m" | "g" ] | "tree:" depth | "object:type=" type
 *       | "sparse:oid=" blobish | "combine:" spec *( "+" spec )          the parts percent-encoded
 * ```
 *
 * @packageDocumentation
 * @see git-rev-list(1), `--filter`; git's list-objects-filter-options.c
 */
import { ProtocolError } from "../bytes/failure.ts";
import type { ObjectType } from "../object/object-type.ts";
import { parseUnsignedWithUnit } from "./unsigned.ts";

/** A parsed filter-spec. */
export type ObjectFilterSpec =
  | { readonly kind: "blob:none" }
  /** Leaves out the blobs of this many bytes and larger ones. */
  | { readonly kind: "blob:limit"; readonly bytes: number }
  /** Leaves out the trees and blobs at this level below a commit, and deeper. The commit's root tree is at level 0. */
  | { readonly kind: "tree"; readonly depth: number }
  /** Sends only objects of this type, and objects that are wanted by name. */
  | { readonly kind: "object:type"; readonly type: ObjectType }
  /** Sends only the objects that every part sends. */
  | { readonly kind: "combine"; readonly parts: readonly ObjectFilterSpec[] };

/**
 * Bounds on nesting and on the number of filters. C git has none; a spec beyond these can only be meant to cost time.
 */
const MOST_NESTED = 8;
const MOST_PARTS = 64;

/**
 * The printable ASCII characters that must be percent-encoded in a part of `combine`; so must space and control
 * characters.
 */
const RESERVED = "~`!@#$^&*()[]{}\\;'\",<>?";
const OBJECT_TYPES: ReadonlySet<string> = new Set<ObjectType>(["commit", "tree", "blob", "tag"]);

function isObjectType(text: string): text is ObjectType {
  return OBJECT_TYPES.has(text);
}

/** Parses a filter-spec. @throws ProtocolError in git's words if it is malformed or not supported. */
export function parseObjectFilterSpec(text: string): ObjectFilterSpec {
  return parseSpec(text, { level: 0, parts: 0 });
}

type Nesting = { level: number; parts: number };

function parseSpec(text: string, nesting: Nesting): ObjectFilterSpec {
  if (++nesting.parts > MOST_PARTS) throw new ProtocolError(`more than ${MOST_PARTS} filters cannot be combined`);
  const end = Math.max(text.indexOf("="), text.indexOf(":")) + 1;
  const value = text.slice(end);
  switch (text.slice(0, end)) {
    case "blob:":
      if (value === "none") return { kind: "blob:none" };
      break;
    case "blob:limit=": {
      const bytes = parseUnsignedWithUnit(value);
      if (!Number.isNaN(bytes)) return { kind: "blob:limit", bytes };
      break;
    }
    case "tree:": {
      const depth = parseUnsignedWithUnit(value);
      if (!Number.isNaN(depth)) return { kind: "tree", depth };
      throw new ProtocolError("expected 'tree:<depth>'");
    }
    case "sparse:oid=":
      throw new ProtocolError("filter 'sparse:oid' not supported");
    case "sparse:path=":
      throw new ProtocolError("sparse:path filters support has been dropped");
    case "object:type=":
      if (isObjectType(value)) return { kind: "object:type", type: value };
      throw new ProtocolError(`'${value}' for 'object:type=<type>' is not a valid object type`);
  }
  if (text.startsWith("combine:")) return parseCombination(text.slice("combine:".length), nesting);
  if (text === "auto") throw new ProtocolError("'auto' filter not supported by this command");
  throw new ProtocolError(`invalid filter-spec '${text}'`);
}

function parseCombination(text: string, nesting: Nesting): ObjectFilterSpec {
  if (text === "") throw new ProtocolError("expected something after combine:");
  if (++nesting.level > MOST_NESTED) throw new ProtocolError(`filters cannot be nested deeper than ${MOST_NESTED}`);
  const parts: ObjectFilterSpec[] = [];
  for (const part of text.split("+")) {
    if (part === "") continue;
    const bad = Array.from(part).find((char) => char <= " " || RESERVED.includes(char));
    if (bad !== undefined) throw new ProtocolError(`must escape char in sub-filter-spec: '${bad}'`);
    parts.push(parseSpec(decodePercent(part), nesting));
  }
  nesting.level--;
  return { kind: "combine", parts };
}

/** Decodes percent signs. One without two hexadecimal digits stands for itself, as in git's url.c. */
function decodePercent(text: string): string {
  return text.replace(/%([0-9a-f]{2})/gi, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)));
}

/** Formats a filter-spec in the form that {@link parseObjectFilterSpec} reads. */
export function formatObjectFilterSpec(spec: ObjectFilterSpec): string {
  switch (spec.kind) {
    case "blob:none":
      return spec.kind;
    case "blob:limit":
      return `blob:limit=${spec.bytes}`;
    case "tree":
      return `tree:${spec.depth}`;
    case "object:type":
      return `object:type=${spec.type}`;
    case "combine":
      // A combination of no parts is formatted as a plus sign, since `combine:` alone is refused.
      return `combine:${spec.parts.map((part) => encodePercent(formatObjectFilterSpec(part))).join("+") || "+"}`;
  }
}

function encodePercent(text: string): string {
  return Array.from(text)
    .map((char) =>
      char <= " " || char === "%" || char === "+" || RESERVED.includes(char)
        ? `%${char.charCodeAt(0).toString(16).padStart(2, "0")}`
        : char,
    )
    .join("");
}
