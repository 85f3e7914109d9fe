import * as fc from "fast-check";
import { Bug } from "../../../src/bytes/assert.ts";
import { describe, expect, test } from "vitest";
import { ProtocolError } from "../../../src/bytes/failure.ts";
import { objectFormat } from "../../../src/object/object-id.ts";
import type { CapabilityContext } from "../../../src/wire/capabilities.ts";
import { PktBuffer } from "../../../src/wire/pkt-buffer.ts";
import { PushOptionsParser, formatPushOptions } from "../../../src/wire/push-options.ts";
import { ReceiveRequestParser, formatReceiveRequest } from "../../../src/wire/receive-request.ts";
import { type RefReport, ReportStatusParser, formatReportStatus } from "../../../src/wire/report-status.ts";
import { escapedNames } from "../../support/fuzzing.ts";
import { feed, pktLine, pktText, runThrough } from "../../support/pkt.ts";

const context: CapabilityContext = { objectFormat: "sha1", agent: "thinpack/1", stateless: true, symrefs: [] };
const ZERO = "0".repeat(40);
const A = "a".repeat(40);
const B = "0123456789abcdef0123456789abcdef01234567";

const request = (lines: string[], maxCommands?: number) => {
  const parser = new ReceiveRequestParser(context, maxCommands);
  const { answer, rest } = feed(parser, lines);
  return { answer, rest, result: parser.result };
};

describe("a receive-request", () => {
  test("ends at its flush-pkt, before the push options and the pack", () => {
    const { answer, rest, result } = request([
      `shallow ${B}`,
      `${ZERO} ${A} refs/heads/new\\0 report-status-v2 side-band-64k push-options object-format=sha1 agent=git/2`,
      `${A} ${B} refs/heads/main`,
      `${B.toUpperCase()} ${ZERO} refs/tags/old\\n`,
      "0000",
      "option",
    ]);
    expect(answer).toBe("done");
    expect(rest).toEqual(["option"]);
    expect([...result.commands]).toEqual([
      { kind: "create", name: "refs/heads/new", oldOid: ZERO, newOid: A },
      { kind: "update", name: "refs/heads/main", oldOid: A, newOid: B },
      { kind: "delete", name: "refs/tags/old", oldOid: B, newOid: ZERO },
    ]);
    expect(result.commands.deletesOnly).toBe(false);
    expect(result.capabilities.has("push-options")).toBe(true);
    expect(result.shallows.hexAt(0)).toBe(B);
  });

  test("is empty if it is a lone flush-pkt, as the probe before a large push is", () => {
    const { answer, result } = request(["0000"]);
    expect(answer).toBe("done");
    expect(result.commands).toHaveLength(0);
    expect(result.commands.deletesOnly).toBe(true);
  });

  test("may have no capabilities, or capabilities with a line feed behind them", () => {
    expect([...request([`${ZERO} ${A} refs/heads/x`, "0000"]).result.capabilities]).toEqual([]);
    expect(request([`${ZERO} ${A} refs/heads/x\\0atomic\\n`, "0000"]).result.capabilities.has("atomic")).toBe(true);
  });

  test("tells whether all its commands are deletions, so that no pack follows", () => {
    expect(request([`${A} ${ZERO} refs/a`, `${B} ${ZERO} refs/b`]).result.commands.deletesOnly).toBe(true);
    expect(request([`${A} ${ZERO} refs/a`, `${ZERO} ${B} refs/b`]).result.commands.deletesOnly).toBe(false);
  });

  test("has names that are not UTF-8 as escaped text", () => {
    const { result } = request([`${ZERO} ${A} refs/heads/\\xff`, `${ZERO} ${A} refs/heads/ä`, `${ZERO} ${A} `]);
    expect(Array.from(result.commands, ({ name }) => name)).toEqual(["refs/heads/\\%FF", "refs/heads/ä", ""]);
  });

  test("is parsed as it was formatted", () => {
    const oid = fc.stringMatching(/^[0-9a-f]{40}$/);
    const name = escapedNames(/[\0\n]/);
    fc.assert(
      fc.property(fc.array(fc.record({ name, oldOid: oid, newOid: oid })), (commands) => {
        const out = new PktBuffer();
        formatReceiveRequest({ commands, capabilities: " report-status", shallows: [new Uint8Array(20)] }, out);
        const { answer, result } = request(pktText(out.takeBytes()));
        expect(answer).toBe("done");
        expect(
          Array.from(result.commands, ({ name: found, oldOid, newOid }) => ({ name: found, oldOid, newOid })),
        ).toEqual(commands);
        expect(result.shallows.hexAt(0)).toBe(ZERO);
      }),
    );
  });

  test("holds 100,000 commands", { tags: "thorough" }, () => {
    const lines = Array.from({ length: 100_000 }, (_, index) => `${ZERO} ${A} refs/heads/branch-${index}`);
    const { result } = request([...lines, "0000"]);
    expect(result.commands).toHaveLength(100_000);
    expect(result.commands.at(99_999)).toMatchObject({ name: "refs/heads/branch-99999", newOid: A });
    expect(() => result.commands.at(100_000)).toThrow(Bug);
  });

  test("is refused with more commands than the limit", () => {
    expect(() => request([`${ZERO} ${A} refs/a`, `${ZERO} ${A} refs/b`], 1)).toThrow("too many commands: more than 1");
  });

  test.each([
    [[`${ZERO} ${A}`], "protocol error: expected old/new/ref, got"],
    [[`${ZERO}  ${A} refs/heads/x`], "protocol error: expected old/new/ref, got"],
    [[`${ZERO.slice(1)} ${A} refs/heads/x`], "protocol error: expected old/new/ref, got"],
    [[`${ZERO} ${A.slice(1)}g refs/heads/x`], "protocol error: expected old/new/ref, got"],
    [["refs/heads/x"], "protocol error: expected old/new/ref, got 'refs/heads/x'"],
    [[""], "protocol error: expected old/new/ref, got ''"],
    [["shallow x"], "protocol error: expected shallow sha, got 'x'"],
    [[`${ZERO} ${A} refs/a\\0atomic`, `${ZERO} ${A} refs/b\\0quiet`], "a NUL in a command behind the first"],
    [[`${ZERO} ${A} refs/a`, `${ZERO} ${A} refs/b\\0quiet`], "a NUL in a command behind the first"],
    [[`${ZERO} ${A} refs/a\\0atomic\\0quiet`], "a NUL in the capabilities"],
    [[`${ZERO} ${A} refs/a\\0filter`], "the server did not offer the capability 'filter'"],
    [[`${ZERO} ${A} refs/a\\0object-format=sha256`], "unsupported object format 'sha256'"],
    [["push-cert\\0quiet", "push-cert-end\\n"], "malformed push certificate "],
    [["push-cert\\0quiet", "certificate version 0.1\\n", "0000"], "malformed push certificate certificate version 0.1"],
    [
      ["push-cert\\0quiet", "certificate version 0.1\\n", "\\n", "\\n", "push-cert-end\\n"],
      "expected old/new/ref, got ''",
    ],
    [["push-cert\\0quiet", "0001"], "protocol error: unexpected delim packet"],
    [[`${ZERO} ${A} refs/a\\0quiet`, "push-cert"], "got both push certificate and unsigned commands"],
    [
      ["push-cert", "certificate version 0.1\\n", "\\n", "push-cert-end\\n", `${ZERO} ${A} refs/a`],
      "got both push certificate and unsigned",
    ],
    [
      ["push-cert", "certificate version 0.1\\n", "\\n", "push-cert-end\\n", "push-cert"],
      "got both push certificate and unsigned commands",
    ],
    [["0001"], "protocol error: unexpected delim packet"],
  ])("refuses %j", (lines, message) => {
    expect(() => request(lines)).toThrow(ProtocolError);
    expect(() => request(lines)).toThrow(message);
  });

  test("is parsed with the object format of the repository", () => {
    const long = objectFormat("sha256").hexSize;
    const parser = new ReceiveRequestParser({ ...context, objectFormat: "sha256" });
    feed(parser, [`${"0".repeat(long)} ${"b".repeat(long)} refs/heads/x\\0object-format=sha256`, "0000"]);
    expect(parser.result.commands.at(0)).toMatchObject({ kind: "create", newOid: "b".repeat(long) });
  });
});

describe("push options", () => {
  test("are parsed as they were formatted", () => {
    const option = fc
      .string({ unit: "binary", maxLength: 30 })
      .filter((text) => text.isWellFormed() && !/[\0\n]/.test(text));
    fc.assert(
      fc.property(fc.array(option), (options) => {
        const out = new PktBuffer();
        formatPushOptions(options, out);
        const parser = new PushOptionsParser();
        expect(feed(parser, pktText(out.takeBytes())).answer).toBe("done");
        expect(parser.result).toEqual(options);
      }),
    );
  });

  test.each([
    [["a\\0b"], "a NUL or line feed in a push option"],
    [["a\\nb"], "a NUL or line feed in a push option"],
    [["0001"], "unexpected delim packet"],
    [["x".repeat(65_000), "x".repeat(1000)], "push options of more than 65536 bytes"],
    [Array.from({ length: 20_000 }, () => ""), "push options of more than 65536 bytes"],
  ])("refuses %#", (lines, message) => {
    expect(() => feed(new PushOptionsParser(), lines)).toThrow(message);
  });
});

describe("the ref names of all commands together", () => {
  test("have a bounded length", () => {
    const long = Array.from({ length: 600 }, (_, at) => `${ZERO} ${A} refs/${"x".repeat(60_000)}${at}`);
    expect(() => request([`${long[0]}\\0`, ...long.slice(1), "0000"])).toThrow("too long together");
    expect(request([`${long[0]}\\0`, ...long.slice(1, 100), "0000"]).result?.commands.length).toBe(100);
  });
});

describe("the report of a push", () => {
  const parse = (lines: string[]) => {
    const parser = new ReportStatusParser();
    expect(feed(parser, lines).answer).toBe("done");
    return parser.result;
  };
  const name = escapedNames(/[\0\n ]/).map((text) => `refs/${text}`);
  const options = fc.record(
    { refname: name, oldOid: fc.constant(A), newOid: fc.constant(B), forcedUpdate: fc.constant(true as const) },
    { requiredKeys: ["refname"] },
  );
  const ref: fc.Arbitrary<RefReport> = fc.oneof(
    fc.record({ kind: fc.constant("ok" as const), name }),
    fc.record({ kind: fc.constant("ok" as const), name, updates: fc.array(options, { minLength: 1 }) }),
    fc.record({ kind: fc.constant("ng" as const), name, why: fc.stringMatching(/^[!-~]{1,10}( [!-~]{1,9}){0,3}$/) }),
  );
  const refs = fc.uniqueArray(ref, { selector: (value) => value.name });

  test("is parsed as it was formatted, in version 2", () => {
    fc.assert(
      fc.property(refs, (value) => {
        const out = new PktBuffer();
        runThrough(formatReportStatus({ unpack: "ok", refs: value }, 2, out));
        expect(parse(pktText(out.takeBytes()))).toEqual({ unpack: "ok", refs: value });
      }),
    );
  });

  test("has no options in version 1", () => {
    const report = {
      unpack: "index-pack abnormal exit",
      refs: [
        { kind: "ok", name: "refs/for/x", updates: [{ refname: "refs/heads/x" }] },
        { kind: "ng", name: "refs/heads/y", why: "unpacker error" },
      ],
    } as const;
    const out = new PktBuffer();
    runThrough(formatReportStatus(report, 1, out));
    expect(pktText(out.takeBytes())).toEqual([
      "unpack index-pack abnormal exit\\n",
      "ok refs/for/x\\n",
      "ng refs/heads/y unpacker error\\n",
      "0000",
    ]);
    runThrough(formatReportStatus(report, 2, out));
    expect(pktText(out.takeBytes())[2]).toBe("option refname refs/heads/x\\n");
  });

  test("has each reason on one line", () => {
    const out = new PktBuffer();
    runThrough(
      formatReportStatus({ unpack: "a\nb\0c\n", refs: [{ kind: "ng", name: "r", why: "no\r\n0000" }] }, 1, out),
    );
    expect(pktText(out.takeBytes())).toEqual(["unpack a b c\\n", "ng r no 0000\\n", "0000"]);
  });

  test("may have an ng without a reason and unknown options, as in git", () => {
    expect(parse(["unpack ok", "ok refs/a trailing", "option new-thing 1", "ng refs/b", "0000"]).refs).toEqual([
      { kind: "ok", name: "refs/a", updates: [{}] },
      { kind: "ng", name: "refs/b", why: "failed" },
    ]);
  });

  test.each([
    [["0000"], "unexpected flush packet while reading remote unpack status"],
    [["ok refs/a"], "unable to parse remote unpack status: ok refs/a"],
    [["unpack ok", "fine refs/a"], "invalid ref status from remote: fine"],
    [["unpack ok", "ok"], "invalid status line from remote: ok"],
    [["unpack ok", "option refname x"], "'option' without a matching 'ok/ng' directive"],
    [["unpack ok", "ng refs/a why", "option refname x"], "'option' without a matching 'ok/ng' directive"],
  ])("refuses %j", (lines, message) => {
    const parser = new ReportStatusParser();
    expect(() => lines.map((line) => parser.accept(pktLine(line)))).toThrow(message);
  });
});
