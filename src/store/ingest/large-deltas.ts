/**
 * Applies deltas on blobs that are too large to be held. Such a blob is inflated into a scratch file beside the pack,
 * from which a delta's copies are read. The result is hashed as it is made, and goes to a scratch file of its own,
 * because it may be a base, too. Memory is a few blocks, whatever the blob's size.
 *
 * @packageDocumentation
 */
import { CorruptStore, ObjectRejected } from "../../bytes/failure.ts";
import type { Kernel } from "../../kernel/kernel.ts";
import { DeltaStream } from "../../format/delta-stream.ts";
import { TYPE_NUMBER } from "../../object/object-type.ts";
import { type DeflatedEntry, InflateStream } from "../inflate-stream.ts";
import type { Inflating } from "../inflating.ts";
import type { PartBuffers } from "./part-buffers.ts";
import type { PackFile, PackStorage } from "../../catalog/pack-storage.ts";
import type { ObjectBudget } from "./object-budget.ts";
import { StagedBytes } from "./staged-bytes.ts";
import { StagedFile } from "./staged-file.ts";

/** The size in bytes of the blocks in which a scratch file is read. */
const BLOCK_BYTES = 512 * 1024;
/** The most bytes that are hashed by one call of the kernel. */
const OUT_BYTES = 131_072;

/** A large blob's content, readable at any place. */
type Scratch = { readonly file: PackFile; readonly size: number };

/** The input of applying large deltas. */
export type LargeDeltasInput = {
  readonly storage: PackStorage;
  /** The stem of the pack being taken in, which scratch files share. */
  readonly pack: string;
  readonly inflating: Inflating;
  readonly buffers: PartBuffers;
  readonly budget: ObjectBudget;
};

/** The scratch files of one pack. {@link LargeDeltas.clear} deletes them. */
export class LargeDeltas {
  readonly #input: LargeDeltasInput;
  readonly #scratch = new Map<number, Scratch>();
  readonly #bytes: StagedBytes;
  readonly #files: PackFile[] = [];

  constructor(input: LargeDeltasInput) {
    this.#input = input;
    this.#bytes = new StagedBytes(input.storage, BLOCK_BYTES);
  }

  /** Whether the content of a node is in a scratch file. */
  has(node: number): boolean {
    return this.#scratch.has(node);
  }

  /** Writes bytes into a scratch file for `node`. */
  async keep(node: number, bytes: Uint8Array): Promise<void> {
    await this.#write(node, async (append) => await append(bytes));
  }

  /** Inflates a blob into a scratch file for `node`. Returns the length of its deflated data. */
  async unpack(node: number, entry: DeflatedEntry): Promise<number> {
    let length = 0;
    await this.#write(node, async (append) => {
      length = await this.#inflate(entry, append);
    });
    return length;
  }

  /** Returns a number that belongs to no entry and to no outside base. */
  temporaryNode(): number {
    return -1 - this.#files.length;
  }

  /** Returns the size in bytes of a node that is in a scratch file. */
  sizeOf(node: number): number {
    // A node that is not in a scratch file takes no room in one.
    return this.#scratch.get(node)?.size ?? 0;
  }

  /** Reads `[offset, offset + length)` of a node that is in a scratch file. */
  async read(node: number, offset: number, length: number): Promise<Uint8Array> {
    const from = this.#scratch.get(node);
    if (from === undefined) throw new CorruptStore("a large object is not in a scratch file");
    return await this.#input.storage.read(from.file, offset, length);
  }

  async #write(node: number, fill: (append: (bytes: Uint8Array) => Promise<void>) => Promise<void>): Promise<void> {
    const { storage, pack, buffers } = this.#input;
    const file: PackFile = { pack, extension: `scratch-${this.#files.length}` };
    this.#files.push(file);
    const staged = new StagedFile(storage, file, buffers);
    try {
      await fill(async (bytes) => await staged.append(bytes));
      await staged.finish();
    } catch (error) {
      await staged.abort();
      throw error;
    }
    this.#scratch.set(node, { file, size: staged.length });
  }

  /**
   * Applies the delta of an entry to a node that is in a scratch file. The result's name is written to `scratchAt`, and
   * its content to a scratch file for `node`. Returns its size and whether its SHA-1 is part of a collision attack.
   *
   * @throws ObjectRejected for a delta that git would refuse.
   */
  async apply(node: number, base: number, entry: DeflatedEntry): Promise<{ size: number; collision: boolean }> {
    const { kernel } = this.#input.inflating;
    const from = this.#scratch.get(base);
    if (from === undefined) throw new ObjectRejected("failed to apply delta");
    let size = -1;
    let made = 0;
    await this.#write(node, async (append) => {
      const delta = new DeltaStream();
      const emit = async (bytes: Uint8Array): Promise<void> => {
        made += bytes.length;
        if (size < 0 || made > size) throw new ObjectRejected("failed to apply delta");
        this.#hash(kernel, bytes);
        await append(bytes);
      };
      await this.#inflate(entry, async (piece) => {
        for (const step of delta.read(piece)) {
          if (step.kind === "insert") await emit(step.bytes);
          else if (step.kind === "copy") await this.#copy(from, step, emit);
          else size = this.#begin(from, step);
        }
      });
      delta.end();
    });
    if (made !== size) throw new ObjectRejected("failed to apply delta");
    return { size, collision: kernel.hashFinish(kernel.scratchAt, HASH_CONTEXT) };
  }

  #begin(from: Scratch, sizes: { readonly baseSize: number; readonly resultSize: number }): number {
    if (sizes.baseSize !== from.size) throw new ObjectRejected("failed to apply delta");
    this.#input.budget.take(sizes.resultSize);
    this.#input.inflating.kernel.hashStart(TYPE_NUMBER.blob, sizes.resultSize, HASH_CONTEXT);
    return sizes.resultSize;
  }

  #hash(kernel: Kernel, bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; at += OUT_BYTES) {
      const held = this.#input.inflating.hold(bytes.subarray(at, at + OUT_BYTES));
      kernel.hashUpdate(this.#input.inflating.pointer(held), held.size, HASH_CONTEXT);
    }
  }

  async #copy(
    from: Scratch,
    step: { readonly offset: number; readonly length: number },
    emit: (bytes: Uint8Array) => Promise<void>,
  ): Promise<void> {
    const end = step.offset + step.length;
    if (end > from.size) throw new ObjectRejected("failed to apply delta");
    for (let at = step.offset; at < end;) {
      const block = Math.floor(at / this.#bytes.blockBytes);
      const blockAt = block * this.#bytes.blockBytes;
      const bytes = await this.#bytes.block(from.file, from.size, block);
      const piece = bytes.subarray(at - blockAt, end - blockAt);
      await emit(piece);
      at += piece.length;
    }
  }

  /** Inflates an entry, piece by piece. Returns the length of its deflated data. */
  async #inflate(entry: DeflatedEntry, take: (piece: Uint8Array) => Promise<void>): Promise<number> {
    const stream = new InflateStream(this.#input.inflating, entry);
    for (let piece = await stream.next(); piece !== undefined; piece = await stream.next()) await take(piece);
    return stream.consumed;
  }

  /** Deletes the scratch files; never throws. */
  async clear(): Promise<void> {
    if (this.#files.length === 0) return;
    await this.#input.storage.delete(this.#files).catch(() => undefined);
  }
}

/** The number of the kernel's hash context used here; the scanner uses 0. */
const HASH_CONTEXT = 1;
