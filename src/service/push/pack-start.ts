/**
 * Reads how the pack of a push begins, before anything is stored. A client sends a pack of no objects with a new ref
 * for objects that are already here; such a pack need not be stored.
 *
 * @packageDocumentation
 * @see gitformat-pack(5), pack-write.c `read_pack_header()`
 */
import { equal } from "../../bytes/chunk.ts";
import type { HashFactory } from "../../bytes/hash.ts";
import { PACK_HEADER_BYTES } from "../../format/pack-header.ts";
import type { ObjectFormat } from "../../object/object-id.ts";
import { startsWith } from "../../wire/pkt-line.ts";

/** The part of a push that follows its commands. */
export type PackStart =
  /** Every command deletes, so there is no pack. */
  | { readonly kind: "none" }
  /** A whole pack of no objects. */
  | { readonly kind: "empty" }
  /** A pack with objects; `head` holds the bytes that were read of it. */
  | { readonly kind: "objects"; readonly head: Uint8Array }
  /** Not a pack; `why` says so in git's words. */
  | { readonly kind: "bad"; readonly why: string };

/** Returns how many bytes {@link readPackStart} needs. It takes fewer only if the request is shorter. */
export function packStartBytes(format: ObjectFormat): number {
  return PACK_HEADER_BYTES + format.rawSize;
}

/** Judges the first bytes of a pack: {@link packStartBytes} of them, or all that there are. */
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

/**
 * Whether this is a whole and undamaged empty pack. One that is damaged, or goes on, is left to be refused like any
 * other pack.
 */
function isWholeEmptyPack(head: Uint8Array, format: ObjectFormat, hash: HashFactory): boolean {
  const running = hash(format.name);
  running.update(head.subarray(0, PACK_HEADER_BYTES));
  return equal(running.digest(), head.subarray(PACK_HEADER_BYTES));
}
