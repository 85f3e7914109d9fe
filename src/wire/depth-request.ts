/**
 * The lines that say where a client wants history cut, and where its own history is cut already. Version 2's `fetch`
 * and the upload request of versions 0 and 1 share them.
 *
 * ```text
 * depth := "shallow" SP oid | "deepen" SP depth | "deepen-since" SP timestamp | "deepen-not" SP ref
 * ```
 *
 * @packageDocumentation
 * @see gitprotocol-v2(5), gitprotocol-pack(5)
 */
import { LimitExceeded, ProtocolError } from "../bytes/failure.ts";
import { escapedText } from "../object/escaped-bytes.ts";
import type { ObjectFormat } from "../object/object-id.ts";
import { ObjectIdList } from "./object-id-list.ts";
import type { PktBuffer } from "./pkt-buffer.ts";
import { startsWith } from "./pkt-line.ts";
import { quoteLine } from "./unexpected-line.ts";
import { parseUnsigned } from "./unsigned.ts";

/** The depth that clients send for the whole history (`--unshallow`). */
export const INFINITE_DEPTH = 0x7fffffff;

/** The most bytes of all `deepen-not` lines: about 1000. Each may mean six refs, which are looked up. */
const MOST_DEEPEN_NOT_BYTES = 65_536;

/** The part of a request that is about depth. */
export type DepthRequest = {
  /** The commits at which the client's own history is cut. */
  readonly shallows: ObjectIdList;
  /** The number of commits to send along each path from a want, 1 to {@link INFINITE_DEPTH}. */
  readonly depth: number | undefined;
  /** The time, in seconds since 1970, before which commits are cut off. */
  readonly deepenSince: number | undefined;
  /** Refs as escaped text, abbreviated as the user gave them, whose history is cut off. */
  readonly deepenNot: readonly string[];
};

/** Reads the lines of a request that are about depth. */
export class DepthRequestParser {
  readonly #shallows: ObjectIdList;
  readonly #deepenNot: string[] = [];
  #deepenNotBytes = 0;
  #depth: number | undefined;
  #deepenSince: number | undefined;

  constructor(format: ObjectFormat, maxObjectIds?: number) {
    this.#shallows = new ObjectIdList(format, maxObjectIds);
  }

  /**
   * Takes a line, without its line feed, if it is about depth. Returns whether it was.
   *
   * @throws ProtocolError in git's words if the line is about depth and malformed.
   * @throws LimitExceeded on too many shallow or `deepen-not` lines.
   */
  accept(payload: Uint8Array): boolean {
    if (startsWith(payload, "shallow ")) {
      if (this.#shallows.pushHex(payload, "shallow ".length)) return true;
      throw new ProtocolError(`invalid shallow line: ${quoteLine(payload)}`);
    }
    if (!startsWith(payload, "deepen")) return false;
    const line = escapedText(payload);
    const space = line.indexOf(" ");
    const value = line.slice(space + 1);
    switch (line.slice(0, space)) {
      case "deepen":
        this.#depth = parseUnsigned(value);
        if (this.#depth > 0 && this.#depth <= INFINITE_DEPTH) return true;
        throw new ProtocolError(`Invalid deepen: ${quoteLine(payload)}`);
      case "deepen-since":
        this.#deepenSince = Math.min(parseUnsigned(value), Number.MAX_SAFE_INTEGER);
        // C git refuses the largest 64-bit number as a time, too.
        if (this.#deepenSince > 0 && parseUnsigned(value) < 2 ** 64) return true;
        throw new ProtocolError(`Invalid deepen-since: ${quoteLine(payload)}`);
      case "deepen-not":
        this.#deepenNotBytes += payload.length;
        if (this.#deepenNotBytes > MOST_DEEPEN_NOT_BYTES) {
          throw new LimitExceeded("request-arguments", MOST_DEEPEN_NOT_BYTES, "too many deepen-not lines");
        }
        this.#deepenNot.push(value);
        return true;
      default:
        return false;
    }
  }

  /** The request as read so far. */
  get result(): DepthRequest {
    return {
      shallows: this.#shallows,
      depth: this.#depth,
      deepenSince: this.#deepenSince,
      deepenNot: this.#deepenNot,
    };
  }
}

/** Appends the lines of a depth request. */
export function formatDepthRequest(request: DepthRequest, out: PktBuffer): void {
  for (const oid of request.shallows) out.begin().text("shallow ").hex(oid).end();
  if (request.depth !== undefined) out.line(`deepen ${request.depth}`);
  if (request.deepenSince !== undefined) out.line(`deepen-since ${request.deepenSince}`);
  for (const ref of request.deepenNot) out.begin().text("deepen-not ").escaped(ref).end();
}
