/**
 * Tip packs: the objects of `clone --depth 1` in a pack of their own. In a large pack the files of one commit lie far
 * apart, each among its own versions, and gathering them takes dozens of reads. So a push of a large pack that sets the
 * default branch adds, in the same commit, a second pack with the tip's tree. All of its objects are in other packs,
 * too, and clones of everything skip it.
 *
 * @packageDocumentation
 */
import { LimitExceeded } from "../bytes/failure.ts";
import { BytePipe } from "../bytes/byte-pipe.ts";
import { toHex } from "../bytes/hex.ts";
import type { Kernel } from "../kernel/kernel.ts";
import { NO_FILTER } from "../graph/object-filter.ts";
import { FORGIVABLE, STRICT } from "../object/fsck-rule.ts";
import { objectFormat } from "../object/object-id.ts";
import type { RepositoryRecord } from "../refs/ref-store.ts";
import type { Repository } from "../repository/repository.ts";
import { BlockCache } from "../store/block-cache.ts";
import type { PackRecord } from "../catalog/pack-record.ts";
import { openObjects } from "../repository/open-objects.ts";
import { takeIn } from "../repository/take-in.ts";
import { FetchSession } from "./pack-session.ts";
import { packObjects } from "./pack-objects.ts";
import { StagedPack } from "./staged-pack.ts";

/** A tip pack larger than this many bytes, or than a quarter of what is stored, is not worth its room. */
const MOST_TIP_PACK_BYTES = 128 * 1024 * 1024;
const MOST_SHARE = 4;
/** The random bytes of a pack's name. */
const PACK_NAME_BYTES = 20;
/** The bounds of the cache, in bytes: beside a large push there is room for little. */
const CACHE_BOUNDS = { files: 14 * 1024 * 1024, blocks: 2 * 1024 * 1024 };

/** The input of making a tip pack. */
export type TipPackInput = {
  readonly repository: Repository;
  readonly record: RepositoryRecord;
  /** The catalog as it will be after the commit. */
  readonly packs: readonly PackRecord[];
  /** The raw name of the commit that the default branch will have. */
  readonly tip: Uint8Array;
  /** Called now and then while the pack is made. */
  readonly onProgress?: () => Promise<void>;
};

/** A tip pack in the bucket, leased and in no catalog. */
export type TipPack = { readonly record: PackRecord; readonly staged: StagedPack };

/**
 * Makes a tip pack. Returns `undefined` if it would be too large, or could not be made. It never throws, because a push
 * or a sync is whole without it. What was written is then deleted; if that fails, too, its lease sees to the rest.
 */
export async function makeTipPack(input: TipPackInput): Promise<TipPack | undefined> {
  const { repository, record } = input;
  const name = toHex(repository.random(PACK_NAME_BYTES));
  let staged: StagedPack | undefined;
  try {
    const begun = await repository.refs.beginPush({ packName: name, names: [] });
    if (begun.kind === "missing") return undefined;
    staged = new StagedPack(name, repository.refs, repository.storage(record.id));
    return { record: await store(input, name), staged };
  } catch {
    await staged?.discard();
    return undefined;
  }
}

async function store(input: TipPackInput, packName: string): Promise<PackRecord> {
  const { repository, record, packs, onProgress = async () => undefined } = input;
  const pipe = new BytePipe();
  const making = sendTip(input, pipe);
  let kernel: Kernel | undefined;
  try {
    kernel = await repository.kernels.lendSmall(objectFormat(record.objectFormat).rawSize);
    const database = openObjects(repository, record, packs);
    const taker = { repository, record, packs, usedBytes: record.sizeBytes, database, kernel };
    const pack = await takeIn(taker, {
      source: pipe,
      head: new Uint8Array(0),
      allowance: {},
      packName,
      packSource: "copy",
      tips: [],
      // These objects were admitted before.
      leniency: { ...STRICT, ignored: new Set(FORGIVABLE) },
      progress: { received: onProgress, resolved: onProgress },
    });
    pack.release();
    // Its objects are in other packs, whose marks decide.
    return { ...pack.record, marked: true };
  } catch (error) {
    pipe.fail(error);
    throw error;
  } finally {
    await making;
    if (kernel !== undefined) repository.kernels.giveBack(kernel);
  }
}

/** Writes the pack of the tip alone. It never throws; the pipe fails at its other end. */
async function sendTip({ repository, record, packs, tip }: TipPackInput, pipe: BytePipe): Promise<void> {
  const stored = packs.reduce((bytes, { packBytes }) => bytes + packBytes, 0);
  const most = Math.min(MOST_TIP_PACK_BYTES, stored / MOST_SHARE);
  const snapshot = {
    kind: "found",
    record,
    version: 0,
    packs,
    refs: [],
    wantedRefs: [],
    wantIsTip: Uint8Array.of(1),
    uncoveredTips: 1,
  } as const;
  const { rawSize } = objectFormat(record.objectFormat);
  const cache = new BlockCache(CACHE_BOUNDS);
  let session: FetchSession | undefined;
  try {
    const kernel = await repository.kernels.lend(rawSize);
    session = new FetchSession({ ...repository, cache }, snapshot, tip, { kernel });
    await session.cut({ shallow: [], unshallow: [], cuts: session.wants, wants: [] });
    let bytes = 0;
    await packObjects(
      session,
      { thinPack: false, ofsDelta: true, includeTag: false, filter: NO_FILTER, isFrugal: true },
      {
        data: async (piece) => {
          bytes += piece.length;
          if (bytes > most) throw new LimitExceeded("tip-pack-bytes", most, "the tip is most of the pack");
          await pipe.write(piece);
        },
        progress: async () => undefined,
      },
    );
    pipe.end();
  } catch (error) {
    pipe.fail(error);
  } finally {
    session?.close();
    cache.free();
  }
}
