import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ProtocolError } from "../../../src/bytes/failure.ts";
import { objectFormat } from "../../../src/object/object-id.ts";
import {
  FetchResponseParser,
  formatAcknowledgments,
  formatPackfileHeader,
  formatShallowInfo,
  formatWantedRefs,
} from "../../../src/wire/fetch-response.ts";
import { PktBuffer } from "../../../src/wire/pkt-buffer.ts";
import { escapedNames } from "../../support/fuzzing.ts";
import { feed, pktText, runThrough } from "../../support/pkt.ts";

const sha1 = objectFormat("sha1");
const A = "a".repeat(40);
const oid = fc.uint8Array({ minLength: 20, maxLength: 20 });

const read = (lines: string[]) => {
  const parser = new FetchResponseParser(sha1);
  const { answer, rest } = feed(parser, lines);
  return { answer, rest, result: parser.result };
};

describe("the response of fetch", () => {
  test("is parsed as it was formatted", () => {
    const message = fc.record({
      common: fc.option(fc.array(oid), { nil: undefined }),
      shallowInfo: fc.array(fc.record({ kind: fc.constantFrom("shallow" as const, "unshallow" as const), oid })),
      wantedRefs: fc.array(fc.record({ name: escapedNames(/[\0\n]/), oid })),
    });
    fc.assert(
      fc.property(message, ({ common, shallowInfo, wantedRefs }) => {
        const out = new PktBuffer();
        if (common !== undefined) runThrough(formatAcknowledgments({ common, ready: true }, out));
        if (shallowInfo.length > 0) runThrough(formatShallowInfo(shallowInfo, out));
        if (wantedRefs.length > 0) runThrough(formatWantedRefs(wantedRefs, out));
        formatPackfileHeader(out);
        out.line("\u0001PACK");
        out.flush();
        const { answer, rest, result } = read(pktText(out.takeBytes()));
        expect(answer).toBe("packfile");
        expect(rest).toEqual(["\\x01PACK", "0000"]);
        expect(result.acknowledgments?.ready).toBe(common === undefined ? undefined : true);
        expect(Array.from(result.acknowledgments?.common ?? [], (item) => item.slice())).toEqual(common ?? []);
        expect(result.shallowInfo).toEqual(shallowInfo);
        expect(result.wantedRefs).toEqual(wantedRefs);
      }),
    );
  });

  test("ends without a pack if the server is not ready", () => {
    for (const common of [[], [new Uint8Array(20)]]) {
      const out = new PktBuffer();
      runThrough(formatAcknowledgments({ common, ready: false }, out));
      const lines = pktText(out.takeBytes());
      expect(lines).toContain(common.length === 0 ? "NAK\\n" : `ACK ${"0".repeat(40)}\\n`);
      const { answer, result } = read(lines);
      expect(answer).toBe("done");
      expect(result.acknowledgments).toMatchObject({ ready: false, common: { length: common.length } });
    }
  });

  test("may be empty, if nothing was wanted", () => {
    expect(read(["0000"])).toMatchObject({ answer: "done", result: { acknowledgments: undefined } });
  });

  test.each([
    [["PACK"], "expected 'packfile', received 'PACK'"],
    [["acknowledgments", "ready", "0000"], "expected packfile to be sent after 'ready'"],
    [["acknowledgments", "NAK", "0001"], "expected no other sections to be sent after no 'ready'"],
    [["acknowledgments", `ACK ${A.slice(1)}`], "unexpected acknowledgment line: 'ACK"],
    [["acknowledgments", `ACK ${A} common`], "unexpected acknowledgment line: 'ACK"],
    [["acknowledgments", "ok"], "unexpected acknowledgment line: 'ok'"],
    [["acknowledgments", "ready", "0001", "0000"], "expected packfile to be sent after 'ready'"],
    [["acknowledgments", "ready", "0001", "acknowledgments"], "expected 'packfile', received 'acknowledgments'"],
    [["wanted-refs", "0001", "shallow-info"], "expected 'packfile', received 'shallow-info'"],
    [["shallow-info", "0000"], "expected 'packfile'"],
    [["shallow-info", "0001", "0000"], "expected 'packfile'"],
    [["shallow-info", "shallow x"], "invalid shallow line: shallow x"],
    [["shallow-info", "unshallow x"], "invalid unshallow line: unshallow x"],
    [["shallow-info", `deep ${A}`], "expected shallow/unshallow, got deep"],
    [["wanted-refs", "x"], "expected wanted-ref, got 'x'"],
    [["0001"], "expected 'packfile'"],
    [["0002"], "expected 'packfile'"],
  ])("is refused if it is %j", (lines, message) => {
    expect(() => read(lines)).toThrow(ProtocolError);
    expect(() => read(lines)).toThrow(message);
  });
});
