import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ProtocolError } from "../../../src/bytes/failure.ts";
import {
  DELIM_PKT,
  FLUSH_PKT,
  LARGE_PACKET_DATA_MAX,
  type PktLine,
  PktLineDecoder,
  RESPONSE_END_PKT,
  chompLine,
  decodeLine,
  encodePktLine,
} from "../../../src/wire/pkt-line.ts";

const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, "latin1"));

const packet = fc.oneof(
  { weight: 5, arbitrary: fc.uint8Array({ maxLength: 40 }) },
  { weight: 1, arbitrary: fc.uint8Array({ minLength: 60_000, maxLength: LARGE_PACKET_DATA_MAX, size: "max" }) },
  fc.constantFrom("flush" as const, "delim" as const, "response-end" as const),
);
type Packet = Uint8Array | Exclude<PktLine["kind"], "data">;
const CONTROL = { flush: FLUSH_PKT, delim: DELIM_PKT, "response-end": RESPONSE_END_PKT };

function encodeAll(packets: readonly Packet[]): Uint8Array {
  return new Uint8Array(
    Buffer.concat(packets.map((item) => (typeof item === "string" ? CONTROL[item] : encodePktLine(item)))),
  );
}

/** Reads a stream as a service does: into one buffer over and over, which is wiped between reads. */
function decodeInPieces(stream: Uint8Array, sizes: readonly number[]): Packet[] {
  const decoder = new PktLineDecoder();
  const found: Packet[] = [];
  const buffer = new Uint8Array(stream.length);
  let at = 0;
  for (let turn = 0; at < stream.length; turn++) {
    const size = Math.min(sizes[turn % sizes.length] ?? 1, stream.length - at);
    buffer.set(stream.subarray(at, at + size));
    decoder.push(buffer.subarray(0, size));
    for (let line = decoder.next(); line !== undefined; line = decoder.next()) {
      found.push(line.kind === "data" ? line.payload.slice() : line.kind);
    }
    buffer.fill(0xff);
    at += size;
  }
  decoder.end();
  return found;
}

describe("PktLineDecoder", () => {
  test("decodes the lines that were encoded, however the stream is cut", { tags: "thorough" }, () => {
    fc.assert(
      fc.property(
        fc.array(packet, { maxLength: 12 }),
        fc.array(fc.oneof(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 70_000 })), { minLength: 1 }),
        (packets, sizes) => {
          const found = decodeInPieces(encodeAll(packets), sizes);
          // They are compared as bytes, since deep equality of large arrays is slow.
          expect(found.map((item) => (typeof item === "string" ? item : item.length))).toEqual(
            packets.map((item) => (typeof item === "string" ? item : item.length)),
          );
          expect(Buffer.from(encodeAll(found)).equals(encodeAll(packets))).toBe(true);
        },
      ),
      { numRuns: 150 },
    );
  });

  test("accepts a chunk before the previous one was decoded", () => {
    const decoder = new PktLineDecoder();
    for (const piece of ["00", "0aab", "cdef0", "000", "PACK"]) decoder.push(bytes(piece));
    expect(decoder.next()).toEqual({ kind: "data", payload: bytes("abcdef") });
    expect(decoder.next()).toEqual({ kind: "flush" });
    expect(decoder.rest()).toEqual(bytes("PACK"));
    expect(decoder.pending).toBe(0);
  });

  test("returns the bytes behind the last decoded line as the rest", () => {
    const decoder = new PktLineDecoder();
    decoder.push(bytes("0009done\n0000PACK\0\0\0\u0002"));
    expect(decoder.next()).toEqual({ kind: "data", payload: bytes("done\n") });
    expect(decoder.next()).toEqual({ kind: "flush" });
    expect(decoder.pending).toBe(8);
    expect(decoder.rest()).toEqual(bytes("PACK\0\0\0\u0002"));
    decoder.push(bytes("0000"));
    expect(decoder.next()).toEqual({ kind: "flush" });
  });

  test("returns an unfinished line and what follows it as the rest", () => {
    const decoder = new PktLineDecoder();
    decoder.push(bytes("00"));
    expect(decoder.next()).toBeUndefined();
    decoder.push(bytes("09do"));
    expect(decoder.next()).toBeUndefined();
    decoder.push(bytes("n"));
    expect(decoder.rest()).toEqual(bytes("0009don"));
  });

  test("reads length digits of either case, and the empty line", () => {
    const decoder = new PktLineDecoder();
    decoder.push(bytes("000A123456000a1234560004"));
    expect(decoder.next()).toEqual({ kind: "data", payload: bytes("123456") });
    expect(decoder.next()).toEqual({ kind: "data", payload: bytes("123456") });
    expect(decoder.next()).toEqual({ kind: "data", payload: bytes("") });
  });

  test("accepts the longest line and no longer one", () => {
    const decoder = new PktLineDecoder();
    decoder.push(bytes("fff0" + "x".repeat(LARGE_PACKET_DATA_MAX)));
    expect(decoder.next()).toMatchObject({ kind: "data", payload: { length: LARGE_PACKET_DATA_MAX } });
    decoder.push(bytes("fff1"));
    expect(() => decoder.next()).toThrow("protocol error: bad line length 65517");
  });

  test.each([
    ["0003", "protocol error: bad line length 3"],
    ["fff1", "protocol error: bad line length 65517"],
    ["ffff", "protocol error: bad line length 65531"],
    ["00g0", "protocol error: bad line length character: 00g0"],
    ["-001", "protocol error: bad line length character: -001"],
    ["+00a", "protocol error: bad line length character: +00a"],
    ["0x0a", "protocol error: bad line length character: 0x0a"],
    [" 00a", "protocol error: bad line length character:  00a"],
    ["000\n", "protocol error: bad line length character: 000\n"],
    ["PACK", "protocol error: bad line length character: PACK"],
    ["\0\0\0\0", "protocol error: bad line length character: \0\0\0\0"],
    ["00:0", "protocol error: bad line length character: 00:0"],
    ["00/0", "protocol error: bad line length character: 00/0"],
    ["00@0", "protocol error: bad line length character: 00@0"],
    ["00`0", "protocol error: bad line length character: 00`0"],
  ])("refuses the length %j, in one piece and byte by byte", (length, message) => {
    for (const pieces of [[length], Array.from(length)]) {
      const decoder = new PktLineDecoder();
      const decode = (): unknown => {
        for (const piece of pieces) {
          decoder.push(bytes(piece));
          decoder.next();
        }
        return decoder.next();
      };
      expect(decode).toThrow(ProtocolError);
      expect(() => decoder.next()).toThrow(message);
    }
  });

  test.each(["0", "000", "0005", "0009done", "fff0x"])("reports that %j was cut off", (text) => {
    const decoder = new PktLineDecoder();
    decoder.push(bytes(text));
    expect(decoder.next()).toBeUndefined();
    expect(() => decoder.end()).toThrow("the remote end hung up unexpectedly");
  });

  test("decodes two of the longest lines, byte by byte", () => {
    const stream = encodeAll([new Uint8Array(LARGE_PACKET_DATA_MAX), new Uint8Array(LARGE_PACKET_DATA_MAX)]);
    expect(decodeInPieces(stream, [1]).map((item) => item.length)).toEqual([
      LARGE_PACKET_DATA_MAX,
      LARGE_PACKET_DATA_MAX,
    ]);
  });
});

describe("pkt-lines of text", () => {
  test("are refused if the payload does not fit into a line", () => {
    expect(encodePktLine(new Uint8Array(LARGE_PACKET_DATA_MAX))).toHaveLength(65_520);
    expect(() => encodePktLine("x".repeat(LARGE_PACKET_DATA_MAX + 1))).toThrow("impossibly long line");
  });

  test("lose one line feed only", () => {
    expect(decodeLine(bytes("done\n"))).toBe("done");
    expect(decodeLine(bytes("done"))).toBe("done");
    expect(decodeLine(bytes("done\n\n"))).toBe("done\n");
    expect(chompLine(bytes("\n"))).toEqual(bytes(""));
    expect(decodeLine(Uint8Array.of(0xef, 0xbb, 0xbf, 0x61))).toBe("\uFEFFa");
  });
});
