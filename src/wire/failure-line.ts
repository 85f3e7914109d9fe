/**
 * `ERR`: the line in which either side says why it stops. It may stand wherever a pkt-line is expected.
 *
 * @packageDocumentation
 * @see gitprotocol-pack(5)
 */
import { PktBuffer } from "./pkt-buffer.ts";
import { LARGE_PACKET_DATA_MAX, decodeLine, startsWith } from "./pkt-line.ts";

const PREFIX = "ERR ";
/** UTF-16 units of a message. Each takes at most three bytes of UTF-8, so this many always fit into a line. */
const MAX_CHARACTERS = Math.floor((LARGE_PACKET_DATA_MAX - PREFIX.length) / 3);

/** Appends a failure line. Runs of control characters become one space, and a message too long for a line is cut. */
export function formatFailureLine(message: string, out: PktBuffer): void {
  out.line(PREFIX + oneLine(message).slice(0, MAX_CHARACTERS));
}

/** Encodes a failure line by itself. */
export function encodeFailureLine(message: string): Uint8Array {
  const line = new PktBuffer();
  formatFailureLine(message, line);
  return line.takeBytes();
}

/** Returns the message of a failure line; `undefined` if the payload is not a failure line. */
export function parseFailureLine(payload: Uint8Array): string | undefined {
  return startsWith(payload, PREFIX) ? decodeLine(payload.subarray(PREFIX.length)) : undefined;
}

/**
 * Replaces each run of control characters with one space and trims the text, so that it is one line of the protocol.
 */
export function oneLine(text: string): string {
  // eslint-disable-next-line no-control-regex -- control characters are what is looked for
  return text.replaceAll(/[\u0000-\u001f\u007f]+/g, " ").trim();
}
