/**
 * The requests of upload-pack in versions 0 and 1: the client's wants, then its haves round by round.
 *
 * ```text
 * upload-request := *want-or-depth flush            without a want: the client is done
 * want-or-depth  := "want" SP oid [ SP capabilities ] "\n"  | depth | "filter" SP spec
 * haves          := *( "have" SP oid "\n" ) ( flush | "done\n" )
 * ```
 *
 * Over HTTP the body of each round repeats the whole upload-request before the haves.
 *
 * @packageDocumentation
 * @see gitprotocol-pack(5), gitprotocol-http(5), git's upload-pack.c
 */
import { ProtocolError } from "../bytes/failure.ts";
import { type ObjectFormat, objectFormat } from "../object/object-id.ts";
import { type CapabilityContext, acceptServiceCapabilities, advertisedOn } from "./capabilities.ts";
import { ArgumentCount } from "./argument-count.ts";
import { CapabilityList } from "./capability-list.ts";
import { type DepthRequest, DepthRequestParser, formatDepthRequest } from "./depth-request.ts";
import { ObjectIdList } from "./object-id-list.ts";
import type { PktBuffer } from "./pkt-buffer.ts";
import { type PktLine, chompLine, decodeText, startsWith } from "./pkt-line.ts";
import { quoteLine, unexpectedPacket } from "./unexpected-line.ts";

const SPACE = 0x20;
const WANT = "want ";
const HAVE = "have ";

/** A parsed upload-request. */
export type UploadRequest = DepthRequest & {
  /** The objects to send, in the client's order; duplicates are kept. With an empty list the client is done. */
  readonly wants: ObjectIdList;
  /** The capabilities that the client requested. All of them were offered. */
  readonly capabilities: CapabilityList;
  /** The filter-spec, not parsed: see object-filter-spec.ts. */
  readonly filter: string | undefined;
};

/** Reads an upload-request up to its flush-pkt. */
export class UploadRequestParser {
  readonly #context: CapabilityContext;
  readonly #format: ObjectFormat;
  readonly #offersShallow: boolean;
  readonly #wants: ObjectIdList;
  readonly #depth: DepthRequestParser;
  readonly #count = new ArgumentCount();
  #capabilities = new CapabilityList();
  #filter: string | undefined;

  /** Creates a parser that accepts at most `maxObjectIds` wants and as many shallow lines. */
  constructor(context: CapabilityContext, maxObjectIds?: number) {
    this.#context = context;
    this.#format = objectFormat(context.objectFormat);
    this.#offersShallow = advertisedOn("upload-pack", context).some(({ name }) => name === "shallow");
    this.#wants = new ObjectIdList(this.#format, maxObjectIds);
    this.#depth = new DepthRequestParser(this.#format, maxObjectIds);
  }

  /**
   * Takes the next line.
   *
   * @throws ProtocolError on a capability that was not offered, and in git's words on a line that is malformed.
   * @throws LimitExceeded on more wants or shallow lines than are allowed, or too many lines.
   */
  accept(line: PktLine): "more" | "done" {
    if (line.kind === "flush") return "done";
    if (line.kind !== "data") throw unexpectedPacket(line);
    const payload = chompLine(line.payload);
    this.#count.add();
    if (startsWith(payload, WANT)) this.#acceptWant(payload);
    else if (startsWith(payload, "filter ")) this.#acceptFilter(payload);
    else if (!this.#offersShallow || !this.#depth.accept(payload)) throw notAWant(payload);
    return "more";
  }

  /** The request, complete once {@link accept} has returned `done`. */
  get result(): UploadRequest {
    return { ...this.#depth.result, wants: this.#wants, capabilities: this.#capabilities, filter: this.#filter };
  }

  #acceptWant(payload: Uint8Array): void {
    const isFirst = this.#wants.length === 0;
    if (!this.#wants.pushHexPrefix(payload, WANT.length)) throw notAWant(payload);
    const end = WANT.length + this.#format.hexSize;
    if (payload.length === end) return;
    // C git accepts capabilities on any want; gitprotocol-pack(5) has them on the first only.
    if (!isFirst || payload[end] !== SPACE) throw notAWant(payload);
    this.#capabilities = acceptServiceCapabilities("upload-pack", this.#context, decodeText(payload.subarray(end)));
  }

  #acceptFilter(payload: Uint8Array): void {
    if (!this.#capabilities.has("filter")) {
      throw new ProtocolError("git upload-pack: filtering capability not negotiated");
    }
    if (this.#filter !== undefined) throw new ProtocolError("multiple filter-specs cannot be combined");
    this.#filter = decodeText(payload).slice("filter ".length);
  }
}

function notAWant(payload: Uint8Array): ProtocolError {
  return new ProtocolError(`git upload-pack: protocol error, expected to get object ID, not '${quoteLine(payload)}'`);
}

/** Appends an upload-request with its flush-pkt. */
export function formatUploadRequest(
  request: Omit<UploadRequest, "capabilities"> & { readonly capabilities: string },
  out: PktBuffer,
): void {
  let capabilities = request.capabilities === "" ? "" : ` ${request.capabilities}`;
  for (const oid of request.wants) {
    out.begin().text(WANT).hex(oid).text(capabilities).text("\n").end();
    capabilities = "";
  }
  formatDepthRequest(request, out);
  if (request.filter !== undefined) out.line(`filter ${request.filter}`);
  out.flush();
}

/** One round of haves. */
export type UploadHaves = {
  readonly haves: ObjectIdList;
  /** Whether the client has ended the negotiation, so that the pack is sent now. */
  readonly done: boolean;
};

/** Reads one round of haves, up to its flush-pkt or `done`. */
export class UploadHavesParser {
  readonly #haves: ObjectIdList;
  #done = false;

  /** Creates a parser that accepts at most `maxObjectIds` haves. */
  constructor(format: ObjectFormat, maxObjectIds?: number) {
    this.#haves = new ObjectIdList(format, maxObjectIds);
  }

  /**
   * Takes the next line.
   *
   * @throws ProtocolError in git's words on a line that is neither a have nor `done`.
   * @throws LimitExceeded on more haves than are allowed.
   */
  accept(line: PktLine): "more" | "done" {
    if (line.kind === "flush") return "done";
    if (line.kind !== "data") throw unexpectedPacket(line);
    const payload = chompLine(line.payload);
    if (startsWith(payload, HAVE)) {
      if (this.#haves.pushHex(payload, HAVE.length)) return "more";
      throw new ProtocolError(
        `git upload-pack: expected SHA1 object, got '${quoteLine(payload.subarray(HAVE.length))}'`,
      );
    }
    if (decodeText(payload) !== "done") {
      throw new ProtocolError(`git upload-pack: expected SHA1 list, got '${quoteLine(payload)}'`);
    }
    this.#done = true;
    return "done";
  }

  /** The round, complete once {@link accept} has returned `done`. */
  get result(): UploadHaves {
    return { haves: this.#haves, done: this.#done };
  }
}

/** Appends a round of haves with the flush-pkt or `done` that ends it. */
export function formatUploadHaves(round: UploadHaves, out: PktBuffer): void {
  for (const oid of round.haves) out.begin().text(HAVE).hex(oid).text("\n").end();
  if (round.done) out.line("done\n");
  else out.flush();
}
