/**
 * The content of blobs: held whole where they are small, streamed out of their pack where they are large.
 *
 * @packageDocumentation
 */
import { CorruptStore, LimitExceeded } from "../bytes/failure.ts";
import { inflatedPieces } from "../store/entry-stream.ts";
import type { PackHandle } from "../store/pack-handle.ts";
import type { PackByteStream } from "../store/pack-storage.ts";
import type { BrowseSession } from "./browse-session.ts";

/** Bytes that are opened at once: what zlib makes of a blob is never larger, but other streams may be. */
function runBytes(size: number): number {
  return size + 5 * Math.ceil(size / 16_384) + 64;
}

/** Reads from `at` to `end`, opening one run after another as they are used up. */
function inRuns(handle: PackHandle, at: number, end: number, run: number): PackByteStream {
  let next = at;
  let open: PackByteStream | undefined;
  return {
    read: async (buffer) => {
      const stream = (open ??= await handle.openRun(next, Math.min(run, end - next)));
      const bytes = await stream.read(buffer);
      next += bytes.length;
      if (bytes.length > 0 || next >= end) return bytes;
      open = await handle.openRun(next, Math.min(run, end - next));
      return await open.read(new Uint8Array(bytes.buffer));
    },
    cancel: async () => await open?.cancel(),
  };
}

/** A blob that can be read. */
export type OpenBlob = {
  readonly size: number;
  /** Whether it is in memory, so that nothing more is read of the store, and the session may be closed. */
  readonly isHeld: boolean;
  /** The content, piece by piece; each is the caller's. To be read once, before anything else is read in the session. */
  readonly pieces: AsyncIterable<Uint8Array>;
};

/**
 * Opens a blob by raw name.
 *
 * @throws LimitExceeded where it is too large to be held and is not stored in one piece.
 */
export async function openBlob(session: BrowseSession, name: Uint8Array): Promise<OpenBlob> {
  const { reader, inflating } = session.graph;
  const size = await reader.sizeOf(name);
  if (size <= inflating.wholeBytes) {
    const { bytes } = await reader.readCopy(name);
    return { size, isHeld: true, pieces: once(bytes) };
  }
  return { size, isHeld: false, pieces: largePieces(session, name, size) };
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

async function* largePieces(session: BrowseSession, name: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  const { reader, inflating, database } = session.graph;
  const { entries } = await reader.chainOf(name);
  const [entry] = entries;
  if (entry === undefined) throw new CorruptStore("an object is made from nothing");
  if (entries.length > 1) {
    const most = inflating.wholeBytes;
    throw new LimitExceeded(
      "wholeObjectBytes",
      most,
      `a blob of ${size} bytes that is stored as a delta exceeds the limit of ${most} bytes; clone the repository to get it`,
    );
  }
  const { pack } = await database.offsetOf(name);
  const handle = database.packs[pack];
  if (handle === undefined) throw new CorruptStore(`no pack ${pack}`);
  yield* inflatedPieces(inflating, inRuns(handle, entry.at, entry.end, runBytes(size)), size);
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
