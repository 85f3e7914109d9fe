/**
 * The response of version 2's `fetch`: a list of sections, the last of which is the pack.
 *
 * ```text
 * response := "acknowledgments\n" ( "NAK\n" | *( "ACK" SP oid "\n" ) ) flush                   not ready: another round
 *           | [ "acknowledgments\n" … "ready\n" delim ]
 *             [ "shallow-info\n" *shallow-line delim ]
 *             [ "wanted-refs\n" *( oid SP name "\n" ) delim ]
 *             [ "packfile-uris\n" *( checksum SP uri "\n" ) delim ]
 *             "packfile\n" *side-band flush
 * ```
 *
 * @packageDocumentation
 * @see gitprotocol-v2(5)
 */
import { ProtocolError } from "../bytes/failure.ts";
import { escapedText } from "../object/escaped-bytes.ts";
import type { ObjectFormat } from "../object/object-id.ts";
import { ObjectIdList, parseRawObjectId } from "./object-id-list.ts";
import type { PktBuffer } from "./pkt-buffer.ts";
import { type PktLine, chompLine, decodeLine, decodeText, startsWith } from "./pkt-line.ts";
import { type ShallowLine, formatShallowLine, parseShallowLine } from "./shallow-info.ts";
import { quoteLine } from "./unexpected-line.ts";

/** The answer to a client's haves. */
export type Acknowledgments = {
  /** The raw names of the objects that both sides have; if there are none, `NAK` is sent. */
  readonly common: Iterable<Uint8Array>;
  /** Whether enough is known, so that the pack follows in this response. */
  readonly ready: boolean;
};

/** A ref that was requested with `want-ref`, and its raw value. */
export type WantedRef = { readonly name: string; readonly oid: Uint8Array };

/**
 * Appends the section and the packet that ends it: a delim-pkt if the pack follows, else the flush-pkt of the response.
 * It yields after each line, as the formats of the other sections do: the caller may send in between.
 */
export function* formatAcknowledgments(answer: Acknowledgments, out: PktBuffer): Generator<void> {
  out.line("acknowledgments\n");
  let any = false;
  for (const oid of answer.common) {
    out.begin().text("ACK ").hex(oid).text("\n").end();
    any = true;
    yield;
  }
  if (!any) out.line("NAK\n");
  if (!answer.ready) {
    out.flush();
    return;
  }
  out.line("ready\n");
  out.delim();
}

/** Appends the `shallow-info` section with its delim-pkt. */
export function* formatShallowInfo(lines: Iterable<ShallowLine>, out: PktBuffer): Generator<void> {
  out.line("shallow-info\n");
  for (const line of lines) {
    formatShallowLine(line, out);
    yield;
  }
  out.delim();
}

/** Appends the `wanted-refs` section with its delim-pkt. */
export function* formatWantedRefs(refs: Iterable<WantedRef>, out: PktBuffer): Generator<void> {
  out.line("wanted-refs\n");
  for (const { name, oid } of refs) {
    out.begin().hex(oid).text(" ").escaped(name).text("\n").end();
    yield;
  }
  out.delim();
}

/** A pack that the client fetches from an address. `checksum` is its trailer in hexadecimal. */
export type PackfileUri = { readonly checksum: string; readonly uri: string };

/** Appends the `packfile-uris` section with its delim-pkt. */
export function formatPackfileUris(packs: readonly PackfileUri[], out: PktBuffer): void {
  out.line("packfile-uris\n");
  for (const { checksum, uri } of packs) out.line(`${checksum} ${uri}\n`);
  out.delim();
}

/** Appends the line that opens the pack. The caller appends side-band packets and a flush-pkt. */
export function formatPackfileHeader(out: PktBuffer): void {
  out.line("packfile\n");
}

/** The sections of a response before the pack, as a client reads them. */
export type FetchResponse = {
  /** `undefined` if the section was not sent, as in the response to `done`. */
  readonly acknowledgments: { readonly common: ObjectIdList; readonly ready: boolean } | undefined;
  readonly shallowInfo: readonly ShallowLine[];
  readonly wantedRefs: readonly WantedRef[];
};

type Section = "acknowledgments" | "shallow-info" | "wanted-refs" | "packfile";
/** The sections in the order in which they may come, each at most once. */
const SECTIONS: readonly Section[] = ["acknowledgments", "shallow-info", "wanted-refs", "packfile"];

/** Reads a response as a client does, up to the pack. */
export class FetchResponseParser {
  readonly #format: ObjectFormat;
  readonly #common: ObjectIdList;
  readonly #shallowInfo: ShallowLine[] = [];
  readonly #wantedRefs: WantedRef[] = [];
  #section: Section | undefined;
  /** The number of leading {@link SECTIONS} that may not come any more. */
  #passed = 0;
  #acknowledged = false;
  #ready = false;

  constructor(format: ObjectFormat) {
    this.#format = format;
    this.#common = new ObjectIdList(format);
  }

  /**
   * Takes the next line. Returns `packfile` if side-band packets and a flush-pkt follow, and `done` if the response has
   * no pack.
   *
   * @throws ProtocolError in git's words if the line is out of place.
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

  /** The sections before the pack, complete once {@link accept} has returned `packfile` or `done`. */
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
    const rest = escapedText(line.subarray(this.#format.hexSize));
    if (oid === undefined || !rest.startsWith(" ")) {
      throw new ProtocolError(`expected wanted-ref, got '${quoteLine(line)}'`);
    }
    this.#wantedRefs.push({ name: rest.slice(1), oid });
  }
}
