/**
 * What both ways to fetch have in common: the snapshot they ask for, and the pack at their end.
 *
 * @packageDocumentation
 */
import { concat } from "../../bytes/chunk.ts";
import type { OpenRequest } from "../../refs/ref-store.ts";
import { deepenNotRefs } from "./fetch-depth.ts";
import type { FetchSession } from "../../packing/pack-session.ts";
import { type PackOptions, packObjects } from "../../packing/pack-objects.ts";
import type { ObjectIdList } from "../../wire/object-id-list.ts";
import type { ResponseWriter } from "../response-writer.ts";
import { staleNotice } from "./stale-notice.ts";

/** Of so many names that a client says it has, the first ones, the snapshot says whether they are tips. git names its tips first. */
const MOST_HAVES = 1000;

/**
 * What a fetch has to know, in one call: its catalog, which wants are tips, which of the client's commits are, the tags that may go along
 * and refs it names.
 */
export function fetchSnapshot(asked: {
  readonly wants: Uint8Array;
  readonly includeTag: boolean;
  readonly deepenNot: readonly string[];
  readonly wantRefs?: readonly string[];
  /** What the client says it has, and where its history is cut. */
  readonly had: readonly ObjectIdList[];
}): OpenRequest {
  const refNames = deepenNotRefs(asked.deepenNot);
  const haves = firstNames(asked.had, MOST_HAVES);
  return {
    packs: true,
    wants: asked.wants,
    ...(haves.length === 0 ? {} : { haves }),
    ...(asked.includeTag ? { refPrefixes: ["refs/tags/"] } : {}),
    ...(refNames.length === 0 ? {} : { refNames }),
    ...(asked.wantRefs === undefined || asked.wantRefs.length === 0 ? {} : { wantRefs: asked.wantRefs }),
  };
}

/** Gives the first names of several lists, raw, one after the other. */
function firstNames(lists: readonly ObjectIdList[], most: number): Uint8Array {
  let left = most;
  const pieces = lists.map((list) => {
    const piece = list.bytes().subarray(0, left * list.format.rawSize);
    left -= Math.min(left, list.length);
    return piece;
  });
  return concat(pieces);
}

/** Sends the pack and ends the response. `options` may hold more than is needed. */
export async function sendPack(
  session: FetchSession,
  options: PackOptions,
  noProgress: boolean,
  answer: ResponseWriter,
): Promise<void> {
  const { thinPack, ofsDelta, includeTag, filter } = options;
  const { answer: found, repository } = session;
  const notice = staleNotice(found.record, repository.now());
  if (notice !== undefined) await answer.progress(notice);
  await packObjects(
    session,
    { thinPack, ofsDelta, includeTag, filter },
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
