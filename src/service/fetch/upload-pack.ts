/**
 * upload-pack in versions 0 and 1. Over HTTP one request holds the wants and one round of haves. On a connection rounds
 * of haves follow the wants until the client is done.
 *
 * Capabilities: `multi_ack`, `multi_ack_detailed`, `no-done`, `thin-pack`, `side-band`, `side-band-64k`, `ofs-delta`,
 * `shallow`, `deepen-since`, `deepen-not`, `deepen-relative`, `no-progress`, `include-tag`, `allow-tip-sha1-in-want`,
 * `allow-reachable-sha1-in-want`, `symref`, `filter`, `session-id`, `object-format`, `agent`.
 *
 * @packageDocumentation
 * @see gitprotocol-pack(5), gitprotocol-http(5), upload-pack.c `upload_pack()`
 */
import { type ObjectFormat, objectFormat } from "../../object/object-id.ts";
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
import { isPlainFetch, requestedFilter } from "./fetch-filter.ts";
import { type FetchSession, openFetchSession } from "../../packing/pack-session.ts";
import { type AcknowledgementStyle, Negotiation } from "./negotiate.ts";
import type { ObjectIdList } from "../../wire/object-id-list.ts";
import { RequestReader } from "../request-reader.ts";
import type { ResponseWriter } from "../response-writer.ts";
import { fetchSnapshot, sendPack } from "./send-pack.ts";
import { sendTwin } from "./send-twin.ts";

/** The acknowledgement of a client that has nothing, before the pack. */
const NOTHING_COMMON = new TextEncoder().encode("0008NAK\n");

/** Answers a request of version 0 or 1. Both are the same after the advertisement. Returns whether it had no fault. */
export async function serveUploadPack(exchange: Exchange): Promise<boolean> {
  return await answerFaults(exchange, async (call) => {
    const reader = new RequestReader(exchange.input, exchange.repository.pacer);
    const first = await reader.peek();
    if (first === undefined) return;
    const context = {
      objectFormat: formatOfWant(first),
      agent: exchange.agent,
      stateless: exchange.stateful !== true,
      symrefs: [],
      sessionId: exchange.sessionId,
    };
    const { limits } = exchange.repository;
    const parser = new UploadRequestParser(context, limits.wants);
    await reader.feed(parser);
    const request = parser.result;
    exchange.note({ sessionId: request.capabilities.value("session-id") });
    if (request.wants.length === 0) return;
    const rounds = new HaveRounds(reader, objectFormat(context.objectFormat), limits.wants);
    await answerUpload(call, request, rounds, await firstRound(exchange, request, rounds));
  });
}

/** The rounds of haves of one client. All of them together are bounded. */
class HaveRounds {
  readonly #reader: RequestReader;
  readonly #format: ObjectFormat;
  #left: number;

  constructor(reader: RequestReader, format: ObjectFormat, most: number) {
    this.#reader = reader;
    this.#format = format;
    this.#left = most;
  }

  /** Whether the client has sent the end of what it sends. */
  async isEnded(): Promise<boolean> {
    return (await this.#reader.peek()) === undefined;
  }

  /** Reads the next round. @throws ProtocolError, LimitExceeded */
  async next(): Promise<UploadHaves> {
    const parser = new UploadHavesParser(this.#format, this.#left);
    await this.#reader.feed(parser);
    this.#left -= parser.result.haves.length;
    return parser.result;
  }
}

/**
 * Reads the first round, which says whether the client has anything. One that asks about depth sends its haves after
 * the answer to that: with the next request over HTTP, where the request may end here, and only here.
 */
async function firstRound(
  { stateful }: Exchange,
  request: UploadRequest,
  rounds: HaveRounds,
): Promise<UploadHaves | undefined> {
  const isLater = stateful === true ? asksForDepth(request) : await rounds.isEnded();
  return isLater ? undefined : await rounds.next();
}

async function answerUpload(
  call: ServiceCall,
  request: UploadRequest,
  rounds: HaveRounds,
  first: UploadHaves | undefined,
): Promise<void> {
  const { exchange, admission, answer } = call;
  const wants = request.wants.bytes().slice();
  const { capabilities } = request;
  const filter = requestedFilter(request.filter);
  const includeTag = capabilities.has("include-tag");
  const had = first === undefined ? [request.shallows] : [first.haves, request.shallows];
  // On a connection a client that has said nothing yet may have something.
  const hasNothing = first === undefined ? exchange.stateful !== true : first.haves.length === 0;
  const isAll = hasNothing && (first?.done === true || exchange.stateful !== true);
  const isPlain = isPlainFetch(request, filter, isAll && capabilities.has("ofs-delta"));
  const asked = fetchSnapshot({ wants, includeTag, deepenNot: request.deepenNot, had, isPlain });
  const snapshot = await admission.openAs(request.wants.format.name, asked);
  const isTwins = isPlain && first?.done === true && capabilities.has("side-band-64k");
  if (isTwins && (await sendTwin(exchange, snapshot, NOTHING_COMMON))) return;
  const session = await openFetchSession(exchange.repository, snapshot, { wants, isPlain });
  try {
    await session.checkWants();
    const plan = await planDepth(session, { ...request, deepenRelative: capabilities.has("deepen-relative") });
    if (asksForDepth(request)) await answer.sendEach(formatShallowSection(shallowLines(session, plan), answer.lines));
    if (!(await negotiated(call, { session, request, rounds, first, had }))) return;
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

type NegotiatedUpload = {
  readonly session: FetchSession;
  readonly request: UploadRequest;
  readonly rounds: HaveRounds;
  readonly first: UploadHaves | undefined;
  /** Gets the haves of further rounds. */
  readonly had: ObjectIdList[];
};

/** Answers rounds of haves, one over HTTP. Returns whether the pack follows. */
async function negotiated(
  { exchange, answer }: ServiceCall,
  { session, request, rounds, first, had }: NegotiatedUpload,
): Promise<boolean> {
  const negotiation = new Negotiation(session, styleOf(request.capabilities, exchange), answer);
  let next = first === undefined ? "end" : await negotiation.round(first);
  while (next === "end") {
    await answer.send();
    if (exchange.stateful !== true || (await rounds.isEnded())) return false;
    const round = await rounds.next();
    if (round.haves.length > 0) had.push(round.haves);
    next = await negotiation.round(round);
  }
  return true;
}

function styleOf(capabilities: CapabilityList, { stateful }: Exchange): AcknowledgementStyle {
  const detailed = capabilities.has("multi_ack_detailed");
  const multiAck = detailed ? "multi_ack_detailed" : capabilities.has("multi_ack") ? "multi_ack" : "none";
  return { multiAck, noDone: capabilities.has("no-done"), remembers: stateful === true };
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
