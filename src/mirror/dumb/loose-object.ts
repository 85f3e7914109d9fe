/**
 * Loose objects: files that are the zlib stream of `{type} {size}\0` and the content.
 *
 * @packageDocumentation
 * @see gitrepository-layout(5), object-file.c
 */
import type { ByteSource } from "../../bytes/byte-stream.ts";
import { concat } from "../../bytes/chunk.ts";
import { LimitExceeded } from "../../bytes/failure.ts";
import type { ObjectType } from "../../object/object-type.ts";
import { UpstreamFailure } from "../upstream.ts";

const CHUNK_BYTES = 65_536;
/** Bytes up to which a blob is read at once. A larger one is read again, as it is stored. */
export const HELD_BLOB_BYTES = 262_144;
/** Bytes of a loose commit, tree or tag: they are held whole, since they have to be followed. */
const MOST_FOLLOWED_BYTES = 4 * 1024 * 1024;
/** Bytes of the head of a loose object. */
const MOST_HEAD_BYTES = 32;
const HEAD = /^(commit|tree|blob|tag) (0|[1-9]\d{0,14})$/;

/** The head of a loose object, and its content where that is held. */
export type LooseObject = {
  readonly type: ObjectType;
  readonly size: number;
  readonly content: Uint8Array | undefined;
};

function isType(text: string | undefined): text is ObjectType {
  return text === "commit" || text === "tree" || text === "blob" || text === "tag";
}

/** A loose object that is inflated as it comes. */
export class LooseReader {
  readonly #hex: string;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  #rest: Uint8Array = new Uint8Array(0);
  #failure: Error | undefined;

  /** Reads the file of the object `hex` from `source`. */
  constructor(source: ByteSource, hex: string) {
    this.#hex = hex;
    const file = new ReadableStream<Uint8Array<ArrayBuffer>>({
      pull: async (controller) => {
        try {
          const piece = await source.read(new Uint8Array(CHUNK_BYTES));
          if (piece.length === 0) controller.close();
          else controller.enqueue(piece);
        } catch (error) {
          // Behind the inflater nobody would know it again.
          this.#failure = error instanceof Error ? error : undefined;
          controller.error(error);
        }
      },
    });
    this.#reader = file.pipeThrough(new DecompressionStream("deflate")).getReader();
  }

  #isNone(): never {
    throw new UpstreamFailure(`The upstream's file of the object ${this.#hex} is no object.`);
  }

  /** Returns what comes next; nothing at the end. */
  async next(): Promise<Uint8Array> {
    const held = this.#rest;
    this.#rest = new Uint8Array(0);
    if (held.length > 0) return held;
    try {
      const { done, value } = await this.#reader.read();
      if (done) return new Uint8Array(0);
      return value.length > 0 ? value : await this.next();
    } catch {
      if (this.#failure !== undefined) throw this.#failure;
      return this.#isNone();
    }
  }

  /** Reads the head. It is the first call. */
  async head(): Promise<{ readonly type: ObjectType; readonly size: number }> {
    let bytes: Uint8Array = new Uint8Array(0);
    while (!bytes.includes(0) && bytes.length < MOST_HEAD_BYTES) {
      const piece = await this.next();
      if (piece.length === 0) this.#isNone();
      bytes = concat([bytes, piece]);
    }
    const end = bytes.indexOf(0);
    const [, type, size] = HEAD.exec(new TextDecoder().decode(bytes.subarray(0, Math.max(0, end)))) ?? [];
    if (!isType(type)) return this.#isNone();
    this.#rest = bytes.subarray(end + 1);
    return { type, size: Number(size) };
  }

  /** Returns the content, which has to be of this size. */
  async content(size: number): Promise<Uint8Array> {
    const pieces: Uint8Array[] = [];
    let length = 0;
    while (length <= size) {
      const piece = await this.next();
      if (piece.length === 0) break;
      pieces.push(piece);
      length += piece.length;
    }
    return length === size ? concat(pieces) : this.#isNone();
  }

  /** Ends the reading. */
  async cancel(): Promise<void> {
    await this.#reader.cancel().catch(() => undefined);
  }
}

/**
 * Reads a loose object, but for the content of a large blob.
 *
 * @throws UpstreamFailure if it is none, LimitExceeded if it has to be followed and is too large for that.
 */
export async function readLoose(source: ByteSource, hex: string): Promise<LooseObject> {
  const reader = new LooseReader(source, hex);
  try {
    const { type, size } = await reader.head();
    if (type === "blob" && size > HELD_BLOB_BYTES) return { type, size, content: undefined };
    if (size > MOST_FOLLOWED_BYTES) {
      const why = `the loose object ${hex} has more than ${MOST_FOLLOWED_BYTES} bytes: run git gc there`;
      throw new LimitExceeded("mirror-loose-bytes", MOST_FOLLOWED_BYTES, why);
    }
    return { type, size, content: await reader.content(size) };
  } finally {
    await reader.cancel();
  }
}
