/**
 * The ref advertisement of versions 0 and 1: what either service says first.
 *
 * ```text
 * advertisement := [ "version 1\n" ] first *ref *shallow flush
 * first         := oid SP name NUL capabilities "\n"      with no refs: zeros SP "capabilities^{}" NUL …
 * ref           := oid SP name "\n" [ oid SP name "^{}\n" ]
 * shallow       := "shallow" SP oid "\n"
 * ```
 *
 * @packageDocumentation
 * @see gitprotocol-pack(5)
 */
import { ProtocolError } from "../bytes/failure.ts";
import { type ObjectFormat, objectFormat } from "../object/object-id.ts";
import { CapabilityList, parseCapabilityList } from "./capability-list.ts";
import { ObjectIdList, parseRawObjectId } from "./object-id-list.ts";
import type { PktBuffer } from "./pkt-buffer.ts";
import { type PktLine, chompLine, decodeLine, decodeText, decodeUtf8, startsWith } from "./pkt-line.ts";
import { quoteLine } from "./unexpected-line.ts";

const NO_REFS = "capabilities^{}";
const PEELED = "^{}";
const NUL = 0;

/** What an advertisement opens with. */
export type RefAdvertisementOptions = {
  /** Version 1 opens with a line that says so. */
  readonly version: 0 | 1;
  readonly objectFormat: ObjectFormat;
  /** The text behind the NUL: see `formatServiceCapabilities`. */
  readonly capabilities: string;
};

/**
 * Writes an advertisement ref by ref, so that the caller can send what is full in between. Refs come in the order git gives them:
 * HEAD (upload-pack only), then by name in byte order.
 */
export class RefAdvertisementWriter {
  readonly #out: PktBuffer;
  readonly #options: RefAdvertisementOptions;
  #first = true;

  constructor(options: RefAdvertisementOptions, out: PktBuffer) {
    this.#options = options;
    this.#out = out;
    if (options.version === 1) out.line("version 1\n");
  }

  /** Appends a ref with its raw object name, and what an annotated tag finally names (upload-pack only). */
  ref(name: string, oid: Uint8Array, peeled?: Uint8Array): void {
    this.#line(name, oid);
    if (peeled !== undefined) this.#line(name + PEELED, peeled);
  }

  /** Appends an object that is here without a ref of this repository (an alternate's, a fork's): receive-pack only. */
  have(oid: Uint8Array): void {
    this.#line(".have", oid);
  }

  /** Ends the advertisement, with the commits at which this repository is shallow. */
  end(shallows: Iterable<Uint8Array> = []): void {
    if (this.#first) this.#line(NO_REFS, new Uint8Array(this.#options.objectFormat.rawSize));
    for (const oid of shallows) this.#out.begin().text("shallow ").hex(oid).text("\n").end();
    this.#out.flush();
  }

  #line(name: string, oid: Uint8Array): void {
    this.#out.begin().hex(oid).text(" ").text(name);
    if (this.#first) this.#out.text("\0").text(this.#options.capabilities);
    this.#out.text("\n").end();
    this.#first = false;
  }
}

/** One ref of an advertisement. */
export type AdvertisedRef = {
  readonly name: string;
  /** False where the name was not UTF-8; `name` has U+FFFD then and is for showing only. */
  readonly validUtf8: boolean;
  readonly oid: Uint8Array;
  readonly peeled: Uint8Array | undefined;
};

/** What an advertisement says beside the refs. */
export type RefAdvertisementSummary = {
  readonly version: 0 | 1;
  readonly capabilities: CapabilityList;
  readonly objectFormat: ObjectFormat;
  readonly shallows: ObjectIdList;
  /** Objects the server has without a ref of their own (`.have`). */
  readonly haves: ObjectIdList;
};

/** Reads an advertisement as a client, ref by ref. */
export class RefAdvertisementParser {
  readonly #onRef: (ref: AdvertisedRef) => void;
  #version: 0 | 1 = 0;
  #capabilities: CapabilityList | undefined;
  #format: ObjectFormat = objectFormat("sha1");
  #shallows = new ObjectIdList(this.#format);
  #haves = new ObjectIdList(this.#format);
  #state: "first" | "refs" | "shallow" | "done" = "first";
  /** The last ref, held back until the next line shows whether it has a peeled value. */
  #held: AdvertisedRef | undefined;

  /** `onRef` is called once a ref, in the order of the advertisement. Its bytes may be kept. */
  constructor(onRef: (ref: AdvertisedRef) => void) {
    this.#onRef = onRef;
  }

  /**
   * Takes the next line.
   *
   * @throws ProtocolError where the line is no part of an advertisement.
   */
  accept(line: PktLine): "more" | "done" {
    if (line.kind === "flush") {
      this.#release();
      this.#state = "done";
      return "done";
    }
    if (line.kind !== "data" || this.#state === "done") throw new ProtocolError("invalid packet");
    if (this.#state === "first") this.#acceptFirst(line.payload);
    else this.#acceptLine(chompLine(line.payload));
    return "more";
  }

  /** What was said beside the refs; whole once {@link accept} has answered `done`. */
  get result(): RefAdvertisementSummary {
    return {
      version: this.#version,
      capabilities: this.#capabilities ?? new CapabilityList(),
      objectFormat: this.#format,
      shallows: this.#shallows,
      haves: this.#haves,
    };
  }

  #acceptFirst(payload: Uint8Array): void {
    if (this.#version === 0 && decodeLine(payload) === "version 1") {
      this.#version = 1;
      return;
    }
    const nul = payload.indexOf(NUL);
    const line = nul < 0 ? chompLine(payload) : payload.subarray(0, nul);
    this.#takeCapabilities(nul < 0 ? "" : decodeLine(payload.subarray(nul + 1)));
    this.#state = "refs";
    if (this.#isNoRefs(line)) this.#state = "shallow";
    else this.#acceptLine(line);
  }

  #takeCapabilities(text: string): void {
    this.#capabilities = parseCapabilityList(text);
    const format = this.#capabilities.value("object-format") ?? "sha1";
    if (format !== "sha1" && format !== "sha256") {
      throw new ProtocolError(`unknown object format '${format}' specified by server`);
    }
    this.#format = objectFormat(format);
    this.#shallows = new ObjectIdList(this.#format);
    this.#haves = new ObjectIdList(this.#format);
  }

  #isNoRefs(line: Uint8Array): boolean {
    const oid = parseRawObjectId(line, 0, this.#format);
    return (
      oid?.every((byte) => byte === 0) === true && decodeText(line.subarray(this.#format.hexSize)) === ` ${NO_REFS}`
    );
  }

  #acceptLine(line: Uint8Array): void {
    if (this.#state === "refs" && this.#acceptRef(line)) return;
    this.#state = "shallow";
    if (!startsWith(line, "shallow ")) throw new ProtocolError(`protocol error: unexpected '${quoteLine(line)}'`);
    if (!this.#shallows.pushHex(line, "shallow ".length)) {
      throw new ProtocolError(`protocol error: expected shallow sha-1, got '${quoteLine(line.subarray(8))}'`);
    }
  }

  #acceptRef(line: Uint8Array): boolean {
    const oid = parseRawObjectId(line, 0, this.#format);
    if (oid === undefined || line[this.#format.hexSize] !== 0x20) return false;
    // Git warns of capabilities behind a later line and ignores them.
    const nul = line.indexOf(NUL);
    const bytes = line.subarray(this.#format.hexSize + 1, nul < 0 ? undefined : nul);
    const name = decodeUtf8(bytes);
    const shown = name ?? decodeText(bytes);
    if (shown === NO_REFS) throw new ProtocolError(`protocol error: unexpected ${NO_REFS}`);
    if (shown === ".have") {
      this.#haves.push(oid);
    } else if (this.#held !== undefined && shown === this.#held.name + PEELED) {
      this.#onRef({ ...this.#held, peeled: oid });
      this.#held = undefined;
    } else {
      this.#release();
      this.#held = { name: shown, validUtf8: name !== undefined, oid, peeled: undefined };
    }
    return true;
  }

  #release(): void {
    if (this.#held !== undefined) this.#onRef(this.#held);
    this.#held = undefined;
  }
}
