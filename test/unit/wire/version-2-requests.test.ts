import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ProtocolError } from "../../../src/bytes/failure.ts";
import { objectFormat } from "../../../src/object/object-id.ts";
import type { CapabilityContext } from "../../../src/wire/capabilities.ts";
import { CommandRequestParser, formatCommandRequest } from "../../../src/wire/command-request.ts";
import { type FetchRequest, FetchRequestParser, formatFetchArguments } from "../../../src/wire/fetch-request.ts";
import { LsRefsRequestParser, formatLsRefsArguments } from "../../../src/wire/ls-refs.ts";
import { ObjectIdList } from "../../../src/wire/object-id-list.ts";
import { PktBuffer } from "../../../src/wire/pkt-buffer.ts";
import { FLUSH_LINE } from "../../../src/wire/pkt-line.ts";
import { escapedNames } from "../../support/fuzzing.ts";
import { feed, pktText } from "../../support/pkt.ts";

const context: CapabilityContext = { objectFormat: "sha1", agent: "thinpack/1", stateless: true, symrefs: [] };
const sha1 = objectFormat("sha1");
const ALL_FEATURES = new Set(["shallow", "wait-for-done", "filter", "ref-in-want", "sideband-all", "packfile-uris"]);
const A = "a".repeat(40);
const B = "0123456789abcdef0123456789abcdef01234567";

const head = (lines: string[], changes: Partial<CapabilityContext> = {}) => {
  const parser = new CommandRequestParser({ ...context, ...changes });
  const { answer, rest } = feed(parser, lines);
  return { answer, rest, result: answer === "done" ? parser.result : undefined };
};

describe("the head of a version 2 request", () => {
  test("ends at the delim-pkt before the arguments", () => {
    expect(head(["command=ls-refs\\n", "agent=git/2.39.5", "object-format=sha1", "0001", "peel\\n", "0000"])).toEqual({
      answer: "done",
      rest: ["peel\\n", "0000"],
      result: {
        kind: "command",
        command: "ls-refs",
        agent: "git/2.39.5",
        sessionId: undefined,
        serverOptions: [],
        acceptsPromisor: false,
        argumentsFollow: true,
      },
    });
  });

  test("may have no arguments", () => {
    expect(head(["agent=x", "command=fetch", "0000"]).result).toEqual({
      kind: "command",
      command: "fetch",
      agent: "x",
      sessionId: undefined,
      serverOptions: [],
      acceptsPromisor: false,
      argumentsFollow: false,
    });
  });

  test("is empty if it is a lone flush-pkt", () => {
    expect(head(["0000"]).result).toEqual({ kind: "empty" });
  });

  test("has server options, in order", () => {
    const options = Array.from({ length: 1000 }, (_, index) => `${index}=x y`);
    const lines = ["command=fetch", ...options.map((option) => `server-option=${option}`), "server-option", "0001"];
    expect(head(lines).result).toMatchObject({ serverOptions: options });
  });

  test("has the client's session id if one was offered", () => {
    const offered = { sessionId: "ours" };
    expect(head(["command=fetch", "session-id=theirs", "0000"], offered).result).toMatchObject({ sessionId: "theirs" });
    expect(head(["command=fetch", "session-id", "0000"], offered).result).toMatchObject({ sessionId: "" });
    expect(() => head(["command=fetch", "session-id=theirs", "0000"])).toThrow(
      "unknown capability 'session-id=theirs'",
    );
  });

  test("is parsed as it was formatted", () => {
    const out = new PktBuffer();
    formatCommandRequest(
      { command: "fetch", agent: "a/1", objectFormat: "sha1", sessionId: "s", serverOptions: ["o=p"] },
      out,
    );
    const lines = pktText(out.takeBytes());
    expect(lines).toEqual([
      "command=fetch\\n",
      "agent=a/1",
      "object-format=sha1",
      "session-id=s",
      "server-option=o=p",
      "0001",
    ]);
    const made = { command: "fetch", agent: "a/1", sessionId: "s", serverOptions: ["o=p"] };
    expect(head(lines, { sessionId: "ours" }).result).toMatchObject(made);
  });

  test.each([
    [["command=__proto__"], "invalid command '__proto__'"],
    [["command=constructor"], "invalid command 'constructor'"],
    [["command="], "invalid command ''"],
    [["command=agent"], "invalid command 'agent'"],
    [["command=promisor-remote"], "invalid command 'promisor-remote'"],
    [["command=object-info=size"], "invalid command 'object-info=size'"],
    [["command=ls-refs=unborn"], "invalid command 'ls-refs=unborn'"],
    [["command=fetch", "command=ls-refs"], "command 'ls-refs' requested after already requesting command 'fetch'"],
    [["command=fetch", "command=fetch"], "command 'fetch' requested after already requesting command 'fetch'"],
    [["ls-refs"], "unknown capability 'ls-refs'"],
    [["fetch=shallow"], "unknown capability 'fetch=shallow'"],
    [["__proto__"], "unknown capability '__proto__'"],
    [["session-id=x"], "unknown capability 'session-id=x'"],
    [["want " + A], `unknown capability 'want ${A}'`],
    [[""], "unknown capability ''"],
    [["agent=x", "0000"], "no command requested"],
    [["0001"], "no command requested"],
    [["0002"], "unexpected response end packet"],
    [["object-format"], "object-format capability requires an argument"],
    [["object-format=md5"], "unknown object format 'md5'"],
    [["command=ls-refs", "object-format=sha256", "0001"], "mismatched object format: server sha1; client sha256"],
  ])("refuses %j", (lines, message) => {
    expect(() => head(lines)).toThrow(ProtocolError);
    expect(() => head(lines)).toThrow(message);
  });

  test("means SHA-1 if the client names no object format", () => {
    const sha256 = { objectFormat: "sha256" } as const;
    expect(() => head(["command=fetch", "0001"], sha256)).toThrow(
      "mismatched object format: server sha256; client sha1",
    );
    expect(head(["command=fetch", "object-format=sha256", "0001"], sha256).answer).toBe("done");
  });
});

describe("ls-refs", () => {
  const parse = (lines: string[]) => {
    const parser = new LsRefsRequestParser();
    expect(feed(parser, lines).answer).toBe("done");
    return parser.result;
  };

  test("is parsed as it was formatted", () => {
    const request = fc.record({
      peel: fc.boolean(),
      symrefs: fc.boolean(),
      unborn: fc.boolean(),
      prefixes: fc.array(escapedNames(/\n$/, { least: 0 })),
    });
    fc.assert(
      fc.property(request, (value) => {
        const out = new PktBuffer();
        formatLsRefsArguments(value, out);
        expect(parse(pktText(out.takeBytes()))).toEqual(value);
      }),
    );
  });

  test("drops all prefixes if there are too many, as git does", () => {
    const prefixes = (count: number) => Array.from({ length: count }, (_, index) => `ref-prefix ${index}`);
    expect(parse([...prefixes(65_535), "0000"]).prefixes).toHaveLength(65_535);
    expect(parse([...prefixes(65_536), "0000"]).prefixes).toHaveLength(0);
    expect(parse([...prefixes(65_540), "0000"]).prefixes).toHaveLength(0);
  });

  test("takes the prefixes of 100,000 short names, and refuses a flood", () => {
    for (const word of ["ref-prefix refs/heads/x", "peel"]) {
      const parser = new LsRefsRequestParser();
      const line = { kind: "data", payload: Buffer.from(word) } as const;
      for (let at = 0; at < 1_000_000; at++) parser.accept(line);
      expect(parser.result.prefixes).toEqual([]);
      expect(() => parser.accept(line)).toThrow("too many arguments: more than 1000000");
    }
  });

  test("may have a prefix that ends within a character", () => {
    const [bytes, half] = [Buffer.from("ref-prefix refs/heads/\u00fc"), new LsRefsRequestParser()];
    half.accept({ kind: "data", payload: bytes.subarray(0, -1) });
    expect(half.result.prefixes).toEqual(["refs/heads/\\%C3"]);
  });

  test("drops all prefixes if they are too long together", () => {
    const long = Array.from({ length: 17 }, () => `ref-prefix ${"x".repeat(65_000)}`);
    expect(parse([...long, "ref-prefix y", "0000"]).prefixes).toEqual([]);
  });

  test.each([
    ["peel ", "unexpected line: 'peel '"],
    ["ref-prefix", "unexpected line: 'ref-prefix'"],
    ["0001", "expected flush after ls-refs arguments"],
    ["0002", "expected flush after ls-refs arguments"],
    ["\\xff\\0", "unexpected line: '\uFFFD\0'"],
  ])("refuses %j", (line, message) => {
    expect(() => feed(new LsRefsRequestParser(), [line])).toThrow(ProtocolError);
    expect(() => feed(new LsRefsRequestParser(), [line])).toThrow(message);
  });
});

const oids = fc.array(fc.uint8Array({ minLength: 20, maxLength: 20 }), { maxLength: 12 }).map((list) => {
  const result = new ObjectIdList(sha1);
  for (const oid of list) result.push(oid);
  return result;
});
const word = fc.stringMatching(/^[!-~]{1,12}$/);
const fetchRequest: fc.Arbitrary<FetchRequest> = fc.record({
  wants: oids,
  wantRefs: fc.uniqueArray(escapedNames(/\n$/)),
  haves: oids,
  shallows: oids,
  depth: fc.option(fc.integer({ min: 1, max: 0x7fffffff }), { nil: undefined }),
  deepenSince: fc.option(fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }), { nil: undefined }),
  deepenNot: fc.array(escapedNames(/\n$/)),
  deepenRelative: fc.boolean(),
  done: fc.boolean(),
  thinPack: fc.boolean(),
  noProgress: fc.boolean(),
  includeTag: fc.boolean(),
  ofsDelta: fc.boolean(),
  filter: fc.option(word, { nil: undefined }),
  sidebandAll: fc.boolean(),
  packfileUris: fc.constantFrom([], ["https"], ["http", "https"]),
  waitForDone: fc.boolean(),
});

/** Returns a request with its object names as text, so that they are compared by content. */
function plain(request: FetchRequest): Record<string, unknown> {
  const hex = (list: ObjectIdList): string => Buffer.from(list.bytes()).toString("hex");
  return { ...request, wants: hex(request.wants), haves: hex(request.haves), shallows: hex(request.shallows) };
}

describe("fetch", () => {
  const parser = (features: ReadonlySet<string> = ALL_FEATURES, maxObjectIds = 1000) =>
    new FetchRequestParser({ objectFormat: sha1, features, maxObjectIds });

  test("is parsed as it was formatted", () => {
    fc.assert(
      fc.property(fetchRequest, (request) => {
        const out = new PktBuffer();
        formatFetchArguments(request, out);
        const reader = parser();
        expect(feed(reader, pktText(out.takeBytes())).answer).toBe("done");
        expect(plain(reader.result)).toEqual(plain(request));
      }),
    );
  });

  test("wants nothing without arguments", () => {
    const reader = parser();
    expect(reader.accept(FLUSH_LINE)).toBe("done");
    expect(reader.result).toMatchObject({ done: false, depth: undefined, wantRefs: [] });
    expect(reader.result.wants).toHaveLength(0);
  });

  test("accepts object names of either case, and keeps duplicates and their order", () => {
    const reader = parser();
    feed(reader, [`want ${B.toUpperCase()}\\n`, `have ${A}`, `have ${B}\\n`, `have ${A}\\n`, "0000"]);
    expect(reader.result.wants.hexAt(0)).toBe(B);
    expect(Array.from(reader.result.haves, (oid) => Buffer.from(oid).toString("hex"))).toEqual([A, B, A]);
  });

  test("holds 100,000 haves as bytes", () => {
    const reader = parser(new Set(), 200_000);
    const line = (index: number): string => `have ${index.toString(16).padStart(40, "0")}\\n`;
    feed(reader, [...Array.from({ length: 100_000 }, (_, index) => line(index)), "done\\n", "0000"]);
    expect(reader.result.haves.bytes()).toHaveLength(2_000_000);
    expect(reader.result.haves.hexAt(99_999)).toBe((99_999).toString(16).padStart(40, "0"));
    expect(reader.result.done).toBe(true);
    expect(() => reader.result.haves.at(100_000)).toThrow(RangeError);
  });

  test("refuses more object names than the limit", () => {
    expect(() => feed(parser(ALL_FEATURES, 1), [`want ${A}`, `have ${A}`, `have ${B}`])).toThrow(
      "too many object names: more than 1",
    );
  });

  test("refuses more names of refs than the limit, and too long ones", () => {
    expect(() => feed(parser(ALL_FEATURES, 1), ["want-ref refs/a", "want-ref refs/b"])).toThrow("too many want-ref");
    const long = (at: number): string => `want-ref ${at}${"x".repeat(65_000)}`;
    const most = Array.from({ length: 129 }, (_, at) => long(at));
    expect(feed(parser(ALL_FEATURES), [...most, "0000"]).answer).toBe("done");
    expect(() => feed(parser(ALL_FEATURES), [...most, long(129)])).toThrow("too many want-ref lines");
    const not = Array.from({ length: 1000 }, (_, at) => `deepen-not refs/heads/branch-with-a-name-of-its-own-${at}`);
    expect(feed(parser(ALL_FEATURES), [...not, "0000"]).answer).toBe("done");
    expect(() => feed(parser(ALL_FEATURES), [...not, ...not])).toThrow("too many deepen-not lines");
  });

  test.each(["done", "deepen 1", "thin-pack"])("refuses a flood of %s", (argument) => {
    const flooded = parser(ALL_FEATURES);
    const line = { kind: "data", payload: Buffer.from(argument) } as const;
    for (let at = 0; at < 1_000_000; at++) flooded.accept(line);
    expect(() => flooded.accept(line)).toThrow("too many arguments: more than 1000000");
  });

  test.each([
    ["shallow", `shallow ${A}`],
    ["shallow", "deepen 1"],
    ["shallow", "deepen-since 1"],
    ["shallow", "deepen-not main"],
    ["shallow", "deepen-relative"],
    ["filter", "filter blob:none"],
    ["ref-in-want", "want-ref refs/heads/main"],
    ["sideband-all", "sideband-all"],
    ["packfile-uris", "packfile-uris https"],
    ["wait-for-done", "wait-for-done"],
  ])("accepts, only with the feature %s, the argument %s", (feature, line) => {
    expect(feed(parser(new Set([feature])), [line, "0000"]).answer).toBe("done");
    const others = new Set([...ALL_FEATURES].filter((name) => name !== feature));
    expect(() => feed(parser(others), [line])).toThrow(`unexpected line: '${line}'`);
  });

  test.each([
    [["deepen 1"], 1],
    [["deepen 2147483647"], 2_147_483_647],
    [["deepen 0x10"], 16],
    [["deepen 010"], 8],
    [["deepen 5", "deepen 3"], 3],
  ])("reads the depth of %j", (lines, depth) => {
    const reader = parser();
    feed(reader, lines);
    expect(reader.result.depth).toBe(depth);
  });

  test.each([
    [["deepen 0"], "Invalid deepen: deepen 0"],
    [["deepen 00"], "Invalid deepen: deepen 00"],
    [["deepen -1"], "Invalid deepen: deepen -1"],
    [["deepen 2147483648"], "Invalid deepen: deepen 2147483648"],
    [["deepen 99999999999999999999"], "Invalid deepen"],
    [["deepen 1x"], "Invalid deepen: deepen 1x"],
    [["deepen 1e3"], "Invalid deepen: deepen 1e3"],
    [["deepen 09"], "Invalid deepen: deepen 09"],
    [["deepen "], "Invalid deepen: deepen "],
    [["deepen-since yesterday"], "Invalid deepen-since: deepen-since yesterday"],
    [["deepen-since -1"], "Invalid deepen-since"],
    [["deepen-since 18446744073709551615"], "Invalid deepen-since: deepen-since 18446744073709551615"],
    [["deepen-since 18446744073709551616"], "Invalid deepen-since: deepen-since 18446744073709551616"],
    [["shallow x"], "invalid shallow line: shallow x"],
    [[`shallow ${A}0`], "invalid shallow line"],
    [["want x"], "git upload-pack: protocol error, expected to get oid, not 'want x'"],
    [[`want ${A}${A.slice(16)}`], "git upload-pack: protocol error, expected to get oid"],
    [[`want ${A.slice(1)}g`], "git upload-pack: protocol error, expected to get oid"],
    [[`want ${A} side-band`], "git upload-pack: protocol error, expected to get oid"],
    [["have x"], "git upload-pack: expected SHA1 object, got 'x'"],
    [["have "], "git upload-pack: expected SHA1 object, got ''"],
    [["want"], "unexpected line: 'want'"],
    [["done "], "unexpected line: 'done '"],
    [["__proto__"], "unexpected line: '__proto__'"],
    [[""], "unexpected line: ''"],
    [["filter blob:none", "filter tree:0"], "multiple filter-specs cannot be combined"],
    [["want-ref refs/heads/a", "want-ref refs/heads/a"], "duplicate want-ref refs/heads/a"],
    [["packfile-uris https", "packfile-uris http"], "multiple packfile-uris lines forbidden"],
    [["0001"], "expected flush after fetch arguments"],
  ])("refuses %j", (lines, message) => {
    expect(() => feed(parser(), lines)).toThrow(ProtocolError);
    expect(() => feed(parser(), lines)).toThrow(message);
  });

  test("quotes only a part of a long line", () => {
    expect(() => feed(parser(), ["x".repeat(60_000)])).toThrow(/^unexpected line: 'x{1000}'$/);
  });
});
