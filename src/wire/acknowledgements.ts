/**
 * What upload-pack answers to haves in versions 0 and 1.
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
 * How an object is acknowledged: `final` without a word behind it; `continue` with multi_ack; `common` and `ready` with
 * multi_ack_detailed.
 */
export type AcknowledgementStatus = "final" | "continue" | "common" | "ready";

/** One answer. */
export type Acknowledgement =
  | { readonly kind: "nak" }
  | { readonly kind: "ack"; readonly oid: Uint8Array; readonly status: AcknowledgementStatus };

/** Appends one answer. */
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
 * Parses one answer.
 *
 * @throws ProtocolError in git's words where the line is none.
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
