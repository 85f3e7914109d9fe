/**
 * The packs of a dumb upstream, as its `objects/info/packs` and their indexes tell.
 *
 * @packageDocumentation
 * @see gitformat-pack(5), git-update-server-info(1)
 */
import { present, u32At } from "../../bytes/assert.ts";
import { CorruptStore, LimitExceeded } from "../../bytes/failure.ts";
import type { Pacer } from "../../bytes/pacer.ts";
import { sortInTurns } from "../../bytes/sort-in-turns.ts";
import { findSorted } from "../../bytes/sorted.ts";
import { PACK_HEADER_BYTES } from "../../format/pack-header.ts";
import { PackIndex } from "../../format/pack-index.ts";
import type { ObjectFormat } from "../../object/object-id.ts";
import { UpstreamFailure } from "../upstream.ts";
import type { UpstreamFiles } from "./upstream-files.ts";

/** Bytes of the list of packs, and packs in it. */
const MOST_LIST_BYTES = 262_144;
const MOST_PACKS = 100;
/** Bytes of all indexes together, which are held while their packs come: some 1,200,000 objects named by SHA-1. */
const MOST_INDEX_BYTES = 40 * 1024 * 1024;

/** The steps of an object whose place in its pack is checked. */
const OFFSET_STEPS = 4;

/** A pack of the upstream, and which of its objects are to come. */
export class IndexedPack {
  /** Its name, without an ending. */
  readonly name: string;
  readonly index: PackIndex;
  /** By position in the index: 1 for an object that is to come. */
  readonly taken: Uint8Array;
  /** Whether it has what was unreachable once: it is used only where something in it is wanted. */
  readonly isCruft: boolean;
  /** Whether something in it is wanted. */
  isWanted = false;
  #byOffset: Uint32Array | undefined;

  constructor(name: string, index: PackIndex, isCruft: boolean) {
    this.name = name;
    this.index = index;
    this.taken = new Uint8Array(index.count);
    this.isCruft = isCruft;
  }

  /** Finds out in which order its objects lie in the pack, with pauses. @throws UpstreamFailure if they can't lie there. */
  async putInOrder(pacer: Pacer): Promise<void> {
    if (this.#byOffset !== undefined) return;
    const { index } = this;
    try {
      const compare = (a: number, b: number): number => index.offsetAt(a) - index.offsetAt(b);
      const order = await sortInTurns({ count: index.count, compare }, pacer);
      let last = PACK_HEADER_BYTES - 1;
      await pacer.forEach(index.count, OFFSET_STEPS, (rank) => {
        const offset = index.offsetAt(u32At(order, rank));
        if (offset <= last) throw brokenIndex(this.name);
        last = offset;
      });
      this.#byOffset = order;
    } catch (error) {
      if (error instanceof CorruptStore) throw brokenIndex(this.name, error);
      throw error;
    }
  }

  /** The positions of its objects, in the order in which they lie in the pack: {@link putInOrder} has found that out. */
  get byOffset(): Uint32Array {
    return present(this.#byOffset, "the order of the pack");
  }

  /** Returns the raw name of the object whose entry begins at an offset. @throws UpstreamFailure if none does. */
  nameAtOffset(offset: number): Uint8Array {
    const order = this.byOffset;
    const at = findSorted(order.length, offset, (rank) => this.index.offsetAt(u32At(order, rank)));
    if (at < 0) throw brokenIndex(this.name);
    return this.index.nameAt(u32At(order, at));
  }
}

function brokenIndex(name: string, cause?: unknown): UpstreamFailure {
  return new UpstreamFailure(`The upstream's file with the index of pack ${name} is none of git's.`, { cause });
}

function parseIndex(bytes: Uint8Array, name: string, format: ObjectFormat): PackIndex {
  try {
    return new PackIndex(bytes, format);
  } catch (error) {
    if (error instanceof CorruptStore) throw brokenIndex(name, error);
    throw error;
  }
}

/** Returns the names in `objects/info/packs`. */
async function packNames(files: UpstreamFiles): Promise<string[]> {
  const list = await files.whole("objects/info/packs", MOST_LIST_BYTES);
  const text = list === "too-large" ? list : new TextDecoder().decode(list);
  const names = text.split("\n").flatMap((line) => /^P (pack-[0-9a-f]{4,64})\.pack$/.exec(line)?.[1] ?? []);
  if (list !== "too-large" && names.length <= MOST_PACKS) return [...new Set(names)];
  throw new LimitExceeded("mirror-files", MOST_PACKS, `it has more than ${MOST_PACKS} packs: run git gc there`);
}

/** Reads the list of packs and their indexes. `hold` counts the memory. @throws UpstreamFailure, LimitExceeded */
export async function readPacks(
  files: UpstreamFiles,
  format: ObjectFormat,
  hold: (bytes: number) => void,
): Promise<IndexedPack[]> {
  const packs: IndexedPack[] = [];
  let left = MOST_INDEX_BYTES;
  for (const name of await packNames(files)) {
    const bytes = await files.whole(`objects/pack/${name}.idx`, left);
    // It went with a repack since the list was written: another pack has its objects.
    if (bytes === undefined) continue;
    if (bytes === "too-large") {
      const why = `the indexes of its packs have more than ${MOST_INDEX_BYTES} bytes`;
      throw new LimitExceeded("mirror-index-bytes", MOST_INDEX_BYTES, why);
    }
    left -= bytes.length;
    hold(bytes.length);
    const isCruft = await files.has(`objects/pack/${name}.mtimes`);
    packs.push(new IndexedPack(name, parseIndex(bytes, name, format), isCruft));
  }
  return packs;
}
