/**
 * Bundles: what a client may fetch before it asks for the rest. One is made of a stored pack and of the refs that its head
 * names, as it is read; nothing of it is stored beside the pack but these (`catalog/bundle-plan.ts`).
 *
 * Everything in it is reachable: the pack has the mark. A ref that is gone, or a tag that was replaced, is not named any more.
 *
 * @packageDocumentation
 * @see gitformat-bundle(5), gitprotocol-v2(5)
 */
import { toHex } from "../bytes/hex.ts";
import type { PackRecord } from "../catalog/pack-record.ts";
import { type BundleTip, formatBundleHead } from "../format/bundle.ts";
import { decodeRefRows } from "../refs/ref-rows.ts";
import type { OpenSnapshot } from "../refs/ref-store.ts";
import { objectFormat } from "../object/object-id.ts";
import { type BundledSnapshot, homeOf, offeredBundles, readTips } from "../packing/offered-bundles.ts";
import type { Repository } from "../repository/repository.ts";
import { type ListedBundle } from "../wire/bundle-uri.ts";

/**
 * How long an isolate keeps a head, in milliseconds. If a database is put back to an earlier moment, as the platform can, its versions
 * are given out once more.
 */
const KEPT_TIME = 5 * 60_000;
/** Bytes of a hash by which a client tells two heads apart. */
const TAG_BYTES = 8;

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
  repository: Repository,
  snapshot: BundledSnapshot,
  addressOf: (path: string) => Promise<string | undefined>,
): Promise<ListedBundle[]> {
  const listed: ListedBundle[] = [];
  for (const [at, { pack, creationToken }] of (await offeredBundles(repository, snapshot)).entries()) {
    const uri = await addressOf(bundlePath(pack));
    if (uri !== undefined) listed.push({ id: at === 0 ? "base" : `newest-${at}`, uri, creationToken });
  }
  return listed;
}

/** Opens the bundle with the checksum of its pack, in a snapshot with the packs; `undefined` if there is none. */
export async function openBundle(
  repository: Repository,
  snapshot: OpenSnapshot,
  checksum: string,
): Promise<OpenBundle | undefined> {
  const pack = (await offeredBundles(repository, snapshot)).find((each) => each.pack.checksum === checksum)?.pack;
  if (pack === undefined) return undefined;
  const head = await headOf(repository, snapshot, pack);
  const home = homeOf(snapshot, pack);
  return head && { head, pack, home, tag: `${tagOf(repository, head)}-${checksum}` };
}

/** Returns a short name of a head's content. */
function tagOf({ hash }: Repository, head: Uint8Array): string {
  const running = hash("sha1");
  running.update(head);
  return toHex(running.digest(), 0, TAG_BYTES);
}

/**
 * Returns the head of a pack's bundle; `undefined` if it would name nothing. An isolate keeps it for as long as no ref has moved, since
 * a download that goes on where it broke off asks for it again.
 */
async function headOf(
  repository: Repository,
  snapshot: OpenSnapshot,
  pack: PackRecord,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const { record, version } = snapshot;
  const { cache, refs } = repository;
  const kept = Math.floor(repository.now() / KEPT_TIME);
  const key = `${record.id}/${pack.name}.head:${version}@${kept}`;
  const known = cache.get(key);
  if (known !== undefined) return new Uint8Array(known);
  const read = await readTips(repository, homeOf(snapshot, pack), pack);
  const now = await refs.open({ refNames: read.tips.map(({ name }) => name) });
  if (now.kind === "missing" || now.record.id !== record.id) return undefined;
  const { rawSize } = objectFormat(record.objectFormat);
  const values = new Map(Array.from(decodeRefRows(now.refs, rawSize), ({ name, oid }) => [name, toHex(oid)]));
  // A branch goes on from its value in the head. A tag that has another value is another tag.
  const isShown = ({ name, oid }: BundleTip): boolean => values.get(name) === oid || (values.has(name) && !isTag(name));
  if (!read.tips.some((tip) => isShown(tip))) return undefined;
  const head = formatBundleHead(record.objectFormat, read, isShown);
  if (now.version === version) cache.set(key, head);
  return head;
}
