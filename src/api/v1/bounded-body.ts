/**
 * Reads bodies that are larger than those of other requests, at the pace of their clients, and counts the memory that
 * they take.
 *
 * @packageDocumentation
 */
import type { Context } from "hono";
import type { ByteSource } from "../../bytes/byte-stream.ts";
import { concat } from "../../bytes/chunk.ts";
import type { RequestMemory } from "../../bytes/memory-budget.ts";
import { requestSource } from "../../http/body.ts";
import { Problem } from "../../http/problem.ts";
import type { ApiEnv } from "../api-host.ts";

/** Bytes that are read at once. */
const PIECE = 65_536;
const LINE_FEED = 0x0a;

/** Returns a request's body, unzipped if it is zipped. */
export function bodySource(context: Context<ApiEnv>, memory: RequestMemory): ByteSource {
  const { raw } = context.req;
  const encoding = raw.headers.get("Content-Encoding")?.toLowerCase();
  const isZipped = encoding === "gzip" || encoding === "x-gzip";
  return requestSource(raw.body, isZipped, memory, context.var.host.traffic);
}

/** Reads UTF-8. @throws Problem */
export function strictText(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: false }).decode(bytes);
  } catch (cause) {
    throw new Problem(400, "The body is not UTF-8.", {}, { cause });
  }
}

/** Reads a whole body of at most `most` bytes. `seen` is shown each piece. @throws Problem */
export async function readWhole(
  source: ByteSource,
  most: number,
  seen: (bytes: Uint8Array) => void,
): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  for (;;) {
    const piece = await source.read(new Uint8Array(PIECE));
    if (piece.length === 0) return concat(pieces);
    length += piece.length;
    if (length > most) throw new Problem(413, `A body of this kind may have ${most} bytes.`);
    seen(piece);
    pieces.push(piece);
  }
}

/**
 * Reads a body line by line. A line feed at the end of the last line may be missing, and empty lines count for nothing.
 *
 * @throws Problem if a line has more than `most` bytes, or is not UTF-8.
 */
export async function* readLines(
  source: ByteSource,
  most: number,
  seen: (bytes: Uint8Array) => void,
): AsyncGenerator<string> {
  let begun: Uint8Array[] = [];
  let length = 0;
  for (;;) {
    const piece = await source.read(new Uint8Array(PIECE));
    seen(piece);
    let from = 0;
    for (let end = piece.indexOf(LINE_FEED); end >= 0; end = piece.indexOf(LINE_FEED, from)) {
      const line = strictText(concat([...begun, piece.subarray(from, end)]));
      [begun, length, from] = [[], 0, end + 1];
      if (line.trim() !== "") yield line;
    }
    if (piece.length > 0) begun.push(piece.subarray(from));
    length += piece.length - from;
    if (length > most) throw new Problem(413, `A line may have ${most} bytes.`);
    if (piece.length > 0) continue;
    const last = strictText(concat(begun));
    if (last.trim() !== "") yield last;
    return;
  }
}
