import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { PktBuffer } from "../../../src/wire/pkt-buffer.ts";
import { LARGE_PACKET_DATA_MAX, encodePktLine } from "../../../src/wire/pkt-line.ts";
import { pktBytes } from "../../support/pkt.ts";

const payload = fc.oneof(
  fc.string({ maxLength: 60, unit: "binary" }),
  fc.uint8Array({ maxLength: 30 }),
  fc.integer({ min: 0, max: LARGE_PACKET_DATA_MAX }).map((length) => "x".repeat(length)),
);

describe("PktBuffer", () => {
  test("writes the same bytes as lines encoded one by one, in chunks of whole lines", () => {
    fc.assert(
      fc.property(fc.array(payload, { maxLength: 20 }), (payloads) => {
        const out = new PktBuffer();
        const chunks: Uint8Array[] = [];
        for (const item of payloads) {
          out.line(item);
          chunks.push(...out.takeFull());
        }
        chunks.push(...out.take());
        expect(Buffer.concat(chunks).equals(Buffer.concat(payloads.map(encodePktLine)))).toBe(true);
        expect(chunks.every((chunk) => chunk.length <= 65_536)).toBe(true);
      }),
    );
  });

  test("writes a line in pieces across the end of a chunk", () => {
    const oid = Uint8Array.from({ length: 20 }, (_, index) => index * 13);
    const hex = Buffer.from(oid).toString("hex");
    for (let filler = 65_400; filler < 65_520; filler++) {
      const out = new PktBuffer();
      out.line("x".repeat(filler - 4));
      out.begin().hex(oid).text(" refs/heads/ä€😀").bytes(Uint8Array.of(0, 255)).text("\n").end();
      const bytes = out.takeBytes();
      expect(Buffer.from(bytes.subarray(filler))).toEqual(Buffer.from(pktBytes(`${hex} refs/heads/ä€😀\\0\\xff\\n`)));
    }
  });

  test("refuses a line that is too long, and continues behind the last whole line", () => {
    const out = new PktBuffer();
    out.line("before");
    expect(() => out.line("x".repeat(LARGE_PACKET_DATA_MAX + 1))).toThrow("impossibly long line");
    expect(() =>
      out
        .begin()
        .text("y")
        .text("ä".repeat(LARGE_PACKET_DATA_MAX / 2)),
    ).toThrow("impossibly long line");
    out.line("after");
    out.flush();
    out.delim();
    out.responseEnd();
    expect(out.takeBytes()).toEqual(pktBytes("before", "after", "0000", "0001", "0002"));
    expect(out.take()).toEqual([]);
  });

  test("does not keep chunks that were taken", () => {
    const out = new PktBuffer();
    out.line("first");
    const [first] = out.take();
    out.line("other");
    expect(first).toEqual(pktBytes("first"));
    expect(out.takeBytes()).toEqual(pktBytes("other"));
    expect(out.takeBytes()).toHaveLength(0);
  });

  test("writes 100,000 refs in few chunks", () => {
    const out = new PktBuffer();
    const oid = new Uint8Array(20);
    let bytes = 0;
    let chunks = 0;
    for (let index = 0; index < 100_000; index++) {
      out.begin().hex(oid).text(` refs/heads/${index}\n`).end();
      for (const chunk of out.takeFull()) {
        bytes += chunk.length;
        chunks++;
      }
    }
    expect(chunks).toBeLessThan(bytes / 60_000);
    expect(chunks).toBeGreaterThan(50);
  });
});
