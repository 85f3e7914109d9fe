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
import { ProtocolError } from "../bytes/failure.ts";
import type { ObjectFormat } from "../object/object-id.ts";
import { type DepthRequest, DepthRequestParser, formatDepthRequest } from "./depth-request.ts";
import { ObjectIdList } from "./object-id-list.ts";
import type { PktBuffer } from "./pkt-buffer.ts";
import { type PktLine, chompLine, decodeText, startsWith } from "./pkt-line.ts";
import { quoteLine, unexpectedLine } from "./unexpected-line.ts";

/** The arguments of a fetch. */
export type FetchRequest = DepthRequest & {
  /** Objects to send, as named: duplicates are kept. */
  readonly wants: ObjectIdList;
  /** Refs to send, with the feature `ref-in-want`. */
  readonly wantRefs: readonly string[];
  /** Objects the client says it has. */
  readonly haves: ObjectIdList;
  /** The client has no more to say: send the pack. */
  readonly done: boolean;
  /** Deltas may be against objects the client has. */
  readonly thinPack: boolean;
  readonly noProgress: boolean;
  /** Send tags that point at what is sent. */
  readonly includeTag: boolean;
  /** Deltas may name their base by its place in the pack. */
  readonly ofsDelta: boolean;
  /** `depth` counts from where the client's history is cut now. */
  readonly deepenRelative: boolean;
  /** Which objects to leave out: gitrevisions' `--filter`, not parsed. */
  readonly filter: string | undefined;
  /** The whole response goes over side-bands. */
  readonly sidebandAll: boolean;
  /** Schemes of URIs that may stand for part of the pack. */
  readonly packfileUris: readonly string[];
  /** Never answer `ready`. */
  readonly waitForDone: boolean;
};

/** The fields of a request that an argument of one word sets. */
type FlagField = {
  [Field in keyof FetchRequest]: FetchRequest[Field] extends boolean ? Field : never;
}[keyof FetchRequest];

/** Arguments that are a word, by the feature that has to be offered for them; no feature: always there. */
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

/** What the parser of a fetch must know. */
export type FetchRequestOptions = {
  readonly objectFormat: ObjectFormat;
  /** The features `fetch` was advertised with: see `offeredFeatures`. */
  readonly features: ReadonlySet<string>;
  /** The most wants, and the most haves, taken. */
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
  #filter: string | undefined;
  #packfileUris: string[] | undefined;

  constructor(options: FetchRequestOptions) {
    this.#features = options.features;
    this.#wants = new ObjectIdList(options.objectFormat, options.maxObjectIds);
    this.#haves = new ObjectIdList(options.objectFormat, options.maxObjectIds);
    this.#depth = new DepthRequestParser(options.objectFormat, options.maxObjectIds);
  }

  /**
   * Takes the next line.
   *
   * @throws ProtocolError in git's words on an argument that is unknown, malformed or needs a feature that was not offered.
   * @throws LimitExceeded on more wants or haves than the options allow.
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

  /** The arguments; whole once {@link accept} has answered `done`. */
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
    if (this.#features.has("shallow") && this.#depth.accept(payload)) return true;
    const argument = decodeText(payload);
    const flag = FLAGS.get(argument);
    if (flag !== undefined) {
      if (flag.feature !== undefined && !this.#features.has(flag.feature)) return false;
      this.#flags.add(flag.field);
      return true;
    }
    const space = argument.indexOf(" ");
    return space > 0 && this.#acceptValued(argument.slice(0, space), argument.slice(space + 1));
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

/** Appends the arguments and their flush-pkt, behind the head of the request. */
export function formatFetchArguments(request: FetchRequest, out: PktBuffer): void {
  for (const [word, { field }] of FLAGS) if (field !== "done" && request[field]) out.line(word);
  formatDepthRequest(request, out);
  if (request.filter !== undefined) out.line(`filter ${request.filter}`);
  if (request.packfileUris.length > 0) out.line(`packfile-uris ${request.packfileUris.join(",")}`);
  for (const oid of request.wants) out.begin().text("want ").hex(oid).text("\n").end();
  for (const name of request.wantRefs) out.line(`want-ref ${name}\n`);
  for (const oid of request.haves) out.begin().text("have ").hex(oid).text("\n").end();
  if (request.done) out.line("done\n");
  out.flush();
}
