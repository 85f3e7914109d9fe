/**
 * Version 2's `fetch`: haves are acknowledged or the pack is sent, or both.
 *
 * Capabilities: `wait-for-done`. Arguments: `want`, `have`, `done`, `thin-pack`, `no-progress`, `include-tag`, `ofs-delta`,
 * `wait-for-done`.
 *
 * @packageDocumentation
 * @see gitprotocol-v2(5), upload-pack.c `upload_pack_v2()`
 */
import { objectFormat } from "../object/object-id.ts";
import { offeredFeatures } from "../wire/capabilities.ts";
import { type FetchRequest, FetchRequestParser } from "../wire/fetch-request.ts";
import { formatPackfileHeader } from "../wire/fetch-response.ts";
import { SIDE_BAND_64K_PACKET_MAX } from "../wire/side-band.ts";
import { type FetchSession, openFetchSession } from "./fetch-session.ts";
import { acknowledgeHavesV2, takeHaves } from "./negotiate.ts";
import { fetchSnapshot, sendPack } from "./send-pack.ts";
import type { CommandCall } from "./v2-command.ts";

/** Answers a `fetch`. */
export async function fetchObjects(call: CommandCall): Promise<void> {
  const { exchange, admission, context } = call;
  const parser = new FetchRequestParser({
    objectFormat: objectFormat(context.objectFormat),
    features: offeredFeatures("fetch", context),
    maxObjectIds: exchange.repository.limits.wants,
  });
  await call.readArguments(parser);
  const request = parser.result;
  // Who wants nothing gets nothing, unless it only asks which of its objects are here.
  if (request.wants.length === 0 && !request.waitForDone) return;
  const wants = request.wants.bytes().slice();
  const snapshot = await admission.openAs(context.objectFormat, fetchSnapshot(wants, request.includeTag));
  const session = openFetchSession(exchange.repository, snapshot, wants);
  try {
    await session.checkWants();
    await answerFetch(call, request, session);
  } finally {
    session.close();
  }
}

type FetchState = "acknowledgments" | "pack" | "done";

/** The states after the arguments, in git's order. */
async function answerFetch(call: CommandCall, request: FetchRequest, session: FetchSession): Promise<void> {
  const { answer } = call;
  // Without haves there is nothing to acknowledge: a clone.
  let state: FetchState = request.haves.length > 0 ? "acknowledgments" : "pack";
  while (state !== "done") {
    switch (state) {
      case "acknowledgments":
        state = await answerHaves(call, request, session);
        break;
      case "pack":
        formatPackfileHeader(answer.lines);
        await answer.startBands(SIDE_BAND_64K_PACKET_MAX);
        await sendPack(session, request, request.noProgress, answer);
        // A response has one pack.
        state = "done";
        break;
    }
  }
}

async function answerHaves(call: CommandCall, request: FetchRequest, session: FetchSession): Promise<FetchState> {
  if (request.done) {
    // The client asks no more: it gets the pack without the section of acknowledgments.
    await takeHaves(session, request.haves);
    return "pack";
  }
  const ready = await acknowledgeHavesV2(session, request.haves, !request.waitForDone, call.answer);
  // Not ready: the flush has ended the response, and the client comes again with more.
  return ready ? "pack" : "done";
}
