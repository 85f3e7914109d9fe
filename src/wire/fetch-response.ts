/**
 * The response of version 2's `fetch`: sections, of which the last is the pack.
 *
 * ```text
 * response := "acknowledgments\n" ( "NAK\n" | *( "ACK" SP oid "\n" ) ) flush                    not ready: another round
 *           | [ "acknowledgments\n" … "ready\n" delim ]
 *             [ "shallow-info\n" *shallow-line delim ]
 *             [ "wanted-refs\n" *( oid SP name "\n" ) delim ]
 *             "packfile\n" *side-band flush
 * ```
 *
 * @packageDocumentation
 * @see gitprotocol-v2(5)
 */
import { ProtocolError } from "../bytes/failure.ts";
import type { ObjectFormat } from "../object/object-id.ts";
import { ObjectIdList, parseRawObjectId } from "./object-id-list.ts";
import type { PktBuffer } from "./pkt-buffer.ts";
import { type PktLine, chompLine, decodeLine, decodeText, startsWith } from "./pkt-line.ts";
import { type ShallowLine, formatShallowLine, parseShallowLine } from "./shallow-info.ts";
import { quoteLine } from "./unexpected-line.ts";

/** What is answered to haves. */
export type Acknowledgments = {
  /** Raw names of the objects both sides have; none is a `NAK`. */
  readonly common: Iterable<Uint8Array>;
  /** Enough is known: the pack follows in this response. */
  readonly ready: boolean;
};

/** A ref that was asked for with `want-ref`. */
export type WantedRef = { readonly name: string; readonly oid: Uint8Array };

/** Appends the section with the packet that ends it: a delim-pkt where the pack follows, else the flush-pkt of the response. */
export function formatAcknowledgments(answer: Acknowledgments, out: PktBuffer): void {
  out.line("acknowledgments\n");
  let any = false;
  for (const oid of answer.common) {
    out.begin().text("ACK ").hex(oid).text("\n").end();
    any = true;
  }
  if (!any) out.line("NAK\n");
  if (!answer.ready) {
    out.flush();
    return;
  }
  out.line("ready\n");
  out.delim();
}

/** Appends the section of cut points with its delim-pkt. */
export function formatShallowInfo(lines: Iterable<ShallowLine>, out: PktBuffer): void {
  out.line("shallow-info\n");
  for (const line of lines) formatShallowLine(line, out);
  out.delim();
}

/** Appends the section of wanted refs with its delim-pkt. */
export function formatWantedRefs(refs: Iterable<WantedRef>, out: PktBuffer): void {
  out.line("wanted-refs\n");
  for (const { name, oid } of refs) out.begin().hex(oid).text(" ").text(name).text("\n").end();
  out.delim();
}

/** Appends the line that opens the pack. Side-band packets and a flush-pkt are to follow. */
export function formatPackfileHeader(out: PktBuffer): void {
  out.line("packfile\n");
}

/** What a client learns before the pack. */
export type FetchResponse = {
  /** `undefined` where the section was not sent, as after `done`. */
  readonly acknowledgments: { readonly common: ObjectIdList; readonly ready: boolean } | undefined;
  readonly shallowInfo: readonly ShallowLine[];
  readonly wantedRefs: readonly WantedRef[];
};

type Section = "acknowledgments" | "shallow-info" | "wanted-refs" | "packfile";
/** Sections come in this order, each at most once. */
const SECTIONS: readonly Section[] = ["acknowledgments", "shallow-info", "wanted-refs", "packfile"];

/** Reads a response as a client, up to the pack. */
export class FetchResponseParser {
  readonly #format: ObjectFormat;
  readonly #common: ObjectIdList;
  readonly #shallowInfo: ShallowLine[] = [];
  readonly #wantedRefs: WantedRef[] = [];
  #section: Section | undefined;
  /** How many of {@link SECTIONS} may not come any more. */
  #passed = 0;
  #acknowledged = false;
  #ready = false;

  constructor(format: ObjectFormat) {
    this.#format = format;
    this.#common = new ObjectIdList(format);
  }

  /**
   * Takes the next line. After `packfile` side-band packets follow up to a flush-pkt; `done` means that there is no pack.
   *
   * @throws ProtocolError in git's words where the line is out of place.
   */
  accept(line: PktLine): "more" | "packfile" | "done" {
    if (line.kind === "data") {
      if (this.#section === undefined) return this.#open(decodeLine(line.payload));
      this.#acceptLine(this.#section, line.payload);
      return "more";
    }
    const inAcknowledgments = this.#section === "acknowledgments";
    if (line.kind === "delim" && this.#section !== undefined) {
      if (inAcknowledgments && !this.#ready) {
        throw new ProtocolError("expected no other sections to be sent after no 'ready'");
      }
      this.#section = undefined;
      return "more";
    }
    if (line.kind !== "flush" || (this.#section !== undefined && !inAcknowledgments) || this.#passed > 1) {
      throw new ProtocolError("expected 'packfile'");
    }
    if (this.#ready) throw new ProtocolError("expected packfile to be sent after 'ready'");
    return "done";
  }

  /** What was said before the pack; whole once {@link accept} has answered `packfile` or `done`. */
  get result(): FetchResponse {
    return {
      acknowledgments: this.#acknowledged ? { common: this.#common, ready: this.#ready } : undefined,
      shallowInfo: this.#shallowInfo,
      wantedRefs: this.#wantedRefs,
    };
  }

  #open(header: string): "more" | "packfile" {
    const index = SECTIONS.findIndex((name) => name === header);
    const section = SECTIONS[index];
    if (section === undefined || index < this.#passed) {
      throw new ProtocolError(`expected 'packfile', received '${header}'`);
    }
    this.#passed = index + 1;
    if (section === "packfile") return "packfile";
    if (section === "acknowledgments") this.#acknowledged = true;
    this.#section = section;
    return "more";
  }

  #acceptLine(section: Section, payload: Uint8Array): void {
    if (section === "acknowledgments") this.#acceptAcknowledgment(chompLine(payload));
    else if (section === "shallow-info") this.#shallowInfo.push(parseShallowLine(payload, this.#format));
    else this.#acceptWantedRef(chompLine(payload));
  }

  #acceptAcknowledgment(line: Uint8Array): void {
    if (startsWith(line, "ACK ") && this.#common.pushHex(line, "ACK ".length)) return;
    const text = decodeText(line);
    if (text === "ready") this.#ready = true;
    else if (text !== "NAK") throw new ProtocolError(`unexpected acknowledgment line: '${quoteLine(line)}'`);
  }

  #acceptWantedRef(line: Uint8Array): void {
    const oid = parseRawObjectId(line, 0, this.#format);
    const rest = decodeText(line.subarray(this.#format.hexSize));
    if (oid === undefined || !rest.startsWith(" ")) {
      throw new ProtocolError(`expected wanted-ref, got '${quoteLine(line)}'`);
    }
    this.#wantedRefs.push({ name: rest.slice(1), oid });
  }
}
