/**
 * Sums over packs, for whoever administers a repository.
 *
 * @packageDocumentation
 */
import type { PackRecord } from "../../catalog/pack-record.ts";
import type { TailSum } from "../../catalog/tail.ts";
import type { PackSum } from "../../refs/maintenance-store.ts";

/** Returns the sums over packs. */
export function sumOf(packs: readonly Pick<PackRecord, "objects" | "packBytes">[]): PackSum {
  let objects = 0;
  let bytes = 0;
  for (const pack of packs) {
    objects += pack.objects;
    bytes += pack.packBytes;
  }
  return { packs: packs.length, objects, bytes };
}

/** Adds the tail, of which nothing is planned: it is published before a step begins. */
export function withTail({ packs, objects, bytes }: PackSum, tail: TailSum): PackSum {
  return { packs: packs + tail.packs, objects: objects + tail.objects, bytes: bytes + tail.bytes };
}
