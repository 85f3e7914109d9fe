/**
 * `object-info`: the version 2 command that returns metadata of objects without sending them.
 *
 * ```text
 * arguments := *( "size" | "oid" SP oid ) flush
 * response  := [ "size" *( oid SP [ size ] ) ] flush     if `size` was not asked for: no first line, and only the oids
 * ```
 *
 * C git ends no line of the response with a line feed, although gitprotocol-v2(5) shows line feeds.
 *
 * @packageDocumentation
 * @see gitprotocol-v2(5), git's protocol-caps.c
 */
import { ProtocolError } from "../bytes/failure.ts";
import type { ObjectFormat } from "../object/object-id.ts";
import { ArgumentCount } from "./argument-count.ts";
import { ObjectIdList, parseRawObjectId } from "./object-id-list.ts";
import type { PktBuffer } from "./pkt-buffer.ts";
import { type PktLine, chompLine, decodeLine, decodeText, startsWith } from "./pkt-line.ts";
import { quoteLine } from "./unexpected-line.ts";

const OID = "oid ";
const SIZE = "size";

/** The arguments of `object-info`. */
export type ObjectInfoRequest = {
  /** Whether the sizes of the objects are asked for. */
  readonly size: boolean;
  /** The objects, in the client's order; duplicates are kept. */
  readonly oids: ObjectIdList;
};

/** Reads the arguments of `object-info`. */
export class ObjectInfoRequestParser {
  readonly #oids: ObjectIdList;
  readonly #count = new ArgumentCount();
  #size = false;

  /** Creates a parser that accepts at most `maxObjectIds` objects. */
  constructor(format: ObjectFormat, maxObjectIds?: number) {
    this.#oids = new ObjectIdList(format, maxObjectIds);
  }

  /**
   * Takes the next line.
   *
   * @throws ProtocolError in git's words on an unknown argument or an incomplete object name.
   * @throws LimitExceeded on more objects than are allowed, or too many arguments.
   */
  accept(line: PktLine): "more" | "done" {
    if (line.kind === "flush") return "done";
    if (line.kind !== "data") throw new ProtocolError("object-info: expected flush after arguments");
    this.#count.add();
    const payload = chompLine(line.payload);
    if (startsWith(payload, OID)) this.#acceptOid(payload);
    else if (decodeText(payload) === SIZE) this.#size = true;
    else throw new ProtocolError(`object-info: unexpected line: '${quoteLine(payload)}'`);
    return "more";
  }

  /** The request, complete once {@link accept} has returned `done`. */
  get result(): ObjectInfoRequest {
    return { size: this.#size, oids: this.#oids };
  }

  #acceptOid(payload: Uint8Array): void {
    if (this.#oids.pushHex(payload, OID.length)) return;
    const shown = quoteLine(payload.subarray(OID.length));
    throw new ProtocolError(`object-info: protocol error, expected to get oid, not '${shown}'`);
  }
}

/** Appends the arguments and their flush-pkt. They follow the head of the request. */
export function formatObjectInfoArguments(request: ObjectInfoRequest, out: PktBuffer): void {
  if (request.size) out.line(SIZE);
  for (const oid of request.oids) out.begin().text(OID).hex(oid).end();
  out.flush();
}

/** The metadata of one object. */
export type ObjectInfo = {
  /** The raw object name. */
  readonly oid: Uint8Array;
  /** The size in bytes, or `missing` if there is no such object; `undefined` if no size was asked for. */
  readonly size: number | "missing" | undefined;
};

/** Appends the line that names the metadata. It precedes the first object if the size was asked for. */
export function formatObjectInfoHeader(out: PktBuffer): void {
  out.line(SIZE);
}

/** Appends the line of one object. The caller appends a flush-pkt after the last. */
export function formatObjectInfo({ oid, size }: ObjectInfo, out: PktBuffer): void {
  out.begin().hex(oid);
  if (size === "missing") out.text(" ");
  else if (size !== undefined) out.text(` ${size}`);
  out.end();
}

/** Reads a response as a client does. */
export class ObjectInfoResponseParser {
  readonly #format: ObjectFormat;
  /** The objects read so far, in order. */
  readonly result: ObjectInfo[] = [];

  constructor(format: ObjectFormat) {
    this.#format = format;
  }

  /**
   * Takes the next line.
   *
   * @throws ProtocolError on a line that is not part of a response.
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
