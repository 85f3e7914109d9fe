/**
 * Takes a pack in: from a stream of bytes to a pack in the bucket, with its index. Every object was then inflated,
 * hashed and fscked, every delta resolved, and every reference out of the pack found in the catalog. Nothing of it is
 * visible until a commit names it. If no commit does, the caller deletes the keys.
 *
 * Memory is bounded: a window, the ring of delta bases, two part buffers, and about 90 bytes per object.
 *
 * @packageDocumentation
 * @see git-index-pack(1), whose verdicts (with `--strict --fix-thin`) these are
 */
import type { ByteSource } from "../../bytes/byte-stream.ts";
import { concat, equal } from "../../bytes/chunk.ts";
import { ObjectRejected } from "../../bytes/failure.ts";
import type { HashFactory } from "../../bytes/hash.ts";
import { toHex } from "../../bytes/hex.ts";
import type { Pacer } from "../../bytes/pacer.ts";
import type { Kernel } from "../../kernel/kernel.ts";
import { PIECE_BUFFER_BYTES, PackScanner } from "../../format/pack-scanner.ts";
import { CONFIG_PART_BYTES } from "../../object/config-syntax.ts";
import type { FsckLeniency } from "../../object/fsck-rule.ts";
import type { ObjectFormat } from "../../object/object-id.ts";
import { TYPE_NUMBER } from "../../object/object-type.ts";
import type { PackRecord, PackSource } from "../../catalog/pack-record.ts";
import { DeltaResolver } from "./delta-resolver.ts";
import { EntryTable } from "./entry-table.ts";
import { Inflating } from "../inflating.ts";
import { IngestMemory } from "./ingest-memory.ts";
import { largeBaseData } from "./large-bases.ts";
import { sumOver } from "../../format/stored-zlib.ts";
import { LargeDeltas } from "./large-deltas.ts";
import type { ObjectDatabase } from "../object-database.ts";
import type { IngestProgress } from "./ingest-progress.ts";
import { ObjectBudget, type ObjectLimits } from "./object-budget.ts";
import { type BlobWatch, ObjectIntake } from "./object-intake.ts";
import { NONE } from "./object-names.ts";
import { ObjectReader } from "../object-reader.ts";
import { ObjectRing } from "../object-ring.ts";
import { writePackIndex } from "./pack-index-writer.ts";
import { type OutsideBase, readIfAllHeld } from "./outside-bases.ts";
import { checkOutsideReferences } from "./outside-references.ts";
import { PackReceiver } from "./pack-receiver.ts";
import { bytesInMemory } from "./memory-stream.ts";
import type { PackByteStream, PackFile, PackStorage } from "../../catalog/pack-storage.ts";
import { PartBuffers } from "./part-buffers.ts";
import { INGESTING } from "./ingest-policy.ts";
import { StagedBytes } from "./staged-bytes.ts";
import { StagedFile } from "./staged-file.ts";
import { type BaseContent, completeThinPack } from "./thin-completion.ts";

/** The steps charged to the pacer for each name where all are looked at. */
const NAME_STEPS = 2;
/** The steps charged to the pacer for a part of a `.gitmodules`, which takes 1 to 3 ms. */
const LATE_PART_STEPS = 4 * CONFIG_PART_BYTES;

/** The input of taking a pack in. */
export type IngestInput = {
  readonly source: ByteSource;
  /** Whether the source may stay open behind the pack, so that nothing is read there. */
  readonly staysOpen?: boolean;
  /** Bytes of the pack that were read already, before `source`. */
  readonly head: Uint8Array;
  readonly storage: PackStorage;
  /** The catalog as it is, in which thin bases and outside references are looked up. */
  readonly database: ObjectDatabase;
  readonly kernel: Kernel;
  readonly format: ObjectFormat;
  /** The stem of the keys to write. */
  readonly packName: string;
  readonly packSource: PackSource;
  /** Raw names that refs will have once the pack is committed. */
  readonly tips: readonly Uint8Array[];
  /** Raw names of the commits at which the sender's own history is cut. */
  readonly shallows?: Iterable<Uint8Array>;
  readonly hash: HashFactory;
  readonly deflate: (bytes: Uint8Array) => Uint8Array;
  readonly limits: ObjectLimits & { readonly memoryPackBytes: number };
  readonly now: number;
  readonly progress: IngestProgress;
  /** Told how many bytes of memory more, or fewer, are held than before: tables and buffers, but not the kernel. */
  readonly hold?: (bytes: number) => void;
  /** The findings of fsck that are let pass; none if absent. */
  readonly leniency?: FsckLeniency;
  /** Is shown the blobs of the pack; nobody is if absent. */
  readonly watch?: BlobWatch;
};

/** A pack that lies in the bucket, complete, and is in no catalog yet, with ways to look at what it brought. */
export type IngestedPack = {
  readonly record: PackRecord;
  /** Returns the type number of an object of the pack; 0 if the pack has no object of that raw name. */
  typeOf(name: Uint8Array): number;
  /**
   * Whether some object of the pack refers to the object of a raw name. False may be wrong for an object that is named
   * only by trees that came as deltas on stored trees.
   */
  refersTo(name: Uint8Array): boolean;
  /** Reads the content of a commit or tag of the pack. */
  read(name: Uint8Array): Promise<Uint8Array>;
  /** Frees the tables that the other members look into, at once. It must be the last call. */
  release(): void;
};

/** One pack on its way in. */
class Ingest {
  readonly #input: IngestInput;
  readonly #pacer: Pacer;
  readonly #entries = new EntryTable();
  readonly #inflating: Inflating;
  readonly #intake: ObjectIntake;
  readonly #receiver: PackReceiver;
  readonly #scanner: PackScanner;
  readonly #reader: ObjectReader;
  readonly #packHash;
  readonly #budget: ObjectBudget;
  readonly #stagedBytes: StagedBytes;
  readonly #buffers: PartBuffers;
  readonly #large: LargeDeltas;
  #file: StagedFile;
  readonly #memory: IngestMemory;
  #resolver: DeltaResolver | undefined;

  constructor(input: IngestInput) {
    const { kernel, format, hash, limits, storage, packName } = input;
    this.#input = input;
    this.#pacer = input.database.context.pacer;
    const ring = new ObjectRing(kernel.ringAt + PIECE_BUFFER_BYTES, kernel.ringBytes - PIECE_BUFFER_BYTES);
    this.#inflating = new Inflating(kernel, ring, this.#pacer);
    this.#intake = new ObjectIntake(this.#inflating, this.#entries, format, input);
    this.#packHash = hash(format.name);
    this.#budget = new ObjectBudget(limits, this.#pacer);
    this.#stagedBytes = new StagedBytes(storage, INGESTING.blockBytes);
    this.#buffers = new PartBuffers(limits.memoryPackBytes);
    const { cache } = input.database.context;
    this.#memory = new IngestMemory({ entries: this.#entries, buffers: this.#buffers, cache, hold: input.hold });
    this.#large = new LargeDeltas({
      storage,
      pack: packName,
      inflating: this.#inflating,
      buffers: this.#buffers,
      budget: this.#budget,
    });
    this.#receiver = new PackReceiver({
      entries: this.#entries,
      inflating: this.#inflating,
      intake: this.#intake,
      packHash: this.#packHash,
      budget: this.#budget,
    });
    this.#scanner = new PackScanner(kernel, format.rawSize, this.#receiver, kernel.ringAt);
    this.#reader = new ObjectReader(input.database, this.#inflating);
    this.#file = new StagedFile(storage, { pack: packName, extension: "pack" }, this.#buffers);
  }

  async run(): Promise<IngestedPack> {
    try {
      const checksum = await this.#receive();
      const resolver = await this.#resolve();
      const { lines } = this.#intake.warnings;
      if (lines.length > 0) await this.#input.progress.warned?.(lines);
      await this.#checkLateBlobs(resolver);
      await this.#checkReferences();
      return await this.#finish(checksum, resolver);
    } catch (error) {
      await this.#file.abort();
      this.#release();
      throw error;
    } finally {
      this.#reader.keptBase.forget();
      await this.#large.clear();
    }
  }

  #release(): void {
    this.#resolver?.rest();
    this.#entries.release();
    this.#buffers.release();
    this.#memory.end();
  }

  /** Reads the pack to its end, and returns its trailer. */
  async #receive(): Promise<Uint8Array> {
    const { head, source, progress, staysOpen = false } = this.#input;
    for (let at = 0; at < head.length; at += this.#scanner.chunkBytes) {
      await this.#take(head.subarray(at, at + this.#scanner.chunkBytes));
    }
    let buffer = new Uint8Array(Math.min(INGESTING.chunkBytes, this.#scanner.chunkBytes));
    let reported = 0;
    for (;;) {
      if (staysOpen && this.#scanner.isAtEnd) break;
      const chunk = await source.read(buffer);
      if (chunk.length === 0) break;
      await this.#take(chunk);
      buffer = new Uint8Array(chunk.buffer);
      if (this.#entries.count - reported >= INGESTING.progressObjects) {
        reported = this.#entries.count;
        await progress.received(reported, this.#receiver.declared);
      }
    }
    const trailer = this.#scanner.finish();
    if (!equal(trailer, this.#packHash.digest())) throw new ObjectRejected("pack is corrupted (SHA1 mismatch)");
    await progress.received(this.#entries.count, this.#receiver.declared);
    return trailer;
  }

  async #take(chunk: Uint8Array): Promise<void> {
    for (let at = 0; at < chunk.length; at += INGESTING.feedBytes) {
      this.#scanner.feed(this.#receiver.fed(chunk.subarray(at, at + INGESTING.feedBytes)));
      await this.#pacer.pace();
    }
    await this.#file.append(chunk);
    this.#memory.received(this.#file);
  }

  async #resolve(): Promise<DeltaResolver> {
    const { storage, progress, format } = this.#input;
    if (this.#file.inMemory === undefined) await this.#file.finish();
    // `#file` changes when a thin pack is completed, but the offsets of what was received stay.
    const packBytes = async (offset: number, length: number): Promise<Uint8Array> =>
      await this.#readStaged(this.#file, offset, length);
    const openPackBytes = async (offset: number, length: number): Promise<PackByteStream> => {
      const isShort = this.#file.inMemory !== undefined || length <= INGESTING.shortRunBytes;
      if (isShort) return bytesInMemory(await packBytes(offset, length));
      return await storage.openStream(this.#packFile, offset, length);
    };
    const resolver = new DeltaResolver({
      entries: this.#entries,
      inflating: this.#inflating,
      intake: this.#intake,
      budget: this.#budget,
      rawSize: format.rawSize,
      packEnd: this.#scanner.offset,
      packBytes,
      openPackBytes,
      buffers: this.#buffers,
      outside: {
        typesOf: async (names) => await this.#typesOf(names, INGESTING.mostBasesRead),
        prefetch: async (names) => await this.#reader.prefetch(names),
        read: async (name) => await readIfAllHeld(this.#reader, this.#inflating, name),
        chainOf: async (name) => await this.#reader.chainOf(name),
      },
      large: this.#large,
      pacer: this.#pacer,
      progress: async (done, total) => await progress.resolved(done, total),
    });
    this.#resolver = resolver;
    this.#memory.resolving(this.#file);
    await resolver.run();
    this.#memory.received(this.#file);
    return resolver;
  }

  async #readStaged(file: StagedFile, offset: number, length: number): Promise<Uint8Array> {
    const held = file.inMemory?.subarray(offset, offset + length);
    return held ?? (await this.#stagedBytes.read(this.#packFile, file.length, { offset, length }));
  }

  get #packFile(): PackFile {
    return { pack: this.#input.packName, extension: "pack" };
  }

  async #checkLateBlobs(resolver: DeltaResolver): Promise<void> {
    const { names } = this.#intake;
    const late = this.#intake.lateBlobs();
    const outside = late.filter((index) => names.entryOf(index) === NONE);
    // The first few are read at once. The reader takes one after the other.
    const few = outside.slice(0, INGESTING.mostBasesRead).map((index) => names.copy(index));
    if (few.length > 1) await this.#reader.prefetch(concat(few));
    for (const index of late) {
      await this.#pacer.pace();
      const entry = names.entryOf(index);
      if (entry !== NONE) {
        const tooLarge = this.#entries.sizeOf(entry) > this.#inflating.wholeBytes;
        const bytes = tooLarge ? undefined : this.#inflating.bytes(await resolver.content(entry));
        await this.#checkLateBlob(index, bytes);
        continue;
      }
      const name = names.copy(index);
      // If the blob is missing, the check of references says so.
      const [type] = await this.#typesOf(name, INGESTING.mostReferencesRead);
      if (type !== 0) await this.#checkLateBlob(index, (await this.#reader.copyIfHeld(name))?.bytes);
    }
  }

  async #checkLateBlob(index: number, bytes: Uint8Array | undefined): Promise<void> {
    await this.#pacer.through(this.#intake.checkLateBlob(index, bytes), LATE_PART_STEPS);
  }

  /** Returns the types of objects of the catalog: up to `few` from their entries, more from the files of types. */
  async #typesOf(names: Uint8Array, few: number): Promise<Uint8Array> {
    const { database, format } = this.#input;
    const isFew = names.length <= few * format.rawSize;
    return isFew ? await this.#reader.typesOfFew(names) : await database.typesOf(names);
  }

  async #checkReferences(): Promise<void> {
    const { shallows = [] } = this.#input;
    const wanted = this.#intake.externalReferences((entry) => this.#entries.typeOf(entry));
    if (wanted.types.length === 0) return;
    const found = await this.#typesOf(wanted.names, INGESTING.mostReferencesRead);
    checkOutsideReferences(wanted, found, () => {
      for (const name of shallows) if (this.#typeOf(name) === TYPE_NUMBER.commit) return true;
      return false;
    });
  }

  async #finish(receivedChecksum: Uint8Array, resolver: DeltaResolver): Promise<IngestedPack> {
    const { storage, packName, format, kernel, hash, tips, packSource, now } = this.#input;
    const ownObjects = this.#entries.count;
    const ownBytes = this.#scanner.offset;
    // Before thin completion: nothing refers to appended bases, and they must not clear the mark.
    const marked = this.#intake.allReachableFrom(tips);
    this.#pacer.add(this.#intake.names.count * NAME_STEPS);
    await this.#pacer.pace();
    resolver.rest();
    const checksum = await this.#store(receivedChecksum, resolver);
    const written = await writePackIndex({
      storage,
      pack: packName,
      entries: this.#entries,
      names: this.#intake.names,
      kernel,
      format,
      checksum,
      hash,
      buffers: this.#buffers,
      pacer: this.#pacer,
    });
    this.#inflating.ring.clear();
    const record: PackRecord = {
      name: packName,
      checksum: toHex(checksum),
      objects: this.#entries.count,
      ownObjects,
      packBytes: this.#file.length,
      ownBytes,
      ...written,
      marked,
      source: packSource,
      createdAt: now,
    };
    return {
      record,
      typeOf: (name) => this.#typeOf(name),
      refersTo: (name) => this.#intake.refersTo(name),
      read: async (name) => await this.#read(name),
      release: () => this.#release(),
    };
  }

  /** Stores the pack under its key, completed if it was thin. Returns its trailer. */
  async #store(receivedChecksum: Uint8Array, resolver: DeltaResolver): Promise<Uint8Array> {
    const { storage, hash, format, kernel } = this.#input;
    const bases = resolver.missingBases();
    if (bases.length === 0) {
      if (this.#file.inMemory !== undefined) await this.#file.finish();
      return receivedChecksum;
    }
    const received = this.#file;
    this.#file = new StagedFile(storage, this.#packFile, this.#buffers, received.inMemory === undefined);
    return await completeThinPack({
      received: async (offset, length) => await this.#readStaged(received, offset, length),
      entriesEnd: this.#scanner.offset,
      into: this.#file,
      entries: this.#entries,
      bases,
      open: async (base) => await this.#openBase(base, resolver),
      crc32: (crc, bytes) => sumOver(kernel, bytes, crc, (value, at, length) => kernel.crc32(value, at, length)),
      hash: hash(format.name),
      recordName: (index, entry) => this.#intake.names.setEntry(index, entry),
    });
  }

  async #openBase(base: OutsideBase, resolver: DeltaResolver): Promise<BaseContent> {
    const { kernel, deflate } = this.#input;
    if (base.large === undefined) {
      const bytes = await resolver.outsideContent(base);
      return { size: bytes.length, data: [deflate(bytes)] };
    }
    const adler32 = (adler: number, bytes: Uint8Array): number =>
      sumOver(kernel, bytes, adler, (value, at, length) => kernel.adler32(value, at, length));
    return { size: this.#large.sizeOf(base.large.node), data: largeBaseData(this.#large, base.large, adler32) };
  }

  #typeOf(name: Uint8Array): number {
    const entry = this.#intake.names.entryNamed(name);
    return entry === NONE ? 0 : this.#entries.typeOf(entry);
  }

  async #read(name: Uint8Array): Promise<Uint8Array> {
    const entry = this.#intake.names.entryNamed(name);
    if (entry === NONE || this.#resolver === undefined)
      throw new ObjectRejected(`object ${toHex(name)} is not in the pack`);
    return this.#inflating.bytes(await this.#resolver.content(entry)).slice();
  }
}

/** Takes a pack in. @throws ObjectRejected if index-pack would refuse it, LimitExceeded if it exceeds a bound. */
export async function ingestPack(input: IngestInput): Promise<IngestedPack> {
  return await new Ingest(input).run();
}
