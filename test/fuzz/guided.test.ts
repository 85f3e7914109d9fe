/**
 * Every parser of stored and sent bytes, with inputs that are made from those which reached new code. Some of them in every run of the
 * suite; `npm run fuzz` takes a tenth of `FUZZ_RUNS`, or as many as there are `FUZZ_SECONDS` for, and others each time.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { newBits } from "../../src/bytes/bits.ts";
import { parseTips } from "../../src/format/bundle.ts";
import { CommitGraphHead } from "../../src/format/commit-graph.ts";
import { deltaSizes } from "../../src/format/delta-stream.ts";
import { encodeEwah, ewahEnd, xorEwah } from "../../src/format/ewah.ts";
import { type BitmapTable, encodePackBitmap, parsePackBitmap } from "../../src/format/pack-bitmap.ts";
import { PackIndex } from "../../src/format/pack-index.ts";
import { parsePackedRefs } from "../../src/format/packed-refs.ts";
import { parseAttributes, questionFor } from "../../src/object/attributes.ts";
import { textOf } from "../../src/object/byte-text.ts";
import { parseCommit } from "../../src/object/commit.ts";
import { fsckGitattributes, fsckGitmodules } from "../../src/object/fsck-blob.ts";
import { objectFormat } from "../../src/object/object-id.ts";
import { parseTag } from "../../src/object/tag.ts";
import { advertisedOn } from "../../src/wire/capabilities.ts";
import { CommandRequestParser } from "../../src/wire/command-request.ts";
import { FetchRequestParser, formatFetchArguments } from "../../src/wire/fetch-request.ts";
import { FetchResponseParser } from "../../src/wire/fetch-response.ts";
import { parseInfoRefs } from "../../src/wire/info-refs.ts";
import { formatObjectFilterSpec, parseObjectFilterSpec } from "../../src/wire/object-filter-spec.ts";
import { PktBuffer } from "../../src/wire/pkt-buffer.ts";
import { type PktLine, PktLineDecoder } from "../../src/wire/pkt-line.ts";
import { parsePushCertificate } from "../../src/wire/push-certificate.ts";
import { ReceiveRequestParser } from "../../src/wire/receive-request.ts";
import { RefAdvertisementParser } from "../../src/wire/ref-advertisement.ts";
import { UploadRequestParser } from "../../src/wire/upload-request.ts";
import { CONTEXT as context } from "../support/capability-context.ts";
import { applyDelta, createDelta } from "../support/delta.ts";
import { finished } from "../support/finished.ts";
import { fuzzTime, recorded, tryTo } from "../support/fuzzing.ts";
import { everything, noise } from "../support/git-fixtures.ts";
import { GitRepository } from "../support/git-repository.ts";
import { type GuidedTarget, runGuided } from "../support/guided-fuzzing.ts";
import { fsckObject } from "../support/objects.ts";
import { pktBytes } from "../support/pkt.ts";
import { nodeHash } from "../support/store.ts";

/** Coverage takes some milliseconds for each input: so there are fewer than of others. */
const FEW = 50;
const SHARE = 10;
/** The most seeds of a target: transcripts have many that are alike. */
const MOST_SEEDS = 40;
const SEED = 20;
const format = objectFormat("sha1");
const A = "a".repeat(40);
const features = new Set(advertisedOn("fetch", context).map(({ name }) => name));
const WIRE = ["ProtocolError", "LimitExceeded"];
const WIRE_TOKENS = [
  "0000",
  "0001",
  "0032",
  "want ",
  "have ",
  "deepen ",
  "shallow ",
  "filter ",
  "command=",
  A,
  "\0",
  "\n",
  " ",
];
const bytesOf = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, "latin1"));
const base = noise(3000, 1);

interface Parser<Result> {
  accept(line: PktLine): string;
  readonly result: Result;
}

/** Reads lines with a parser, and has what it made said again: that has to be taken, too. */
function lines<Result>(
  make: () => Parser<Result>,
  say?: (result: Result, out: PktBuffer) => void,
): (bytes: Uint8Array) => void {
  const parsed = (bytes: Uint8Array): { readonly result: Result } | undefined => {
    const decoder = new PktLineDecoder();
    decoder.push(bytes);
    const parser = make();
    for (let line = decoder.next(); line !== undefined; line = decoder.next()) {
      if (parser.accept(line) !== "more") return { result: parser.result };
    }
    return undefined;
  };
  return (bytes) => {
    const read = tryTo(() => parsed(bytes), ...WIRE);
    if (read === undefined || say === undefined) return;
    const out = new PktBuffer();
    if (tryTo(() => say(read.result, out) ?? true, "LimitExceeded") === undefined) return;
    expect(parsed(out.takeBytes())).toBeDefined();
  };
}

const messages = (choose: Parameters<typeof recorded>[0]): Uint8Array[] =>
  recorded(choose).map((each) => pktBytes(...each));
const requests = messages(({ request }) => request);
const answers = messages(({ answer }) => answer);
const uploads = messages(({ request, path }) => (path === "git-upload-pack" ? request : undefined));
const pushes = messages(({ request, path }) => (path === "git-receive-pack" ? request : undefined));

const OBJECT_TOKENS = [
  "tree ",
  "parent ",
  "author ",
  "committer ",
  "gpgsig ",
  "\n ",
  "100644 ",
  "40000 ",
  "\0",
  "<",
  ">",
  "\n",
  A,
];
/** What git made: its objects, a pack's index, and files of this host about them. */
const made: Record<string, Uint8Array[]> = {};

beforeAll(() => {
  const git = new GitRepository();
  try {
    git.import(everything());
    const object = (type: string, name: string): Uint8Array => new Uint8Array(git.git(["cat-file", type, name]));
    made["commit"] = ["main", "side", "main~1"].map((name) => object("commit", name));
    made["tree"] = ["main^{tree}", "side^{tree}"].map((name) => object("tree", name));
    made["tag"] = ["v1.0", "v1.0-signed-off"].map((name) => object("tag", name));
    made["config"] = [object("blob", "main:.gitmodules")];
    made["index"] = [new Uint8Array(git.index(git.pack(["--all"])).idx)];
    git.git(["update-ref", "refs/heads/graphed", "main"]);
    git.git(["commit-graph", "write", "--reachable", "--changed-paths"]);
    const graph = git.text(["rev-parse", "--git-path", "objects/info/commit-graph"]);
    made["graph"] = [new Uint8Array(readFileSync(join(git.dir, graph)))];
  } finally {
    git.dispose();
  }
  const sets = [1, 2, 3, 4].map((word) => newBits(200).fill(word));
  const entries = sets.map((bits, at) => ({
    position: 3 * at,
    baseBefore: at === 0 ? 0 : 1,
    ewah: encodeEwah(bits, sets[at - 1]),
  }));
  const tables = { format, packChecksum: new Uint8Array(20), types: sets, entries };
  made["bitmaps"] = [
    new Uint8Array(Buffer.concat(Array.from(encodePackBitmap(tables, nodeHash("sha1")), (piece) => piece.slice()))),
  ];
});

type Named = Omit<GuidedTarget, "seeds"> & { readonly seeds: readonly Uint8Array[] | string };

const STORE = ["CorruptStore", "LimitExceeded"];
const OBJECTS = ["ObjectRejected"];
const objectOf =
  (type: "commit" | "tag", parse: (bytes: Uint8Array) => unknown) =>
  (bytes: Uint8Array): void => {
    const finding = fsckObject(type, bytes, format);
    const read = tryTo(() => parse(bytes), ...OBJECTS);
    if (finding === undefined) expect(read).toBeDefined();
  };

const targets: Record<string, Named> = {
  "requests of version 2": {
    seeds: requests,
    tokens: WIRE_TOKENS,
    read: lines(() => new CommandRequestParser(context)),
  },
  "arguments of fetch": {
    seeds: [pktBytes(`want ${A}`, `have ${A}`, "deepen 3", "filter tree:2", "thin-pack", "done", "0000")],
    tokens: [...WIRE_TOKENS, "0014done\n", "blob:none", "combine:", "%2b"],
    read: lines(
      () => new FetchRequestParser({ objectFormat: format, features, maxObjectIds: 50 }),
      formatFetchArguments,
    ),
  },
  "requests of upload-pack": {
    seeds: uploads,
    tokens: WIRE_TOKENS,
    read: lines(() => new UploadRequestParser(context, 50)),
  },
  "requests of receive-pack": {
    seeds: pushes,
    tokens: [...WIRE_TOKENS, "push-cert", "push-cert-end\n", "refs/heads/", "report-status"],
    read: lines(() => new ReceiveRequestParser(context, 50)),
  },
  "lists of refs": {
    seeds: answers,
    tokens: WIRE_TOKENS,
    read: lines(() => new RefAdvertisementParser(() => undefined)),
  },
  "answers to fetch": {
    seeds: answers,
    tokens: [...WIRE_TOKENS, "acknowledgments\n", "packfile\n", "shallow-info\n", "wanted-refs\n"],
    read: lines(() => new FetchResponseParser(format)),
  },
  filters: {
    seeds: ["blob:limit=10k", "combine:blob:none+tree:3", "combine:combine:tree%3a1+blob:none"].map(bytesOf),
    tokens: ["combine:", "+", "%2b", "%25", "blob:", "tree:", "limit=", "object:type="],
    read: (bytes) => {
      const spec = tryTo(() => parseObjectFilterSpec(textOf(bytes)), ...WIRE);
      if (spec !== undefined) expect(parseObjectFilterSpec(formatObjectFilterSpec(spec))).toEqual(spec);
    },
  },
  "push certificates": {
    seeds: [bytesOf(`certificate version 0.1\npusher A <a@b> 1 +0000\npushee x\nnonce 1\n\n${A} ${A} refs/x\n`)],
    tokens: ["pusher ", "pushee ", "nonce ", "push-option ", "-----BEGIN", "\n\n", A],
    read: (bytes) => tryTo(() => parsePushCertificate(bytes), ...WIRE),
  },
  "info/refs": {
    seeds: [bytesOf(`${A}\trefs/heads/main\n${A}\trefs/tags/v1^{}\n`)],
    tokens: ["\t", "\n", A, "^{}"],
    read: (bytes) => tryTo(() => parseInfoRefs(textOf(bytes), format), ...WIRE),
  },
  commits: { seeds: "commit", tokens: OBJECT_TOKENS, read: objectOf("commit", (bytes) => parseCommit(bytes, format)) },
  tags: {
    seeds: "tag",
    tokens: [...OBJECT_TOKENS, "object ", "type commit\n"],
    read: objectOf("tag", (bytes) => parseTag(bytes, format)),
  },
  trees: { seeds: "tree", tokens: OBJECT_TOKENS, read: (bytes) => void fsckObject("tree", bytes, format) },
  "special files": {
    seeds: "config",
    tokens: ['[submodule "', '"]', "path = ", "url = -x", "\\", "#", "\r\n"],
    read: (bytes) => {
      for (const finding of [finished(fsckGitmodules(bytes)), fsckGitattributes(bytes)])
        expect(finding?.text).not.toBe("");
    },
  },
  attributes: {
    seeds: [bytesOf("*.png binary\n/a/** -text !diff eol=lf\n[attr]x export-ignore\n")],
    tokens: ["export-ignore", "[attr]", "**", "\\", '"', "-", "!", "\n"],
    read: (bytes) => void parseAttributes(textOf(bytes), questionFor("export-ignore", textOf(bytes))),
  },
  deltas: {
    seeds: [createDelta(base, base.subarray(100, 2000)), createDelta(base, noise(200, 3))],
    tokens: ["\0", "\xff", "\x90\x01"],
    read: (bytes) => {
      const result = tryTo(() => applyDelta(base, bytes), ...OBJECTS);
      if (result !== undefined) expect(result).toHaveLength(deltaSizes(bytes).resultSize);
    },
  },
  "indexes of packs": {
    seeds: "index",
    tokens: ["\xfftOc", "\0\0\0\x02", "\x80\0\0\0"],
    read: (bytes) =>
      tryTo(
        () => {
          const index = new PackIndex(bytes, format);
          for (let at = 0; at < index.count; at++) {
            tryTo(() => index.offsetAt(at), ...STORE);
            expect(index.find(index.nameAt(at))).toBeLessThan(index.count);
          }
        },
        ...STORE,
      ),
  },
  bitmaps: {
    seeds: "bitmaps",
    tokens: ["BITM", "\xff\xff\xff\xff", "\0\0\0\x01"],
    read: (bytes) =>
      tryTo(
        () => {
          const table = parsePackBitmap(bytes, format, new Uint8Array(20));
          for (let row = 0; row < table.count; row++) readBitmap(table, row, bytes);
        },
        ...STORE,
      ),
  },
  "lengths of bits": {
    seeds: [encodeEwah(newBits(640).fill(5)), encodeEwah(newBits(640).fill(0xffff_ffff))],
    tokens: ["\xff\xff\xff\xff", "\0\0\0\0"],
    read: (bytes) =>
      tryTo(
        () => {
          const end = ewahEnd(bytes, 0);
          expect(end).toBeLessThanOrEqual(bytes.length);
          xorEwah(bytes, 0, newBits(640));
        },
        ...STORE,
      ),
  },
  "commit-graphs": {
    seeds: "graph",
    tokens: ["CGPH", "OIDF", "CDAT", "GDA2", "BIDX"],
    read: (bytes) => tryTo(() => new CommitGraphHead(bytes, format), ...STORE),
  },
  "tips of bundles": {
    seeds: [bytesOf(`=60\n@pack\n-${A} \n${A} refs/heads/main\n`), bytesOf(`${A} refs/heads/main\n`)],
    tokens: ["=", "@", "-", A, " \n"],
    read: (bytes) => {
      const { lines: ends, bytes: all } = parseTips(bytes);
      expect(ends.at(-1)).toBeLessThanOrEqual(all.length);
    },
  },
  "packed refs": {
    seeds: [bytesOf(`# pack-refs with: peeled fully-peeled sorted \n${A} refs/heads/main\n${A} refs/tags/v1\n^${A}\n`)],
    tokens: ["^", "#", A, "\n"],
    read: (bytes) => tryTo(() => parsePackedRefs(textOf(bytes)), ...STORE, ...WIRE),
  },
};

function readBitmap(table: BitmapTable, row: number, bytes: Uint8Array): void {
  tryTo(
    () => {
      const bits = newBits(200);
      for (const each of table.chainOf(row)) {
        const { offset, length } = table.rangeOf(each);
        xorEwah(table.ewahOf(each, bytes.subarray(offset, offset + length)), 0, bits);
      }
    },
    ...STORE,
  );
}

describe("inputs that reach new code are refused, or taken whole", () => {
  it.each(Object.keys(targets))("%s", (name) => {
    const { seeds, ...target } = targets[name] ?? expect.fail(name);
    const { FUZZ_RUNS: runs, FUZZ_SEED: chosen } = process.env;
    const seed = Number(chosen ?? (runs === undefined ? SEED : Date.now() % 1_000_000));
    const first = (typeof seeds === "string" ? (made[seeds] ?? []) : seeds).slice(0, MOST_SEEDS);
    const count = runs === undefined ? FEW : Math.ceil(Number(runs) / SHARE);
    const limit = { inputs: first.length + count, time: fuzzTime };
    const { inputs, kept, places } = runGuided({ ...target, seeds: first }, limit, seed);
    if (runs !== undefined || fuzzTime > 0)
      process.stdout.write(`${JSON.stringify({ name, seed, inputs, kept: kept.length, places })}\n`);
    // More than what the seeds reach: else nothing was guided.
    expect(kept.length).toBeGreaterThan(first.length === 1 ? 1 : 0);
  });
});
