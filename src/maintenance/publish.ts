/**
 * Publishes the tail of a repository: combines the packs of small pushes into one pack in the bucket, and replaces them by it in
 * one transaction. The derived files are then written from the snapshot that the tail was read in, so that their refs reach
 * nothing that is not in the bucket.
 *
 * A run that dies leaves files under a lease, which the alarm sweeps, and the tail as it was. Two runs at once are harmless: one of
 * them finds that its packs have been replaced, and drops its work.
 *
 * @packageDocumentation
 */
import { present } from "../bytes/assert.ts";
import { HostBusy } from "../bytes/failure.ts";
import { toHex } from "../bytes/hex.ts";
import type { PackRecord } from "../catalog/pack-record.ts";
import { isInTail } from "../catalog/tail.ts";
import { combinePacks } from "../packing/combine-packs.ts";
import { StagedPack } from "../packing/staged-pack.ts";
import type { PackCatalog, ReplacePacksAnswer } from "../refs/pack-catalog.ts";
import type { OpenSnapshot } from "../refs/ref-store.ts";
import type { Repository } from "../repository/repository.ts";
import type { BareFiles } from "./bare-files.ts";
import { SERVER_INFO_REQUEST, type ServerInfoSubject, type WrittenServerInfo, writeServerInfo } from "./server-info.ts";

/** The random bytes of a pack's name. */
const PACK_NAME_BYTES = 20;
/** Snapshots that are tried where others publish at the same time, or pushes keep coming. */
const ATTEMPTS = 4;
const MULTI_PACK_INDEX = "objects/pack/multi-pack-index";
/** Seconds after which somebody who needs the tail in the bucket may try again. */
const RETRY_AFTER = 2;

/** The repository whose tail is published. */
export type Publishing = { readonly repository: Repository; readonly catalog: PackCatalog };

/** A snapshot of which no pack is in the tail, and the version of the catalog that it stands for. */
type Published = { readonly snapshot: OpenSnapshot; readonly version: number };

/** Whether all packs of a snapshot are in the bucket. */
export function isPublished({ packs }: Pick<OpenSnapshot, "packs">): boolean {
  return !packs.some((pack) => isInTail(pack));
}

/** Puts packs, which are all of the tail and all marked or all not, into the bucket as one. */
async function publishPacks(
  { repository, catalog }: Publishing,
  { record }: OpenSnapshot,
  packs: readonly PackRecord[],
): Promise<PackRecord | ReplacePacksAnswer["kind"]> {
  const packName = toHex(repository.random(PACK_NAME_BYTES));
  if (!(await repository.refs.leasePacks(record.id, [packName]))) return "gone";
  const staged = new StagedPack(packName, repository.refs, repository.storage(record.id));
  let added: PackRecord;
  try {
    added = present(
      await combinePacks({ repository, record, packs, packName, seeksDeltas: true }),
      "a pack of all objects",
    );
  } catch (error) {
    await staged.discard();
    throw error;
  }
  // Where the answer is lost, the pack may well have been taken: its lease sees to the files if it was not.
  const { kind } = await catalog.replacePacks({
    id: record.id,
    added: [added],
    replaced: packs.map(({ name }) => name),
  });
  if (kind === "done") return added;
  await staged.discard();
  return kind;
}

/**
 * Publishes the tail of a snapshot. Returns the snapshot with the packs that have taken its place; `undefined` if the
 * repository is gone, or others have changed the tail.
 */
async function publishTail(publishing: Publishing, snapshot: OpenSnapshot): Promise<Published | undefined> {
  const packs = snapshot.packs.filter((pack) => !isInTail(pack));
  let { version } = snapshot;
  for (const marked of [true, false]) {
    const tail = snapshot.packs.filter((pack) => isInTail(pack) && pack.marked === marked);
    if (tail.length === 0) continue;
    const added = await publishPacks(publishing, snapshot, tail);
    if (typeof added === "string") return undefined;
    packs.push(added);
    version++;
  }
  return { snapshot: { ...snapshot, packs }, version };
}

/** Puts the multi-pack index where git looks for it, or takes it away because a pack that it names is to go. */
async function publishIndex(
  { record, multiPackIndex }: OpenSnapshot,
  files: BareFiles,
  repository: Pick<Repository, "noteDamage">,
): Promise<void> {
  if (multiPackIndex === undefined) return;
  const { name } = multiPackIndex;
  const isThere = name !== undefined && (await files.copy(`objects/pack/pack-${name}.midx`, MULTI_PACK_INDEX));
  if (!isThere && name !== undefined) repository.noteDamage({ home: record.id, pack: name, extension: "midx" });
  if (!isThere) await files.delete([MULTI_PACK_INDEX]);
}

/**
 * Publishes the tail, and writes the derived files. Returns the version that they are of; `undefined` if the repository is gone, or
 * is another one than that of `subject`.
 */
export async function publish(
  publishing: Publishing,
  filesOf: (id: string) => BareFiles,
  subject: ServerInfoSubject,
): Promise<WrittenServerInfo | undefined> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const snapshot = await publishing.repository.refs.open({
      ...SERVER_INFO_REQUEST,
      multiPackIndex: true,
    });
    if (snapshot.kind === "missing" || (subject.id !== undefined && snapshot.record.id !== subject.id))
      return undefined;
    const found = await publishTail(publishing, snapshot);
    if (found === undefined) continue;
    await publishIndex(found.snapshot, filesOf(snapshot.record.id), publishing.repository);
    await writeServerInfo(found.snapshot, filesOf(snapshot.record.id), subject.repository);
    return { id: snapshot.record.id, version: found.version };
  }
  throw new Error("the tail was changed by others each time");
}

/**
 * Publishes what the tail holds now, for somebody who needs it in the bucket. Pushes that land meanwhile may be in it again. Returns
 * whether the repository is there.
 *
 * @throws HostBusy if others change the tail each time, and leave something in it that was there at first
 */
export async function flushTail(publishing: Publishing): Promise<boolean> {
  let wanted: ReadonlySet<string> | undefined;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const snapshot = await publishing.repository.refs.open({ packs: true });
    if (snapshot.kind === "missing") return false;
    const tail = snapshot.packs.filter((pack) => isInTail(pack)).map(({ name }) => name);
    wanted ??= new Set(tail);
    const first = wanted;
    // Where others have published it, it need not be tried again with what was pushed since.
    if (!tail.some((name) => first.has(name))) return true;
    if ((await publishTail(publishing, snapshot)) !== undefined) return true;
  }
  throw new HostBusy("host", RETRY_AFTER);
}
