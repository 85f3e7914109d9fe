/**
 * Bundles: what a client may fetch before it asks for the rest. One is made of a stored pack and of the refs that its head
 * names, as it is read; nothing of it is stored beside the pack but these (`catalog/bundle-plan.ts`).
 *
 * Everything in it is reachable: the pack has the mark. A ref that is gone, or a tag that was replaced, is not named any more.
 *
 * @packageDocumentation
 * @see gitformat-bundle(5), gitprotocol-v2(5)
 */
import { contentTag } from "../bytes/content-tag.ts";
import { isStorageFault } from "../bytes/failure.ts";
import { toHex } from "../bytes/hex.ts";
import { bundledPack } from "../catalog/bundle-plan.ts";
import type { PackRecord } from "../catalog/pack-record.ts";
import { formatBundleHead, parseTips } from "../format/bundle.ts";
import { decodeRefRows } from "../refs/ref-rows.ts";
import type { OpenSnapshot } from "../refs/ref-store.ts";
import { objectFormat } from "../object/object-id.ts";
import type { Repository } from "../repository/repository.ts";
import { type ListedBundle } from "../wire/bundle-uri.ts";

/**
 * The token of the bundle that has all but the newest history. It is always the same: when a repack has made a larger one, those who
 * have the smaller fetch what is new, and do not take everything again.
 */
const BASE_TOKEN = 1;

/** A bundle that can be read. */
export type OpenBundle = {
  readonly head: Uint8Array<ArrayBuffer>;
  readonly pack: Pick<PackRecord, "name" | "packBytes" | "createdAt">;
  /** The id of the repository below whose prefix the pack lies. */
  readonly home: string;
  /** Tells this content from any other. */
  readonly tag: string;
};

const isTag = (name: string): boolean => name.startsWith("refs/tags/");

/** Returns the path of a pack's bundle, below the address of its repository. */
const bundlePath = ({ checksum }: PackRecord): string => `bundles/${checksum}.bundle`;

/** Lists the bundles of a snapshot with its packs. `addressOf` returns where a path below the repository is found, if it is known. */
export async function listBundles(
  { packs }: Pick<OpenSnapshot, "packs">,
  addressOf: (path: string) => Promise<string | undefined>,
): Promise<ListedBundle[]> {
  const pack = bundledPack(packs);
  const uri = pack && (await addressOf(bundlePath(pack)));
  return uri === undefined ? [] : [{ id: "base", uri, creationToken: BASE_TOKEN }];
}

/** Reads the tips of a pack; none where the file is not what the catalog says. */
async function readTips(repository: Repository, home: string, pack: PackRecord): Promise<Uint8Array> {
  try {
    return await repository.storage(home).read({ pack: pack.name, extension: "tips" }, 0, pack.bitmap?.tips ?? 0); // A pack without tips has none.
  } catch (error) {
    // A step that was done twice may have written it twice.
    if (isStorageFault(error)) return new Uint8Array(0);
    throw error;
  }
}

/** Opens the bundle with the checksum of its pack, in a snapshot with the packs; `undefined` if there is none. */
export async function openBundle(
  repository: Repository,
  { packs, record }: OpenSnapshot,
  checksum: string,
): Promise<OpenBundle | undefined> {
  const pack = bundledPack(packs);
  if (pack?.checksum !== checksum) return undefined;
  const home = pack.loan?.home ?? record.id;
  const tips = parseTips(await readTips(repository, home, pack));
  const now = await repository.refs.open({ refNames: tips.map(({ name }) => name) });
  if (now.kind === "missing" || now.record.id !== record.id) return undefined;
  const { rawSize } = objectFormat(record.objectFormat);
  const values = new Map(Array.from(decodeRefRows(now.refs, rawSize), ({ name, oid }) => [name, toHex(oid)]));
  // A branch goes on from its value in the head. A tag that has another value is another tag.
  const shown = tips.filter(({ name, oid }) => values.get(name) === oid || (values.has(name) && !isTag(name)));
  if (shown.length === 0) return undefined;
  const head = formatBundleHead(record.objectFormat, shown);
  const tag = `${contentTag(shown.map(({ name, oid }) => `${oid} ${name}`).join("\n"))}-${checksum}`;
  return { head, pack, home, tag };
}
