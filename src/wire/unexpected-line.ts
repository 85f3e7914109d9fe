/**
 * The faults of lines that do not belong where they stand.
 *
 * @packageDocumentation
 */
import { ProtocolError } from "../bytes/failure.ts";
import { type PktLine, decodeLine } from "./pkt-line.ts";

/** Characters of a client's line that a message repeats. */
const SHOWN = 1000;

/** Gives a line as text to be shown in a message: without its line feed, and cut where it is very long. */
export function quoteLine(payload: Uint8Array): string {
  return decodeLine(payload).slice(0, SHOWN);
}

/** Gives the fault of a line that a version 2 command does not take, in git's words. */
export function unexpectedLine(payload: Uint8Array): ProtocolError {
  return new ProtocolError(`unexpected line: '${quoteLine(payload)}'`);
}

/** Gives the fault of a flush, delim or response-end packet where there can be none. */
export function unexpectedPacket(line: PktLine): ProtocolError {
  return new ProtocolError(`protocol error: unexpected ${line.kind} packet`);
}
