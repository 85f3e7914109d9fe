/**
 * The twin of a catalog: one file with the answer to a clone of everything, as it travels. It is made of a set of packs
 * that are cloned often, and is good for as long as the catalog has exactly these packs. It is a cache: without it, a
 * clone is answered from the packs.
 *
 * ```text
 * twin := "000dpackfile\n"  side-band-64k packets of one pack that has every object of the set  "0000"
 * ```
 *
 * | figure | value | what it trades |
 * | --- | --- | --- |
 * | `clones` | 10 | the clones of one set, in one day (UTC), after which a twin is made. To make one costs about as much as ten clones without |
 * | `leastBytes` | 1 MiB | the least that the packs have together: to frame less takes a few milliseconds |
 * | `mostBytes` | 8192 MiB | the most: a step of maintenance has to be able to write it |
 * | `mostPacks` | 100 | the most packs: their names are a row |
 * | `grace` | 1 hour | how long the file stays for readers that began before it was given up |
 *
 * @packageDocumentation
 * @see gitprotocol-v2(5), `packfile`
 */
import { assert } from "../bytes/assert.ts";
import type { PackRecord } from "./pack-record.ts";

const MIB = 1024 * 1024;

/** The numbers; see the table above. `grace` is in milliseconds. */
export const TWINS = {
  clones: 10,
  leastBytes: MIB,
  mostBytes: 8192 * MIB,
  mostPacks: 100,
  grace: 60 * 60_000,
} as const;

assert(TWINS.leastBytes < TWINS.mostBytes, "some sets of packs can have a twin");

/** The bytes of a twin before its side-band packets: the first line of version 2. Version 0 has none. */
export const TWIN_HEAD = "000dpackfile\n";

/** A catalog's record of its twin. */
export type CloneTwin = {
  /** The key stem, random and never reused: `objects/pack/pack-{name}.twin`. No pack has this name. */
  readonly name: string;
  readonly bytes: number;
};

/** A twin that was made, and the set that it was made of. */
export type MadeTwin = CloneTwin & { readonly packs: string };

type PackOfSet = Pick<PackRecord, "name" | "source">;

/**
 * Returns the name of the set of packs that a clone is answered from: their names, which no other pack ever has. Tip
 * packs repeat what others hold.
 */
export function packSet(packs: readonly PackOfSet[]): string {
  const own = packs.filter(({ source }) => source !== "copy" && source !== "cruft");
  return own
    .map(({ name }) => name)
    .toSorted()
    .join(" ");
}

/** Whether a twin of these packs is worth making: everything in them is reachable, and it is neither little nor too much. */
export function mayHaveTwin(packs: readonly (PackOfSet & Pick<PackRecord, "marked" | "packBytes">)[]): boolean {
  const own = packs.filter(({ source }) => source !== "copy" && source !== "cruft");
  if (own.length > TWINS.mostPacks || own.some(({ marked }) => !marked)) return false;
  const bytes = own.reduce((sum, { packBytes }) => sum + packBytes, 0);
  return bytes >= TWINS.leastBytes && bytes <= TWINS.mostBytes;
}
