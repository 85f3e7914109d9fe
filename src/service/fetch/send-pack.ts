/**
 * What both ways to fetch have in common: the snapshot they ask for, and the pack at their end.
 *
 * @packageDocumentation
 */
import type { OpenRequest } from "../../refs/ref-store.ts";
import { deepenNotRefs } from "./fetch-depth.ts";
import type { FetchSession } from "../../packing/pack-session.ts";
import { type PackOptions, packObjects } from "../../packing/pack-objects.ts";
import type { ResponseWriter } from "../response-writer.ts";
import { staleNotice } from "./stale-notice.ts";

/** What a fetch has to know, in one call: its catalog, which wants are tips, the tags that may go along and refs it names. */
export function fetchSnapshot(asked: {
  readonly wants: Uint8Array;
  readonly includeTag: boolean;
  readonly deepenNot: readonly string[];
  readonly wantRefs?: readonly string[];
}): OpenRequest {
  const refNames = deepenNotRefs(asked.deepenNot);
  return {
    packs: true,
    wants: asked.wants,
    ...(asked.includeTag ? { refPrefixes: ["refs/tags/"] } : {}),
    ...(refNames.length === 0 ? {} : { refNames }),
    ...(asked.wantRefs === undefined || asked.wantRefs.length === 0 ? {} : { wantRefs: asked.wantRefs }),
  };
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
