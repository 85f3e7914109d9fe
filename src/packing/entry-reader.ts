/**
 * Reads entries of a stored pack forward, for a copy of many of them. Bytes are read in long runs, as few storage
 * operations as the gaps between the entries allow.
 *
 * @packageDocumentation
 */
import { assert } from "../bytes/assert.ts";
import { CorruptStore } from "../bytes/failure.ts";
import { freeMemory } from "../bytes/free-memory.ts";
import type { Pacer } from "../bytes/pacer.ts";
import type { PackByteStream } from "../catalog/pack-storage.ts";
import type { PackHandle } from "../store/pack-handle.ts";
import { COPYING } from "./copy-policy.ts";

/** The bytes that are read from a run at once. An entry that is longer is read by itself. */
export const ENTRY_WINDOW_BYTES = 512 * 1024;
/** The steps charged to the pacer for an entry, beside its bytes. */
const ENTRY_STEPS = 1000;

/** The place of an entry in its pack. */
export type EntryRange = { readonly offset: number; readonly end: number };

/** A run that is being read. */
type OpenRun = { readonly stream: PackByteStream; readonly end: number };

/** Reads the entries of one pack, which are asked for in ascending order. */
export class EntryReader {
  readonly #handle: PackHandle;
  readonly #ranges: readonly EntryRange[];
  readonly #pacer: Pacer;
  #window = new Uint8Array(2 * ENTRY_WINDOW_BYTES);
  #piece = new Uint8Array(ENTRY_WINDOW_BYTES);
  /** The window holds `[from, from + held)` of the pack. */
  #from = 0;
  #held = 0;
  #next = 0;
  #run: OpenRun | undefined;

  /** `ranges` are the entries that will be asked for, in ascending order. */
  constructor(handle: PackHandle, ranges: readonly EntryRange[], pacer: Pacer) {
    this.#handle = handle;
    this.#ranges = ranges;
    this.#pacer = pacer;
  }

  /** Whether an entry is short enough for {@link EntryReader.read}. */
  static isShort({ offset, end }: EntryRange): boolean {
    return end - offset <= ENTRY_WINDOW_BYTES;
  }

  /** Returns the bytes of a short entry: a view that is valid until the next call. Its steps include what is done with it. */
  async read({ offset, end }: EntryRange): Promise<Uint8Array> {
    assert(end - offset <= ENTRY_WINDOW_BYTES, "a longer entry is streamed");
    if (offset < this.#from || end > this.#from + this.#held) await this.#load(offset, end);
    this.#pacer.add(ENTRY_STEPS + end - offset);
    return this.#window.subarray(offset - this.#from, end - this.#from);
  }

  async #load(offset: number, end: number): Promise<void> {
    if (this.#run === undefined || offset < this.#from || end > this.#run.end) await this.#open(offset);
    this.#drop(offset);
    while (this.#from + this.#held < end) await this.#fill();
    this.#drop(offset);
  }

  /** Opens the run that begins with the entry at `offset`. */
  async #open(offset: number): Promise<void> {
    await this.#run?.stream.cancel();
    const end = this.#endOfRun(offset);
    this.#from = offset;
    this.#held = 0;
    this.#run = { stream: await this.#handle.openRun(offset, end - offset), end };
  }

  /** Returns where the entries end that are read together with the one at `offset`. */
  #endOfRun(offset: number): number {
    while (this.#next < this.#ranges.length && (this.#ranges[this.#next]?.offset ?? offset) < offset) this.#next++;
    const first = this.#ranges[this.#next];
    if (first?.offset !== offset) throw new RangeError(`no entry was announced at ${offset}`);
    let { end } = first;
    for (let i = this.#next + 1; i < this.#ranges.length; i++) {
      const range = this.#ranges[i];
      if (range === undefined || range.offset - end > COPYING.gapBytes || !EntryReader.isShort(range)) break;
      ({ end } = range);
    }
    return end;
  }

  /** Forgets what lies before `offset`. */
  #drop(offset: number): void {
    const passed = Math.min(offset - this.#from, this.#held);
    if (passed <= 0) return;
    this.#window.copyWithin(0, passed, this.#held);
    this.#from += passed;
    this.#held -= passed;
  }

  async #fill(): Promise<void> {
    const bytes = await this.#run?.stream.read(this.#piece);
    if (bytes === undefined || bytes.length === 0)
      throw new CorruptStore("the pack ends within an entry", {
        pack: this.#handle.record.name,
        offset: this.#from + this.#held,
      });
    this.#window.set(bytes, this.#held);
    this.#held += bytes.length;
    this.#piece = new Uint8Array(bytes.buffer);
    this.#pacer.add(bytes.length);
    if (this.#pacer.isDue) await this.#pacer.pace();
  }

  /** Stops reading and frees the memory. It must be the last call. */
  async close(): Promise<void> {
    await this.#run?.stream.cancel();
    this.#run = undefined;
    freeMemory(this.#window);
    freeMemory(this.#piece);
  }
}
