/**
 * The tail of a repository: the packs of small pushes, which lie in its Durable Object until they are published together
 * as one pack in the bucket.
 *
 * | figure | value | what it trades |
 * | --- | --- | --- |
 * | `packBytes` | 512 KiB | the largest pack that a row takes: larger ones cost more to hand to readers than three files cost to write |
 * | `indexBytes` | 32 KiB | the largest index, which is some 1100 objects: the row has all of it |
 * | `dueBytes`, `duePacks` | 2 MiB, 100 | a tail of this much is published at once: what a reader new to an isolate is handed, for fewer files |
 * | `mostBytes`, `mostPacks` | 4 MiB, 200 | a tail of this much takes no more: pushes then write to the bucket, as large ones do |
 *
 * @packageDocumentation
 */
import { assert } from "../bytes/assert.ts";
import type { PackRecord } from "./pack-record.ts";

const KIB = 1024;

/** The numbers; see the table above. */
export const TAIL = {
  packBytes: 512 * KIB,
  indexBytes: 32 * KIB,
  dueBytes: 2 * KIB * KIB,
  duePacks: 100,
  mostBytes: 4 * KIB * KIB,
  mostPacks: 200,
} as const;

assert(TAIL.packBytes <= TAIL.dueBytes && TAIL.dueBytes < TAIL.mostBytes, "a tail has room for a pack until it is due");
assert(TAIL.duePacks < TAIL.mostPacks, "a tail is published before it is full");

/** A pack of the tail: its record carries its bytes. */
export type TailPack = PackRecord & { readonly tail: Uint8Array };

/** Whether a pack lies in the tail. */
export function isInTail(pack: PackRecord): pack is TailPack {
  return pack.tail !== undefined;
}

/** What the tail holds. */
export type TailSum = {
  readonly packs: number;
  /** The bytes of packs and indexes. */
  readonly bytes: number;
  readonly objects: number;
  /** When the oldest of its packs was pushed, in milliseconds since the epoch; absent if there is none. */
  readonly since?: number;
};

/** Returns how many bytes a pack may have that comes next; 0 if the tail takes none. */
export function tailRoom({ packs, bytes }: TailSum): number {
  return packs >= TAIL.mostPacks || bytes + TAIL.packBytes > TAIL.mostBytes ? 0 : TAIL.packBytes;
}

/** Returns when a tail is to be published, in milliseconds since the epoch; `undefined` for an empty one. */
export function tailDue({ packs, bytes, since }: TailSum, publishAfter: number, now: number): number | undefined {
  if (since === undefined) return undefined;
  return packs >= TAIL.duePacks || bytes >= TAIL.dueBytes ? now : since + publishAfter;
}
