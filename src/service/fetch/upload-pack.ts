/**
 * upload-pack in versions 0 and 1, over HTTP: one request holds the wants and one round of haves.
 *
 * Capabilities: `multi_ack`, `multi_ack_detailed`, `no-done`, `thin-pack`, `side-band`, `side-band-64k`, `ofs-delta`,
 * `shallow`, `deepen-since`, `deepen-not`, `deepen-relative`, `no-progress`, `include-tag`, `allow-tip-sha1-in-want`,
 * `allow-reachable-sha1-in-want`, `symref`, `filter`, `session-id`, `object-format`, `agent`.
 *
 * @packageDocumentation
 * @see gitprotocol-pack(5), gitprotocol-http(5), upload-pack.c `upload_pack()`
 */
import { objectFormat } from "../../object/object-id.ts";
import type { CapabilityList } from "../../wire/capability-list.ts";
import { SIDE_BAND_64K_PACKET_MAX, SIDE_BAND_PACKET_MAX, type SideBandPacketMax } from "../../wire/side-band.ts";
import {
  type UploadHaves,
  UploadHavesParser,
  type UploadRequest,
  UploadRequestParser,
} from "../../wire/upload-request.ts";
import { formatOfWant } from "../client-format.ts";
import type { Exchange } from "../exchange.ts";
import { type ServiceCall, answerFaults } from "../failure.ts";
import { asksForDepth, formatShallowSection, planDepth, shallowLines } from "./fetch-depth.ts";
import { requestedFilter } from "./fetch-filter.ts";
import { openFetchSession } from "../../packing/pack-session.ts";
import { type AcknowledgementStyle, acknowledgeRound } from "./negotiate.ts";
import { RequestReader } from "../request-reader.ts";
import type { ResponseWriter } from "../response-writer.ts";
import { fetchSnapshot, isPlainFetch, sendPack } from "./send-pack.ts";
import { sendTwin } from "./send-twin.ts";

/** The acknowledgement of a client that has nothing, before the pack. */
const NOTHING_COMMON = "0008NAK\n";

/** Answers a request of version 0 or 1. Both are the same after the advertisement. */
export async function serveUploadPack(exchange: Exchange): Promise<void> {
  await answerFaults(exchange, async (call) => {
    const reader = new RequestReader(exchange.input);
    const first = await reader.peek();
    if (first === undefined) return;
    const context = {
      objectFormat: formatOfWant(first),
      agent: exchange.agent,
      stateless: true,
      symrefs: [],
      sessionId: exchange.sessionId,
    };
    const { limits } = exchange.repository;
    const parser = new UploadRequestParser(context, limits.wants);
    await reader.feed(parser);
    const request = parser.result;
    exchange.note({ sessionId: request.capabilities.value("session-id") });
    if (request.wants.length === 0) return;
    // git's client asks about depth first and sends its haves with the next request. The request may end here, and only
    // here.
    const hasRound = (await reader.peek()) !== undefined;
    const haves = new UploadHavesParser(objectFormat(context.objectFormat), limits.wants);
    if (hasRound) await reader.feed(haves);
    await answerUpload(call, request, hasRound ? haves.result : undefined);
  });
}

async function answerUpload(call: ServiceCall, request: UploadRequest, round: UploadHaves | undefined): Promise<void> {
  const { exchange, admission, answer } = call;
  const wants = request.wants.bytes().slice();
  const { capabilities } = request;
  const filter = requestedFilter(request.filter);
  const includeTag = capabilities.has("include-tag");
  const had = round === undefined ? [request.shallows] : [round.haves, request.shallows];
  const hasNothing = round === undefined || round.haves.length === 0;
  const isPlain = isPlainFetch(request, filter, hasNothing && capabilities.has("ofs-delta"));
  const asked = fetchSnapshot({ wants, includeTag, deepenNot: request.deepenNot, had, isPlain });
  const snapshot = await admission.openAs(request.wants.format.name, asked);
  const isTwins = isPlain && round?.done === true && capabilities.has("side-band-64k");
  if (isTwins && (await sendTwin(exchange, snapshot, NOTHING_COMMON))) return;
  const session = await openFetchSession(exchange.repository, snapshot, { wants, isPlain });
  try {
    await session.checkWants();
    const plan = await planDepth(session, { ...request, deepenRelative: capabilities.has("deepen-relative") });
    if (asksForDepth(request)) await answer.sendEach(formatShallowSection(shallowLines(session, plan), answer.lines));
    const next = round === undefined ? "end" : await acknowledgeRound(session, round, styleOf(capabilities), answer);
    if (next === "end") {
      await answer.send();
      return;
    }
    await startPack(capabilities, answer);
    if (plan !== undefined) await session.cut(plan);
    const options = {
      thinPack: capabilities.has("thin-pack"),
      ofsDelta: capabilities.has("ofs-delta"),
      includeTag,
      filter,
      noProgress: capabilities.has("no-progress"),
      had,
    };
    await sendPack(call, session, options);
  } finally {
    session.close();
  }
}

function styleOf(capabilities: CapabilityList): AcknowledgementStyle {
  const detailed = capabilities.has("multi_ack_detailed");
  const multiAck = detailed ? "multi_ack_detailed" : capabilities.has("multi_ack") ? "multi_ack" : "none";
  return { multiAck, noDone: capabilities.has("no-done") };
}

async function startPack(capabilities: CapabilityList, answer: ResponseWriter): Promise<void> {
  const packetMax = packetMaxOf(capabilities);
  if (packetMax === undefined) await answer.startBare();
  else await answer.startBands(packetMax);
}

function packetMaxOf(capabilities: CapabilityList): SideBandPacketMax | undefined {
  if (capabilities.has("side-band-64k")) return SIDE_BAND_64K_PACKET_MAX;
  return capabilities.has("side-band") ? SIDE_BAND_PACKET_MAX : undefined;
}
