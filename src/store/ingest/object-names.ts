/**
 * The object names of a pack on its way in: those of its objects, of the bases of its deltas, and of what its objects
 * refer to. Each name has an index, which counts from 0 and does not change. A name also has the flags that
 * `kernel/object-flags.ts` lists, and the number of the pack's entry whose object has that name, once that is known.
 *
 * The names lie in the kernel's oid table, where a name's value is 0 at first. So the table holds the entry's number
 * plus one. Only this file knows that.
 *
 * @packageDocumentation
 */
import { toHex } from "../../bytes/hex.ts";
import type { Kernel } from "../../kernel/kernel.ts";

/** Stands for the number of an entry, or the index of a name, that there is not. */
export const NONE = -1;

/** The object names of one pack, in the oid table of the kernel that takes it in. */
export class ObjectNames {
  readonly #kernel: Kernel;
  readonly #rawSize: number;

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
    this.#rawSize = kernel.rawSize;
  }

  /** The number of names. */
  get count(): number {
    return this.#kernel.oidCount;
  }

  /** Returns the index of the raw name at an address of the kernel's memory. Adds the name if it is new. */
  addAt(address: number): number {
    return this.#kernel.oidAdd(address);
  }

  /** Returns the index of the raw name at an address; {@link NONE} if it is not in the table. */
  findAt(address: number): number {
    return this.#kernel.oidFind(address);
  }

  /** Returns the index of a raw name, as {@link addAt} does. The kernel's scratch is overwritten. */
  add(name: Uint8Array): number {
    return this.addAt(this.#atScratch(name));
  }

  /** Returns the index of a raw name, as {@link findAt} does. The kernel's scratch is overwritten. */
  find(name: Uint8Array): number {
    return this.findAt(this.#atScratch(name));
  }

  #atScratch(name: Uint8Array): number {
    this.#kernel.memory.set(name, this.#kernel.scratchAt);
    return this.#kernel.scratchAt;
  }

  /** Returns the flags of a name. */
  flagsOf(index: number): number {
    return this.#kernel.flagsOf(index);
  }

  /** Sets the given flags of a name and keeps the others. */
  orFlags(index: number, flags: number): void {
    this.#kernel.orFlags(index, flags);
  }

  /** Returns the number of the entry whose object has this name; {@link NONE} if none is known. */
  entryOf(index: number): number {
    return this.#kernel.valueOf(index) - 1;
  }

  /** Records that the object of an entry has this name. */
  setEntry(index: number, entry: number): void {
    this.#kernel.setValue(index, entry + 1);
  }

  /** Whether an object of the pack is known to have this name. */
  isBrought(index: number): boolean {
    return this.entryOf(index) !== NONE;
  }

  /** Returns the number of the entry whose object has a raw name; {@link NONE} if none is known. */
  entryNamed(name: Uint8Array): number {
    const index = this.find(name);
    return index === NONE ? NONE : this.entryOf(index);
  }

  /** Returns the raw name, a view that is valid until names are added. */
  view(index: number): Uint8Array<ArrayBuffer> {
    const at = this.#kernel.oidAt(index);
    return this.#kernel.memory.subarray(at, at + this.#rawSize);
  }

  /** Returns a copy of the raw name. */
  copy(index: number): Uint8Array<ArrayBuffer> {
    return this.view(index).slice();
  }

  /** Returns copies of the raw names of several indexes, one after the other. */
  copyAll(indexes: readonly number[]): Uint8Array<ArrayBuffer> {
    const names = new Uint8Array(indexes.length * this.#rawSize);
    for (const [i, index] of indexes.entries()) names.set(this.view(index), i * this.#rawSize);
    return names;
  }

  /** Returns the name in hexadecimal. */
  hex(index: number): string {
    return toHex(this.view(index), 0, this.#rawSize);
  }
}
