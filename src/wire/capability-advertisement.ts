/**
 * The capability advertisement of version 2: everything that a server sends before the client's first command.
 *
 * ```text
 * advertisement := "version 2\n" *( name [ "=" value ] "\n" ) flush
 * ```
 *
 * @packageDocumentation
 * @see gitprotocol-v2(5)
 */
import { ProtocolError } from "../bytes/failure.ts";
import { type CapabilityContext, advertisedOn } from "./capabilities.ts";
import { CapabilityList, formatCapability, parseCapability } from "./capability-list.ts";
import type { PktBuffer } from "./pkt-buffer.ts";
import { type PktLine, decodeLine } from "./pkt-line.ts";

const VERSION_LINE = "version 2";

/** Appends the advertisement with its flush-pkt. */
export function formatCapabilityAdvertisement(context: CapabilityContext, out: PktBuffer): void {
  out.line(`${VERSION_LINE}\n`);
  for (const capability of advertisedOn("v2", context)) out.line(`${formatCapability(capability)}\n`);
  out.flush();
}

/** Reads the advertisement as a client does, starting with the version line. */
export class CapabilityAdvertisementParser {
  /**
   * The offered capabilities, complete once {@link accept} has returned `done`. For a command's features use
   * `hasFeature`.
   */
  readonly result = new CapabilityList();
  #seenVersion = false;

  /**
   * Takes the next line.
   *
   * @throws ProtocolError if the line is not part of an advertisement.
   */
  accept(line: PktLine): "more" | "done" {
    if (line.kind === "flush" && this.#seenVersion) return "done";
    if (line.kind !== "data") throw new ProtocolError("expected flush after capabilities");
    const text = decodeLine(line.payload);
    if (this.#seenVersion) this.result.add(parseCapability(text));
    else if (text !== VERSION_LINE) throw new ProtocolError(`expected '${VERSION_LINE}', received '${text}'`);
    this.#seenVersion = true;
    return "more";
  }
}
