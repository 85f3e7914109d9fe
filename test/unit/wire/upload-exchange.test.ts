import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ProtocolError } from "../../../src/bytes/failure.ts";
import { objectFormat } from "../../../src/object/object-id.ts";
import {
  type Acknowledgement,
  formatAcknowledgement,
  parseAcknowledgement,
} from "../../../src/wire/acknowledgements.ts";
import type { CapabilityContext } from "../../../src/wire/capabilities.ts";
import { formatCapabilityList } from "../../../src/wire/capability-list.ts";
import { ObjectIdList } from "../../../src/wire/object-id-list.ts";
import { PktBuffer } from "../../../src/wire/pkt-buffer.ts";
import {
  UploadHavesParser,
  UploadRequestParser,
  formatUploadHaves,
  formatUploadRequest,
} from "../../../src/wire/upload-request.ts";
import { feed, pktText, unescapePayload } from "../../support/pkt.ts";

const sha1 = objectFormat("sha1");
const context: CapabilityContext = { objectFormat: "sha1", agent: "thinpack/1", stateless: true, symrefs: [] };
const A = "a".repeat(40);
const B = "0123456789abcdef0123456789abcdef01234567";

const oid = fc.uint8Array({ minLength: 20, maxLength: 20 });
const list = (oids: readonly Uint8Array[]): ObjectIdList => {
  const result = new ObjectIdList(sha1);
  for (const item of oids) result.push(item);
  return result;
};
const hexes = (oids: ObjectIdList): string[] => Array.from(oids, (item) => Buffer.from(item).toString("hex"));

describe("an upload-request", () => {
  const request = (lines: string[], maxObjectIds?: number) => {
    const parser = new UploadRequestParser(context, maxObjectIds);
    const { answer, rest } = feed(parser, lines);
    return { answer, rest, result: parser.result };
  };

  test("ends at its flush-pkt, before the haves", () => {
    const { answer, rest, result } = request([
      `want ${A} multi_ack_detailed no-done side-band-64k agent=git/2.39.5\\n`,
      `want ${B}\\n`,
      `want ${A}\\n`,
      "0000",
      "done\\n",
    ]);
    expect(answer).toBe("done");
    expect(rest).toEqual(["done\\n"]);
    expect(hexes(result.wants)).toEqual([A, B, A]);
    expect(formatCapabilityList(result.capabilities)).toBe("multi_ack_detailed no-done side-band-64k agent=git/2.39.5");
  });

  test("wants nothing if it is a lone flush-pkt", () => {
    expect(request(["0000"]).result.wants).toHaveLength(0);
  });

  test("may have no capabilities, as from git 1.0", () => {
    expect([...request([`want ${A}`, "0000"]).result.capabilities]).toEqual([]);
    expect([...request([`want ${A} \\n`, "0000"]).result.capabilities]).toEqual([]);
  });

  test("is parsed as it was formatted", () => {
    fc.assert(
      fc.property(fc.array(oid, { minLength: 1 }), (oids) => {
        const out = new PktBuffer();
        const none = { shallows: list([]), depth: undefined, deepenSince: undefined, deepenNot: [], filter: undefined };
        formatUploadRequest({ ...none, wants: list(oids), capabilities: "ofs-delta agent=x" }, out);
        const { answer, result } = request(pktText(out.takeBytes()));
        expect(answer).toBe("done");
        expect(hexes(result.wants)).toEqual(hexes(list(oids)));
        expect(formatCapabilityList(result.capabilities)).toBe("ofs-delta agent=x");
      }),
    );
  });

  test.each([
    [`want ${A}x`, "expected to get object ID, not"],
    [`want ${A}\\0multi_ack`, "expected to get object ID, not"],
    [`want ${A.slice(1)}`, "expected to get object ID, not"],
    [`want ${A.slice(1)}g`, "expected to get object ID, not"],
    ["want", "expected to get object ID, not 'want'"],
    [`have ${A}`, "expected to get object ID, not"],
    ["done", "git upload-pack: protocol error, expected to get object ID, not 'done'"],
    ["", "expected to get object ID, not ''"],
    [`shallow ${A}x`, "invalid shallow line"],
    ["deepen 0", "Invalid deepen: deepen 0"],
    ["deepen -1", "Invalid deepen: deepen -1"],
    ["deepen 2147483648", "Invalid deepen: deepen 2147483648"],
    ["deepen-since 0", "Invalid deepen-since: deepen-since 0"],
    ["deepen-since yesterday", "Invalid deepen-since: deepen-since yesterday"],
    ["deepened 1", "expected to get object ID, not 'deepened 1'"],
    ["filter blob:none", "git upload-pack: filtering capability not negotiated"],
    [`want ${A} side-band side-band-64k`, "exclude each other"],
    ["0001", "protocol error: unexpected delim packet"],
    ["0002", "protocol error: unexpected response-end packet"],
  ])("is refused with the line %j", (line, message) => {
    expect(() => request([line])).toThrow(ProtocolError);
    expect(() => request([line])).toThrow(message);
  });

  test("has capabilities on the first want only", () => {
    expect(() => request([`want ${A} side-band`, `want ${B} side-band-64k`])).toThrow("expected to get object ID");
  });

  test("is refused with more object names than the limit", () => {
    expect(() => request([`want ${A}`, `want ${B}`], 1)).toThrow("too many object names");
  });
});

describe("a round of haves", () => {
  test("ends at a flush-pkt or done", () => {
    for (const [end, done] of [
      ["0000", false],
      ["done", true],
      ["done\\n", true],
    ] as const) {
      const parser = new UploadHavesParser(sha1);
      expect(feed(parser, [`have ${A}\\n`, `have ${B}`, end, "x"])).toEqual({ answer: "done", rest: ["x"] });
      expect(hexes(parser.result.haves)).toEqual([A, B]);
      expect(parser.result.done).toBe(done);
    }
  });

  test("is parsed as it was formatted", () => {
    fc.assert(
      fc.property(fc.array(oid), fc.boolean(), (oids, done) => {
        const out = new PktBuffer();
        formatUploadHaves({ haves: list(oids), done }, out);
        const parser = new UploadHavesParser(sha1);
        expect(feed(parser, pktText(out.takeBytes())).answer).toBe("done");
        expect(hexes(parser.result.haves)).toEqual(hexes(list(oids)));
        expect(parser.result.done).toBe(done);
      }),
    );
  });

  test.each([
    [`want ${A}`, `git upload-pack: expected SHA1 list, got 'want ${A}'`],
    ["", "git upload-pack: expected SHA1 list, got ''"],
    ["done\\n\\n", "git upload-pack: expected SHA1 list, got 'done'"],
    ["have x", "git upload-pack: expected SHA1 object, got 'x'"],
    [`have ${A}a`, "git upload-pack: expected SHA1 object, got"],
    ["0001", "protocol error: unexpected delim packet"],
  ])("is refused with the line %j", (line, message) => {
    expect(() => feed(new UploadHavesParser(sha1), [line])).toThrow(ProtocolError);
    expect(() => feed(new UploadHavesParser(sha1), [line])).toThrow(message);
  });

  test("is refused with more object names than the limit", () => {
    expect(() => feed(new UploadHavesParser(sha1, 1), [`have ${A}`, `have ${B}`])).toThrow("too many object names");
  });
});

describe("acknowledgements", () => {
  const answer: fc.Arbitrary<Acknowledgement> = fc.oneof(
    fc.constant({ kind: "nak" } as const),
    fc.record({
      kind: fc.constant("ack" as const),
      oid,
      status: fc.constantFrom("final" as const, "continue" as const, "common" as const, "ready" as const),
    }),
  );

  test("are parsed as they were formatted", () => {
    fc.assert(
      fc.property(answer, (value) => {
        const out = new PktBuffer();
        formatAcknowledgement(value, out);
        const [line = ""] = pktText(out.takeBytes());
        expect(parseAcknowledgement(unescapePayload(line), sha1)).toEqual(value);
      }),
    );
  });

  test.each(["ACK", `ACK ${A.slice(1)}`, `ACK ${A} maybe`, `ACK ${A}common`, "nak", "NAK x", "PACK", ""])(
    "are refused if one is %j",
    (line) => {
      expect(() => parseAcknowledgement(unescapePayload(line), sha1)).toThrow(
        `git fetch-pack: expected ACK/NAK, got '${line}'`,
      );
    },
  );
});
