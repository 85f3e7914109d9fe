/**
 * Applies deltas on blobs that are too large to be held. Such a blob is inflated into a scratch file beside the pack,
 * from which a delta's copies are read. A result that can be held is: many small blobs may build on a large one, and
 * each file is a write of the bucket. Any other is hashed as it is made, and goes to a scratch file of its own, because
 * it may be a base, too. Memory is a few blocks and one such result, whatever the blob's size.
 *
 * @packageDocumentation
 */
import { itemAt } from "../../bytes/assert.ts";
import { CorruptStore, ObjectRejected } from "../../bytes/failure.ts";
import { freeMemory } from "../../bytes/free-memory.ts";
import type { Kernel } from "../../kernel/kernel.ts";
import { type DeltaStep, DeltaStream } from "../../format/delta-stream.ts";
import { TYPE_NUMBER } from "../../object/object-type.ts";
import { type DeflatedEntry, InflateStream } from "../inflate-stream.ts";
import type { Held, Inflating } from "../inflating.ts";
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

/**
 * What a delta makes: held, or in a scratch file because it is too large for that. Its name is at `scratchAt` of the kernel then,
 * and `collision` is whether its SHA-1 is part of a collision attack.
 */
export type LargeResult =
  | { readonly kind: "held"; readonly held: Held }
  | { readonly kind: "passed"; readonly size: number; readonly collision: boolean };

/** What entries of the catalog make: in a scratch file, or in memory. */
export type Made = { readonly node: number } | { readonly bytes: Uint8Array };

/** A node that is in a scratch file, and the length of its deflated data where it is an entry that is no delta. */
type Stored = { readonly node: number; readonly length: number };

/** Takes what a delta makes, piece by piece. */
type Target = {
  append(bytes: Uint8Array): Promise<void>;
  finish(): Promise<LargeResult>;
  abort(): Promise<void>;
};

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
  /** Entries of the catalog whose content, or what they make, is in a scratch file. */
  readonly #stored = new Map<string, Stored>();
  #temporary = 0;

  constructor(input: LargeDeltasInput) {
    this.#input = input;
    this.#bytes = new StagedBytes(input.storage, BLOCK_BYTES, (bytes) => input.budget.readBack(bytes));
  }

  /** Whether the content of a node is in a scratch file. */
  has(node: number): boolean {
    return this.#scratch.has(node);
  }

  /** Writes bytes into a scratch file for `node`. */
  async keep(node: number, bytes: Uint8Array): Promise<void> {
    await this.#write(node, async (append) => await append(bytes));
  }

  /** Inflates a blob into a scratch file for `node`. */
  async unpack(node: number, entry: DeflatedEntry): Promise<void> {
    await this.#unpack(node, entry);
  }

  /** Inflates an entry of the catalog into a scratch file, or returns the one that has it. `key` tells such entries apart. */
  async unpackStored(key: string, entry: DeflatedEntry): Promise<Stored> {
    const known = this.#stored.get(key);
    if (known !== undefined) return known;
    const node = this.#temporaryNode();
    const stored = { node, length: await this.#unpack(node, entry) };
    this.#stored.set(key, stored);
    return stored;
  }

  /** Applies a delta of the catalog. A result that is too large to be held is made once, and lies in a scratch file. */
  async applyStored(key: string, below: Made, entry: DeflatedEntry): Promise<Made> {
    const known = this.#stored.get(key);
    if (known !== undefined) return known;
    const base = "node" in below ? below.node : this.#temporaryNode();
    if ("bytes" in below) await this.keep(base, below.bytes);
    const node = this.#temporaryNode();
    const result = await this.apply(node, base, entry);
    if (result.kind === "held") return { bytes: this.#input.inflating.bytes(result.held).slice() };
    this.#stored.set(key, { node, length: 0 });
    return { node };
  }

  /** Lets a node have the content of another one that is in a scratch file. */
  share(node: number, from: number): void {
    const scratch = this.#scratch.get(from);
    if (scratch !== undefined) this.#scratch.set(node, scratch);
  }

  async #unpack(node: number, entry: DeflatedEntry): Promise<number> {
    let length = 0;
    await this.#write(node, async (append) => {
      length = await this.#inflate(entry, append);
    });
    return length;
  }

  /** Returns a number that belongs to no entry and to no outside base. */
  #temporaryNode(): number {
    this.#temporary += 1;
    return -this.#temporary;
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

  /** Begins a scratch file. */
  #begun(): { readonly file: PackFile; readonly staged: StagedFile } {
    const { storage, pack, buffers } = this.#input;
    const file: PackFile = { pack, extension: `scratch-${this.#files.length}` };
    this.#files.push(file);
    return { file, staged: new StagedFile(storage, file, buffers) };
  }

  async #write(node: number, fill: (append: (bytes: Uint8Array) => Promise<void>) => Promise<void>): Promise<void> {
    const { file, staged } = this.#begun();
    try {
      await fill(async (bytes) => await staged.append(bytes));
      await staged.finish();
      staged.release();
    } catch (error) {
      await staged.abort();
      throw error;
    }
    this.#scratch.set(node, { file, size: staged.length });
  }

  /**
   * Applies the delta of an entry to a node that is in a scratch file. Where the result is too large to be held, it goes to a scratch file
   * for `node`.
   *
   * @throws ObjectRejected for a delta that git would refuse, and LimitExceeded for one that reads too much of its base again.
   */
  async apply(node: number, base: number, entry: DeflatedEntry): Promise<LargeResult> {
    const from = this.#scratch.get(base);
    if (from === undefined) throw new ObjectRejected("failed to apply delta");
    const delta = new DeltaStream();
    const targets: Target[] = [];
    try {
      await this.#inflate(entry, async (piece) => {
        for (const step of delta.read(piece)) {
          if (step.kind === "sizes") targets.push(this.#target(node, from, step));
          else for (const target of targets) await this.#append(from, step, target);
        }
      });
      delta.end();
      // A delta that has ended has said its sizes, once.
      return await itemAt(targets, 0).finish();
    } catch (error) {
      for (const target of targets) await target.abort();
      throw error;
    }
  }

  /** Appends what one step of a delta makes. */
  async #append(from: Scratch, step: Exclude<DeltaStep, { kind: "sizes" }>, target: Target): Promise<void> {
    if (step.kind === "insert") await target.append(step.bytes);
    else await this.#copy(from, step, (bytes) => target.append(bytes));
  }

  /** Returns what takes the result of a delta with these sizes. */
  #target(
    node: number,
    from: Scratch,
    { baseSize, resultSize }: { readonly baseSize: number; readonly resultSize: number },
  ): Target {
    const { budget, inflating } = this.#input;
    if (baseSize !== from.size) throw new ObjectRejected("failed to apply delta");
    budget.take(resultSize);
    return resultSize <= inflating.wholeBytes ? this.#heldTarget(resultSize) : this.#fileTarget(node, resultSize);
  }

  #heldTarget(size: number): Target {
    const made = new Uint8Array(size);
    let at = 0;
    return {
      append: async (bytes) => {
        if (at + bytes.length > size) throw new ObjectRejected("failed to apply delta");
        made.set(bytes, at);
        at += bytes.length;
      },
      finish: async () => {
        if (at !== size) throw new ObjectRejected("failed to apply delta");
        const held = this.#input.inflating.hold(made);
        freeMemory(made);
        return { kind: "held", held };
      },
      abort: async () => freeMemory(made),
    };
  }

  #fileTarget(node: number, size: number): Target {
    const { kernel } = this.#input.inflating;
    const { file, staged } = this.#begun();
    kernel.hashStart(TYPE_NUMBER.blob, size, HASH_CONTEXT);
    return {
      append: async (bytes) => {
        if (staged.length + bytes.length > size) throw new ObjectRejected("failed to apply delta");
        this.#hash(kernel, bytes);
        await staged.append(bytes);
      },
      finish: async () => {
        if (staged.length !== size) throw new ObjectRejected("failed to apply delta");
        await staged.finish();
        staged.release();
        this.#scratch.set(node, { file, size });
        return { kind: "passed", size, collision: kernel.hashFinish(kernel.scratchAt, HASH_CONTEXT) };
      },
      abort: async () => await staged.abort(),
    };
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
      await this.#input.budget.pace();
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
