/** A stream of pkt-lines decodes to the same lines in pieces of any size, and malformed ones are only ever refused. */
import { array, assert, nat, property } from "fast-check";
import { describe, expect, it } from "vitest";
import { PktBuffer } from "../../src/wire/pkt-buffer.ts";
import { PktLineDecoder } from "../../src/wire/pkt-line.ts";
import { parseSideBand } from "../../src/wire/side-band.ts";
import { almost, fuzzRuns, recorded, tryTo } from "../support/fuzzing.ts";
import { escapePayload, pktBytes } from "../support/pkt.ts";

const seeds = recorded(({ request }) => request).map((lines) => pktBytes(...lines));

/** Decodes bytes that come in pieces. Returns the lines, the error at the end, and the rest. */
function decode(bytes: Uint8Array, cuts: readonly number[]): string[] {
  const decoder = new PktLineDecoder();
  const lines: string[] = [];
  const isBroken = (): boolean =>
    tryTo(() => {
      for (let line = decoder.next(); line !== undefined; line = decoder.next()) {
        lines.push(line.kind === "data" ? escapePayload(line.payload) : line.kind);
      }
      return false;
    }, "ProtocolError") ?? true;
  let at = 0;
  for (const cut of [...cuts, bytes.length]) {
    decoder.push(bytes.subarray(at, at + cut));
    at += cut;
    if (isBroken()) return [...lines, "broken"];
  }
  return [...lines, `left ${decoder.pending}`];
}

describe("almost valid pkt-lines", () => {
  it("decode to the same lines, however the stream is cut", () => {
    assert(
      property(
        almost(seeds, ["0000", "0001", "0002", "0003", "0004", "fff0", "fff1", "FFFF", "-001"]),
        array(nat(40)),
        (bytes, cuts) => {
          expect(decode(bytes, cuts)).toEqual(decode(bytes, []));
        },
      ),
      fuzzRuns(500),
    );
  });

  it("are formatted as they were parsed", () => {
    assert(
      property(almost(seeds), (bytes) => {
        const decoder = new PktLineDecoder();
        const out = new PktBuffer();
        decoder.push(bytes);
        const isWhole = tryTo(() => {
          for (let line = decoder.next(); line !== undefined; line = decoder.next()) {
            tryTo(() => line !== undefined && parseSideBand(line), "ProtocolError");
            if (line.kind === "data") out.line(line.payload);
            else if (line.kind === "flush") out.flush();
            else if (line.kind === "delim") out.delim();
            else out.responseEnd();
          }
          return decoder.pending === 0;
        }, "ProtocolError");
        if (isWhole !== true) return;
        // The case of a length's digits does not matter.
        expect(Buffer.from(out.takeBytes()).toString("latin1").toLowerCase()).toBe(
          Buffer.from(bytes).toString("latin1").toLowerCase(),
        );
      }),
      fuzzRuns(500),
    );
  });
});
