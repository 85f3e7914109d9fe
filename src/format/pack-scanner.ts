/**
 * Scans a pack as it arrives. It holds back only the few bytes of a header that a chunk boundary cut. It inflates each
 * entry to the place that the receiver chooses, and passes on the entries that are too large for memory in pieces.
 *
 * ```text
 * "PACK" | version | count | entry … | trailer (hash of all before it)
 * ```
 *
 * @packageDocumentation
 * @see gitformat-pack(5)
 */
import { ObjectRejected } from "../bytes/failure.ts";
import { INFLATE_DONE, INFLATE_NEED_INPUT, INFLATE_NEED_OUTPUT, type Kernel } from "../kernel/kernel.ts";
import { OFS_DELTA, REF_DELTA } from "../object/object-type.ts";
import { EntryHeader, badEntry } from "./pack-entry.ts";
import { PACK_HEADER_BYTES, decodePackHeader } from "./pack-header.ts";

/** An entry as the scanner reports it. There is one instance, which is changed for each entry. */
export type ScannedEntry = {
  /** The number of the entry, from 0, in the order of the pack. */
  number: number;
  /** The offset of the entry in the pack. */
  offset: number;
  /** The type number: that of an object type, `OFS_DELTA` or `REF_DELTA`. */
  type: number;
  /** Inflated bytes; of a delta, the bytes of the delta itself. */
  size: number;
  /** For an ofs-delta: the distance in bytes from its base's entry; otherwise 0. */
  distance: number;
  /** For a ref-delta: the address in kernel memory of its base's raw name, valid during `begin`; otherwise 0. */
  baseAt: number;
  /** The CRC-32 of the entry's bytes in the pack, complete in `end` only. */
  crc: number;
};

/** The receiver of a scanned pack. The scanner makes all calls synchronously and in the order of the pack. */
export interface PackEntryReceiver {
  /** Called when the pack's header was read. Throws to refuse the number of entries. */
  header(count: number): void;
  /**
   * Called when an entry begins. Returns the address for its `size` bytes, or -1 to get them in pieces. Throws to
   * refuse it.
   */
  begin(entry: ScannedEntry): number;
  /** Called with the next piece of an entry that is taken in pieces. The bytes are valid during the call only. */
  piece(entry: ScannedEntry, at: number, length: number): void;
  /** Called when the entry is complete. */
  end(entry: ScannedEntry): void;
  /**
   * Called with the bytes of the header and the entries (not the trailer), in order. They are valid during the call
   * only.
   */
  consumed(at: number, length: number): void;
}

const HISTORY_BYTES = 32_768;
/** Bytes of the buffer for pieces: the history that deflate may refer back to, and the piece itself. */
export const PIECE_BUFFER_BYTES = HISTORY_BYTES + 131_072;
/** Bytes of the window that the largest chunk leaves free, for the unread rest of the previous chunk. */
const CARRY_BYTES = 64;

type State = "header" | "entry" | "whole" | "pieces" | "trailer";

/** The scanner of one pack. The caller calls `feed` with every chunk, then `finish`. */
export class PackScanner {
  readonly #kernel: Kernel;
  readonly #rawSize: number;
  readonly #receiver: PackEntryReceiver;
  readonly #pieceBuffer: number;
  readonly #header = new EntryHeader();
  readonly #entry: ScannedEntry = { number: -1, offset: 0, type: 0, size: 0, distance: 0, baseAt: 0, crc: 0 };
  #state: State = "header";
  #count = 0;
  /** The window addresses of the unread bytes, [at, end). */
  #at: number;
  #end: number;
  /** The offset in the pack of the byte at `#at`. */
  #offset = 0;
  #out = 0;
  #outBase = 0;
  #outEnd = 0;
  #trailer = new Uint8Array(0);

  /**
   * Creates a scanner. `pieceBuffer` is the address of {@link PIECE_BUFFER_BYTES} of kernel memory that nothing else
   * uses.
   */
  constructor(kernel: Kernel, rawSize: number, receiver: PackEntryReceiver, pieceBuffer: number) {
    this.#kernel = kernel;
    this.#rawSize = rawSize;
    this.#receiver = receiver;
    this.#pieceBuffer = pieceBuffer;
    this.#at = kernel.windowAt;
    this.#end = kernel.windowAt;
  }

  /** Bytes of the largest chunk that {@link feed} accepts. */
  get chunkBytes(): number {
    return this.#kernel.windowBytes - CARRY_BYTES;
  }

  /** Bytes of the header and the entries so far: the offset of the next entry. */
  get offset(): number {
    return this.#offset;
  }

  /** Whether the pack has come to its end. */
  get isAtEnd(): boolean {
    return this.#state === "trailer" && this.#trailer.length === this.#rawSize;
  }

  /** Takes the next chunk of the pack. @throws ObjectRejected if it is malformed, and whatever the receiver throws. */
  feed(chunk: Uint8Array): void {
    const kernel = this.#kernel;
    kernel.memory.copyWithin(kernel.windowAt, this.#at, this.#end);
    this.#end = kernel.windowAt + (this.#end - this.#at);
    this.#at = kernel.windowAt;
    kernel.memory.set(chunk, this.#end);
    this.#end += chunk.length;
    while (this.#step()) {
      // Each step consumes something or returns false to get more input.
    }
    const read = this.#at - kernel.windowAt;
    if (read > 0 && this.#state !== "trailer") this.#receiver.consumed(kernel.windowAt, read);
  }

  /** Ends the scan and returns the raw trailer of the pack. @throws ObjectRejected if the pack is cut short. */
  finish(): Uint8Array {
    if (this.#state !== "trailer" || this.#trailer.length < this.#rawSize) throw new ObjectRejected("early EOF");
    return this.#trailer;
  }

  #step(): boolean {
    switch (this.#state) {
      case "header":
        return this.#readHeader();
      case "entry":
        return this.#beginEntry();
      case "whole":
        return this.#inflateWhole();
      case "pieces":
        return this.#inflatePieces();
      case "trailer":
        return this.#readTrailer();
    }
  }

  #readHeader(): boolean {
    if (this.#end - this.#at < PACK_HEADER_BYTES) return false;
    this.#count = decodePackHeader(this.#kernel.memory.subarray(this.#at, this.#end)).count;
    this.#advance(PACK_HEADER_BYTES);
    this.#receiver.header(this.#count);
    this.#nextEntry();
    return true;
  }

  #nextEntry(): void {
    if (this.#entry.number + 1 < this.#count) {
      this.#state = "entry";
      return;
    }
    const read = this.#at - this.#kernel.windowAt;
    if (read > 0) this.#receiver.consumed(this.#kernel.windowAt, read);
    this.#state = "trailer";
  }

  #beginEntry(): boolean {
    const header = this.#header;
    const memory = this.#kernel.memory;
    if (header.decode(memory, this.#at, this.#end, this.#rawSize) === "short") return false;
    const entry = this.#entry;
    entry.number++;
    entry.offset = this.#offset;
    entry.type = header.type;
    entry.size = header.size;
    entry.distance = header.type === OFS_DELTA ? header.distance : 0;
    entry.baseAt = header.type === REF_DELTA ? header.baseAt : 0;
    entry.crc = this.#kernel.crc32(0, this.#at, header.headerBytes);
    const target = this.#receiver.begin(entry);
    this.#advance(header.headerBytes);
    this.#kernel.inflateStart();
    if (target >= 0) {
      this.#state = "whole";
      this.#outBase = target;
      this.#out = target;
      this.#outEnd = target + header.size;
    } else {
      this.#state = "pieces";
      this.#startPieces(0);
    }
    return true;
  }

  /** Makes room for the next piece, behind the `kept` bytes of history at the start of the buffer. */
  #startPieces(kept: number): void {
    this.#outBase = this.#pieceBuffer;
    this.#out = this.#pieceBuffer + kept;
    this.#outEnd = this.#pieceBuffer + PIECE_BUFFER_BYTES;
  }

  #inflate(outEnd: number): number {
    const kernel = this.#kernel;
    const status = kernel.inflate(this.#at, this.#end, this.#outBase, this.#out, outEnd);
    const consumed = kernel.inflateConsumed;
    this.#entry.crc = kernel.crc32(this.#entry.crc, this.#at, consumed);
    this.#advance(consumed);
    if (status < 0) throw this.#bad(`inflate returned ${status}`);
    this.#out += kernel.inflateProduced;
    return status;
  }

  #inflateWhole(): boolean {
    const status = this.#inflate(this.#outEnd);
    if (status === INFLATE_NEED_INPUT) return false;
    if (status === INFLATE_NEED_OUTPUT || this.#out !== this.#outEnd) throw this.#bad("inflated size does not match");
    this.#receiver.end(this.#entry);
    this.#nextEntry();
    return true;
  }

  /** Bytes of the entry that have been passed on in pieces. */
  #passedBytes = 0;

  #inflatePieces(): boolean {
    const left = this.#entry.size - this.#passedBytes;
    const start = this.#out;
    const status = this.#inflate(Math.min(this.#outEnd, start + left));
    const length = this.#out - start;
    if (length > 0) this.#receiver.piece(this.#entry, start, length);
    this.#passedBytes += length;
    if (status === INFLATE_NEED_INPUT) return false;
    if (status === INFLATE_DONE) {
      if (this.#passedBytes !== this.#entry.size) throw this.#bad("inflated size does not match");
      this.#passedBytes = 0;
      this.#receiver.end(this.#entry);
      this.#nextEntry();
      return true;
    }
    if (this.#passedBytes >= this.#entry.size) throw this.#bad("inflated size does not match");
    const kept = Math.min(HISTORY_BYTES, this.#out - this.#outBase);
    this.#kernel.memory.copyWithin(this.#outBase, this.#out - kept, this.#out);
    this.#startPieces(kept);
    return true;
  }

  #readTrailer(): boolean {
    const trailer = this.#kernel.memory.slice(this.#at, this.#end);
    this.#at = this.#end;
    const joined = new Uint8Array(this.#trailer.length + trailer.length);
    joined.set(this.#trailer);
    joined.set(trailer, this.#trailer.length);
    if (joined.length > this.#rawSize) throw new ObjectRejected("pack has junk at the end");
    this.#trailer = joined;
    return false;
  }

  #advance(bytes: number): void {
    this.#at += bytes;
    this.#offset += bytes;
  }

  #bad(why: string): ObjectRejected {
    return badEntry(this.#entry.offset, why);
  }
}
