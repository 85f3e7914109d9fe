/**
 * The errors for lines and packets that are out of place.
 *
 * @packageDocumentation
 */
import { ProtocolError } from "../bytes/failure.ts";
import { type PktLine, decodeLine } from "./pkt-line.ts";

/** The maximum number of characters of a client's line that a message repeats. */
const SHOWN = 1000;

/** Returns a line as text for a message: without its line feed, and cut to 1,000 characters. */
export function quoteLine(payload: Uint8Array): string {
  return decodeLine(payload).slice(0, SHOWN);
}

/** Returns the error, in git's words, for a line that a version 2 command does not accept. */
export function unexpectedLine(payload: Uint8Array): ProtocolError {
  return new ProtocolError(`unexpected line: '${quoteLine(payload)}'`);
}

/** Returns the error for a flush, delim or response-end packet that is out of place. */
export function unexpectedPacket(line: PktLine): ProtocolError {
  return new ProtocolError(`protocol error: unexpected ${line.kind} packet`);
}
