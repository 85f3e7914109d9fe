/**
 * Feeds every parser of the protocol with messages that are almost what git sends. A parser refuses a message with a
 * protocol error, or the formatter can make it again. Messages to clients are included, since mirrors read them from
 * anybody.
 */
import { assert, property } from "fast-check";
import { describe, expect, it } from "vitest";
import { objectFormat } from "../../src/object/object-id.ts";
import { advertisedOn } from "../../src/wire/capabilities.ts";
import { formatCapabilityList } from "../../src/wire/capability-list.ts";
import { CapabilityAdvertisementParser } from "../../src/wire/capability-advertisement.ts";
import { CommandRequestParser, formatCommandRequest } from "../../src/wire/command-request.ts";
import { FetchRequestParser, formatFetchArguments } from "../../src/wire/fetch-request.ts";
import { FetchResponseParser } from "../../src/wire/fetch-response.ts";
import { LsRefsRequestParser, formatLsRefsArguments, parseListedRef } from "../../src/wire/ls-refs.ts";
import { formatObjectFilterSpec, parseObjectFilterSpec } from "../../src/wire/object-filter-spec.ts";
import {
  ObjectInfoRequestParser,
  ObjectInfoResponseParser,
  formatObjectInfoArguments,
} from "../../src/wire/object-info.ts";
import { PktBuffer } from "../../src/wire/pkt-buffer.ts";
import { type PktLine, PktLineDecoder } from "../../src/wire/pkt-line.ts";
import { PushOptionsParser, formatPushOptions } from "../../src/wire/push-options.ts";
import { ReceiveRequestParser, formatReceiveRequest } from "../../src/wire/receive-request.ts";
import { RefAdvertisementParser } from "../../src/wire/ref-advertisement.ts";
import { ReportStatusParser } from "../../src/wire/report-status.ts";
import {
  UploadHavesParser,
  UploadRequestParser,
  formatUploadHaves,
  formatUploadRequest,
} from "../../src/wire/upload-request.ts";
import { CONTEXT as context } from "../support/capability-context.ts";
import { almost, almostLines, fuzzRuns, recorded, tryTo } from "../support/fuzzing.ts";

const format = objectFormat("sha1");
const features = new Set(advertisedOn("fetch", context).map(({ name }) => name));
const A = "a".repeat(40);
const FAULTS = ["ProtocolError", "LimitExceeded"];
const TOKENS = [
  "want ",
  "have ",
  "done",
  "deepen ",
  "deepen-since ",
  "deepen-not ",
  "shallow ",
  "unshallow ",
  "filter ",
  "want-ref ",
  "oid ",
  "size",
  "command=",
  "object-format=",
  "server-option=",
  "session-id=",
  "ref-prefix ",
  "peel",
  "symrefs",
  "unpack ",
  "ok ",
  "ng ",
  "option ",
  "ACK ",
  "NAK",
  "ready",
  "packfile",
  "acknowledgments",
  "ERR ",
  "version 1",
  A,
  "0".repeat(40),
  "\0",
  "\n",
  " ",
  "=",
  "refs/heads/main",
  "blob:none",
  "combine:",
  "+",
  "%2b",
  "__proto__",
];

const ofVersion2 = (lines: readonly string[]): boolean => lines.some((line) => line.startsWith("command="));
const requests = recorded(({ request }) => request);
const commands = requests.filter(ofVersion2);
const argumentsOf = (name: string): string[][] =>
  commands
    .filter((lines) => lines.some((line) => line.startsWith(`command=${name}`)))
    .map((lines) => lines.slice(lines.indexOf("0001") + 1));
const uploads = recorded(({ request, path }) => (path === "git-upload-pack" ? request : undefined)).filter(
  (lines) => !ofVersion2(lines),
);
const pushes = recorded(({ request, path }) => (path === "git-receive-pack" ? request : undefined));
const answers = recorded(({ answer }) => answer);

interface Parser<Result> {
  accept(line: PktLine): string;
  readonly result: Result;
}

/** Feeds lines to a parser until its message is complete. Returns `undefined` if it refuses a line or needs more. */
function read<Result>(parser: Parser<Result>, lines: readonly PktLine[]): Result | undefined {
  return tryTo(
    () => {
      for (const line of lines) if (parser.accept(line) !== "more") return parser.result;
      return undefined;
    },
    ...FAULTS,
  );
}

function linesOf(out: PktBuffer): { bytes: string; lines: PktLine[] } {
  const bytes = out.takeBytes();
  const decoder = new PktLineDecoder();
  decoder.push(bytes);
  const lines: PktLine[] = [];
  for (let line = decoder.next(); line !== undefined; line = decoder.next()) lines.push(line);
  return { bytes: Buffer.from(bytes).toString("latin1"), lines };
}

/**
 * Checks that each message is refused, or is formatted to lines that parse to the same. Returns how many were accepted.
 */
function target<Result>(
  seeds: readonly (readonly string[])[],
  make: () => Parser<Result>,
  say?: (result: Result, out: PktBuffer) => void,
): number {
  let taken = 0;
  assert(
    property(almostLines(seeds, TOKENS), (lines) => {
      const result = read(make(), lines);
      if (result === undefined) return;
      taken++;
      if (say === undefined) return;
      const first = new PktBuffer();
      if (tryTo(() => say(result, first) ?? true, "LimitExceeded") === undefined) return;
      const said = linesOf(first);
      const again = read(make(), said.lines);
      expect(again).toBeDefined();
      const second = new PktBuffer();
      if (again !== undefined) say(again, second);
      expect(linesOf(second).bytes).toBe(said.bytes);
    }),
    fuzzRuns(400),
  );
  return taken;
}

describe("almost valid requests are refused, or parse to what can be formatted again", () => {
  it("command-request", () => {
    expect(
      target(
        commands,
        () => new CommandRequestParser(context),
        (request, out) => {
          if (request.kind === "empty") {
            out.flush();
            return;
          }
          const { command, agent, sessionId, serverOptions } = request;
          formatCommandRequest(
            {
              command,
              objectFormat: "sha1",
              serverOptions,
              ...(agent === undefined ? {} : { agent }),
              ...(sessionId === undefined ? {} : { sessionId }),
            },
            out,
          );
        },
      ),
    ).toBeGreaterThan(0);
  });

  it("ls-refs", () => {
    expect(target(argumentsOf("ls-refs"), () => new LsRefsRequestParser(), formatLsRefsArguments)).toBeGreaterThan(0);
  });

  it("fetch-request", () => {
    const make = (): FetchRequestParser => new FetchRequestParser({ objectFormat: format, features, maxObjectIds: 50 });
    expect(
      target(
        [...argumentsOf("fetch"), [`want ${A}`, "deepen 3", "filter tree:2", "done", "0000"]],
        make,
        formatFetchArguments,
      ),
    ).toBeGreaterThan(0);
  });

  it("object-info", () => {
    const seeds = [["size", `oid ${A}`, "0000"]];
    expect(target(seeds, () => new ObjectInfoRequestParser(format, 50), formatObjectInfoArguments)).toBeGreaterThan(0);
    expect(
      target([["size", `${A} 12`, `${A} `, A, "0000"]], () => new ObjectInfoResponseParser(format)),
    ).toBeGreaterThan(0);
  });

  it("upload-request", () => {
    expect(
      target(
        [...uploads, [`want ${A} filter agent=x`, `shallow ${A}`, "deepen-since 12", "filter blob:none", "0000"]],
        () => new UploadRequestParser(context, 50),
        (request, out) =>
          formatUploadRequest({ ...request, capabilities: formatCapabilityList(request.capabilities) }, out),
      ),
    ).toBeGreaterThan(0);
    const rounds = uploads.map((lines) => lines.slice(lines.indexOf("0000") + 1)).filter((lines) => lines.length > 0);
    expect(target(rounds, () => new UploadHavesParser(format, 50), formatUploadHaves)).toBeGreaterThan(0);
  });

  it("receive-request", () => {
    expect(
      target(
        pushes,
        () => new ReceiveRequestParser(context, 50),
        (request, out) => {
          // Only its signer can make a certificate again.
          if (request.certificate === undefined)
            formatReceiveRequest({ ...request, capabilities: formatCapabilityList(request.capabilities) }, out);
        },
      ),
    ).toBeGreaterThan(0);
  });

  it("push-options", () => {
    expect(target([["one\\n", "two=2", "", "0000"]], () => new PushOptionsParser(), formatPushOptions)).toBeGreaterThan(
      0,
    );
  });

  it("object-filter-spec", () => {
    const seeds = [
      "blob:limit=10k",
      "combine:blob:none+tree:3",
      "object:type=tag",
      "combine:combine:tree%3a1+blob:none",
    ];
    const tokens = [
      "combine:",
      "+",
      "%",
      "%2b",
      "%25",
      "blob:",
      "tree:",
      "limit=",
      "18446744073709551616",
      "k",
      "sparse:oid=",
    ];
    assert(
      property(
        almost(
          seeds.map((seed) => new Uint8Array(Buffer.from(seed))),
          tokens,
        ),
        (bytes) => {
          const spec = tryTo(() => parseObjectFilterSpec(Buffer.from(bytes).toString("latin1")), ...FAULTS);
          if (spec === undefined) return;
          const text = formatObjectFilterSpec(spec);
          expect(parseObjectFilterSpec(text)).toEqual(spec);
        },
      ),
      fuzzRuns(1000),
    );
  });
});

describe("almost valid responses are refused, or parse to what can be formatted again", () => {
  it("ref-advertisement", () => {
    expect(target(answers, () => new RefAdvertisementParser(() => undefined))).toBeGreaterThan(0);
  });
  it("capability-advertisement", () => {
    expect(target(answers, () => new CapabilityAdvertisementParser())).toBeGreaterThan(0);
  });
  it("fetch-response", () => {
    expect(target(answers, () => new FetchResponseParser(format))).toBeGreaterThan(0);
  });
  it("report-status", () => {
    expect(
      target(
        [...answers, ["unpack ok", "ok refs/x", "option refname refs/y", "ng refs/z no", "0000"]],
        () => new ReportStatusParser(),
      ),
    ).toBeGreaterThan(0);
  });
  it("listed refs", () => {
    let listed = 0;
    assert(
      property(almostLines(answers, TOKENS), (lines) => {
        for (const line of lines) {
          if (line.kind !== "data") continue;
          if (tryTo(() => parseListedRef(line.payload, format), ...FAULTS) !== undefined) listed++;
        }
      }),
      fuzzRuns(400),
    );
    expect(listed).toBeGreaterThan(0);
  });
});
