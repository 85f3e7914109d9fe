/**
 * Writes the multi-pack index of a repository's packs, from their indexes. These are read in pieces, some first bytes of names at a time, so
 * that memory holds no index whole: once to count the names, since packs may share objects, and once to write them. What stands behind
 * the names, 8 bytes for each object, is held until all names are written.
 *
 * @packageDocumentation
 * @see gitformat-pack(5)
 */
import { present, u32At } from "../bytes/assert.ts";
import { freeMemory } from "../bytes/free-memory.ts";
import type { StreamingHash } from "../bytes/hash.ts";
import { type MadeMultiPackIndex, indexedPacks } from "../catalog/multi-pack-plan.ts";
import type { PackRecord } from "../catalog/pack-record.ts";
import type { PackStorage, PackUpload } from "../catalog/pack-storage.ts";
import { encodeMultiPackHead, PLACE_BYTES } from "../format/multi-pack-index.ts";
import { type IndexRange, PackIndexHead } from "../format/pack-index.ts";
import { sortNames } from "../format/sort-names.ts";
import { type ObjectFormat, objectFormat } from "../object/object-id.ts";
import type { RepositoryRecord } from "../refs/ref-store.ts";
import type { Repository } from "../repository/repository.ts";
import { PartWriter } from "./part-writer.ts";

/** Names that are sorted at a time. With what sorting takes, they are some 10 MB. */
const STRETCH_NAMES = 200_000;
/**
 * More names with one first byte are not held, and there is no index then: hashes lie evenly, so that of the most objects that an index is
 * made of 12,000 share one, and somebody has made these.
 */
const MOST_STRETCH_NAMES = 250_000;
/** Bytes of memory for each name of a stretch, beside the name: its place, and what sorting takes. */
const NAME_PLACE_BYTES = 8;
const SORTING_BYTES = 20;
/** Steps charged for a name. */
const NAME_STEPS = 10;
const FIRST_BYTES = 256;

/** What is written. */
export type MultiPackInput = {
  readonly repository: Pick<Repository, "storage" | "memory" | "hash" | "pacer" | "limits">;
  readonly record: Pick<RepositoryRecord, "id" | "objectFormat">;
  readonly packs: readonly PackRecord[];
  /** The key stem of the file. */
  readonly name: string;
  /** Names that are sorted at a time, if not the usual number. */
  readonly stretchNames?: number;
};

/** First bytes of names: `[from, to)`. */
type Stretch = { readonly from: number; readonly to: number };

/** Names, and of each its pack and place, in no order. Those of the packs in front come first. */
type Names = {
  readonly count: number;
  readonly names: Uint8Array<ArrayBuffer>;
  readonly places: Uint32Array<ArrayBuffer>;
};

/** The index of a pack, read in pieces. */
class IndexPieces {
  readonly head: PackIndexHead;
  readonly #pack: PackRecord;
  readonly #storage: PackStorage;

  constructor(pack: PackRecord, storage: PackStorage, format: ObjectFormat) {
    this.head = new PackIndexHead(pack.indexHead, format);
    this.#pack = pack;
    this.#storage = storage;
  }

  /** Returns the positions of the names of a stretch. */
  positionsOf({ from, to }: Stretch): readonly [first: number, last: number] {
    return [this.head.namesUpTo(from - 1), this.head.namesUpTo(to - 1)];
  }

  /** Reads a range, unless the catalog has it. */
  async read({ offset, length }: IndexRange): Promise<Uint8Array> {
    const { indexHead, name } = this.#pack;
    if (offset + length <= indexHead.length) return indexHead.subarray(offset, offset + length);
    return await this.#storage.read({ pack: name, extension: "idx" }, offset, length);
  }
}

/** Divides first bytes so that not too many names have those of one stretch; `undefined` if a single one has too many. */
function stretchesOf(indexes: readonly IndexPieces[], most: number): Stretch[] | undefined {
  const upTo = (byte: number): number => indexes.reduce((sum, { head }) => sum + head.namesUpTo(byte), 0);
  const stretches: Stretch[] = [];
  let from = 0;
  for (let to = 1; to <= FIRST_BYTES; to++) {
    if (upTo(to - 1) - upTo(to - 2) > MOST_STRETCH_NAMES) return undefined;
    if (to < FIRST_BYTES && upTo(to) - upTo(from - 1) <= most) continue;
    stretches.push({ from, to });
    from = to;
  }
  return stretches;
}

function namesOf(indexes: readonly IndexPieces[], stretch: Stretch): number {
  return indexes.map((index) => index.positionsOf(stretch)).reduce((sum, [first, last]) => sum + last - first, 0);
}

/**
 * Returns the bytes of memory that writing takes at most: the places of all objects, and what a stretch takes. Its names are there twice, read
 * and sorted, and while they are read those of one pack a third time.
 */
function memoryFor(indexes: readonly IndexPieces[], stretches: readonly Stretch[], rawSize: number): number {
  let [objects, largest] = [0, 0];
  for (const stretch of stretches) {
    const names = namesOf(indexes, stretch);
    objects += names;
    largest = Math.max(largest, names);
  }
  const nameBytes = 2 * rawSize + NAME_PLACE_BYTES + Math.max(SORTING_BYTES, rawSize);
  return objects * PLACE_BYTES + largest * nameBytes;
}

class MultiPackWriter {
  readonly #input: MultiPackInput;
  readonly #format: ObjectFormat;
  readonly #indexes: readonly IndexPieces[];
  readonly #hash: StreamingHash;

  constructor(input: MultiPackInput, indexes: readonly IndexPieces[]) {
    const { repository, record } = input;
    this.#input = input;
    this.#format = objectFormat(record.objectFormat);
    this.#indexes = indexes;
    this.#hash = repository.hash(this.#format.name);
  }

  /** Returns, for each first byte, how many different names have it. */
  async count(stretches: readonly Stretch[]): Promise<Uint32Array> {
    const counts = new Uint32Array(FIRST_BYTES);
    for (const stretch of stretches)
      await this.#each(stretch, false, (name) => {
        const first = present(name[0], "a first byte");
        counts[first] = u32At(counts, first) + 1;
      });
    return counts;
  }

  /** Writes the file. Returns its bytes. */
  async write(upload: PackUpload, stretches: readonly Stretch[], counts: Uint32Array): Promise<number> {
    const { packs } = this.#input;
    const count = counts.reduce((sum, each) => sum + each, 0);
    const parts = new PartWriter(upload);
    const places = new Uint8Array(count * PLACE_BYTES);
    const view = new DataView(places.buffer);
    await this.#append(
      parts,
      encodeMultiPackHead({ format: this.#format, packs: packs.map(({ name }) => name), counts }),
    );
    let at = 0;
    for (const stretch of stretches) {
      const sorted = new Uint8Array(namesOf(this.#indexes, stretch) * this.#format.rawSize);
      let used = 0;
      await this.#each(stretch, true, (name, pack, offset) => {
        sorted.set(name, used);
        used += name.length;
        view.setUint32(at, pack);
        view.setUint32(at + 4, offset);
        at += PLACE_BYTES;
      });
      await this.#append(parts, sorted.subarray(0, used));
      freeMemory(sorted);
    }
    await this.#append(parts, places);
    freeMemory(places);
    await parts.append(this.#hash.digest());
    await parts.end();
    return parts.bytes;
  }

  async #append(parts: PartWriter, bytes: Uint8Array): Promise<void> {
    this.#hash.update(bytes);
    await parts.append(bytes);
  }

  /** Visits the different names of a stretch in their order: of one that several packs have, the place in the first of them. */
  async #each(
    stretch: Stretch,
    hasPlaces: boolean,
    visit: (name: Uint8Array, pack: number, offset: number) => void,
  ): Promise<void> {
    const { repository } = this.#input;
    const { count, names, places } = await this.#read(stretch, hasPlaces);
    const { rawSize } = this.#format;
    const order = await repository.pacer.finish(sortNames({ names, stride: rawSize, rawSize }, count));
    const nameAt = (i: number): Uint8Array =>
      names.subarray(u32At(order, i) * rawSize, (u32At(order, i) + 1) * rawSize);
    await repository.pacer.forEach(count, NAME_STEPS, (i) => {
      const name = nameAt(i);
      if (i > 0 && isSame(nameAt(i - 1), name)) return;
      const entry = u32At(order, i);
      visit(name, u32At(places, entry * 2), u32At(places, entry * 2 + 1));
    });
    freeMemory(names);
    freeMemory(places);
  }

  async #read(stretch: Stretch, hasPlaces: boolean): Promise<Names> {
    const count = namesOf(this.#indexes, stretch);
    const { rawSize } = this.#format;
    const names = new Uint8Array(count * rawSize);
    const places = new Uint32Array(count * 2);
    let at = 0;
    for (const [pack, index] of this.#indexes.entries()) {
      const [first, last] = index.positionsOf(stretch);
      if (first === last) continue;
      names.set(await index.read(index.head.namesRange(first, last)), at * rawSize);
      const rows = hasPlaces ? await index.read(index.head.offsetsRange(first, last)) : undefined;
      const view = rows && new DataView(rows.buffer, rows.byteOffset, rows.length);
      for (let i = 0; i < last - first; i++) {
        places[(at + i) * 2] = pack;
        if (view !== undefined) places[(at + i) * 2 + 1] = view.getUint32(i * 4);
      }
      at += last - first;
    }
    return { count, names, places };
  }
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  for (let i = a.length - 1; i >= 0; i--) if (a[i] !== b[i]) return false;
  return true;
}

/**
 * Writes the file. Returns what the catalog is to take in: without a name if there can be none, because the names of the
 * objects lie too unevenly.
 *
 * @throws CorruptStore if an index is malformed.
 * @throws HostBusy if the isolate has no room for it.
 */
export async function writeMultiPackIndex(input: MultiPackInput): Promise<MadeMultiPackIndex> {
  const { repository, record, name, stretchNames = STRETCH_NAMES } = input;
  const storage = repository.storage(record.id);
  const packs = indexedPacks(input.packs).toSorted((a, b) => (a.name < b.name ? -1 : 1));
  const format = objectFormat(record.objectFormat);
  const indexes = packs.map((pack) => new IndexPieces(pack, storage, format));
  const stretches = stretchesOf(indexes, stretchNames);
  const objects = packs.reduce((sum, pack) => sum + pack.objects, 0);
  const made = { packs: packs.map((pack) => pack.name), objects };
  if (stretches === undefined) return { ...made, bytes: 0 };
  const held = repository.limits.memoryPackBytes + memoryFor(indexes, stretches, format.rawSize);
  // It is waited for with nothing in hand: what is held while one waits keeps others from ending.
  await repository.memory.claim({ bytes: held });
  try {
    const writer = new MultiPackWriter({ ...input, packs }, indexes);
    const upload = await storage.createUpload({ pack: name, extension: "midx" });
    try {
      const bytes = await writer.write(upload, stretches, await writer.count(stretches));
      return { ...made, name, bytes };
    } catch (error) {
      await upload.abort();
      throw error;
    }
  } finally {
    repository.memory.giveBack(held);
  }
}
