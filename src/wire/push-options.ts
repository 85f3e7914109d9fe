/**
 * Push options: strings that the pusher sends to the server, between the commands and the pack.
 *
 * ```text
 * push-options := *option flush
 * ```
 *
 * @packageDocumentation
 * @see gitprotocol-pack(5), git-push(1)
 */
import { LimitExceeded, ProtocolError } from "../bytes/failure.ts";
import type { PktBuffer } from "./pkt-buffer.ts";
import { type PktLine, decodeLine } from "./pkt-line.ts";
import { unexpectedPacket } from "./unexpected-line.ts";

/** Bytes of all options of a push together. They are stored with its ref log entry. */
const MAX_BYTES = 65_536;
/** Bytes that each option counts in addition to its own, since empty options take memory, too. */
const OPTION_BYTES = 4;

/** Reads push options. They are untrusted data: never join them into one string or a header. */
export class PushOptionsParser {
  /** The options in order, complete once {@link accept} has returned `done`. */
  readonly result: string[] = [];
  #bytes = 0;

  /**
   * Takes the next line.
   *
   * @throws ProtocolError on an option with a NUL or a line feed, which git's client does not send.
   * @throws LimitExceeded on options of more than 64 KiB together, counting four additional bytes for each.
   */
  accept(line: PktLine): "more" | "done" {
    if (line.kind === "flush") return "done";
    if (line.kind !== "data") throw unexpectedPacket(line);
    this.#bytes += line.payload.length + OPTION_BYTES;
    if (this.#bytes > MAX_BYTES) {
      throw new LimitExceeded("push-options-bytes", MAX_BYTES, `push options of more than ${MAX_BYTES} bytes`);
    }
    const option = decodeLine(line.payload);
    // eslint-disable-next-line no-control-regex -- NUL is what is looked for
    if (/[\u0000\n]/.test(option)) throw new ProtocolError("protocol error: a NUL or line feed in a push option");
    this.result.push(option);
    return "more";
  }
}

/** Appends push options with their flush-pkt. */
export function formatPushOptions(options: Iterable<string>, out: PktBuffer): void {
  for (const option of options) out.line(option);
  out.flush();
}
