/**
 * The common parts of both ways to fetch: the request for the snapshot, and the pack at the end.
 *
 * @packageDocumentation
 */
import { concat } from "../../bytes/chunk.ts";
import type { OpenRequest } from "../../refs/ref-store.ts";
import { deepenNotRefs } from "./fetch-depth.ts";
import type { FetchSession } from "../../packing/pack-session.ts";
import { type PackOptions, packObjects } from "../../packing/pack-objects.ts";
import type { ObjectIdList } from "../../wire/object-id-list.ts";
import type { ServiceCall } from "../failure.ts";
import { staleNotice } from "./stale-notice.ts";

/**
 * The number of a client's haves for which the snapshot says whether they are tips. The first are taken: git names its
 * tips first.
 */
const MOST_HAVES = 1000;

/**
 * Returns the request for everything that a fetch has to know, in one call: the catalog, which wants are tips, and
 * which of the client's commits are. It also covers the tags that may be included, and the refs that the client names.
 */
export function fetchSnapshot(asked: {
  readonly wants: Uint8Array;
  readonly includeTag: boolean;
  readonly deepenNot: readonly string[];
  readonly wantRefs?: readonly string[];
  /** The client's haves, and the commits at which its history is cut. */
  readonly had: readonly ObjectIdList[];
  /** Whether the fetch is plain; see `isPlainFetch`. */
  readonly isPlain: boolean;
}): OpenRequest {
  const refNames = deepenNotRefs(asked.deepenNot);
  const haves = firstNames(asked.had, MOST_HAVES);
  return {
    packs: true,
    wants: asked.wants,
    ...(asked.isPlain ? { clone: true } : {}),
    ...(haves.length === 0 ? {} : { haves }),
    ...(asked.includeTag ? { refPrefixes: ["refs/tags/"] } : {}),
    ...(refNames.length === 0 ? {} : { refNames }),
    ...(asked.wantRefs === undefined || asked.wantRefs.length === 0 ? {} : { wantRefs: asked.wantRefs }),
  };
}

/** Returns the first `most` names of several lists, raw and concatenated. */
function firstNames(lists: readonly ObjectIdList[], most: number): Uint8Array {
  let left = most;
  const pieces = lists.map((list) => {
    const piece = list.bytes().subarray(0, left * list.format.rawSize);
    left -= Math.min(left, list.length);
    return piece;
  });
  return concat(pieces);
}

/** What a pack is sent with. It may hold more than the pack needs. */
export type PackAnswer = PackOptions & {
  readonly noProgress: boolean;
  /** The client's haves, and the commits at which its history is cut. */
  readonly had: readonly ObjectIdList[];
};

/** Returns what a pack is for the client. A client that has nothing may also fetch single objects of a partial clone. */
function servedBy({ answer }: FetchSession, had: readonly ObjectIdList[]): "clone" | "fetch" {
  return had.every(({ length }) => length === 0) && answer.wantIsTip.includes(1) ? "clone" : "fetch";
}

/** Sends the pack and ends the response. */
export async function sendPack(
  { exchange, answer }: ServiceCall,
  session: FetchSession,
  { noProgress, had, thinPack, ofsDelta, includeTag, filter, beside }: PackAnswer,
): Promise<void> {
  exchange.served?.(servedBy(session, had));
  const { answer: found, repository } = session;
  const notice = staleNotice(found.record, repository.now());
  if (notice !== undefined) await answer.progress(notice);
  await packObjects(
    session,
    { thinPack, ofsDelta, includeTag, filter, ...(beside === undefined ? {} : { beside }) },
    {
      data: async (bytes) => await answer.data(bytes),
      progress: async (text) => {
        if (noProgress) await answer.keepAlive();
        else await answer.progress(text);
      },
    },
  );
  await answer.end();
}
