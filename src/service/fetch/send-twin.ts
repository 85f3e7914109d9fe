/**
 * Answers a clone of everything with the twin of the catalog: one stored file, which the platform sends by itself.
 *
 * @packageDocumentation
 */
import { concat } from "../../bytes/chunk.ts";
import { TWIN_HEAD } from "../../catalog/clone-twin.ts";
import { isOfEverything } from "../../packing/pack-session.ts";
import type { OpenSnapshot } from "../../refs/ref-store.ts";
import { BAND_PROGRESS, encodeSideBand } from "../../wire/side-band.ts";
import type { Exchange } from "../exchange.ts";
import { staleNotice } from "./stale-notice.ts";

const encoder = new TextEncoder();

/** Returns the notice for the client of a mirror that is behind, as a packet. */
function noticeOf({ repository }: Exchange, { record }: OpenSnapshot): readonly Uint8Array[] {
  const notice = staleNotice(record, repository.now());
  return notice === undefined ? [] : [encodeSideBand(BAND_PROGRESS, encoder.encode(notice))];
}

/**
 * Has the twin sent, if there is one and it is the answer: everything is wanted, and the request is plain (see
 * `isPlainFetch`). `head` has the lines before the side-band packets, if they are not those of the twin itself. Returns
 * false if the answer has to be made from the packs; nothing is sent then.
 */
export async function sendTwin(exchange: Exchange, snapshot: OpenSnapshot, head?: Uint8Array): Promise<boolean> {
  const { twin, wantIsTip, record } = snapshot;
  if (twin === undefined || exchange.passOn === undefined) return false;
  if (wantIsTip.length === 0 || wantIsTip.includes(0) || !isOfEverything(snapshot)) return false;
  const notice = noticeOf(exchange, snapshot);
  const isWhole = head === undefined && notice.length === 0;
  const sent = await exchange.passOn({
    id: record.id,
    ...twin,
    offset: isWhole ? 0 : TWIN_HEAD.length,
    before: isWhole ? new Uint8Array(0) : concat([head ?? encoder.encode(TWIN_HEAD), ...notice]),
  });
  if (sent) exchange.served?.("clone");
  return sent;
}
