/**
 * The content of blobs. A small blob is held whole; a large one is read from its pack piece by piece.
 *
 * @packageDocumentation
 */
import { itemAt } from "../bytes/assert.ts";
import { concat } from "../bytes/chunk.ts";
import { CorruptStore, storedFault } from "../bytes/failure.ts";
import { type DeflatedBytes, type DeflatedEntry, InflateStream } from "../store/inflate-stream.ts";
import { openLargeContent } from "../store/large-content.ts";
import type { PackHandle } from "../store/pack-handle.ts";
import type { PackByteStream } from "../catalog/pack-storage.ts";
import type { BrowseSession } from "./browse-session.ts";

/** The bytes of the largest file whose content is compared with that of others. */
export const MOST_COMPARED_BYTES = 2 * 1024 * 1024;

/**
 * Returns the bytes to open at once. The output of zlib is never larger than this for a blob, but that of other
 * compressors may be.
 */
function runBytes(size: number): number {
  return size + 5 * Math.ceil(size / 16_384) + 64;
}

/** Reads a pack in order, in one operation, or in several if the first run was too short. */
class RunReader {
  readonly #handle: PackHandle;
  readonly #end: number;
  readonly #run: number;
  #open: PackByteStream | undefined;

  constructor(handle: PackHandle, { end, size }: DeflatedEntry) {
    this.#handle = handle;
    this.#end = end;
    this.#run = runBytes(size);
  }

  /** Reads the bytes after those that were read last. */
  readonly read: DeflatedBytes = async (offset, length) => {
    this.#open ??= await this.#openAt(offset);
    const bytes = await this.#open.read(new Uint8Array(length));
    if (bytes.length > 0 || offset >= this.#end) return bytes;
    this.#open = await this.#openAt(offset);
    return await this.#open.read(new Uint8Array(length));
  };

  async close(): Promise<void> {
    await this.#open?.cancel();
  }

  async #openAt(offset: number): Promise<PackByteStream> {
    return await this.#handle.openRun(offset, Math.min(this.#run, this.#end - offset));
  }
}

/** A blob that can be read. */
export type OpenBlob = {
  readonly size: number;
  /** Whether the content is in memory. If so, nothing more is read from the store, and the session may be closed. */
  readonly isHeld: boolean;
  /** The content, piece by piece. Each piece is valid until the next is requested. The content can be read once. */
  readonly pieces: AsyncIterable<Uint8Array>;
};

/**
 * Opens a blob by its raw name.
 *
 * @throws MissingObject, CorruptStore; its pieces also throw LimitExceeded if the content would take too much work to
 *   read.
 */
export async function openBlob(session: BrowseSession, name: Uint8Array): Promise<OpenBlob> {
  const { reader, inflating } = session.graph;
  const size = await reader.sizeOf(name);
  const copy = size <= inflating.wholeBytes ? await reader.copyIfHeld(name) : undefined;
  if (copy !== undefined) return { size, isHeld: true, pieces: once(copy.bytes) };
  return { size, isHeld: false, pieces: largePieces(session, name) };
}

/** The content of a blob, or of its beginning. The bytes are the caller's, and the session accounts for them. */
export type BlobBytes = { readonly size: number; readonly bytes: Uint8Array; readonly isWhole: boolean };

/** Reads a blob whole if it has at most `most` bytes, and else some of its first bytes. */
export async function readBlob(session: BrowseSession, name: Uint8Array, most: number): Promise<BlobBytes> {
  const { size, pieces } = await openBlob(session, name);
  const isWhole = size <= most;
  const all: Uint8Array[] = [];
  for await (const piece of pieces) {
    all.push(piece.slice(0, most));
    if (!isWhole) break;
  }
  const bytes = concat(all);
  session.keep(bytes.length);
  return { size, bytes, isWhole };
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

async function* largePieces(session: BrowseSession, name: Uint8Array): AsyncGenerator<Uint8Array> {
  const { reader, inflating, database } = session.graph;
  const chain = await reader.chainOf(name);
  const [entry, base] = chain.entries;
  if (entry === undefined) throw new CorruptStore("an object is made from nothing");
  if (base !== undefined) {
    yield* (await openLargeContent(inflating, chain, { kept: reader.keptBase })).pieces;
    return;
  }
  const { pack } = await database.offsetOf(name);
  const handle = itemAt(database.packs, pack);
  const run = new RunReader(handle, entry);
  try {
    const stream = new InflateStream(inflating, { ...entry, read: run.read });
    for (let piece = await stream.next(); piece !== undefined; piece = await stream.next()) yield piece;
  } catch (error) {
    throw storedFault(error, { pack: handle.record.name, offset: entry.at });
  } finally {
    await run.close();
  }
}

/** Cuts `[offset, offset + length)` out of pieces, and stops reading behind it. */
export async function* cutPieces(
  pieces: AsyncIterable<Uint8Array>,
  offset: number,
  length: number,
): AsyncGenerator<Uint8Array> {
  let at = 0;
  const end = offset + length;
  if (length === 0) return;
  for await (const piece of pieces) {
    const from = Math.max(0, offset - at);
    const to = Math.min(piece.length, end - at);
    if (from < to) yield piece.subarray(from, to);
    at += piece.length;
    if (at >= end) return;
  }
}

/** Whether a blob that begins with these bytes is text, as git decides it. */
export function isText(first: Uint8Array): boolean {
  return !first.subarray(0, 8000).includes(0);
}
