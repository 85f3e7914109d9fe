/**
 * The request of `git archive --remote`, and how its answer begins.
 *
 * ```text
 * archive-request := *( "argument" SP text ) flush
 * answer          := "ACK" flush side-band
 * ```
 *
 * git's server says `NACK` in place of `ACK` where it can't run itself. What is wrong with a request it says over side-bands.
 *
 * @packageDocumentation
 * @see git-upload-archive(1), builtin/upload-archive.c
 */
import { ProtocolError } from "../bytes/failure.ts";
import { textOf } from "../object/byte-text.ts";
import type { PktBuffer } from "./pkt-buffer.ts";
import { chompLine, type PktLine, startsWith } from "./pkt-line.ts";

const ARGUMENT = "argument ";
/** The most arguments. C git takes no more either. */
const MOST_ARGUMENTS = 64;

/** Reads the arguments of an archive, each with one character per byte. */
export class ArchiveRequestParser {
  /** The arguments so far. */
  readonly result: string[] = [];

  /** Takes the next line. @throws ProtocolError in git's words */
  accept(line: PktLine): "more" | "done" {
    if (line.kind === "flush") return "done";
    if (line.kind !== "data" || !startsWith(line.payload, ARGUMENT)) {
      throw new ProtocolError("'argument' token or flush expected");
    }
    if (this.result.length >= MOST_ARGUMENTS) throw new ProtocolError(`Too many options (>${MOST_ARGUMENTS - 1})`);
    this.result.push(textOf(chompLine(line.payload).subarray(ARGUMENT.length)));
    return "more";
  }
}

/** Appends the line after which the archive comes. */
export function formatArchiveAck(out: PktBuffer): void {
  out.line("ACK\n");
  out.flush();
}
