/**
 * Offers a repository as its own promisor remote: whoever accepts is sent packs without large blobs, and fetches these when they are
 * needed.
 *
 * @packageDocumentation
 * @see gitprotocol-v2(5), `promisor-remote`
 */
import type { RepositoryName } from "../access/names.ts";
import type { OffloadedRecord } from "../service/exchange.ts";
import { formatPromisorOffer } from "../wire/promisor-remote.ts";
import type { Host } from "./host.ts";

/** Returns the offer, formatted; `undefined` if the repository makes none, or the host does not know its own address. */
export async function promisorOf(
  host: Pick<Host, "addressOf">,
  name: RepositoryName,
  { visibility, id, offloadFrom }: OffloadedRecord,
): Promise<string | undefined> {
  if (offloadFrom === undefined) return undefined;
  const address = await host.addressOf(name, "", id === undefined ? { visibility } : { visibility, id });
  if (address === undefined) return undefined;
  const { origin, pathname, searchParams } = new URL(address);
  const url = origin + pathname.replace(/\/$/, "");
  return formatPromisorOffer({ url, blobsFrom: offloadFrom, token: searchParams.get("ticket") ?? undefined });
}
