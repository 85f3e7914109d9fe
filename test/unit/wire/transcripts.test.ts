/**
 * Replays recorded conversations of git's client and C git's server. Every message is parsed and formatted again, and
 * must come out as the same bytes.
 */
import { describe, expect, test } from "vitest";
import { objectFormat } from "../../../src/object/object-id.ts";
import { formatAcknowledgement, parseAcknowledgement } from "../../../src/wire/acknowledgements.ts";
import type { CapabilityContext } from "../../../src/wire/capabilities.ts";
import { CapabilityAdvertisementParser } from "../../../src/wire/capability-advertisement.ts";
import { formatCapability, formatCapabilityList } from "../../../src/wire/capability-list.ts";
import { CommandRequestParser } from "../../../src/wire/command-request.ts";
import { FetchRequestParser, formatFetchArguments } from "../../../src/wire/fetch-request.ts";
import { FetchResponseParser, formatAcknowledgments, formatPackfileHeader } from "../../../src/wire/fetch-response.ts";
import {
  LsRefsRequestParser,
  formatListedRef,
  formatLsRefsArguments,
  parseListedRef,
} from "../../../src/wire/ls-refs.ts";
import { PktBuffer } from "../../../src/wire/pkt-buffer.ts";
import { PushOptionsParser, formatPushOptions } from "../../../src/wire/push-options.ts";
import { ReceiveRequestParser, formatReceiveRequest } from "../../../src/wire/receive-request.ts";
import {
  RefAdvertisementParser,
  RefAdvertisementWriter,
  type AdvertisedRef,
} from "../../../src/wire/ref-advertisement.ts";
import { ReportStatusParser, formatReportStatus } from "../../../src/wire/report-status.ts";
import { formatServiceAnnouncement, parseServiceAnnouncement } from "../../../src/wire/service-announcement.ts";
import { BAND_DATA, encodeSideBand, parseSideBand } from "../../../src/wire/side-band.ts";
import {
  UploadHavesParser,
  UploadRequestParser,
  formatUploadHaves,
  formatUploadRequest,
} from "../../../src/wire/upload-request.ts";
import { feed, pktLine, pktText, unescapePayload, runThrough } from "../../support/pkt.ts";
import { recordTranscripts } from "../../support/record-transcripts.ts";
import { type Exchange, readTranscript, transcriptNames } from "../../support/transcript.ts";

const format = objectFormat("sha1");
const context: CapabilityContext = {
  objectFormat: "sha1",
  agent: "thinpack/test",
  stateless: true,
  symrefs: [{ name: "HEAD", target: "refs/heads/main" }],
};
const features = new Set(["wait-for-done"]);

/** Returns the lines that `write` makes. */
function made(write: (out: PktBuffer) => void): string[] {
  const out = new PktBuffer();
  write(out);
  return pktText(out.takeBytes());
}

/** Returns lines without the line feed that ends most. The client omits it on some lines, and it has no meaning. */
const chomped = (lines: readonly string[]): string[] => lines.map((line) => line.replace(/\\n$/, ""));

function replayAdvertisement({ answer, path }: Exchange): void {
  const service = parseServiceAnnouncement(unescapePayload(answer.lines[0] ?? ""));
  const isV2 = answer.lines[0] === "version 2\\n";
  if (isV2) {
    const parser = new CapabilityAdvertisementParser();
    expect(feed(parser, answer.lines)).toEqual({ answer: "done", rest: [] });
    const lines = ["version 2\\n", ...Array.from(parser.result, (one) => `${formatCapability(one)}\\n`), "0000"];
    expect(lines).toEqual(answer.lines);
    return;
  }
  const refs: AdvertisedRef[] = [];
  const parser = new RefAdvertisementParser((ref) => refs.push(ref));
  // receive-pack has no version 2, but http-backend drops the announcement for every client that asked for it.
  expect(feed(parser, answer.lines.slice(service === undefined ? 0 : 2)).answer).toBe("done");
  const { capabilities, version } = parser.result;
  const lines = made((out) => {
    if (service !== undefined) formatServiceAnnouncement(service, out);
    const options = { version, objectFormat: format, capabilities: formatCapabilityList(capabilities) };
    const writer = new RefAdvertisementWriter(options, out);
    for (const ref of refs) writer.ref(ref.name, ref.oid, ref.peeled);
    writer.end();
  });
  expect(lines).toEqual(answer.lines);
  if (service !== undefined) expect(path).toBe(`info/refs?service=${service}`);
}

/** Reads side-band packets. Returns the lines of their data band and the last packet. */
function bandOf(lines: readonly string[]): { data: Buffer; end: string } {
  const packets = lines.map((line) => parseSideBand(pktLine(line)));
  const data = packets.flatMap((packet) => (packet.kind === "band" && packet.band === BAND_DATA ? [packet.data] : []));
  expect(packets.slice(0, -1).every((packet) => packet.kind === "band")).toBe(true);
  return { data: Buffer.concat(data), end: packets.at(-1)?.kind ?? "" };
}

function replayVersion2({ request, answer }: Exchange): void {
  const head = new CommandRequestParser(context);
  const { rest } = feed(head, request.lines);
  if (head.result.kind !== "command") throw new Error("no command");
  expect(head.result).toMatchObject({ agent: expect.stringMatching(/^git\//), argumentsFollow: true });
  if (head.result.command === "ls-refs") {
    const parser = new LsRefsRequestParser();
    expect(feed(parser, rest)).toEqual({ answer: "done", rest: [] });
    expect(made((out) => formatLsRefsArguments(parser.result, out))).toEqual(rest);
    const refs = answer.lines.slice(0, -1).map((line) => parseListedRef(unescapePayload(line), format));
    const lines = made((out) => {
      for (const ref of refs) if (ref !== undefined) formatListedRef(ref, out);
      out.flush();
    });
    expect(lines).toEqual(answer.lines);
    return;
  }
  const parser = new FetchRequestParser({ objectFormat: format, features });
  expect(feed(parser, rest)).toEqual({ answer: "done", rest: [] });
  const again = made((out) => formatFetchArguments(parser.result, out));
  expect(again.toSorted()).toEqual(rest.toSorted());

  const response = new FetchResponseParser(format);
  const { answer: end, rest: pack } = feed(response, answer.lines);
  const lines = made((out) => {
    if (response.result.acknowledgments !== undefined)
      runThrough(formatAcknowledgments(response.result.acknowledgments, out));
    if (end === "packfile") formatPackfileHeader(out);
  });
  expect(lines).toEqual(answer.lines.slice(0, lines.length));
  if (end === "packfile") expect(bandOf(pack).data.subarray(0, 4).toString()).toBe("PACK");
}

function replayUpload({ request, answer }: Exchange): void {
  const wants = new UploadRequestParser(context);
  const { answer: end, rest } = feed(wants, request.lines);
  expect(end).toBe("done");
  const capabilities = formatCapabilityList(wants.result.capabilities);
  const haves = new UploadHavesParser(format);
  expect(feed(haves, rest)).toEqual({ answer: "done", rest: [] });
  const lines = made((out) => {
    formatUploadRequest({ ...wants.result, capabilities }, out);
    formatUploadHaves(haves.result, out);
  });
  expect(lines).toEqual(request.lines);

  const answers = answer.lines.filter((line) => /^(?:ACK|NAK)/.test(line));
  expect(answers.length).toBeGreaterThan(0);
  const formatted = made((out) => {
    for (const line of answers) formatAcknowledgement(parseAcknowledgement(unescapePayload(line), format), out);
  });
  expect(formatted).toEqual(answers);
  const pack = answer.lines.slice(answers.length);
  if (pack.length > 0) expect(bandOf(pack)).toMatchObject({ end: "end" });
}

function replayPush({ request, answer }: Exchange): void {
  const parser = new ReceiveRequestParser(context);
  const { answer: end, rest } = feed(parser, request.lines);
  expect(end).toBe("done");
  const { commands, capabilities } = parser.result;
  const options = new PushOptionsParser();
  if (capabilities.has("push-options")) expect(feed(options, rest)).toEqual({ answer: "done", rest: [] });
  else expect(rest).toEqual([]);
  expect(request.rest.length > 0).toBe(!commands.deletesOnly);
  const lines = made((out) => {
    formatReceiveRequest({ commands, capabilities: ` ${formatCapabilityList(capabilities)}` }, out);
    if (capabilities.has("push-options")) formatPushOptions(options.result, out);
  });
  expect(lines).toEqual(request.lines);

  const { data } = bandOf(answer.lines);
  const report = new ReportStatusParser();
  expect(feed(report, pktText(data)).answer).toBe("done");
  expect(report.result.refs).toHaveLength(commands.length);
  const out = new PktBuffer();
  runThrough(formatReportStatus(report.result, capabilities.has("report-status-v2") ? 2 : 1, out));
  const ours = out.takeBytes();
  expect(Buffer.from(ours).equals(data)).toBe(true);
  const reports = answer.lines.filter((line) => line.startsWith("\\x01"));
  expect(pktText(encodeSideBand(BAND_DATA, ours))).toEqual(reports);
}

test.runIf(process.env["RECORD_TRANSCRIPTS"] === "1")("recording", async () => {
  await recordTranscripts();
  expect(transcriptNames()).toContain("clone-v2.txt");
});

describe.each(transcriptNames())("the recorded conversation %s", (name) => {
  const exchanges = readTranscript(name);

  test("is parsed and formatted to the same bytes", () => {
    expect(exchanges.length).toBeGreaterThan(0);
    for (const exchange of exchanges) {
      const isProbe = chomped(exchange.request.lines).join() === "0000";
      if (exchange.method === "GET") replayAdvertisement(exchange);
      else if (isProbe) expect(exchange.answer.lines).toEqual([]);
      else if (exchange.path === "git-receive-pack") replayPush(exchange);
      else if (exchange.protocol === "version=2") replayVersion2(exchange);
      else replayUpload(exchange);
    }
  });
});
