import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { LimitExceeded, ProtocolError } from "../../../src/bytes/failure.ts";
import { fromHex, toHex } from "../../../src/bytes/hex.ts";
import { objectFormat } from "../../../src/object/object-id.ts";
import { ObjectIdList } from "../../../src/wire/object-id-list.ts";
import {
  type ObjectInfo,
  ObjectInfoRequestParser,
  ObjectInfoResponseParser,
  formatObjectInfo,
  formatObjectInfoArguments,
  formatObjectInfoHeader,
} from "../../../src/wire/object-info.ts";
import { PktBuffer } from "../../../src/wire/pkt-buffer.ts";
import { feed, pktText } from "../../support/pkt.ts";

const sha1 = objectFormat("sha1");
const A = "a".repeat(40);
const B = "0123456789abcdef0123456789abcdef01234567";
const raw = (hex: string): Uint8Array => fromHex(hex) ?? new Uint8Array(0);

function request(lines: string[], max?: number): { size: boolean; oids: string[] } {
  const parser = new ObjectInfoRequestParser(sha1, max);
  expect(feed(parser, lines)).toEqual({ answer: "done", rest: [] });
  const { size, oids } = parser.result;
  return { size, oids: [...oids].map((oid) => toHex(oid)) };
}

describe("the arguments of object-info", () => {
  test("are accepted in any order, and duplicates are kept", () => {
    expect(request([`oid ${A}\\n`, "size\\n", `oid ${B}`, `oid ${A}`, "0000"])).toEqual({
      size: true,
      oids: [A, B, A],
    });
    expect(request([`oid ${A}`, "0000"])).toEqual({ size: false, oids: [A] });
    expect(request(["0000"])).toEqual({ size: false, oids: [] });
  });

  test.each([
    ["type", "object-info: unexpected line: 'type'"],
    ["size ", "object-info: unexpected line: 'size '"],
    ["oid", "object-info: unexpected line: 'oid'"],
    ["", "object-info: unexpected line: ''"],
    ["oid xyz", "object-info: protocol error, expected to get oid, not 'xyz'"],
    [`oid ${A}0`, `object-info: protocol error, expected to get oid, not '${A}0'`],
    [`oid ${A.slice(1)}`, `object-info: protocol error, expected to get oid, not '${A.slice(1)}'`],
    ["0001", "object-info: expected flush after arguments"],
    ["0002", "object-info: expected flush after arguments"],
  ])("are refused in git's words if one is %j", (line, message) => {
    const parse = (): unknown => request(["size", line, "0000"]);
    expect(parse).toThrow(ProtocolError);
    expect(parse).toThrow(message);
  });

  test("have a bounded number of object names", () => {
    expect(request([`oid ${A}`, `oid ${B}`, "0000"], 2).oids).toHaveLength(2);
    expect(() => request([`oid ${A}`, `oid ${B}`, `oid ${A}`, "0000"], 2)).toThrow(LimitExceeded);
  });

  test("are parsed as they were formatted", () => {
    const oids = new ObjectIdList(sha1);
    oids.pushHex(Buffer.from(A), 0);
    const out = new PktBuffer();
    formatObjectInfoArguments({ size: true, oids }, out);
    expect(pktText(out.takeBytes())).toEqual(["size", `oid ${A}`, "0000"]);
  });
});

describe("the response of object-info", () => {
  const answer = (lines: string[]): ObjectInfo[] => {
    const parser = new ObjectInfoResponseParser(sha1);
    expect(feed(parser, lines).answer).toBe("done");
    return parser.result;
  };

  test("has the lines that C git sends", () => {
    const out = new PktBuffer();
    formatObjectInfoHeader(out);
    formatObjectInfo({ oid: raw(A), size: 12 }, out);
    formatObjectInfo({ oid: raw(B), size: "missing" }, out);
    formatObjectInfo({ oid: raw(B), size: undefined }, out);
    expect(pktText(out.takeBytes())).toEqual(["size", `${A} 12`, `${B} `, B]);
  });

  test("is parsed as it was formatted, whatever its content", () => {
    const size = fc.oneof(fc.maxSafeNat(), fc.constant("missing" as const));
    const info = fc.record({ oid: fc.uint8Array({ minLength: 20, maxLength: 20 }), size });
    fc.assert(
      fc.property(fc.array(info), (told) => {
        const out = new PktBuffer();
        formatObjectInfoHeader(out);
        for (const each of told) formatObjectInfo(each, out);
        out.flush();
        expect(answer(pktText(out.takeBytes()))).toEqual(told);
      }),
    );
  });

  test.each([
    ["size", "size", "0000"],
    [`${A}  1`],
    [`${A} -1`],
    [`${A}1`],
    [`${A} 1 2`],
    [`${A} ${"9".repeat(20)}`],
    ["0001"],
  ])("is refused if it is %j", (...lines) => {
    expect(() => answer([`${B} 1`, ...lines])).toThrow(ProtocolError);
  });
});
