/**
 * Brings a branch of a fork up to its parent's: fetches what the fork lacks from the parent's packs, takes it in like a
 * push, and moves the branch forward. What comes are objects that the parent's branch reaches, and nothing else.
 *
 * @packageDocumentation
 * @see git-pull(1), `--ff-only`
 */
import { i32At, itemAt } from "../bytes/assert.ts";
import { BytePipe } from "../bytes/byte-pipe.ts";
import { concat } from "../bytes/chunk.ts";
import { fromHex, toHex } from "../bytes/hex.ts";
import { movesForward } from "../graph/forward-move.ts";
import { PACK_HEADER_BYTES } from "../format/pack-header.ts";
import { NO_FILTER } from "../graph/object-filter.ts";
import { FORGIVABLE, STRICT } from "../object/fsck-rule.ts";
import { objectFormat } from "../object/object-id.ts";
import { openFetchSession } from "../packing/pack-session.ts";
import { packObjects } from "../packing/pack-objects.ts";
import { StagedPack } from "../packing/staged-pack.ts";
import { decodeRefRows } from "../refs/ref-rows.ts";
import type { BeginPushAnswer, CommitPushRequest, OpenSnapshot } from "../refs/ref-store.ts";
import type { RefOutcome } from "../refs/ref-update.ts";
import { inOwnSession } from "../repository/own-session.ts";
import type { Allowance } from "../repository/allowance.ts";
import { LfsWatch } from "../repository/lfs-watch.ts";
import { openObjects } from "../repository/open-objects.ts";
import type { Repository } from "../repository/repository.ts";
import { takeIn } from "../repository/take-in.ts";

/** The random bytes of a pack's name. */
const PACK_NAME_BYTES = 20;
/** Refs of the fork whose values are told as what it has. */
const MOST_HAVES = 1000;

/** What is synced, and by whom. */
export type SyncedBranch = {
  readonly fork: Repository;
  /** The parent, as far as the caller may see it. */
  readonly parent: Repository;
  /** The parent's id: another repository may have its name by now. */
  readonly parentId: string;
  /** A full ref name. */
  readonly ref: string;
  readonly allowance: Allowance;
  /** Gives the fork those Git LFS objects of the parent that are named, or all of them. */
  readonly shareLfs: (oids: readonly string[] | "all") => Promise<void>;
  /** Returns those of some Git LFS objects that the fork lacks. */
  readonly missingLfs: (oids: readonly string[]) => Promise<readonly string[]>;
  readonly by: Pick<CommitPushRequest, "actor" | "actorName" | "pusher">;
};

/**
 * The answer. `no-parent`, `no-branch`: it is not there, or the caller may not see it. `diverged`: the fork's branch has
 * commits that the parent's has not. Otherwise the values of the branch, in hexadecimal; `old` is all zeros for a new one.
 */
export type SyncBranchAnswer =
  | { readonly kind: "missing" | "no-parent" | "no-branch" | "diverged" }
  | { readonly kind: "up-to-date"; readonly oid: string }
  | { readonly kind: "done"; readonly outcome: RefOutcome; readonly old: string; readonly oid: string };

type Begun = Extract<BeginPushAnswer, { kind: "begun" }>;

/** Whether the parent's branch has all that the fork's has. */
async function isForward(parent: Repository, answer: OpenSnapshot, from: string, to: string): Promise<boolean> {
  const [old, fresh] = [fromHex(from), fromHex(to)];
  if (old === undefined || fresh === undefined) return false;
  const database = openObjects(parent, answer.record, answer.packs, answer.graphs);
  const { packs } = await database.locate(old);
  if (packs.some((pack) => pack < 0)) return false;
  return await inOwnSession(parent, database, (graph) => movesForward(graph, { from: old, to: fresh }));
}

/** Returns raw names of what the fork has, concatenated. */
async function havesOf(fork: Repository): Promise<Uint8Array> {
  const snapshot = await fork.refs.open({ refPrefixes: ["refs/heads/"] });
  if (snapshot.kind === "missing") return new Uint8Array(0);
  const { rawSize } = objectFormat(snapshot.record.objectFormat);
  const haves: Uint8Array[] = [];
  for (const { oid } of decodeRefRows(snapshot.refs, rawSize)) {
    if (haves.push(oid) === MOST_HAVES) break;
  }
  return concat(haves);
}

/** Sends a pack of what the fork lacks into the pipe. A failure breaks the pipe. */
async function send(
  parent: Repository,
  answer: OpenSnapshot,
  { want, haves }: { readonly want: Uint8Array; readonly haves: Uint8Array },
  pipe: BytePipe,
): Promise<void> {
  try {
    const session = await openFetchSession(parent, answer, { wants: want, isPlain: false });
    try {
      const { rawSize } = session.graph.format;
      const had = await session.has(haves);
      const known: Uint8Array[] = [];
      for (const [i, has] of had.entries()) if (has === 1) known.push(haves.subarray(i * rawSize, (i + 1) * rawSize));
      await session.addCommon(concat(known));
      const options = { thinPack: true, ofsDelta: true, includeTag: false, filter: NO_FILTER, isFrugal: true };
      await packObjects(session, options, {
        data: async (bytes) => await pipe.write(bytes),
        progress: async () => undefined,
      });
    } finally {
      session.close();
    }
    pipe.end();
  } catch (error) {
    pipe.fail(error);
  }
}

/** Reads the header of a pack, by which a quota is checked. */
async function readHead(pipe: BytePipe): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  for (let length = 0; length < PACK_HEADER_BYTES;) {
    const piece = await pipe.read(new Uint8Array(PACK_HEADER_BYTES - length));
    if (piece.length === 0) break;
    pieces.push(piece);
    length += piece.length;
  }
  return concat(pieces);
}

/** Takes in what the fork lacks. Returns nothing if it lacks nothing. */
async function fetchInto(
  branch: SyncedBranch,
  begun: Begun,
  answer: OpenSnapshot,
  { name: packName, tip }: { readonly name: string; readonly tip: Uint8Array },
): Promise<Pick<CommitPushRequest, "pack">> {
  const { fork, parent, allowance } = branch;
  const { record, packs, uploadBytes } = begun;
  const database = openObjects(fork, record, packs);
  const { packs: found } = await database.locate(tip);
  // What a catalog has may be unreachable in it, but is closed: everything that it refers to is there, too.
  if (i32At(found, 0) >= 0) return {};
  const watch = new LfsWatch(record.lfs);
  const pipe = new BytePipe();
  const sending = send(parent, answer, { want: tip, haves: await havesOf(fork) }, pipe);
  const kernel = await fork.kernels.lend(objectFormat(record.objectFormat).rawSize).catch((error: unknown) => {
    pipe.fail(error);
    throw error;
  });
  try {
    const usedBytes = record.sizeBytes + uploadBytes;
    const pack = await takeIn(
      { repository: fork, record, packs, usedBytes, database, kernel },
      {
        source: pipe,
        head: await readHead(pipe),
        allowance,
        packName,
        packSource: "receive",
        tips: [tip],
        // The parent has let these objects in.
        leniency: { ...STRICT, ignored: new Set(FORGIVABLE) },
        watch,
        progress: { received: async () => undefined, resolved: async () => undefined },
      },
    );
    pack.release();
    await branch.shareLfs(watch.isBeyondCount ? "all" : watch.named);
    await watch.settle(branch.missingLfs);
    return { pack: pack.record };
  } catch (error) {
    pipe.fail(error);
    throw error;
  } finally {
    await sending;
    fork.kernels.giveBack(kernel);
  }
}

/**
 * Brings a branch of a fork up to its parent's, with the Git LFS objects that its new pointers name.
 *
 * @throws LimitExceeded, HostBusy, and ObjectRejected if the fork's rules about Git LFS refuse what comes.
 */
export async function syncBranch(branch: SyncedBranch): Promise<SyncBranchAnswer> {
  const { fork, parent, parentId, ref } = branch;
  const answer = await parent.refs.open({ packs: true, wants: new Uint8Array(0), wantRefs: [ref] });
  if (answer.kind === "missing" || answer.record.id !== parentId) return { kind: "no-parent" };
  const [oid = ""] = answer.wantedRefs;
  const tip = fromHex(oid);
  // An empty text stands for a missing ref.
  if (tip === undefined || tip.length === 0) return { kind: "no-branch" };
  const name = toHex(fork.random(PACK_NAME_BYTES));
  const begun = await fork.refs.beginPush({ packName: name, names: [ref] });
  if (begun.kind === "missing") return { kind: "missing" };
  const staged = new StagedPack(name, fork.refs, fork.storage(begun.record.id));
  try {
    return await land(branch, begun, answer, { name, tip, oid, staged });
  } catch (error) {
    await staged.discard();
    throw error;
  }
}

type Coming = { readonly name: string; readonly tip: Uint8Array; readonly oid: string; readonly staged: StagedPack };

async function land(
  branch: SyncedBranch,
  begun: Begun,
  answer: OpenSnapshot,
  { name, tip, oid, staged }: Coming,
): Promise<SyncBranchAnswer> {
  const { fork, parent, ref, by } = branch;
  // An empty text stands for a missing ref.
  const [current = ""] = begun.current;
  const isNew = current === "";
  if (current === oid || (!isNew && !(await isForward(parent, answer, current, oid)))) {
    await staged.discard(false);
    return current === oid ? { kind: "up-to-date", oid } : { kind: "diverged" };
  }
  const old = isNew ? "0".repeat(oid.length) : current;
  const fetched = await fetchInto(branch, begun, answer, { name, tip });
  // If this throws, nobody knows whether it happened: the lease decides, see `StagedPack.discard`.
  const landed = await fork.refs.commitPush({
    id: begun.record.id,
    version: begun.version,
    ...fetched,
    updates: [{ name: ref, oldOid: old, newOid: oid, forward: true }],
    atomic: true,
    ...by,
    signed: false,
    pushOptions: [],
  });
  if (landed.kind !== "done" || !landed.packKept) await staged.discard(fetched.pack !== undefined);
  if (landed.kind !== "done") return { kind: "missing" };
  return { kind: "done", outcome: itemAt(landed.outcomes, 0), old, oid };
}
