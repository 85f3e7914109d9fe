/**
 * Copies entries of stored packs into a pack for a client: deflated bytes as they are, deltas kept, only headers changed. An
 * entry is made anew only where its base neither travels nor is at the client.
 *
 * @packageDocumentation
 * @see gitformat-pack(5)
 */
import { CorruptStore } from "../bytes/failure.ts";
import { EntryHeader, encodeEntryHeader, encodeOfsDistance } from "../format/pack-entry.ts";
import type { PackSelection } from "../graph/pack-selection.ts";
import type { GraphSession } from "../graph/graph-session.ts";
import { OFS_DELTA, REF_DELTA } from "../object/object-kind.ts";
import { type PackOrder, loadPackOrder } from "../store/pack-order.ts";
import { encodeEntry } from "../store/thin-completion.ts";
import type { PackOutput } from "./pack-output.ts";

/** What decides how a delta travels. */
export type CopyOptions = {
  readonly ofsDelta: boolean;
  /** Whether an object is in the pack being written, or at a client that takes thin packs. */
  readonly isAtClient: (name: Uint8Array) => boolean;
  readonly deflate: (bytes: Uint8Array) => Uint8Array;
};

/** Entries nearer than this are read together. */
const GAP_BYTES = 32 * 1024;
const RUN_BYTES = 1024 * 1024;
const RUNS_AHEAD = 3;
const MAX_HEADER_BYTES = 64;

type Run = { readonly first: number; readonly last: number; readonly offset: number; readonly length: number };

/** Copies the entries of one selection. */
export class PackCopy {
  readonly #session: GraphSession;
  readonly #selection: PackSelection;
  readonly #options: CopyOptions;
  readonly #output: PackOutput;
  readonly #header = new EntryHeader();
  readonly #headerBytes = new Uint8Array(MAX_HEADER_BYTES);
  /** Where each entry went. */
  readonly #placed: Float64Array;
  #order: PackOrder | undefined;

  constructor(session: GraphSession, selection: PackSelection, options: CopyOptions, output: PackOutput) {
    this.#session = session;
    this.#selection = selection;
    this.#options = options;
    this.#output = output;
    this.#placed = new Float64Array(selection.offsets.length);
    this.#order = selection.order;
  }

  /** Copies all, in the order of the pack, reading ahead. */
  async run(): Promise<void> {
    const runs = this.#runs();
    const ahead: Promise<Uint8Array>[] = [];
    let next = 0;
    for (const run of runs) {
      while (next < runs.length && ahead.length < RUNS_AHEAD) ahead.push(this.#read(runs[next++]));
      const bytes = await ahead.shift();
      if (bytes === undefined) return;
      for (let i = run.first; i <= run.last; i++) await this.#copyEntry(i, bytes, run.offset);
    }
  }

  async #read(run: Run | undefined): Promise<Uint8Array> {
    if (run === undefined) return new Uint8Array(0);
    const reading = this.#readRun(run);
    // awaited in its turn; a failure before that must not count as unhandled
    reading.catch(() => undefined);
    return await reading;
  }

  async #readRun(run: Run): Promise<Uint8Array> {
    const { handle } = this.#selection;
    const atHand = handle.bytesAtHand(run.offset);
    if (atHand !== undefined && atHand.length >= run.length) return atHand;
    return await handle.readRun(run.offset, run.length);
  }

  #runs(): Run[] {
    const { offsets, ends } = this.#selection;
    const runs: Run[] = [];
    let first = 0;
    for (let i = 1; i <= offsets.length; i++) {
      const start = offsets[first] ?? 0;
      const end = ends[i - 1] ?? 0;
      const goesOn = i < offsets.length && (offsets[i] ?? 0) - end <= GAP_BYTES && (ends[i] ?? 0) - start <= RUN_BYTES;
      if (goesOn) continue;
      runs.push({ first, last: i - 1, offset: start, length: end - start });
      first = i;
    }
    return offsets.length === 0 ? [] : runs;
  }

  async #copyEntry(i: number, run: Uint8Array, runOffset: number): Promise<void> {
    const { offsets, ends } = this.#selection;
    const offset = offsets[i] ?? 0;
    const bytes = run.subarray(offset - runOffset, (ends[i] ?? 0) - runOffset);
    const { rawSize } = this.#session.format;
    this.#placed[i] = this.#output.offset;
    const header = this.#header;
    if (header.decode(bytes, 0, bytes.length, rawSize) === "short")
      throw new CorruptStore(`entry at ${offset} is cut short`);
    if (header.kind === OFS_DELTA) return await this.#copyOfsDelta(i, offset, bytes);
    if (
      header.kind === REF_DELTA &&
      !this.#options.isAtClient(bytes.subarray(header.baseAt, header.baseAt + rawSize))
    ) {
      return await this.#copyWhole(offset);
    }
    return await this.#append(bytes);
  }

  async #append(bytes: Uint8Array): Promise<void> {
    if (this.#output.hasRoom(bytes.length)) this.#output.appendNow(bytes);
    else await this.#output.append(bytes);
  }

  async #copyOfsDelta(i: number, offset: number, bytes: Uint8Array): Promise<void> {
    const { size, headerBytes, distance } = this.#header;
    const baseOffset = offset - distance;
    const base = rankIn(this.#selection.offsets, baseOffset);
    const into = this.#headerBytes;
    if (base >= 0 && base < i && this.#options.ofsDelta) {
      const moved = this.#output.offset - (this.#placed[base] ?? 0);
      if (moved === distance) return await this.#append(bytes);
      const at = encodeOfsDistance(moved, into, encodeEntryHeader(OFS_DELTA, size, into, 0));
      await this.#append(into.subarray(0, at));
      return await this.#append(bytes.subarray(headerBytes));
    }
    const name = await this.#nameAt(baseOffset);
    if (base < 0 && !this.#options.isAtClient(name)) return await this.#copyWhole(offset);
    const at = encodeEntryHeader(REF_DELTA, size, into, 0);
    into.set(name, at);
    await this.#append(into.subarray(0, at + name.length));
    return await this.#append(bytes.subarray(headerBytes));
  }

  async #nameAt(offset: number): Promise<Uint8Array> {
    this.#order ??= await loadPackOrder(this.#selection.handle, this.#session.format);
    return this.#order.index.nameAt(this.#order.positionAt(this.#order.rankOf(offset)));
  }

  /** Makes an entry without a base. */
  async #copyWhole(offset: number): Promise<void> {
    const { kind, held } = await this.#session.reader.readAt(this.#selection.pack, offset);
    await this.#append(encodeEntry(kind, this.#session.inflating.bytes(held), this.#options.deflate));
  }
}

function rankIn(offsets: Float64Array, offset: number): number {
  let low = 0;
  let high = offsets.length - 1;
  while (low <= high) {
    const middle = (low + high) >>> 1;
    const value = offsets[middle] ?? 0;
    if (value === offset) return middle;
    if (value < offset) low = middle + 1;
    else high = middle - 1;
  }
  return -1;
}
