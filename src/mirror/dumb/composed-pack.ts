/**
 * Makes one pack of what comes from a dumb upstream: entries of its packs as they lie there, and its loose objects.
 *
 * A delta names its base by its distance in its own pack. Where a pack comes as a whole this stays right; where entries
 * are left out, the base is named by its name, whose object comes from elsewhere or is here.
 *
 * @packageDocumentation
 * @see gitformat-pack(5)
 */
import { u32At } from "../../bytes/assert.ts";
import type { ByteSource } from "../../bytes/byte-stream.ts";
import { concat } from "../../bytes/chunk.ts";
import type { HashFactory } from "../../bytes/hash.ts";
import { encodeEntryHeader, EntryHeader, entryHeaderBytes, MAX_ENTRY_HEADER_BYTES } from "../../format/pack-entry.ts";
import { decodePackHeader, encodePackHeader, PACK_HEADER_BYTES } from "../../format/pack-header.ts";
import type { ObjectFormat } from "../../object/object-id.ts";
import { OFS_DELTA, REF_DELTA, TYPE_NUMBER } from "../../object/object-type.ts";
import type { OpenedPack } from "../slices.ts";
import { UpstreamFailure } from "../upstream.ts";
import type { IndexedPack } from "./indexed-packs.ts";
import { LooseReader } from "./loose-object.ts";
import { GAP_BYTES, PackCursor } from "./pack-cursor.ts";
import type { UpstreamFiles } from "./upstream-files.ts";
import { loosePath, type WantedObjects } from "./wanted-objects.ts";

/** The most bytes of a piece. */
const PIECE_BYTES = 262_144;

/** What is needed to make a pack. */
export type ComposeTools = {
  readonly files: UpstreamFiles;
  readonly format: ObjectFormat;
  readonly hash: HashFactory;
};

/** Opens the pack. Nothing of it is asked for before it is read. */
export function composePack(tools: ComposeTools, wanted: WantedObjects): OpenedPack {
  const packed = wanted.packs.reduce((sum, { taken }) => sum + taken.reduce((count, one) => count + one, 0), 0);
  const count = packed + wanted.loose.length;
  const head = encodePackHeader(count);
  const pieces = piecesOf(tools, wanted, head);
  return {
    head,
    count,
    incoming: { source: sourceOf(pieces), cancel: async () => void (await pieces.return(undefined)) },
  };
}

async function* piecesOf(
  tools: ComposeTools,
  wanted: WantedObjects,
  head: Uint8Array,
): AsyncGenerator<Uint8Array, undefined> {
  const sum = tools.hash(tools.format.name);
  sum.update(head);
  for await (const piece of entriesOf(tools, wanted)) {
    sum.update(piece);
    yield piece;
  }
  yield sum.digest();
}

async function* entriesOf(tools: ComposeTools, wanted: WantedObjects): AsyncGenerator<Uint8Array> {
  for (const pack of wanted.packs) {
    const cursor = new PackCursor(tools.files, `objects/pack/${pack.name}.pack`);
    try {
      yield* pack.taken.includes(0) ? someEntries(cursor, pack) : allEntries(cursor, pack);
    } finally {
      await cursor.cancel();
    }
  }
  for (const { hex, entry } of wanted.loose) {
    if (entry === undefined) yield* largeBlob(tools, hex);
    else yield entry;
  }
}

/** Yields what a cursor still has, but for the checksum at the end of its file. */
async function* upToTrailer(cursor: PackCursor, rawSize: number): AsyncGenerator<Uint8Array> {
  let last: Uint8Array = new Uint8Array(0);
  for (;;) {
    const piece = await cursor.read(PIECE_BYTES);
    if (piece.length === 0) break;
    const both = concat([last, piece]);
    const end = Math.max(0, both.length - rawSize);
    if (end > 0) yield both.subarray(0, end);
    last = both.subarray(end);
  }
  if (last.length < rawSize) throw new UpstreamFailure("The upstream's answer broke off.");
}

async function* exactly(cursor: PackCursor, length: number): AsyncGenerator<Uint8Array> {
  for (let left = length; left > 0;) {
    const piece = await cursor.read(Math.min(left, PIECE_BYTES));
    if (piece.length === 0) throw new UpstreamFailure("The upstream's answer broke off.");
    left -= piece.length;
    yield piece;
  }
}

/** Yields the entries of a whole pack, as they are. */
async function* allEntries(cursor: PackCursor, { index, name }: IndexedPack): AsyncGenerator<Uint8Array> {
  await cursor.seek({ from: 0 });
  let head: Uint8Array = new Uint8Array(0);
  for await (const piece of exactly(cursor, PACK_HEADER_BYTES)) head = concat([head, piece]);
  if (decodePackHeader(head).count !== index.count) {
    throw new UpstreamFailure(`The upstream's pack ${name} is not the one of its index.`);
  }
  yield* upToTrailer(cursor, index.format.rawSize);
}

/** An entry that comes: the offsets at which it begins and ends. The last of a pack ends before the pack's checksum. */
type Span = { readonly from: number; readonly to: number | undefined };

/** Yields the entries that are taken, in the order in which they lie in the pack. */
function* spansOf({ index, taken, byOffset }: IndexedPack, firstRank = 0): Generator<Span & { readonly rank: number }> {
  for (let rank = firstRank; rank < byOffset.length; rank++) {
    const position = u32At(byOffset, rank);
    if (taken[position] !== 1) continue;
    const isLast = rank + 1 === byOffset.length;
    const to = isLast ? undefined : index.offsetAt(u32At(byOffset, rank + 1));
    yield { rank, from: index.offsetAt(position), to };
  }
}

/** Returns where the request ends with which the entry of a rank comes: entries that lie near come together. */
function endOf(pack: IndexedPack, rank: number): number | undefined {
  let end: number | undefined;
  for (const { from, to } of spansOf(pack, rank)) {
    if (end !== undefined && from - end > GAP_BYTES) break;
    if (to === undefined) return undefined;
    end = to;
  }
  return end;
}

/** Yields the entries of a pack that are taken, with bases named so that they are found wherever they are. */
async function* someEntries(cursor: PackCursor, pack: IndexedPack): AsyncGenerator<Uint8Array> {
  const { rawSize } = pack.index.format;
  const header = new EntryHeader();
  let end: number | undefined = 0;
  for (const { rank, from, to } of spansOf(pack)) {
    // All that come with one request have its end.
    if (end !== undefined && from >= end) end = endOf(pack, rank);
    await cursor.seek({ from, ...(end === undefined ? {} : { to: end }) });
    const rest = to === undefined ? upToTrailer(cursor, rawSize) : exactly(cursor, to - from);
    let beginning: Uint8Array = new Uint8Array(0);
    while (beginning.length < MAX_ENTRY_HEADER_BYTES) {
      const next = await rest.next();
      if (next.done === true) break;
      beginning = concat([beginning, next.value]);
    }
    if (header.decode(beginning, 0, beginning.length, rawSize) === "short") {
      throw new UpstreamFailure(`The upstream's pack ${pack.name} is not the one of its index.`);
    }
    if (header.type === OFS_DELTA) yield refDelta(header.size, pack.nameAtOffset(from - header.distance));
    yield beginning.subarray(header.type === OFS_DELTA ? header.headerBytes : 0);
    yield* rest;
  }
}

function refDelta(size: number, base: Uint8Array): Uint8Array {
  const head = new Uint8Array(entryHeaderBytes(size));
  encodeEntryHeader(REF_DELTA, size, head, 0);
  return concat([head, base]);
}

/** Yields the entry of a loose blob that is not held: inflated and deflated as it comes. */
async function* largeBlob({ files }: ComposeTools, hex: string): AsyncGenerator<Uint8Array> {
  const answer = await files.open(loosePath(hex));
  if (answer === undefined) throw new UpstreamFailure(`The upstream lacks the object ${hex}.`);
  const reader = new LooseReader(answer.body, hex);
  try {
    const { type, size } = await reader.head();
    const head = new Uint8Array(entryHeaderBytes(size));
    encodeEntryHeader(TYPE_NUMBER[type], size, head, 0);
    yield head;
    const failure: { reason?: Error | undefined } = {};
    const content = new ReadableStream<Uint8Array<ArrayBuffer>>({
      pull: async (controller) => {
        try {
          const piece = await reader.next();
          if (piece.length === 0) controller.close();
          else controller.enqueue(piece.slice());
        } catch (error) {
          failure.reason = error instanceof Error ? error : undefined;
          controller.error(error);
        }
      },
    });
    yield* deflated(content, failure);
  } finally {
    await reader.cancel();
    await answer.cancel();
  }
}

async function* deflated(
  content: ReadableStream<Uint8Array<ArrayBuffer>>,
  failure: { readonly reason?: Error | undefined },
): AsyncGenerator<Uint8Array> {
  const reader = content.pipeThrough(new CompressionStream("deflate")).getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } catch (error) {
    throw failure.reason ?? error;
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

/** Returns a source of pieces. */
function sourceOf(pieces: AsyncIterator<Uint8Array>): ByteSource {
  let rest: Uint8Array = new Uint8Array(0);
  return {
    read: async (buffer) => {
      while (rest.length === 0) {
        const next = await pieces.next();
        if (next.done === true) return buffer.subarray(0, 0);
        rest = next.value;
      }
      const length = Math.min(rest.length, buffer.length);
      buffer.set(rest.subarray(0, length));
      rest = rest.subarray(length);
      return buffer.subarray(0, length);
    },
  };
}
