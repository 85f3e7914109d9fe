/**
 * Version 2's `object-info`: the sizes of objects, without the objects.
 *
 * C git answers for every object in its store. Here a name alone is no right to know. An object that no ref reaches
 * counts as missing, so nobody learns whether a deleted object was ever there.
 *
 * Capabilities: `size`. Arguments: `size`, `oid`.
 *
 * @packageDocumentation
 * @see gitprotocol-v2(5), git's protocol-caps.c
 */
import { ReachedCommits } from "../graph/reachability.ts";
import { objectFormat } from "../object/object-id.ts";
import { inOwnSession } from "../repository/own-session.ts";
import { reachedByRefs } from "../repository/view.ts";
import type { Locations } from "../store/object-database.ts";
import { openObjects } from "../repository/open-objects.ts";
import { objectSizes } from "../store/object-sizes.ts";
import type { ObjectIdList } from "../wire/object-id-list.ts";
import type { PktBuffer } from "../wire/pkt-buffer.ts";
import { ObjectInfoRequestParser, formatObjectInfo, formatObjectInfoHeader } from "../wire/object-info.ts";
import type { OpenSnapshot } from "../refs/ref-store.ts";
import type { Exchange } from "./exchange.ts";
import type { CommandCall } from "./v2-command.ts";

/** Answers an `object-info`. */
export async function tellObjectInfo(call: CommandCall): Promise<void> {
  const { exchange, admission, answer, context } = call;
  const parser = new ObjectInfoRequestParser(objectFormat(context.objectFormat), exchange.repository.limits.wants);
  await call.readArguments(parser);
  const { oids, size } = parser.result;
  const wants = oids.bytes().slice();
  const snapshot = await admission.openAs(context.objectFormat, oids.length === 0 ? {} : { packs: true, wants });
  if (oids.length > 0) {
    const sizes = await sizesOf(exchange, snapshot, oids, wants);
    if (size) formatObjectInfoHeader(answer.lines);
    await answer.sendEach(formatSizes(sizes, { oids, size }, answer.lines));
  }
  answer.lines.flush();
  await answer.send();
}

function* formatSizes(
  sizes: Float64Array,
  { oids, size }: { readonly oids: ObjectIdList; readonly size: boolean },
  lines: PktBuffer,
): Generator<void> {
  for (const [index, bytes] of sizes.entries()) {
    formatObjectInfo({ oid: oids.at(index), size: bytes < 0 ? "missing" : size ? bytes : undefined }, lines);
    yield;
  }
}

/** Returns the size of each object in bytes; -1 for an object that is missing, or that nobody may see. */
async function sizesOf(
  { repository }: Exchange,
  snapshot: OpenSnapshot,
  oids: ObjectIdList,
  names: Uint8Array,
): Promise<Float64Array> {
  const database = openObjects(repository, snapshot.record, snapshot.packs);
  return await inOwnSession(repository, database, async (session) => {
    const locations = await database.locate(names);
    const doubtful = doubtfulOf(snapshot, locations);
    const asked = doubtful.map((index) => oids.at(index));
    const searched = { answer: snapshot, database, graph: session, reached: new ReachedCommits(session) };
    const shown = await reachedByRefs(repository, searched, asked);
    for (const [i, index] of doubtful.entries()) if (shown[i] === false) locations.packs[index] = -1;
    return await objectSizes(database, session.inflating, locations);
  });
}

/** Returns the indexes of objects that are stored but may be unreachable, because no ref names them. */
function doubtfulOf({ wantIsTip }: OpenSnapshot, locations: Locations): number[] {
  const doubtful: number[] = [];
  for (const [index, pack] of locations.packs.entries()) if (pack >= 0 && wantIsTip[index] === 0) doubtful.push(index);
  return doubtful;
}
