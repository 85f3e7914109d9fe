/** Requests in pieces of any size. */
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ByteSource } from "../../../src/bytes/byte-stream.ts";
import { Pacer } from "../../../src/bytes/pacer.ts";
import { RequestReader } from "../../../src/service/request-reader.ts";
import type { PktLine } from "../../../src/wire/pkt-line.ts";
import { escapePayload, pktBytes } from "../../support/pkt.ts";

/** Gives the bytes in pieces of the lengths given, in turn, into buffers that are dead after the call as a BYOB read's are. */
function inPieces(bytes: Uint8Array, lengths: readonly number[]): ByteSource {
  let at = 0;
  let turn = 0;
  return {
    read: async (buffer) => {
      const { byteLength } = buffer;
      const owned = new Uint8Array(buffer.buffer.transfer());
      const length = Math.min(lengths[turn++ % lengths.length] ?? 1, byteLength, bytes.length - at);
      owned.set(bytes.subarray(at, at + length));
      at += length;
      return owned.subarray(0, length);
    },
  };
}

/** Collects payloads up to a flush. */
function collector(): { accept(line: PktLine): "more" | "done"; readonly lines: string[] } {
  const lines: string[] = [];
  return {
    lines,
    accept: (line) => {
      if (line.kind !== "data") return "done";
      lines.push(escapePayload(line.payload));
      return "more";
    },
  };
}

describe("a request", () => {
  it("is read the same in pieces of any size", async () => {
    const line = fc.string({ minLength: 1, maxLength: 80 }).map((text) => escapePayload(Buffer.from(text)));
    const lengths = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(
        fc.array(line),
        fc.array(line),
        fc.uint8Array({ maxLength: 300 }),
        lengths,
        async (a, b, tail, pieces) => {
          const bytes = Buffer.concat([pktBytes(...a, "0000"), pktBytes(...b, "0000"), tail]);
          const reader = new RequestReader(inPieces(bytes, pieces));
          const [first, second] = [collector(), collector()];
          expect((await reader.peek())?.kind).toBe(a.length > 0 ? "data" : "flush");
          await reader.feed(first);
          await reader.feed(second);
          expect([first.lines, second.lines]).toEqual([a, b]);
          const rest = Buffer.from(await reader.rest(20));
          expect(rest.length).toBeGreaterThanOrEqual(Math.min(20, tail.length));
          const more: Buffer[] = [rest];
          for (;;) {
            const chunk = await reader.source.read(new Uint8Array(64));
            if (chunk.length === 0) break;
            more.push(Buffer.from(chunk));
          }
          expect(Buffer.concat(more)).toEqual(Buffer.from(tail));
        },
      ),
      { numRuns: 150 },
    );
  });

  it("that is cut off is distinguished from one that ends", async () => {
    const whole = pktBytes("a", "b", "0000");
    for (let end = 0; end < whole.length; end++) {
      const reader = new RequestReader(inPieces(whole.subarray(0, end), [3]));
      await expect(reader.feed(collector())).rejects.toThrow("the remote end hung up unexpectedly");
    }
    const reader = new RequestReader(inPieces(whole, [3]));
    await reader.feed(collector());
    expect(await reader.peek()).toBeUndefined();
  });

  it("keeps the lines of its head", async () => {
    const bytes = pktBytes("command=x", "agent=y", "0001", "argument", "0000");
    const reader = new RequestReader(inPieces(bytes, [5]));
    const head = await reader.head();
    const shown = head.map((line) => (line.kind === "data" ? escapePayload(line.payload) : line.kind));
    expect(shown).toEqual(["command=x", "agent=y", "delim"]);
    const rest = collector();
    await reader.feed(rest);
    expect(rest.lines).toEqual(["argument"]);
    expect(await new RequestReader(inPieces(new Uint8Array(), [1])).head()).toEqual([]);
  });

  it("bounds its head, empty lines included", async () => {
    const bytes = Buffer.from("0004".repeat(20_000));
    await expect(new RequestReader(inPieces(bytes, [65_536])).head()).rejects.toThrow("too many capabilities");
  });

  it("gives way to others while very many lines come", async () => {
    let pauses = 0;
    const pacer = new Pacer(async () => void pauses++);
    const lines = pktBytes(...Array.from({ length: 100_000 }, (_, i) => `have ${String(i).padStart(40, "0")}`), "0000");
    const reader = new RequestReader(inPieces(lines, [65_536]), pacer);
    let count = 0;
    await reader.feed({ accept: ({ kind }) => (kind === "data" && ++count > 0 ? "more" : "done") });
    expect(count).toBe(100_000);
    expect(pauses).toBeGreaterThan(2);
  });

  it("is read to its end when it is drained", async () => {
    const source = inPieces(Buffer.concat([pktBytes("a", "0000"), Buffer.alloc(700_000, "PACK")]), [100_000]);
    const reader = new RequestReader(source);
    await reader.feed(collector());
    await reader.drain();
    expect(await source.read(new Uint8Array(9))).toHaveLength(0);
  });
});
