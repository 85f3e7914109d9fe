/**
 * Sends a clone the largest pack by its address, and the rest in band (`packfile-uris`). The address is that of dumb HTTP, with
 * ranges; so a download that broke off goes on.
 *
 * @packageDocumentation
 * @see gitprotocol-v2(5), technical/packfile-uri
 */
import { isInTail } from "../../catalog/tail.ts";
import { isEverything } from "../../packing/pack-objects.ts";
import type { FetchSession } from "../../packing/pack-session.ts";
import type { OpenSnapshot } from "../../refs/ref-store.ts";
import { wholePacks } from "../../repository/view.ts";
import type { PackHandle } from "../../store/pack-handle.ts";
import type { PackfileUri } from "../../wire/fetch-response.ts";
import type { Exchange } from "../exchange.ts";

/** A smaller pack comes as fast in band. */
const LEAST_BYTES = 1024 * 1024;

/** A pack that the client is sent to, and where. */
export type LinkedPack = PackfileUri & { readonly pack: PackHandle };

/** Whether a fetch that accepts these kinds of addresses may be sent to one. `isPlain` is as in `isPlainFetch`. */
export function mayBeLinked(
  snapshot: OpenSnapshot,
  { packfileUris, isPlain }: { readonly packfileUris: readonly string[]; readonly isPlain: boolean },
): boolean {
  return packfileUris.length > 0 && isPlain && largestWhole(snapshot) !== undefined;
}

/** Returns the largest pack of which this reader may have everything, and which has nothing that it builds on elsewhere. */
function largestWhole(snapshot: OpenSnapshot): OpenSnapshot["packs"][number] | undefined {
  const packs = wholePacks(snapshot).filter((pack) => pack.packBytes >= LEAST_BYTES && !isInTail(pack));
  return packs.toSorted((a, b) => b.packBytes - a.packBytes)[0];
}

/** Returns the pack that a fetch is sent to; `undefined` if everything goes in band. */
export async function linkedPack(
  exchange: Exchange,
  session: FetchSession,
  request: { readonly packfileUris: readonly string[]; readonly isPlain: boolean },
): Promise<LinkedPack | undefined> {
  const { answer, database } = session;
  if (!mayBeLinked(answer, request) || !isEverything(session)) return undefined;
  const record = largestWhole(answer);
  const pack = database.packs.find((handle) => handle.record.name === record?.name);
  const uri = record && (await exchange.addressOf?.(`objects/pack/pack-${record.checksum}.pack`, answer.record));
  if (pack === undefined || record === undefined || uri === undefined) return undefined;
  const { protocol, searchParams } = new URL(uri);
  // git asks for the pack without its credentials, and gives the clone up where it gets none.
  if (answer.record.visibility === "private" && !searchParams.has("ticket")) return undefined;
  const scheme = protocol.slice(0, -1);
  return request.packfileUris.includes(scheme) ? { checksum: record.checksum, uri, pack } : undefined;
}
