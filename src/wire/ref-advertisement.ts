/**
 * The ref advertisement of versions 0 and 1, which is the first message of either service.
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
import { escapedText } from "../object/escaped-bytes.ts";
import { type ObjectFormat, objectFormat } from "../object/object-id.ts";
import { CapabilityList, parseCapabilityList } from "./capability-list.ts";
import { ObjectIdList, parseRawObjectId } from "./object-id-list.ts";
import type { PktBuffer } from "./pkt-buffer.ts";
import { type PktLine, chompLine, decodeLine, decodeText, startsWith } from "./pkt-line.ts";
import { quoteLine } from "./unexpected-line.ts";

const NO_REFS = "capabilities^{}";
const PEELED = "^{}";
const NUL = 0;

/** The options of {@link RefAdvertisementWriter}. */
export type RefAdvertisementOptions = {
  /** The protocol version. An advertisement of version 1 begins with a line that states it. */
  readonly version: 0 | 1;
  readonly objectFormat: ObjectFormat;
  /** The text behind the NUL of the first ref, with names as escaped text: see `formatServiceCapabilities`. */
  readonly capabilities: string;
};

/**
 * Writes an advertisement ref by ref, so that the caller can send full chunks in between. The caller writes refs in
 * git's order: HEAD first (upload-pack only), then by name in byte order.
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

  /**
   * Appends a ref with its raw object name, and the object that an annotated tag finally points to (upload-pack only).
   */
  ref(name: string, oid: Uint8Array, peeled?: Uint8Array): void {
    this.#line(name, oid);
    if (peeled !== undefined) this.#line(name + PEELED, peeled);
  }

  /**
   * Appends an object that is present without a ref of this repository, as in an alternate or a fork (receive-pack
   * only).
   */
  have(oid: Uint8Array): void {
    this.#line(".have", oid);
  }

  /** Appends the commits at which this repository is shallow, and the flush-pkt. */
  end(shallows: Iterable<Uint8Array> = []): void {
    if (this.#first) this.#line(NO_REFS, new Uint8Array(this.#options.objectFormat.rawSize));
    for (const oid of shallows) this.#out.begin().text("shallow ").hex(oid).text("\n").end();
    this.#out.flush();
  }

  #line(name: string, oid: Uint8Array): void {
    this.#out.begin().hex(oid).text(" ").escaped(name);
    if (this.#first) this.#out.text("\0").escaped(this.#options.capabilities);
    this.#out.text("\n").end();
    this.#first = false;
  }
}

/** One ref of an advertisement. */
export type AdvertisedRef = {
  /** The name, as escaped text. */
  readonly name: string;
  readonly oid: Uint8Array;
  readonly peeled: Uint8Array | undefined;
};

/** The content of an advertisement except the refs. */
export type RefAdvertisementSummary = {
  readonly version: 0 | 1;
  readonly capabilities: CapabilityList;
  readonly objectFormat: ObjectFormat;
  readonly shallows: ObjectIdList;
  /** The objects that the server has without a ref of its own (`.have`). */
  readonly haves: ObjectIdList;
};

/** Reads an advertisement as a client does, ref by ref. */
export class RefAdvertisementParser {
  readonly #onRef: (ref: AdvertisedRef) => void;
  #version: 0 | 1 = 0;
  #capabilities: CapabilityList | undefined;
  #format: ObjectFormat = objectFormat("sha1");
  #shallows = new ObjectIdList(this.#format);
  #haves = new ObjectIdList(this.#format);
  #state: "first" | "refs" | "shallow" | "done" = "first";
  /** The last ref, held back until the next line shows whether the ref has a peeled value. */
  #held: AdvertisedRef | undefined;

  /**
   * Creates a parser that calls `onRef` once per ref, in the order of the advertisement. The callee may keep the bytes.
   */
  constructor(onRef: (ref: AdvertisedRef) => void) {
    this.#onRef = onRef;
  }

  /**
   * Takes the next line.
   *
   * @throws ProtocolError if the line is not part of an advertisement.
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

  /** The content except the refs, complete once {@link accept} has returned `done`. */
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
    this.#takeCapabilities(nul < 0 ? "" : escapedText(chompLine(payload.subarray(nul + 1))));
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
    // Git warns of capabilities on a later line and ignores them.
    const nul = line.indexOf(NUL);
    const name = escapedText(line.subarray(this.#format.hexSize + 1, nul < 0 ? undefined : nul));
    if (name === NO_REFS) throw new ProtocolError(`protocol error: unexpected ${NO_REFS}`);
    if (name === ".have") {
      this.#haves.push(oid);
    } else if (this.#held !== undefined && name === this.#held.name + PEELED) {
      this.#onRef({ ...this.#held, peeled: oid });
      this.#held = undefined;
    } else {
      this.#release();
      this.#held = { name, oid, peeled: undefined };
    }
    return true;
  }

  #release(): void {
    if (this.#held !== undefined) this.#onRef(this.#held);
    this.#held = undefined;
  }
}
