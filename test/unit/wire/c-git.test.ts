/**
 * Tests the codecs against C git's own programs. The messages of upload-pack and receive-pack are parsed and formatted
 * again, and must come out as the same bytes. C git must accept the messages that the formatters make for a client.
 */
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { objectFormat } from "../../../src/object/object-id.ts";
import { parseAcknowledgement } from "../../../src/wire/acknowledgements.ts";
import { CAPABILITIES, type CapabilityContext, advertisedOn } from "../../../src/wire/capabilities.ts";
import {
  CapabilityAdvertisementParser,
  formatCapabilityAdvertisement,
} from "../../../src/wire/capability-advertisement.ts";
import { type Capability, formatCapability, formatCapabilityList } from "../../../src/wire/capability-list.ts";
import { formatCommandRequest } from "../../../src/wire/command-request.ts";
import { formatFetchArguments } from "../../../src/wire/fetch-request.ts";
import {
  FetchResponseParser,
  formatAcknowledgments,
  formatPackfileHeader,
  formatShallowInfo,
} from "../../../src/wire/fetch-response.ts";
import { formatInfoRef, parseInfoRefs } from "../../../src/wire/info-refs.ts";
import { formatListedRef, formatLsRefsArguments, parseListedRef } from "../../../src/wire/ls-refs.ts";
import { ObjectIdList } from "../../../src/wire/object-id-list.ts";
import { PktBuffer } from "../../../src/wire/pkt-buffer.ts";
import { PktLineDecoder } from "../../../src/wire/pkt-line.ts";
import { formatPushOptions } from "../../../src/wire/push-options.ts";
import { formatReceiveRequest } from "../../../src/wire/receive-request.ts";
import {
  type AdvertisedRef,
  RefAdvertisementParser,
  RefAdvertisementWriter,
} from "../../../src/wire/ref-advertisement.ts";
import { ReportStatusParser, formatReportStatus } from "../../../src/wire/report-status.ts";
import { parseSideBand } from "../../../src/wire/side-band.ts";
import { formatUploadHaves, formatUploadRequest } from "../../../src/wire/upload-request.ts";
import { GitSandbox } from "../../support/git-client.ts";
import { feed, pktText, unescapePayload, runThrough } from "../../support/pkt.ts";

const git = new GitSandbox("wire");
afterAll(() => git.close());

const raw = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex, "hex"));
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
const nothing = { depth: undefined, deepenSince: undefined, deepenNot: [], filter: undefined } as const;

describe.each(["sha1", "sha256"] as const)("C git with %s", (name) => {
  const format = objectFormat(name);
  let full = "";
  let empty = "";
  let first = "";
  let main = "";
  const list = (...oids: string[]): ObjectIdList => {
    const result = new ObjectIdList(format);
    for (const oid of oids) result.push(raw(oid));
    return result;
  };

  beforeAll(async () => {
    empty = await git.init("empty", "--bare", `--object-format=${name}`);
    full = await git.init("full", `--object-format=${name}`);
    first = await git.commit(full, "a.txt", "one\n");
    main = await git.commit(full, "ä/b.txt", "two\n");
    await git.ok(["tag", "-a", "-m", "annotated", "v1", first], { cwd: full });
    await git.ok(["tag", "-a", "-m", "of a tag", "v1-again", "v1"], { cwd: full });
    await git.ok(["tag", "light"], { cwd: full });
    await git.ok(["branch", "zweig/ä", first], { cwd: full });
    await git.ok(["symbolic-ref", "refs/heads/alias", "refs/heads/main"], { cwd: full });
    await git.ok(["config", "receive.advertisePushOptions", "true"], { cwd: empty });
    const offers = [
      "allowTipSHA1InWant",
      "allowReachableSHA1InWant",
      "allowFilter",
      "allowRefInWant",
      "allowSidebandAll",
    ];
    for (const each of offers) await git.ok(["config", `uploadpack.${each}`, "true"], { cwd: full });
    await git.ok(["config", "transfer.advertiseObjectInfo", "true"], { cwd: full });
  });

  const serve = (service: string, directory: string, input: Uint8Array | undefined, version = 0): Promise<Buffer> =>
    git.bytes([service, "--stateless-rpc", ...(input === undefined ? ["--http-backend-info-refs"] : []), directory], {
      input: input ?? "",
      env: { GIT_PROTOCOL: `version=${version}`, GIT_USER_AGENT: "thinpack/test" },
    });

  /** Returns C git's offer without the capabilities that are marked as later. It must be what this host offers. */
  const offered = (surface: "upload-pack" | "receive-pack" | "v2", theirs: Iterable<Capability>): string[] => {
    const later = CAPABILITIES.filter((row) => row.surface === surface && row.status === "later");
    return [...theirs].filter((one) => !later.some((row) => row.name === one.name)).map(formatCapability);
  };
  const context: CapabilityContext = {
    objectFormat: name,
    agent: "thinpack/test",
    stateless: true,
    symrefs: [{ name: "HEAD", target: "refs/heads/main" }],
  };

  // Without upload-pack of an empty repository: before 2.41, git sent a lone flush-pkt there, without capabilities.
  test.each([
    ["upload-pack", 0, "full"],
    ["upload-pack", 1, "full"],
    ["receive-pack", 0, "full"],
    ["receive-pack", 1, "empty"],
  ] as const)(
    "the advertisement of %s in version %i, %s, is parsed and formatted to the same bytes",
    async (service, version, which) => {
      const theirs = await serve(service, which === "full" ? full : empty, undefined, version);
      const refs: AdvertisedRef[] = [];
      const parser = new RefAdvertisementParser((ref) => refs.push(ref));
      expect(feed(parser, pktText(theirs)).answer).toBe("done");
      const { capabilities, objectFormat: found, version: spoken } = parser.result;
      expect([found.name, spoken]).toEqual([name, version]);

      const out = new PktBuffer();
      const options = { version: spoken, objectFormat: found, capabilities: formatCapabilityList(capabilities) };
      const writer = new RefAdvertisementWriter(options, out);
      for (const ref of refs) writer.ref(ref.name, ref.oid, ref.peeled);
      writer.end();
      expect(Buffer.from(out.takeBytes()).equals(theirs)).toBe(true);

      const names = refs.map((ref) => ref.name);
      const all = [
        "refs/heads/alias",
        "refs/heads/main",
        "refs/heads/zweig/ä",
        "refs/tags/light",
        "refs/tags/v1",
        "refs/tags/v1-again",
      ];
      expect(names).toEqual(which === "empty" ? [] : service === "upload-pack" ? ["HEAD", ...all] : all);
      const peeled = refs.find((ref) => ref.name === "refs/tags/v1-again")?.peeled;
      expect(peeled && hex(peeled)).toBe(service === "upload-pack" && which === "full" ? first : undefined);
    },
  );

  test("upload-pack offers what this host offers, in the same order", async () => {
    const parser = new RefAdvertisementParser(() => undefined);
    feed(parser, pktText(await serve("upload-pack", full, undefined)));
    const ours = advertisedOn("upload-pack", context).map(formatCapability);
    expect(offered("upload-pack", parser.result.capabilities)).toEqual(ours);
  });

  test("receive-pack offers what this host offers, in the same order", async () => {
    const parser = new RefAdvertisementParser(() => undefined);
    feed(parser, pktText(await serve("receive-pack", empty, undefined)));
    const ours = advertisedOn("receive-pack", context).map(formatCapability);
    expect(offered("receive-pack", parser.result.capabilities)).toEqual(ours);
  });

  test("version 2 offers what this host offers, in the same order", async () => {
    const parser = new CapabilityAdvertisementParser();
    expect(feed(parser, pktText(await serve("upload-pack", full, undefined, 2))).answer).toBe("done");
    expect(parser.result.hasFeature("fetch", "wait-for-done")).toBe(true);
    const out = new PktBuffer();
    formatCapabilityAdvertisement(context, out);
    const ours = new CapabilityAdvertisementParser();
    feed(ours, pktText(out.takeBytes()));
    const [theirs, mine] = [parser.result, ours.result].map((capabilities) =>
      offered("v2", capabilities).map((text) =>
        text.replace(/^object-info$/, "object-info=size").replace(/^fetch=.*/, "fetch="),
      ),
    );
    // git before 2.40 tells of no bundles.
    expect(mine?.filter((text) => text !== "bundle-uri")).toEqual(theirs?.filter((text) => text !== "bundle-uri"));
  });

  test.each([
    [{ peel: true, symrefs: true, unborn: true, prefixes: [] }, 8],
    [{ peel: false, symrefs: false, unborn: false, prefixes: ["refs/tags/v", "HEAD"] }, 3],
    [{ peel: true, symrefs: false, unborn: false, prefixes: ["refs/heads/zweig/ä"] }, 1],
  ])(
    "ls-refs with %j is answered, and the answer is parsed and formatted to the same bytes",
    async (request, count) => {
      const out = new PktBuffer();
      formatCommandRequest({ command: "ls-refs", agent: "thinpack/test", objectFormat: name }, out);
      formatLsRefsArguments(request, out);
      const theirs = await serve("upload-pack", full, out.takeBytes(), 2);
      const lines = pktText(theirs).slice(0, -1);
      const refs = lines.flatMap((line) => parseListedRef(unescapePayload(line), format) ?? []);
      for (const ref of refs) formatListedRef(ref, out);
      out.flush();
      expect(Buffer.from(out.takeBytes()).equals(theirs)).toBe(true);
      expect(refs.length).toBe(request.peel && request.symrefs ? count - 1 : count);
    },
  );

  test("ls-refs lists a HEAD whose branch is unborn", async () => {
    const out = new PktBuffer();
    formatCommandRequest({ command: "ls-refs", objectFormat: name }, out);
    formatLsRefsArguments({ peel: true, symrefs: true, unborn: true, prefixes: [] }, out);
    const theirs = await serve("upload-pack", empty, out.takeBytes(), 2);
    formatListedRef({ name: "HEAD", oid: undefined, symrefTarget: "refs/heads/main" }, out);
    out.flush();
    expect(Buffer.from(out.takeBytes()).equals(theirs)).toBe(true);
  });

  /**
   * Feeds an answer to a parser until it is done. Returns the parser's last reply, and the decoder behind that line.
   */
  const readAnswer = (bytes: Uint8Array, parser: FetchResponseParser): { answer: string; decoder: PktLineDecoder } => {
    const decoder = new PktLineDecoder();
    decoder.push(bytes);
    let answer = "more";
    while (answer === "more") {
      const line = decoder.next();
      if (line === undefined) throw new Error("the answer ends early");
      answer = parser.accept(line);
    }
    return { answer, decoder };
  };
  const packBehind = (decoder: PktLineDecoder): Buffer => {
    const pieces: Uint8Array[] = [];
    for (let line = decoder.next(); line !== undefined; line = decoder.next()) {
      const packet = parseSideBand(line);
      if (packet.kind === "band" && packet.band === 1) pieces.push(packet.data.slice());
    }
    return Buffer.concat(pieces);
  };
  const fetchRequest = {
    ...nothing,
    wantRefs: [],
    thinPack: true,
    noProgress: false,
    includeTag: true,
    ofsDelta: true,
    deepenRelative: false,
    sidebandAll: false,
    packfileUris: [],
    waitForDone: false,
  };

  test.each([
    ["a clone", { done: true }],
    ["a fetch that is ready", { haves: true }],
    ["a fetch that waits", { haves: true, waitForDone: true }],
    ["a fetch with nothing in common", { haves: "unknown" }],
    ["a shallow clone", { done: true, depth: 1 }],
  ])(
    "%s in version 2 is answered, and the answer is parsed and formatted to the same bytes",
    async (
      _,
      {
        done = false,
        haves,
        waitForDone = false,
        depth,
      }: { done?: boolean; haves?: boolean | string; waitForDone?: boolean; depth?: number },
    ) => {
      const have = haves === true ? [first] : haves === undefined ? [] : ["ab".repeat(format.rawSize)];
      const request = {
        ...fetchRequest,
        wants: list(main),
        haves: list(...have),
        shallows: list(),
        done,
        waitForDone,
        depth,
      };
      const out = new PktBuffer();
      formatCommandRequest({ command: "fetch", agent: "thinpack/test", objectFormat: name }, out);
      formatFetchArguments(request, out);
      const theirs = await serve("upload-pack", full, out.takeBytes(), 2);
      const parser = new FetchResponseParser(format);
      const { answer, decoder } = readAnswer(theirs, parser);
      const { acknowledgments, shallowInfo } = parser.result;
      const ready = haves === true && !waitForDone;
      expect(answer).toBe(done || ready ? "packfile" : "done");
      expect(acknowledgments?.ready).toBe(haves === undefined ? undefined : ready);
      expect(Array.from(acknowledgments?.common ?? [], hex)).toEqual(haves === true ? [first] : []);
      expect(shallowInfo.map((line) => [line.kind, hex(line.oid)])).toEqual(
        depth === undefined ? [] : [["shallow", main]],
      );

      if (acknowledgments !== undefined) runThrough(formatAcknowledgments(acknowledgments, out));
      if (shallowInfo.length > 0) runThrough(formatShallowInfo(shallowInfo, out));
      if (answer === "packfile") formatPackfileHeader(out);
      const ours = Buffer.from(out.takeBytes());
      expect(ours.equals(theirs.subarray(0, ours.length))).toBe(true);
      expect(packBehind(decoder).subarray(0, 4).toString()).toBe(answer === "packfile" ? "PACK" : "");
    },
  );

  test.each([
    ["multi_ack_detailed no-done side-band-64k", ["ACK common", "ACK ready", "NAK", "ACK final"]],
    ["multi_ack_detailed side-band", ["ACK common", "ACK ready", "NAK"]],
    ["multi_ack", ["ACK continue", "NAK"]],
    ["", ["ACK final"]],
  ])("a round of haves with %j is answered, and the answer is parsed", async (capabilities, expected) => {
    const out = new PktBuffer();
    formatUploadRequest({ ...nothing, shallows: list(), wants: list(main), capabilities }, out);
    formatUploadHaves({ haves: list(first), done: false }, out);
    // C git offers no-done only if it knows that it is behind HTTP, but it accepts it from any client.
    const theirs = await serve("upload-pack", full, out.takeBytes());
    const answers = pktText(theirs)
      .filter((line) => /^(?:ACK|NAK)/.test(line))
      .map((line) => parseAcknowledgement(unescapePayload(line), format));
    expect(answers.map((answer) => (answer.kind === "nak" ? "NAK" : `ACK ${answer.status}`))).toEqual(expected);
    expect(answers.every((answer) => answer.kind === "nak" || hex(answer.oid) === first)).toBe(true);
  });

  test("a push is accepted, and its report is parsed and formatted to the same bytes", async () => {
    const tip = await git.ok(["rev-parse", "main"], { cwd: full });
    const pack = await git.bytes(["pack-objects", "--all", "--stdout", "-q"], { cwd: full });
    const push = async (capabilities: string, updates: [string, string, string][], options?: string[]) => {
      const out = new PktBuffer();
      const commands = updates.map(([oldOid, newOid, ref]) => ({ oldOid, newOid, name: ref }));
      formatReceiveRequest({ commands, capabilities: ` ${capabilities} object-format=${name}` }, out);
      if (options !== undefined) formatPushOptions(options, out);
      const deletes = commands.every((command) => /^0+$/.test(command.newOid));
      const body = Buffer.concat([...out.take(), deletes ? Buffer.alloc(0) : pack]);
      return await serve("receive-pack", empty, body);
    };
    const zeros = "0".repeat(format.hexSize);
    const created = await push("report-status-v2 push-options", [[zeros, tip, "refs/heads/new"]], ["a=b", "ä"]);
    const refused = await push("report-status atomic", [
      [zeros, tip, "refs/heads/other"],
      [first, tip, "refs/heads/absent"],
    ]);
    const deleted = await push("report-status", [[tip, zeros, "refs/heads/new"]]);
    for (const [theirs, version] of [
      [created, 2],
      [refused, 1],
      [deleted, 1],
    ] as const) {
      const parser = new ReportStatusParser();
      expect(feed(parser, pktText(theirs)).answer).toBe("done");
      const out = new PktBuffer();
      runThrough(formatReportStatus(parser.result, version, out));
      expect(Buffer.from(out.takeBytes()).equals(theirs)).toBe(true);
      expect(parser.result.unpack).toBe("ok");
      expect(parser.result.refs.map((ref) => ref.kind)).toEqual(theirs === refused ? ["ng", "ng"] : ["ok"]);
    }
  });

  test("info/refs is parsed and formatted to the same bytes", async () => {
    await git.ok(["update-server-info"], { cwd: full });
    const theirs = readFileSync(`${full}/.git/info/refs`, "utf8");
    const refs = parseInfoRefs(theirs, format);
    const ours = refs.map((ref) => formatInfoRef(ref.name, raw(ref.oid), ref.peeled && raw(ref.peeled))).join("");
    expect(ours).toBe(theirs);
    expect(refs.find((ref) => ref.name === "refs/tags/v1")?.peeled).toBe(first);
  });
});
