/**
 * `ERR`: the line by which either side says why it stops, wherever a pkt-line is expected.
 *
 * @packageDocumentation
 * @see gitprotocol-pack(5)
 */
import type { PktBuffer } from "./pkt-buffer.ts";
import { LARGE_PACKET_DATA_MAX, decodeLine, startsWith } from "./pkt-line.ts";

const PREFIX = "ERR ";
/** A character takes at most three bytes of UTF-8 per UTF-16 unit, so this many always fit the line. */
const MAX_CHARACTERS = Math.floor((LARGE_PACKET_DATA_MAX - PREFIX.length) / 3);

/** Appends a failure line. Control characters in the message become spaces; what is too long for a line is cut. */
export function formatFailureLine(message: string, out: PktBuffer): void {
  out.line(PREFIX + oneLine(message).slice(0, MAX_CHARACTERS));
}

/** Gives the message of a failure line; `undefined` where the line is something else. */
export function parseFailureLine(payload: Uint8Array): string | undefined {
  return startsWith(payload, PREFIX) ? decodeLine(payload.subarray(PREFIX.length)) : undefined;
}

/** Gives text with each run of control characters as one space, so that it stays one line of the protocol. */
export function oneLine(text: string): string {
  // eslint-disable-next-line no-control-regex -- control characters are what is looked for
  return text.replaceAll(/[\u0000-\u001f\u007f]+/g, " ").trim();
}
