/** Data in the format of gzip, as it is read. */
import { setImmediate as turn } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { UnzippedStream } from "../../../src/http/unzip.ts";

const PIECE = 1000;
const BUFFER = 65_536;
const MB = 1_000_000;

/** A stream of data in pieces. */
function streamOf(zipped: Uint8Array): UnzippedStream {
  let at = 0;
  return new UnzippedStream(async () => {
    if (at >= zipped.length) return undefined;
    at += PIECE;
    return zipped.subarray(at - PIECE, at);
  });
}

async function readAll(stream: UnzippedStream): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for (;;) {
    const buffer = Buffer.alloc(BUFFER);
    const count = await stream.read(buffer);
    if (count === 0) return Buffer.concat(pieces);
    pieces.push(buffer.subarray(0, count));
  }
}

/** Lets everything happen that needs no reader. */
async function settle(): Promise<void> {
  for (let i = 0; i < 200; i++) await turn();
}

describe("a stream of gzip data", () => {
  const text = Buffer.from(Array.from({ length: 100_000 }, (_, i) => `line ${i * i}\n`).join(""));

  it("is read whole, in members and buffers of any size", async () => {
    expect((await readAll(streamOf(gzipSync(text)))).equals(text)).toBe(true);
    const members = Buffer.concat([gzipSync(text.subarray(0, 5000)), gzipSync(text.subarray(5000))]);
    expect((await readAll(streamOf(members))).equals(text)).toBe(true);
    const small = streamOf(gzipSync("hello"));
    const buffer = Buffer.alloc(2);
    expect([await small.read(buffer), await small.read(buffer), await small.read(buffer)]).toEqual([2, 2, 1]);
    expect(await small.read(buffer)).toBe(0);
  });

  it("takes no more than one piece ahead of its reader, whatever that unzips to", async () => {
    const zipped = gzipSync(Buffer.alloc(50 * MB));
    expect(zipped.length).toBeLessThan(MB / 10);
    const stream = streamOf(zipped);
    await settle();
    expect(stream.taken).toBeLessThanOrEqual(PIECE);
    let read = 0;
    for (let i = 0; i < 200; i++) {
      read += await stream.read(Buffer.alloc(BUFFER));
      if (i % 20 === 0) await settle();
      // A thousandth of what was read, and a piece.
      expect(stream.taken).toBeLessThanOrEqual(read / 1000 + 2 * PIECE);
    }
    stream.end();
  });

  it("rejects where it is cut off, damaged, or followed by something else", async () => {
    const zipped = gzipSync(text);
    const damaged = Buffer.from(zipped);
    damaged[1000] = (damaged[1000] ?? 0) ^ 0xff; // It is longer.
    for (const bytes of [zipped.subarray(0, 20), zipped.subarray(0, -1), damaged, Buffer.concat([zipped, text])])
      await expect(readAll(streamOf(bytes))).rejects.toThrow(/unexpected end|incorrect|invalid/);
  });

  it("rejects with the error of what it is fed from", async () => {
    const stream = new UnzippedStream(async () => {
      throw new TypeError("gone");
    });
    await expect(stream.read(Buffer.alloc(BUFFER))).rejects.toThrow("gone");
  });

  it("stops when it is ended", async () => {
    const stream = streamOf(gzipSync(Buffer.alloc(50 * MB)));
    await stream.read(Buffer.alloc(BUFFER));
    stream.end();
    await settle();
    expect(stream.taken).toBeLessThanOrEqual(2 * PIECE);
  });
});
