/**
 * The lines by which upload-pack answers haves in versions 0 and 1.
 *
 * ```text
 * acknowledgement := "NAK\n" | "ACK" SP oid [ SP ( "continue" | "common" | "ready" ) ] "\n"
 * ```
 *
 * @packageDocumentation
 * @see gitprotocol-pack(5)
 */
import { ProtocolError } from "../bytes/failure.ts";
import type { ObjectFormat } from "../object/object-id.ts";
import { parseRawObjectId } from "./object-id-list.ts";
import type { PktBuffer } from "./pkt-buffer.ts";
import { chompLine, decodeText, startsWith } from "./pkt-line.ts";
import { quoteLine } from "./unexpected-line.ts";

/**
 * The status behind an acknowledged object name. `final` stands for no status word, `continue` is sent with multi_ack,
 * and `common` and `ready` are sent with multi_ack_detailed.
 */
export type AcknowledgementStatus = "final" | "continue" | "common" | "ready";

/** One `NAK` or `ACK` line. The `oid` is raw. */
export type Acknowledgement =
  | { readonly kind: "nak" }
  | { readonly kind: "ack"; readonly oid: Uint8Array; readonly status: AcknowledgementStatus };

/** Appends one acknowledgement line. */
export function formatAcknowledgement(answer: Acknowledgement, out: PktBuffer): void {
  if (answer.kind === "nak") {
    out.line("NAK\n");
    return;
  }
  out.begin().text("ACK ").hex(answer.oid);
  if (answer.status !== "final") out.text(" ").text(answer.status);
  out.text("\n").end();
}

/**
 * Parses one acknowledgement line.
 *
 * @throws ProtocolError in git's words if the line is not an acknowledgement.
 */
export function parseAcknowledgement(payload: Uint8Array, format: ObjectFormat): Acknowledgement {
  const line = chompLine(payload);
  if (decodeText(line) === "NAK") return { kind: "nak" };
  const oid = startsWith(line, "ACK ") ? parseRawObjectId(line, "ACK ".length, format) : undefined;
  const status = oid && parseStatus(decodeText(line.subarray("ACK ".length + format.hexSize)));
  if (oid === undefined || status === undefined) {
    throw new ProtocolError(`git fetch-pack: expected ACK/NAK, got '${quoteLine(payload)}'`);
  }
  return { kind: "ack", oid, status };
}

function parseStatus(text: string): AcknowledgementStatus | undefined {
  switch (text) {
    case "":
      return "final";
    case " continue":
      return "continue";
    case " common":
      return "common";
    case " ready":
      return "ready";
    default:
      return undefined;
  }
}
