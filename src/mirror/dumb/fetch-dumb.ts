/**
 * Fetches what is missing from a dumb upstream, as one pack that is taken in as any other.
 *
 * @packageDocumentation
 */
import { MissingReferences } from "../../bytes/failure.ts";
import type { ObjectIdList } from "../../wire/object-id-list.ts";
import type { IngestedPack } from "../../store/ingest/ingest-pack.ts";
import type { BandListener } from "../line-source.ts";
import type { OpenedPack } from "../slices.ts";
import { composePack } from "./composed-pack.ts";
import { type SearchTools, WantedObjects } from "./wanted-objects.ts";

/**
 * How often what came is completed. What lies in packs is not followed before it is here, so that loose objects below
 * packed ones are only then known to be missing; all of them are, at once.
 */
const MOST_ROUNDS = 4;

/**
 * Fetches the missing ones of these objects, with all that they refer to. `store` takes the pack in.
 *
 * @throws UpstreamFailure, ProtocolError, ObjectRejected, LimitExceeded
 */
export async function fetchDumb(
  tools: SearchTools,
  wants: ObjectIdList,
  listener: BandListener,
  store: (pack: OpenedPack) => Promise<IngestedPack>,
): Promise<IngestedPack> {
  const { files, format, repository } = tools;
  files.onBytes = (count) => listener.onBytes(count);
  const wanted = new WantedObjects(tools);
  try {
    await wanted.add(Array.from(wants, (name) => name.slice()));
    for (let round = 1; ; round++) {
      try {
        return await store(composePack({ files, format, hash: repository.hash }, wanted));
      } catch (error) {
        if (!(error instanceof MissingReferences) || round === MOST_ROUNDS) throw error;
        if (!(await wanted.add(namesOf(error.names, format.rawSize)))) throw error;
      }
    }
  } finally {
    wanted.free();
  }
}

function* namesOf(names: Uint8Array, rawSize: number): Generator<Uint8Array> {
  for (let at = 0; at < names.length; at += rawSize) yield names.subarray(at, at + rawSize);
}
