/**
 * What both ways to fetch have in common: the snapshot they ask for, and the pack at their end.
 *
 * @packageDocumentation
 */
import type { OpenRequest } from "../refs/ref-store.ts";
import type { FetchSession } from "./fetch-session.ts";
import { type PackOptions, packObjects } from "./pack-objects.ts";
import type { ResponseWriter } from "./response-writer.ts";

/** What a fetch of these wants has to know, in one call: its catalog, which wants are tips, and the tags that may go along. */
export function fetchSnapshot(wants: Uint8Array, includeTag: boolean): OpenRequest {
  return { packs: true, wants, ...(includeTag ? { refPrefixes: ["refs/tags/"] } : {}) };
}

/** Sends the pack and ends the response. `options` may hold more than is needed. */
export async function sendPack(
  session: FetchSession,
  options: PackOptions,
  noProgress: boolean,
  answer: ResponseWriter,
): Promise<void> {
  const { thinPack, ofsDelta, includeTag } = options;
  await packObjects(
    session,
    { thinPack, ofsDelta, includeTag },
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
