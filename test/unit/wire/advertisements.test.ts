import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ProtocolError } from "../../../src/bytes/failure.ts";
import { objectFormat } from "../../../src/object/object-id.ts";
import {
  CapabilityAdvertisementParser,
  formatCapabilityAdvertisement,
} from "../../../src/wire/capability-advertisement.ts";
import { formatFailureLine, parseFailureLine } from "../../../src/wire/failure-line.ts";
import { formatInfoRef, parseInfoRefs } from "../../../src/wire/info-refs.ts";
import { formatListedRef, parseListedRef } from "../../../src/wire/ls-refs.ts";
import { PktBuffer } from "../../../src/wire/pkt-buffer.ts";
import { detectProtocolVersion, parseProtocolVersion } from "../../../src/wire/protocol-version.ts";
import {
  type AdvertisedRef,
  RefAdvertisementParser,
  RefAdvertisementWriter,
} from "../../../src/wire/ref-advertisement.ts";
import {
  formatServiceAnnouncement,
  parseServiceAnnouncement,
  parseServiceName,
} from "../../../src/wire/service-announcement.ts";
import { escapedNames } from "../../support/fuzzing.ts";
import { feed, pktLine, pktText, unescapePayload } from "../../support/pkt.ts";

const A = "a".repeat(40);
const B = "0123456789abcdef0123456789abcdef01234567";
const ZERO = "0".repeat(40);
const raw = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex, "hex"));

const format = fc.constantFrom(objectFormat("sha1"), objectFormat("sha256"));
const name = escapedNames(/[\0\n ]/)
  .map((text) => `refs/heads/${text}`)
  .filter((text) => !text.endsWith("^{}"));
const oid = (size: number) => fc.uint8Array({ minLength: size, maxLength: size });

function read(lines: string[]): { refs: AdvertisedRef[]; parser: RefAdvertisementParser; answer: string } {
  const refs: AdvertisedRef[] = [];
  const parser = new RefAdvertisementParser((ref) => refs.push(ref));
  const { answer } = feed(parser, lines);
  return { refs, parser, answer };
}

describe("the ref advertisement", () => {
  test("is parsed as it was written", () => {
    const message = format.chain((objects) =>
      fc.record({
        objects: fc.constant(objects),
        version: fc.constantFrom(0 as const, 1 as const),
        refs: fc.uniqueArray(
          fc.record({ name, oid: oid(objects.rawSize), peeled: fc.option(oid(objects.rawSize), { nil: undefined }) }),
          { selector: (ref) => ref.name },
        ),
        haves: fc.array(oid(objects.rawSize), { maxLength: 3 }),
        shallows: fc.array(oid(objects.rawSize), { maxLength: 3 }),
      }),
    );
    fc.assert(
      fc.property(message, ({ objects, version, refs, haves, shallows }) => {
        const out = new PktBuffer();
        const capabilities = `ofs-delta object-format=${objects.name}`;
        const writer = new RefAdvertisementWriter({ version, objectFormat: objects, capabilities }, out);
        for (const ref of refs) writer.ref(ref.name, ref.oid, ref.peeled);
        for (const have of haves) writer.have(have);
        writer.end(shallows);
        const { refs: found, parser, answer } = read(pktText(out.takeBytes()));
        expect(answer).toBe("done");
        expect(found).toEqual(refs);
        expect(parser.result.version).toBe(version);
        expect(parser.result.objectFormat).toBe(objects);
        expect(parser.result.capabilities.has("ofs-delta")).toBe(true);
        expect(Array.from(parser.result.haves, (item) => item.slice())).toEqual(haves);
        expect(Array.from(parser.result.shallows, (item) => item.slice())).toEqual(shallows);
      }),
    );
  });

  test("has a line for the capabilities if there is no ref", () => {
    const out = new PktBuffer();
    const options = { version: 1, objectFormat: objectFormat("sha1"), capabilities: "quiet" } as const;
    new RefAdvertisementWriter(options, out).end();
    expect(pktText(out.takeBytes())).toEqual(["version 1\\n", `${ZERO} capabilities^{}\\0quiet\\n`, "0000"]);
  });

  test("is parsed without capabilities, and as a lone flush-pkt", () => {
    expect(read([`${A} HEAD\\n`, `${A} refs/heads/main`, "0000"]).refs.map((ref) => ref.name)).toEqual([
      "HEAD",
      "refs/heads/main",
    ]);
    expect(read(["0000"]).answer).toBe("done");
  });

  test("has names that are not UTF-8 as escaped text", () => {
    expect(read([`${A} refs/heads/\\xe4\\0\\n`, "0000"]).refs).toMatchObject([{ name: "refs/heads/\\%E4" }]);
  });

  test.each([
    [["x"], "protocol error: unexpected 'x'"],
    [[`${A}  HEAD\\0`, "x"], "protocol error: unexpected 'x'"],
    [[`${A} HEAD\\0`, `shallow ${A}`, `${A} refs/heads/x`], "protocol error: unexpected"],
    [[`${A} HEAD\\0`, "shallow x"], "protocol error: expected shallow sha-1, got 'x'"],
    [[`${A} HEAD\\0`, `${ZERO} capabilities^{}`], "protocol error: unexpected capabilities^{}"],
    [[`${ZERO} capabilities^{}\\0`, `${A} HEAD`], "protocol error: unexpected"],
    [[`${A} HEAD\\0object-format=md5`], "unknown object format 'md5' specified by server"],
    [["version 2"], "protocol error: unexpected 'version 2'"],
    [["0001"], "invalid packet"],
    [["0002"], "invalid packet"],
  ])("is refused if it is %j", (lines, message) => {
    expect(() => read(lines)).toThrow(ProtocolError);
    expect(() => read(lines)).toThrow(message);
  });
});

describe("the capability advertisement", () => {
  const context = { objectFormat: "sha1", agent: "thinpack/1", stateless: true, symrefs: [] } as const;

  test("is parsed as it was formatted", () => {
    const out = new PktBuffer();
    formatCapabilityAdvertisement(context, out);
    const lines = pktText(out.takeBytes());
    expect(lines[0]).toBe("version 2\\n");
    const parser = new CapabilityAdvertisementParser();
    expect(feed(parser, lines).answer).toBe("done");
    expect(parser.result.value("agent")).toBe("thinpack/1");
    expect(parser.result.hasFeature("ls-refs", "unborn")).toBe(true);
    expect(parser.result.has("server-option")).toBe(true);
  });

  test.each([
    [["agent=x"], "expected 'version 2', received 'agent=x'"],
    [["0000"], "expected flush after capabilities"],
    [["version 2", "0001"], "expected flush after capabilities"],
  ])("is refused if it is %j", (lines, message) => {
    expect(() => feed(new CapabilityAdvertisementParser(), lines)).toThrow(message);
  });
});

describe("the response of ls-refs", () => {
  test("is parsed as it was formatted", () => {
    const message = format.chain((objects) =>
      fc.record({
        objects: fc.constant(objects),
        ref: fc.record({
          name,
          oid: fc.option(oid(objects.rawSize), { nil: undefined }),
          symrefTarget: fc.option(name, { nil: undefined }),
          peeled: fc.option(oid(objects.rawSize), { nil: undefined }),
        }),
      }),
    );
    fc.assert(
      fc.property(message, ({ objects, ref }) => {
        const out = new PktBuffer();
        formatListedRef(ref, out);
        const [line = ""] = pktText(out.takeBytes());
        expect(parseListedRef(unescapePayload(line), objects)).toEqual(ref);
      }),
    );
  });

  test("is parsed with unknown attributes", () => {
    const line = unescapePayload(`${A} HEAD new:thing symref-target:refs/heads/x peeled:${B}\\n`);
    expect(parseListedRef(line, objectFormat("sha1"))).toEqual({
      name: "HEAD",
      oid: raw(A),
      symrefTarget: "refs/heads/x",
      peeled: raw(B),
    });
  });

  test("has a name that is not UTF-8 as escaped text", () => {
    const line = unescapePayload(`${A} refs/heads/\\xff\\n`);
    expect(parseListedRef(line, objectFormat("sha1"))).toMatchObject({ name: "refs/heads/\\%FF" });
  });

  test.each([A, `${A} `, "unborn", `${A}0 HEAD`, `${A.slice(1)} HEAD`, `x HEAD`, `${A} HEAD peeled:${A}0`, ""])(
    "is refused if it is %j",
    (line) => {
      expect(() => parseListedRef(unescapePayload(line), objectFormat("sha1"))).toThrow("invalid ls-refs response");
    },
  );
});

describe("info/refs", () => {
  test("is parsed as it was formatted", () => {
    const text =
      formatInfoRef("refs/heads/main", raw(A)) +
      formatInfoRef("refs/tags/v1", raw(B), raw(A)) +
      formatInfoRef("refs/tags/v2", raw(B));
    expect(text).toBe(`${A}\trefs/heads/main\n${B}\trefs/tags/v1\n${A}\trefs/tags/v1^{}\n${B}\trefs/tags/v2\n`);
    expect(parseInfoRefs(text, objectFormat("sha1"))).toEqual([
      { name: "refs/heads/main", oid: A, peeled: undefined },
      { name: "refs/tags/v1", oid: B, peeled: A },
      { name: "refs/tags/v2", oid: B, peeled: undefined },
    ]);
  });

  test.each([`${A} refs/heads/x\n`, `${A}\t\n`, "<html>\n", `${A.slice(1)}\trefs/heads/x\n`])(
    "is refused if it is %j",
    (text) => {
      expect(() => parseInfoRefs(text, objectFormat("sha1"))).toThrow("info/refs is not valid");
    },
  );
});

describe("the lines around a message", () => {
  test("announce a service", () => {
    const out = new PktBuffer();
    formatServiceAnnouncement("git-upload-pack", out);
    expect(Buffer.from(out.takeBytes()).toString()).toBe("001e# service=git-upload-pack\n0000");
    expect(parseServiceAnnouncement(unescapePayload("# service=git-receive-pack\\n"))).toBe("git-receive-pack");
    expect(parseServiceAnnouncement(unescapePayload("# service=git-upload-archive\\n"))).toBeUndefined();
    expect(parseServiceAnnouncement(unescapePayload("version 2\\n"))).toBeUndefined();
    expect(parseServiceName("upload-pack")).toBeUndefined();
  });

  test.each([
    [undefined, 0],
    ["", 0],
    ["version=0", 0],
    ["version=1", 1],
    ["version=2", 2],
    ["version=1:version=2", 2],
    ["version=2:version=1", 2],
    ["key=value:version=2:x", 2],
    ["version=3", 0],
    ["version=3:version=1", 1],
    ["version=02", 0],
    [" version=2", 0],
    ["version=__proto__", 0],
  ])("ask, with the header %j, for version %i", (header, version) => {
    expect(parseProtocolVersion(header)).toBe(version);
  });

  test.each([
    ["version 1\\n", 1],
    ["version 2", 2],
    ["version 3", 0],
    [`${A} HEAD\\0version 2`, 0],
    ["0000", 0],
  ])("state, with the first line %j, version %i", (line, version) => {
    expect(detectProtocolVersion(pktLine(line))).toBe(version);
  });

  test("state why the other side stops", () => {
    const out = new PktBuffer();
    formatFailureLine("not our ref\nreally", out);
    formatFailureLine("€".repeat(70_000), out);
    const [short = "", long = ""] = pktText(out.takeBytes());
    expect(short).toBe("ERR not our ref really");
    expect(parseFailureLine(unescapePayload(short))).toBe("not our ref really");
    expect(parseFailureLine(unescapePayload(long))).toMatch(/^€{21000,}$/);
    expect(parseFailureLine(unescapePayload("ERROR"))).toBeUndefined();
  });
});
