/**
 * The arguments of version 2's `fetch`.
 *
 * ```text
 * arguments := *( "want" SP oid | "have" SP oid | "done" | "thin-pack" | "no-progress" | "include-tag" | "ofs-delta"
 *               | depth | "deepen-relative"               with the feature shallow
 *               | "filter" SP spec | "want-ref" SP name   with filter, ref-in-want
 *               | "sideband-all" | "packfile-uris" SP list | "wait-for-done" ) flush
 * ```
 *
 * @packageDocumentation
 * @see gitprotocol-v2(5), git's upload-pack.c
 */
import { LimitExceeded, ProtocolError } from "../bytes/failure.ts";
import { escapedText } from "../object/escaped-bytes.ts";
import type { ObjectFormat } from "../object/object-id.ts";
import { ArgumentCount } from "./argument-count.ts";
import { type DepthRequest, DepthRequestParser, formatDepthRequest } from "./depth-request.ts";
import { ObjectIdList } from "./object-id-list.ts";
import type { PktBuffer } from "./pkt-buffer.ts";
import { type PktLine, chompLine, decodeText, startsWith } from "./pkt-line.ts";
import { quoteLine, unexpectedLine } from "./unexpected-line.ts";

/** The arguments of a fetch. */
export type FetchRequest = DepthRequest & {
  /** The objects to send, in the client's order; duplicates are kept. */
  readonly wants: ObjectIdList;
  /** The refs to send (`want-ref`), as escaped text; accepted with the feature `ref-in-want`. */
  readonly wantRefs: readonly string[];
  /** The objects that the client says it has. */
  readonly haves: ObjectIdList;
  /** Whether the client has ended the negotiation, so that the pack is sent now. */
  readonly done: boolean;
  /** Whether deltas may have bases that only the client has. */
  readonly thinPack: boolean;
  readonly noProgress: boolean;
  /** Whether to send annotated tags whose target is sent. */
  readonly includeTag: boolean;
  /** Whether deltas may name their base by its offset in the pack. */
  readonly ofsDelta: boolean;
  /** Whether `depth` counts from the commits at which the client's history is cut now. */
  readonly deepenRelative: boolean;
  /** The filter-spec, not parsed: see object-filter-spec.ts. */
  readonly filter: string | undefined;
  /** Whether the whole response, not only the pack, is multiplexed over side-bands. */
  readonly sidebandAll: boolean;
  /** The URI schemes (`https`) that the client accepts in place of parts of the pack. */
  readonly packfileUris: readonly string[];
  /** Whether the server must not answer `ready`, but wait for `done`. */
  readonly waitForDone: boolean;
};

/** The boolean fields of a request, each set by an argument of one word. */
type FlagField = {
  [Field in keyof FetchRequest]: FetchRequest[Field] extends boolean ? Field : never;
}[keyof FetchRequest];

/**
 * The arguments of one word, with the feature that must have been offered for each; without a feature it is always
 * accepted.
 */
const FLAGS: ReadonlyMap<string, { readonly field: FlagField; readonly feature: string | undefined }> = new Map([
  ["done", { field: "done", feature: undefined }],
  ["thin-pack", { field: "thinPack", feature: undefined }],
  ["no-progress", { field: "noProgress", feature: undefined }],
  ["include-tag", { field: "includeTag", feature: undefined }],
  ["ofs-delta", { field: "ofsDelta", feature: undefined }],
  ["deepen-relative", { field: "deepenRelative", feature: "shallow" }],
  ["sideband-all", { field: "sidebandAll", feature: "sideband-all" }],
  ["wait-for-done", { field: "waitForDone", feature: "wait-for-done" }],
]);

const WANT_REF = "want-ref ";
/** Bytes of all `want-ref` lines together. They are kept as text. */
const MOST_WANT_REF_BYTES = 8 * 1024 * 1024;

/** The options of {@link FetchRequestParser}. */
export type FetchRequestOptions = {
  readonly objectFormat: ObjectFormat;
  /** The features that `fetch` was advertised with: see `offeredFeatures`. */
  readonly features: ReadonlySet<string>;
  /** The maximum number of wants, of haves, of shallow lines, and of `want-ref` lines. */
  readonly maxObjectIds?: number;
};

/** Reads the arguments of `fetch`. */
export class FetchRequestParser {
  readonly #features: ReadonlySet<string>;
  readonly #wants: ObjectIdList;
  readonly #haves: ObjectIdList;
  readonly #depth: DepthRequestParser;
  readonly #flags = new Set<FlagField>();
  readonly #wantRefs = new Set<string>();
  readonly #mostWantRefs: number;
  #wantRefBytes = 0;
  readonly #count = new ArgumentCount();
  #filter: string | undefined;
  #packfileUris: string[] | undefined;

  constructor(options: FetchRequestOptions) {
    this.#features = options.features;
    this.#mostWantRefs = options.maxObjectIds ?? Number.POSITIVE_INFINITY;
    this.#wants = new ObjectIdList(options.objectFormat, options.maxObjectIds);
    this.#haves = new ObjectIdList(options.objectFormat, options.maxObjectIds);
    this.#depth = new DepthRequestParser(options.objectFormat, options.maxObjectIds);
  }

  /**
   * Takes the next line.
   *
   * @throws ProtocolError in git's words on an argument that is unknown, malformed, or of a feature not offered.
   * @throws LimitExceeded on more wants, haves or shallow lines than the options allow, or too many arguments.
   */
  accept(line: PktLine): "more" | "done" {
    if (line.kind === "flush") return "done";
    if (line.kind !== "data") throw new ProtocolError("expected flush after fetch arguments");
    const payload = chompLine(line.payload);
    if (startsWith(payload, "have ")) this.#acceptHave(payload);
    else if (startsWith(payload, "want ")) this.#acceptWant(payload);
    else if (!this.#acceptOther(payload)) throw unexpectedLine(payload);
    return "more";
  }

  /** The arguments, complete once {@link accept} has returned `done`. */
  get result(): FetchRequest {
    const flag = (field: FlagField): boolean => this.#flags.has(field);
    return {
      ...this.#depth.result,
      wants: this.#wants,
      wantRefs: [...this.#wantRefs],
      haves: this.#haves,
      done: flag("done"),
      thinPack: flag("thinPack"),
      noProgress: flag("noProgress"),
      includeTag: flag("includeTag"),
      ofsDelta: flag("ofsDelta"),
      deepenRelative: flag("deepenRelative"),
      filter: this.#filter,
      sidebandAll: flag("sidebandAll"),
      packfileUris: this.#packfileUris ?? [],
      waitForDone: flag("waitForDone"),
    };
  }

  #acceptWant(payload: Uint8Array): void {
    if (this.#wants.pushHex(payload, "want ".length)) return;
    throw new ProtocolError(`git upload-pack: protocol error, expected to get oid, not '${quoteLine(payload)}'`);
  }

  #acceptHave(payload: Uint8Array): void {
    if (this.#haves.pushHex(payload, "have ".length)) return;
    throw new ProtocolError(
      `git upload-pack: expected SHA1 object, got '${quoteLine(payload.subarray("have ".length))}'`,
    );
  }

  #acceptOther(payload: Uint8Array): boolean {
    if (startsWith(payload, WANT_REF)) this.#boundWantRefs(payload.length);
    this.#count.add();
    if (this.#features.has("shallow") && this.#depth.accept(payload)) return true;
    const argument = startsWith(payload, WANT_REF) ? escapedText(payload) : decodeText(payload);
    const flag = FLAGS.get(argument);
    if (flag !== undefined) {
      if (flag.feature !== undefined && !this.#features.has(flag.feature)) return false;
      this.#flags.add(flag.field);
      return true;
    }
    const space = argument.indexOf(" ");
    return space > 0 && this.#acceptValued(argument.slice(0, space), argument.slice(space + 1));
  }

  /** Bounds the names before one is decoded. */
  #boundWantRefs(bytes: number): void {
    this.#wantRefBytes += bytes;
    if (this.#wantRefs.size >= this.#mostWantRefs || this.#wantRefBytes > MOST_WANT_REF_BYTES) {
      throw new LimitExceeded("request-arguments", this.#mostWantRefs, "too many want-ref lines");
    }
  }

  #acceptValued(key: string, value: string): boolean {
    if (key === "want-ref" && this.#features.has("ref-in-want")) {
      if (this.#wantRefs.has(value)) throw new ProtocolError(`duplicate want-ref ${value}`);
      this.#wantRefs.add(value);
      return true;
    }
    if (key === "filter" && this.#features.has("filter")) {
      if (this.#filter !== undefined) throw new ProtocolError("multiple filter-specs cannot be combined");
      this.#filter = value;
      return true;
    }
    if (key === "packfile-uris" && this.#features.has("packfile-uris")) {
      if (this.#packfileUris !== undefined) throw new ProtocolError("multiple packfile-uris lines forbidden");
      this.#packfileUris = value.split(",");
      return true;
    }
    return false;
  }
}

/** Appends the arguments and their flush-pkt. They follow the head of the request. */
export function formatFetchArguments(request: FetchRequest, out: PktBuffer): void {
  for (const [word, { field }] of FLAGS) if (field !== "done" && request[field]) out.line(word);
  formatDepthRequest(request, out);
  if (request.filter !== undefined) out.line(`filter ${request.filter}`);
  if (request.packfileUris.length > 0) out.line(`packfile-uris ${request.packfileUris.join(",")}`);
  for (const oid of request.wants) out.begin().text("want ").hex(oid).text("\n").end();
  for (const name of request.wantRefs) out.begin().text("want-ref ").escaped(name).text("\n").end();
  for (const oid of request.haves) out.begin().text("have ").hex(oid).text("\n").end();
  if (request.done) out.line("done\n");
  out.flush();
}
