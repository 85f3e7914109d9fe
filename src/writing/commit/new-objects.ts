/**
 * Objects that a request makes, held deflated as the entries of a pack until they are stored.
 *
 * @packageDocumentation
 * @see gitformat-pack(5)
 */
import type { ByteSource } from "../../bytes/byte-stream.ts";
import { concat } from "../../bytes/chunk.ts";
import { LimitExceeded } from "../../bytes/failure.ts";
import { toHex } from "../../bytes/hex.ts";
import { encodeEntryHeader, entryHeaderBytes } from "../../format/pack-entry.ts";
import { encodePackHeader } from "../../format/pack-header.ts";
import type { PackByteStream } from "../../catalog/pack-storage.ts";
import type { KeptBlob } from "../../refs/kept-blobs.ts";
import type { ObjectFormat } from "../../object/object-id.ts";
import { type ObjectType, REF_DELTA } from "../../object/object-type.ts";
import { deflatedEntry, ENTRY_STEPS } from "../../packing/deflated-entry.ts";
import type { Repository } from "../../repository/repository.ts";
import type { EncodedTree } from "./directory.ts";

/** Bytes of entries that one request may hold. What is larger is sent by itself before, or pushed. */
const MOST_HELD_BYTES = 16 * 1024 * 1024;
/** Bytes of a kept blob that are read at once. */
const READ_BYTES = 262_144;
/** A tree is held as a delta if that takes at most this share of its bytes: a half. */
const DELTA_SHARE = 2;
/** Steps of naming an object, however small, and per byte of one that is hashed; bytes that are hashed at once. */
const NAME_STEPS = 1000;
const BYTE_STEPS = 1;
const HASHED_BYTES = 1_048_576;

const encoder = new TextEncoder();

/** An object: its raw name, and its entry in a pack, or the kept blob that has the entry. */
type NewObject = { readonly oid: Uint8Array } & ({ readonly entry: Uint8Array } | { readonly kept: KeptBlob });

/** What making objects takes of a repository. */
export type ObjectTools = Pick<Repository, "hash" | "deflate" | "deflatePiece" | "memory" | "pacer">;

/** Objects of one request. Call {@link NewObjects.free} when they are stored, or not wanted any more. */
export class NewObjects {
  readonly #tools: ObjectTools;
  readonly #format: ObjectFormat;
  readonly #objects = new Map<string, NewObject>();
  #heldBytes = 0;

  constructor(tools: ObjectTools, format: ObjectFormat) {
    this.#tools = tools;
    this.#format = format;
  }

  /** The number of objects. */
  get count(): number {
    return this.#objects.size;
  }

  /** Makes an object, and returns its raw name. The same object is held once. @throws LimitExceeded */
  async add(type: ObjectType, content: Uint8Array): Promise<Uint8Array> {
    const oid = await this.nameOf(type, content);
    if (this.#objects.has(toHex(oid))) return oid;
    const entry = await deflatedEntry(type, content, this.#tools);
    // Somebody may have made the same one meanwhile.
    if (!this.#objects.has(toHex(oid))) this.#hold({ oid, entry });
    return oid;
  }

  /**
   * Makes a tree. One that is much like a stored tree is held as a delta from it, as git sends it: then what both have is
   * not looked up again.
   */
  async addTree(tree: EncodedTree): Promise<Uint8Array> {
    const { content } = tree;
    if (tree.base === undefined || tree.delta.length > content.length / DELTA_SHARE)
      return await this.add("tree", content);
    const oid = await this.nameOf("tree", content);
    this.#tools.pacer.add(ENTRY_STEPS + tree.delta.length);
    if (!this.#objects.has(toHex(oid)))
      this.#hold({ oid, entry: encodeDelta(tree.base, tree.delta, this.#tools.deflate) });
    return oid;
  }

  /** Adds a blob that was sent before. Its entry is read when it is stored. */
  addKept(oid: Uint8Array, kept: KeptBlob): void {
    if (!this.#objects.has(toHex(oid))) this.#objects.set(toHex(oid), { oid, kept });
  }

  /** Whether the object of this name, in hexadecimal, is held. */
  has(oid: string): boolean {
    return this.#objects.has(oid);
  }

  /** Returns the zlib stream of an object that is held, of which `size` is the size of the content. */
  deflatedOf(oid: Uint8Array, size: number): Uint8Array | undefined {
    const object = this.#objects.get(toHex(oid));
    return object !== undefined && "entry" in object ? object.entry.subarray(entryHeaderBytes(size)) : undefined;
  }

  /** Takes over an object of others, if it is one of theirs. */
  takeFrom(others: NewObjects, oid: Uint8Array): void {
    const object = others.#objects.get(toHex(oid));
    if (object !== undefined && !this.#objects.has(toHex(oid))) this.#objects.set(toHex(oid), object);
  }

  /** Returns a pack of all objects: its header, and a source of the rest. `open` opens the entries of kept blobs. */
  pack(open: (kept: KeptBlob) => Promise<PackByteStream>): { readonly head: Uint8Array; readonly source: ByteSource } {
    const head = encodePackHeader(this.#objects.size);
    return { head, source: sourceOf(this.#pieces(head, open)) };
  }

  /** Frees the objects. */
  free(): void {
    this.#objects.clear();
    this.#tools.memory.hold(-this.#heldBytes);
    this.#heldBytes = 0;
  }

  /** Counts the steps of making objects, and pauses where that is due. */
  async pace(steps: number): Promise<void> {
    const { pacer } = this.#tools;
    pacer.add(steps);
    if (pacer.isDue) await pacer.pace();
  }

  /** Returns the raw name that an object would have. */
  async nameOf(type: ObjectType, content: Uint8Array): Promise<Uint8Array> {
    const { hash, pacer } = this.#tools;
    const running = hash(this.#format.name);
    running.update(encoder.encode(`${type} ${content.length}\0`));
    pacer.add(NAME_STEPS);
    if (pacer.isDue) await pacer.pace();
    for (let at = 0; at < content.length; at += HASHED_BYTES) {
      const piece = content.subarray(at, at + HASHED_BYTES);
      running.update(piece);
      pacer.add(piece.length * BYTE_STEPS);
      if (pacer.isDue) await pacer.pace();
    }
    return running.digest();
  }

  async *#pieces(head: Uint8Array, open: (kept: KeptBlob) => Promise<PackByteStream>): AsyncGenerator<Uint8Array> {
    const sum = this.#tools.hash(this.#format.name);
    sum.update(head);
    for (const object of this.#objects.values()) {
      const pieces = "entry" in object ? [object.entry] : piecesOf(await open(object.kept));
      for await (const piece of pieces) {
        sum.update(piece);
        yield piece;
      }
    }
    yield sum.digest();
  }

  #hold(object: { readonly oid: Uint8Array; readonly entry: Uint8Array }): void {
    this.#heldBytes += object.entry.length;
    this.#tools.memory.hold(object.entry.length);
    if (this.#heldBytes > MOST_HELD_BYTES) {
      throw new LimitExceeded(
        "new-object-bytes",
        MOST_HELD_BYTES,
        `what is new takes more than ${MOST_HELD_BYTES} bytes: send large contents as blobs before, or push`,
      );
    }
    this.#objects.set(toHex(object.oid), object);
  }
}

/** Makes the entry of an object that is a delta from another, by the other's raw name. */
function encodeDelta(base: Uint8Array, delta: Uint8Array, deflate: (bytes: Uint8Array) => Uint8Array): Uint8Array {
  const head = new Uint8Array(entryHeaderBytes(delta.length));
  encodeEntryHeader(REF_DELTA, delta.length, head, 0);
  return concat([head, base, deflate(delta)]);
}

/** Yields what a stored file has. */
async function* piecesOf(stream: PackByteStream): AsyncGenerator<Uint8Array> {
  try {
    for (;;) {
      const piece = await stream.read(new Uint8Array(READ_BYTES));
      if (piece.length === 0) return;
      yield piece;
    }
  } finally {
    await stream.cancel();
  }
}

/** Returns a source of pieces. */
function sourceOf(pieces: AsyncIterator<Uint8Array>): ByteSource {
  let rest: Uint8Array = new Uint8Array(0);
  const fill = async (buffer: Uint8Array): Promise<number> => {
    let filled = 0;
    while (filled < buffer.length) {
      if (rest.length === 0) {
        const next = await pieces.next();
        if (next.done === true) break;
        rest = next.value;
      }
      const length = Math.min(rest.length, buffer.length - filled);
      buffer.set(rest.subarray(0, length), filled);
      rest = rest.subarray(length);
      filled += length;
    }
    return filled;
  };
  return { read: async (buffer) => buffer.subarray(0, await fill(buffer)) };
}
