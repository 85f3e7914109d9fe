/**
 * `object-info`: the version 2 command that tells about objects without sending them.
 *
 * ```text
 * arguments := *( "size" | "oid" SP oid ) flush
 * response  := [ "size" *( oid SP [ size ] ) ] flush     without `size` asked for: no first line, and nothing behind the oids
 * ```
 *
 * C git sends no line feeds in the response, where gitprotocol-v2(5) has them.
 *
 * @packageDocumentation
 * @see gitprotocol-v2(5), git's protocol-caps.c
 */
import { ProtocolError } from "../bytes/failure.ts";
import type { ObjectFormat } from "../object/object-id.ts";
import { ObjectIdList, parseRawObjectId } from "./object-id-list.ts";
import type { PktBuffer } from "./pkt-buffer.ts";
import { type PktLine, chompLine, decodeLine, decodeText, startsWith } from "./pkt-line.ts";
import { quoteLine } from "./unexpected-line.ts";

const OID = "oid ";
const SIZE = "size";

/** What a client wants to know of which objects. */
export type ObjectInfoRequest = {
  /** How large they are. */
  readonly size: boolean;
  /** In the order asked; duplicates are kept. */
  readonly oids: ObjectIdList;
};

/** Reads the arguments of `object-info`. */
export class ObjectInfoRequestParser {
  readonly #oids: ObjectIdList;
  #size = false;

  /** `maxObjectIds` is the most objects taken. */
  constructor(format: ObjectFormat, maxObjectIds?: number) {
    this.#oids = new ObjectIdList(format, maxObjectIds);
  }

  /**
   * Takes the next line.
   *
   * @throws ProtocolError in git's words on an unknown argument and on what is no whole object name.
   * @throws LimitExceeded on more objects than are allowed.
   */
  accept(line: PktLine): "more" | "done" {
    if (line.kind === "flush") return "done";
    if (line.kind !== "data") throw new ProtocolError("object-info: expected flush after arguments");
    const payload = chompLine(line.payload);
    if (startsWith(payload, OID)) this.#acceptOid(payload);
    else if (decodeText(payload) === SIZE) this.#size = true;
    else throw new ProtocolError(`object-info: unexpected line: '${quoteLine(payload)}'`);
    return "more";
  }

  /** The request; whole once {@link accept} has answered `done`. */
  get result(): ObjectInfoRequest {
    return { size: this.#size, oids: this.#oids };
  }

  #acceptOid(payload: Uint8Array): void {
    if (this.#oids.pushHex(payload, OID.length)) return;
    const shown = quoteLine(payload.subarray(OID.length));
    throw new ProtocolError(`object-info: protocol error, expected to get oid, not '${shown}'`);
  }
}

/** Appends the arguments and their flush-pkt, behind the head of the request. */
export function formatObjectInfoArguments(request: ObjectInfoRequest, out: PktBuffer): void {
  if (request.size) out.line(SIZE);
  for (const oid of request.oids) out.begin().text(OID).hex(oid).end();
  out.flush();
}

/** What is told of one object. */
export type ObjectInfo = {
  /** Raw. */
  readonly oid: Uint8Array;
  /** `missing` where there is no such object; `undefined` where nothing was asked but whether there is. */
  readonly size: number | "missing" | undefined;
};

/** Appends the line that says what is told: before the first object, where anything was asked. */
export function formatObjectInfoHeader(out: PktBuffer): void {
  out.line(SIZE);
}

/** Appends what is told of one object; after the last the caller appends a flush-pkt. */
export function formatObjectInfo({ oid, size }: ObjectInfo, out: PktBuffer): void {
  out.begin().hex(oid);
  if (size === "missing") out.text(" ");
  else if (size !== undefined) out.text(` ${size}`);
  out.end();
}

/** Reads a response as a client. */
export class ObjectInfoResponseParser {
  readonly #format: ObjectFormat;
  /** What was told so far, in order. */
  readonly result: ObjectInfo[] = [];

  constructor(format: ObjectFormat) {
    this.#format = format;
  }

  /**
   * Takes the next line.
   *
   * @throws ProtocolError on a line that is no part of a response.
   */
  accept(line: PktLine): "more" | "done" {
    if (line.kind === "flush") return "done";
    if (line.kind !== "data") throw new ProtocolError("expected flush after object info");
    const payload = chompLine(line.payload);
    if (this.result.length > 0 || decodeLine(payload) !== SIZE) this.#acceptInfo(payload);
    return "more";
  }

  #acceptInfo(payload: Uint8Array): void {
    const oid = parseRawObjectId(payload, 0, this.#format);
    const match = oid && /^(?: ([0-9]*))?$/.exec(decodeText(payload.subarray(this.#format.hexSize)));
    const size = match?.[1] === "" ? "missing" : match?.[1] === undefined ? undefined : Number(match[1]);
    if (oid === undefined || match === null || (typeof size === "number" && !Number.isSafeInteger(size))) {
      throw new ProtocolError(`unexpected object info: '${quoteLine(payload)}'`);
    }
    this.result.push({ oid, size });
  }
}
