/**
 * How the pack of a push begins: looked at before anything is stored, since a pack of no objects, which a client sends with a new
 * name for what is here already, needs no storing.
 *
 * @packageDocumentation
 * @see gitformat-pack(5), pack-write.c `read_pack_header()`
 */
import { equal } from "../../bytes/chunk.ts";
import type { HashFactory } from "../../bytes/hash.ts";
import { PACK_HEADER_BYTES } from "../../format/pack-header.ts";
import type { ObjectFormat } from "../../object/object-id.ts";
import { startsWith } from "../../wire/pkt-line.ts";

/** What follows the commands. */
export type PackStart =
  /** Every command deletes: there is no pack. */
  | { readonly kind: "none" }
  /** A pack of no objects, whole. */
  | { readonly kind: "empty" }
  /** A pack; `head` is what was read of it. */
  | { readonly kind: "objects"; readonly head: Uint8Array }
  /** No pack: why, in git's words. */
  | { readonly kind: "bad"; readonly why: string };

/** Bytes that {@link readPackStart} needs where there are so many. */
export function packStartBytes(format: ObjectFormat): number {
  return PACK_HEADER_BYTES + format.rawSize;
}

/** Judges the first bytes of a pack, {@link packStartBytes} of them or all there are. */
export function readPackStart(head: Uint8Array, format: ObjectFormat, hash: HashFactory): PackStart {
  if (head.length < PACK_HEADER_BYTES) return { kind: "bad", why: "eof before pack header was fully read" };
  if (!startsWith(head, "PACK")) {
    return { kind: "bad", why: "protocol error (pack signature mismatch detected)" };
  }
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  const version = view.getUint32(4);
  if (version !== 2 && version !== 3) return { kind: "bad", why: "protocol error (pack version unsupported)" };
  return view.getUint32(8) === 0 && isWholeEmptyPack(head, format, hash)
    ? { kind: "empty" }
    : { kind: "objects", head };
}

/** Whether this is an empty pack, and a whole one. A pack that is damaged, or goes on, is left to be refused like any other. */
function isWholeEmptyPack(head: Uint8Array, format: ObjectFormat, hash: HashFactory): boolean {
  const running = hash(format.name);
  running.update(head.subarray(0, PACK_HEADER_BYTES));
  return equal(running.digest(), head.subarray(PACK_HEADER_BYTES));
}
