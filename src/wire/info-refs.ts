/**
 * `info/refs` as a file: the list from which a dumb HTTP client learns the refs.
 *
 * ```text
 * info-refs := *( oid HT name LF [ oid HT name "^{}" LF ] )      sorted by name, without HEAD
 * ```
 *
 * @packageDocumentation
 * @see gitprotocol-http(5), git-update-server-info(1)
 */
import { ProtocolError } from "../bytes/failure.ts";
import { toHex } from "../bytes/hex.ts";
import { type ObjectFormat, type ObjectId, parseObjectId } from "../object/object-id.ts";

const PEELED = "^{}";

/** Formats the one or two lines of a ref, with their line feeds. Names are escaped text, object names raw. */
export function formatInfoRef(name: string, oid: Uint8Array, peeled?: Uint8Array): string {
  const line = `${toHex(oid)}\t${name}\n`;
  return peeled === undefined ? line : `${line}${toHex(peeled)}\t${name}${PEELED}\n`;
}

/** One ref of the file. */
export type InfoRef = { readonly name: string; readonly oid: ObjectId; readonly peeled: ObjectId | undefined };

/**
 * Parses the file. Empty lines are skipped.
 *
 * @throws ProtocolError in git's words on a line that is not a ref.
 */
export function parseInfoRefs(text: string, format: ObjectFormat): InfoRef[] {
  const refs: InfoRef[] = [];
  for (const line of text.split("\n")) {
    if (line === "") continue;
    const oid = parseObjectId(line.slice(0, format.hexSize), format);
    const name = line.slice(format.hexSize + 1);
    if (oid === undefined || line[format.hexSize] !== "\t" || name === "") {
      throw new ProtocolError("info/refs is not valid: is this a git repository?");
    }
    const last = refs.at(-1);
    if (last !== undefined && name === last.name + PEELED) refs[refs.length - 1] = { ...last, peeled: oid };
    else refs.push({ name, oid, peeled: undefined });
  }
  return refs;
}
