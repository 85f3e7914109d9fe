/**
 * All objects of a repository: the packs of one catalog snapshot, looked up together.
 *
 * @packageDocumentation
 */
import { i32At, itemAt, present, u32At } from "../bytes/assert.ts";
import { MissingObject } from "../bytes/failure.ts";
import { toHex } from "../bytes/hex.ts";
import type { PackRecord } from "../catalog/pack-record.ts";
import { type PackContext, PackHandle } from "./pack-handle.ts";

/** Where objects are: for each name asked for, the number of the pack (-1: nowhere) and the position in its index. */
export type Locations = { readonly packs: Int32Array<ArrayBuffer>; readonly positions: Uint32Array<ArrayBuffer> };

/** Where one object is: the number of the pack, and where in it its entry begins. */
export type ObjectPlace = { readonly pack: number; readonly offset: number };

/** A repository's objects, over one snapshot of its catalog. */
export class ObjectDatabase {
  readonly packs: readonly PackHandle[];
  readonly context: PackContext;
  /** Numbers of the packs that are asked, small ones first: what is in several is read where less has to be read. */
  #bySize: readonly number[];

  constructor(records: readonly PackRecord[], context: PackContext) {
    this.context = context;
    this.packs = records.map((record) => new PackHandle(record, context));
    // a copy has nothing that the others have not: asking it, too, would be a read for nothing
    this.#bySize = this.#sorted((record) => record.source !== "copy");
  }

  /** Opens another catalog of the same repository. */
  withPacks(records: readonly PackRecord[]): ObjectDatabase {
    return new ObjectDatabase(records, this.context);
  }

  /** Has copies asked, too, and first: for who takes what they hold, a tip's whole tree or much of it. */
  useCopies(): void {
    this.#bySize = this.#sorted(() => true);
  }

  #sorted(isAsked: (record: PackRecord) => boolean): number[] {
    const sizeOf = (number: number): number => itemAt(this.packs, number).record.packBytes;
    const asked = [...this.packs.entries()].filter(([, { record }]) => isAsked(record)).map(([number]) => number);
    return asked.sort((a, b) => sizeOf(a) - sizeOf(b) || a - b);
  }

  /**
   * Looks up raw names that lie one after the other. Packs whose index is at hand are asked first, the others all at once; of
   * several packs that have an object the first counts, and their order is the same for all names.
   */
  async locate(names: Uint8Array): Promise<Locations> {
    const count = names.length / this.context.format.rawSize;
    const found: Locations = { packs: new Int32Array(count).fill(-1), positions: new Uint32Array(count) };
    const isAtHand = (number: number): boolean => this.packs[number]?.index !== undefined;
    const remote = this.#bySize.filter((number) => !isAtHand(number));
    for (const number of this.#bySize.filter(isAtHand)) {
      const wanted = stillMissing(found);
      if (wanted.length === 0) return found;
      note(found, number, wanted, await this.packs[number]?.find(names, wanted));
    }
    const missing = stillMissing(found);
    const answers = await Promise.all(remote.map(async (number) => await this.packs[number]?.find(names, missing)));
    for (const [i, number] of remote.entries()) note(found, number, missing, answers[i]);
    return found;
  }

  /** Gives the type number of each raw name; 0 for those that are not here. */
  async kindsOf(names: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
    const kinds = new Uint8Array(names.length / this.context.format.rawSize);
    const locations = await this.locate(names);
    const byPack = new Map<number, number[]>();
    for (const [i, pack] of locations.packs.entries()) {
      if (pack < 0) continue;
      const list = byPack.get(pack);
      if (list === undefined) byPack.set(pack, [i]);
      else list.push(i);
    }
    await Promise.all(
      [...byPack].map(async ([pack, list]) => {
        const found = (await this.packs[pack]?.kinds(list.map((i) => u32At(locations.positions, i)))) ?? [];
        for (const [n, i] of list.entries()) kinds[i] = itemAt(found, n);
      }),
    );
    return kinds;
  }

  /** Gives the pack and the offset of one object where the indexes at hand tell: what a walk asks thousands of times. */
  offsetAtHand(name: Uint8Array): ObjectPlace | undefined {
    for (const pack of this.#bySize) {
      const index = this.packs[pack]?.index;
      if (index === undefined) return undefined;
      const position = index.find(name);
      if (position >= 0) return { pack, offset: index.offsetAt(position) };
    }
    return undefined;
  }

  /** Gives the pack and the offset of one object. @throws MissingObject */
  async offsetOf(name: Uint8Array): Promise<ObjectPlace> {
    const locations = await this.locate(name);
    const pack = i32At(locations.packs, 0);
    const handle = this.packs[pack];
    if (handle === undefined) throw new MissingObject(toHex(name));
    const [offset] = await handle.offsets([u32At(locations.positions, 0)]);
    return { pack, offset: present(offset, "the offset") };
  }
}

/** Notes where a pack has names that no pack before had. */
function note(found: Locations, pack: number, wanted: Uint32Array, positions: Int32Array | undefined): void {
  for (const [i, name] of wanted.entries()) {
    // A pack that was not searched has nothing.
    const position = positions?.[i] ?? -1;
    if (position < 0 || i32At(found.packs, name) >= 0) continue;
    found.packs[name] = pack;
    found.positions[name] = position;
  }
}

function stillMissing(found: Locations): Uint32Array<ArrayBuffer> {
  const missing = new Uint32Array(found.packs.length);
  let used = 0;
  for (const [i, pack] of found.packs.entries()) if (pack < 0) missing[used++] = i;
  return missing.slice(0, used);
}
