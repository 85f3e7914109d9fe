/**
 * Reads mirrors at the edge. A reader's snapshot comes from the pointer and KV if there is a pointer, and else from the
 * Durable Object. The caller decides who may read, from the pointer as it would from the Durable Object's answer.
 *
 * An isolate remembers for a short time which names are ordinary repositories, so that their readers need not look for
 * a pointer each time. That is a hint about cost alone: the Durable Object is always right. But cost can be seen from
 * outside. So it is remembered only for callers that have read the repository, and a private mirror's pointer answers
 * nobody who may not read it. For them a private repository costs what a missing one does: a look for a pointer, and
 * the Durable Object. Where it was remembered of what they may read no more, the look follows, and the name is forgotten.
 *
 * @packageDocumentation
 */
import { ExpiringMap } from "../bytes/expiring-map.ts";
import type { Pacer } from "../bytes/pacer.ts";
import { mayHaveTwin } from "../catalog/clone-twin.ts";
import { countTips, needsSnapshot, openSnapshotInParts, valuesOfNames } from "../mirror/snapshot.ts";
import type { ReadingRight } from "../access/decide.ts";
import { objectFormat } from "../object/object-id.ts";
import type { OpenAnswer, OpenSnapshot, OpenRequest, RefStore, RepositoryRecord } from "../refs/ref-store.ts";
import type { MirrorPointer } from "../refs/mirror-pointer.ts";
import type { MirrorSnapshots } from "./mirror-snapshots.ts";

/** How long a name is remembered, in milliseconds. */
const TIME = 5 * 60_000;
const MOST = 10_000;

/** Remembers, for each caller, which names are ordinary repositories. There is one per isolate. */
export class OrdinaryNames {
  readonly #names = new ExpiringMap<true>({ time: TIME, most: MOST });

  /** Whether it is remembered for `caller`, or for everybody. */
  has(key: string, caller: string, now: number): boolean {
    return [caller, EVERYBODY].some((who) => this.#names.has(entryOf(key, who), now));
  }

  /** Shares what another caller found out with `caller`, which may read the repository. */
  share(key: string, caller: string, now: number): void {
    if (this.#names.has(entryOf(key, NOBODY), now)) this.add(key, caller, now);
  }

  /** Remembers it for `caller`. */
  add(key: string, caller: string, now: number): void {
    this.#names.set(entryOf(key, caller), true, now);
  }

  /** Forgets what `caller` is told of a name that is nothing to be read for them any more. */
  forget(key: string, caller: string): void {
    for (const who of [caller, EVERYBODY]) this.#names.delete(entryOf(key, who));
  }
}

const EVERYBODY = "";
/** The caller of an entry that records the finding itself, not yet tied to anybody. */
const NOBODY = "nobody";

/** Neither part contains a space. */
function entryOf(key: string, caller: string): string {
  return `${key} ${caller}`;
}

/** The tools of a repository's reader. */
export type ReaderTools = {
  /** `{tenant}/{repo}`. */
  readonly key: string;
  readonly snapshots: MirrorSnapshots;
  readonly ordinary: OrdinaryNames;
  /** Names the reader by its credentials; see {@link OrdinaryNames}. */
  readonly caller: string;
  /**
   * Returns what the caller may read under this name. It is known before anything is opened, and no later than
   * {@link mayRead}.
   */
  right(): Promise<ReadingRight>;
  /** Whether the reader may read the repository that was found. */
  mayRead(record: RepositoryRecord): Promise<boolean>;
  now(): number;
  /** Counts the work of the request. */
  readonly pacer: Pacer;
  /** Brings the mirror up to date for a reader that must not get old refs. Returns whether it may have done so. */
  freshen(): Promise<boolean>;
  /** Is given work that goes on behind the answer. */
  later(work: Promise<unknown>): void;
};

/** Returns the refs of a repository for a reader. Writers' calls are passed on unchanged. */
export function readerRefs(durable: RefStore, tools: ReaderTools): RefStore {
  const { key, ordinary, caller } = tools;
  const openDurable = async (request: OpenRequest): Promise<OpenAnswer> => {
    const answer = await durable.open(request);
    if (isOrdinary(answer)) ordinary.add(key, NOBODY, tools.now());
    if (answer.kind === "missing" || answer.record.mirror !== undefined) return answer;
    if (answer.record.visibility === "public") ordinary.add(key, EVERYBODY, tools.now());
    else if (await tools.mayRead(answer.record)) ordinary.add(key, caller, tools.now());
    return answer;
  };
  const openRemembered = async (request: OpenRequest): Promise<OpenAnswer> => {
    const answer = await openDurable(request);
    if (answer.kind === "found" && (answer.record.visibility === "public" || (await tools.mayRead(answer.record))))
      return answer;
    ordinary.forget(key, caller);
    await tools.snapshots.pointer(key); // As for a name that never was.
    return answer;
  };
  return {
    open: async (request) => {
      // A push needs what only the Durable Object has, and so does a want that has failed.
      const { pushSeed, recentSince, replaced, multiPackIndex } = request;
      const isForDurable = [pushSeed, replaced, multiPackIndex].includes(true) || recentSince !== undefined;
      if (isForDurable) return await openDurable(request);
      if (ordinary.has(key, caller, tools.now())) return await openRemembered(request);
      const [right, pointer] = await Promise.all([tools.right(), tools.snapshots.pointer(key)]);
      if (right === "none") return { kind: "missing" };
      const found = pointer === undefined ? undefined : await openAtEdge(request, pointer, { ...tools, known: right });
      if (found === undefined) return await openDurable(request);
      if (countsAsClone(request, found)) tools.later(durable.open(request).catch(() => undefined));
      if (request.refPrefixes === undefined || !isTooOld(found, tools.now())) return found;
      // The pointer is written a little after the end of the sync.
      return (await tools.freshen()) ? await openDurable(request) : found;
    },
    beginPush: (request) => durable.beginPush(request),
    leasePacks: (id, packNames) => durable.leasePacks(id, packNames),
    commitPush: (request) => durable.commitPush(request),
    abandonPush: (packName) => durable.abandonPush(packName),
  };
}

/**
 * Whether the answer is an ordinary repository. A hidden answer says only that it may be pushed to: it counts as none.
 */
function isOrdinary(answer: OpenAnswer): boolean {
  if (answer.kind === "found") return answer.record.mirror === undefined;
  return answer.hidden?.readOnly === false;
}

/**
 * Whether the Durable Object is to hear of a clone of everything: it has a twin made of what is cloned often. Once there
 * is one, it hears no more.
 */
function countsAsClone({ clone }: OpenRequest, { twin, uncoveredTips, packs }: OpenSnapshot): boolean {
  return clone === true && twin === undefined && uncoveredTips === 0 && mayHaveTwin(packs);
}

/** Whether the mirror's owner wants it to be brought up to date before it is listed. */
function isTooOld({ record }: OpenSnapshot, now: number): boolean {
  const { fetchThrough, syncedAt = 0 } = record.mirror ?? {};
  return fetchThrough !== undefined && now - syncedAt > fetchThrough * 1000;
}

/** The tools of a reader whose right is known. */
type KnownReader = ReaderTools & { readonly known: ReadingRight };

/**
 * Whether a mirror may be read here. A caller that may read only public ones waits no longer than for a missing one.
 */
async function isReadable(record: RepositoryRecord, { known, ...tools }: KnownReader): Promise<boolean> {
  if (known === "public" && record.visibility !== "public") return false;
  return await tools.mayRead(record);
}

async function openAtEdge(
  request: OpenRequest,
  pointer: MirrorPointer,
  tools: KnownReader,
): Promise<OpenSnapshot | undefined> {
  const { snapshots } = tools;
  if (!(await isReadable(pointer.record, tools))) return undefined;
  if (!needsSnapshot(request)) return await tools.pacer.finish(openSnapshotInParts(pointer));
  const snapshot = await snapshots.read(pointer);
  if (snapshot === undefined) return undefined;
  const { syncedAt } = snapshot;
  const { mirror } = pointer.record;
  const record =
    mirror === undefined || syncedAt === undefined
      ? pointer.record
      : { ...pointer.record, mirror: { ...mirror, syncedAt } };
  return await tools.pacer.finish(openSnapshotInParts({ ...pointer, record }, snapshot, request));
}

/**
 * Returns the refs of a mirror as they were at an instant, in milliseconds since the epoch. Only readers may use them. `pacer`
 * counts the work of the request.
 */
export function historicRefs(durable: RefStore, at: number, pacer: Pacer): Pick<RefStore, "open"> {
  return {
    open: async (request) => {
      const then = await durable.open({ packs: true, refPrefixes: [], at });
      if (then.kind === "missing") return then;
      return await pacer.finish(openThen(then, request));
    },
  };
}

/** Answers a request from all refs at an instant. Yields the steps of each part. */
function* openThen(
  { record, version, refs, packs, graphs }: OpenSnapshot,
  request: OpenRequest,
): Generator<number, OpenSnapshot, undefined> {
  const { rawSize } = objectFormat(record.objectFormat);
  const headOid = (yield* valuesOfNames(refs, rawSize, [record.head])).get(record.head);
  // Marks are about the present refs. The packs hold more than the old refs reached, and less is known about them.
  const unmarked = packs.map((pack) => ({ ...pack, marked: false }));
  const tips = yield* countTips(refs, rawSize);
  const snapshot = { refs, packs: unmarked, tips, ...(graphs === undefined ? {} : { graphs }) };
  const pointer = { record, version, ...(headOid === undefined ? {} : { headOid }) };
  return yield* openSnapshotInParts(pointer, snapshot, request);
}
