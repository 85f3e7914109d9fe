/**
 * The lines that answer a depth request in every version. They name the commits at which the client's history is cut
 * from now on, and those at which it no longer is.
 *
 * ```text
 * shallow-info := *( "shallow" SP oid | "unshallow" SP oid )        git ends these lines without a line feed
 * ```
 *
 * @packageDocumentation
 * @see gitprotocol-pack(5), gitprotocol-v2(5)
 */
import { ProtocolError } from "../bytes/failure.ts";
import type { ObjectFormat } from "../object/object-id.ts";
import { parseRawObjectId } from "./object-id-list.ts";
import type { PktBuffer } from "./pkt-buffer.ts";
import { chompLine, startsWith } from "./pkt-line.ts";
import { quoteLine } from "./unexpected-line.ts";

/** One line. The parents of `oid` are not sent (`shallow`), or the client will have them from now on (`unshallow`). */
export type ShallowLine = { readonly kind: "shallow" | "unshallow"; readonly oid: Uint8Array };

/** Appends one line. */
export function formatShallowLine(line: ShallowLine, out: PktBuffer): void {
  out.begin().text(line.kind).text(" ").hex(line.oid).end();
}

/**
 * Parses one line.
 *
 * @throws ProtocolError in git's words if it is neither or malformed.
 */
export function parseShallowLine(payload: Uint8Array, format: ObjectFormat): ShallowLine {
  const line = chompLine(payload);
  for (const kind of ["shallow", "unshallow"] as const) {
    if (!startsWith(line, `${kind} `)) continue;
    const at = kind.length + 1;
    const oid = line.length === at + format.hexSize ? parseRawObjectId(line, at, format) : undefined;
    if (oid === undefined) throw new ProtocolError(`invalid ${kind} line: ${quoteLine(payload)}`);
    return { kind, oid };
  }
  throw new ProtocolError(`expected shallow/unshallow, got ${quoteLine(payload)}`);
}
