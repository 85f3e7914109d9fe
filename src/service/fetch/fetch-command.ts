/**
 * Version 2's `fetch`: haves are acknowledged or the pack is sent, or both.
 *
 * Capabilities: `shallow`, `wait-for-done`, `filter`, `ref-in-want`, `sideband-all`, `packfile-uris`. Arguments: `want`, `want-ref`,
 * `have`, `done`, `thin-pack`, `no-progress`, `include-tag`, `ofs-delta`, `shallow`, `deepen`, `deepen-since`,
 * `deepen-not`, `deepen-relative`, `filter`, `sideband-all`, `packfile-uris`, `wait-for-done`.
 *
 * @packageDocumentation
 * @see gitprotocol-v2(5), upload-pack.c `upload_pack_v2()`
 */
import { itemAt } from "../../bytes/assert.ts";
import { concat } from "../../bytes/chunk.ts";
import { ProtocolError } from "../../bytes/failure.ts";
import { fromHex } from "../../bytes/hex.ts";
import type { ShallowPlan } from "../../graph/shallow.ts";
import { objectFormat } from "../../object/object-id.ts";
import { offeredFeatures } from "../../wire/capabilities.ts";
import { type FetchRequest, FetchRequestParser } from "../../wire/fetch-request.ts";
import {
  type WantedRef,
  formatPackfileHeader,
  formatPackfileUris,
  formatShallowInfo,
  formatWantedRefs,
} from "../../wire/fetch-response.ts";
import { SIDE_BAND_64K_PACKET_MAX } from "../../wire/side-band.ts";
import { RECENT_TIME } from "../../refs/recent-values.ts";
import type { OpenRequest, OpenSnapshot } from "../../refs/ref-store.ts";
import { asksForDepth, planDepth, shallowLines } from "./fetch-depth.ts";
import { type FilteredRequest, isPlainFetch, requestedFilter, withoutLargeBlobs } from "./fetch-filter.ts";
import { type FetchSession, openFetchSession } from "../../packing/pack-session.ts";
import { acknowledgeHavesV2, takeHaves } from "./negotiate.ts";
import { type LinkedPack, linkedPack, mayBeLinked } from "./packfile-uri.ts";
import type { ResponseWriter } from "../response-writer.ts";
import { fetchSnapshot, sendPack } from "./send-pack.ts";
import { sendTwin } from "./send-twin.ts";
import type { CommandCall } from "../v2-command.ts";

/** Answers a `fetch`. */
export async function fetchObjects(call: CommandCall): Promise<void> {
  const { exchange, answer, context } = call;
  const parser = new FetchRequestParser({
    objectFormat: objectFormat(context.objectFormat),
    features: offeredFeatures("fetch", context),
    maxObjectIds: exchange.repository.limits.wants,
  });
  try {
    await call.readArguments(parser);
  } finally {
    // a fault of the request is then also reported on a band
    if (parser.result.sidebandAll) answer.overBands(SIDE_BAND_64K_PACKET_MAX);
  }
  const request = parser.result;
  // A client that wants nothing gets nothing, unless it only asks which of its objects are here.
  if (request.wants.length + request.wantRefs.length === 0 && !request.waitForDone) return;
  const asked = requestedFilter(request.filter);
  const wants = request.wants.bytes().slice();
  const had = [request.haves, request.shallows];
  const isPlain = isPlainFetch(request, asked, request.haves.length === 0 && request.ofsDelta);
  const snapshot = await openWanted(call, fetchSnapshot({ ...request, wants, had, isPlain }));
  const isLinked = mayBeLinked(snapshot, { ...request, isPlain });
  const wantedRefs = wantedRefsOf(request, snapshot);
  if (isPlain && !isLinked && (await sendTwin(exchange, snapshot, twinHead(request, wantedRefs, answer)))) return;
  const names = concat([wants, ...wantedRefs.map(({ oid }) => oid)]);
  const session = await openFetchSession(exchange.repository, snapshot, { wants: names, isPlain });
  try {
    await session.checkWants();
    const plan = await planDepth(session, request);
    const linked = await linkedPack(exchange, session, { ...request, isPlain });
    const filter = call.acceptsPromisor ? withoutLargeBlobs(asked, snapshot.record) : asked;
    await answerFetch(call, { ...request, filter }, { session, plan, wantedRefs, linked });
  } finally {
    session.close();
  }
}

/**
 * Opens the snapshot. Opens it once more if a wanted ref is gone: that ref may have been there when the client listed
 * it.
 */
async function openWanted({ exchange, admission, context }: CommandCall, asked: OpenRequest): Promise<OpenSnapshot> {
  const snapshot = await admission.openAs(context.objectFormat, asked);
  if (snapshot.wantedRefs.every((oid) => oid !== "")) return snapshot;
  const recentSince = exchange.repository.now() - RECENT_TIME;
  return await admission.openAs(context.objectFormat, { ...asked, recentSince });
}

/** Returns the value of each `want-ref`. @throws ProtocolError in git's words if there is no such ref. */
function wantedRefsOf({ wantRefs }: FetchRequest, snapshot: OpenSnapshot): WantedRef[] {
  return wantRefs.map((name, i) => {
    const oid = fromHex(itemAt(snapshot.wantedRefs, i));
    if (oid === undefined || oid.length === 0) throw new ProtocolError(`unknown ref ${name}`);
    return { name, oid };
  });
}

/**
 * Returns the lines before the pack of a twin; `undefined` if they are its own. git's client asks for refs by name and for side-bands
 * from the first line on, so that a clone of its never has those.
 */
function twinHead(
  { sidebandAll }: FetchRequest,
  wantedRefs: readonly WantedRef[],
  { lines }: ResponseWriter,
): Uint8Array | undefined {
  if (wantedRefs.length === 0 && !sidebandAll) return undefined;
  if (wantedRefs.length > 0) Array.from(formatWantedRefs(wantedRefs, lines));
  formatPackfileHeader(lines);
  return lines.takeBytes();
}

type PlannedFetch = {
  readonly session: FetchSession;
  readonly plan: ShallowPlan | undefined;
  readonly wantedRefs: readonly WantedRef[];
  readonly linked: LinkedPack | undefined;
};
type FetchState = "acknowledgments" | "pack" | "done";

/** Runs through the states that follow the arguments, in git's order. */
async function answerFetch(call: CommandCall, request: FilteredRequest, fetch: PlannedFetch): Promise<void> {
  const { answer } = call;
  const { session } = fetch;
  // Without haves, as in a clone, there is nothing to acknowledge.
  let state: FetchState = request.haves.length > 0 ? "acknowledgments" : "pack";
  while (state !== "done") {
    switch (state) {
      case "acknowledgments":
        state = await answerHaves(call, request, session);
        break;
      case "pack":
        await sendSections(request, fetch, answer);
        await answer.startBands(SIDE_BAND_64K_PACKET_MAX);
        if (fetch.plan !== undefined) await session.cut(fetch.plan);
        await sendPack(call, session, {
          ...request,
          had: [request.haves, request.shallows],
          ...(fetch.linked === undefined ? {} : { beside: fetch.linked.pack }),
        });
        // A response has one pack.
        state = "done";
        break;
    }
  }
}

/**
 * Sends the sections before the pack's bytes in the order of gitprotocol-v2(5), which git's client requires. C git's
 * own server sends wanted-refs first, so a client can't ask it for both wanted-refs and shallow-info.
 */
async function sendSections(request: FilteredRequest, fetch: PlannedFetch, answer: ResponseWriter): Promise<void> {
  const { session, plan, wantedRefs, linked } = fetch;
  const { lines } = answer;
  const isCut = plan !== undefined || asksForDepth(request);
  if (isCut) await answer.sendEach(formatShallowInfo(shallowLines(session, plan), lines));
  if (wantedRefs.length > 0) await answer.sendEach(formatWantedRefs(wantedRefs, lines));
  if (linked !== undefined) formatPackfileUris([linked], lines);
  formatPackfileHeader(lines);
}

async function answerHaves(call: CommandCall, request: FilteredRequest, session: FetchSession): Promise<FetchState> {
  if (request.done) {
    // The client asks no more, so it gets the pack without the acknowledgments section.
    await takeHaves(session, request.haves);
    return "pack";
  }
  const early = request.shallows.length === 0 && !asksForDepth(request);
  const ready = await acknowledgeHavesV2(session, request.haves, { ready: !request.waitForDone, early }, call.answer);
  // If not ready, the flush has ended the response, and the client comes again with more haves.
  return ready ? "pack" : "done";
}
