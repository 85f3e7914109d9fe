/**
 * Reads mirrors at the edge: a reader's snapshot comes from the pointer and KV where there is a pointer, and from the Durable Object
 * where there is none. Who may read is decided by the caller on what the pointer says, as on what the Durable Object would have said.
 *
 * That a name is an ordinary repository is remembered for a moment, so that its readers don't look for a pointer each time. It is a
 * hint about cost alone: the Durable Object is always right. Cost is seen from outside, though. So it is remembered for those who
 * have read the repository, and a private mirror's pointer answers nobody who may not read it: to them what is private costs what
 * is missing costs, a look for a pointer and the Durable Object.
 *
 * @packageDocumentation
 */
import { toHex } from "../bytes/hex.ts";
import { countTips, needsSnapshot, openSnapshot } from "../mirror/snapshot.ts";
import type { ReadingRight } from "../access/decide.ts";
import { objectFormat } from "../object/object-id.ts";
import { decodeRefRows } from "../refs/ref-rows.ts";
import type { OpenAnswer, OpenSnapshot, OpenRequest, RefStore, RepositoryRecord } from "../refs/ref-store.ts";
import type { MirrorPointer } from "../refs/mirror-pointer.ts";
import type { MirrorSnapshots } from "./mirror-snapshots.ts";

/** Milliseconds. */
const TIME = 5 * 60_000;
const MOST = 10_000;

/** Who knows which names to be ordinary repositories; one an isolate. */
export class OrdinaryNames {
  readonly #until = new Map<string, number>();

  /** Whether `caller` knows it, or everybody. */
  has(key: string, caller: string, now: number): boolean {
    // What was never noted has run out.
    return [caller, EVERYBODY].some((who) => (this.#until.get(entryOf(key, who)) ?? 0) > now);
  }

  /** Lets `caller`, who may read the repository, know what somebody else found out. */
  share(key: string, caller: string, now: number): void {
    // What was never noted has run out.
    if ((this.#until.get(entryOf(key, NOBODY)) ?? 0) > now) this.add(key, caller, now);
  }

  add(key: string, caller: string, now: number): void {
    const entry = entryOf(key, caller);
    this.#until.delete(entry);
    if (this.#until.size >= MOST) {
      const [oldest] = this.#until.keys();
      if (oldest !== undefined) this.#until.delete(oldest);
    }
    this.#until.set(entry, now + TIME);
  }
}

const EVERYBODY = "";
/** What was found out, for whom it may concern. */
const NOBODY = "nobody";

/** Neither has a space. */
function entryOf(key: string, caller: string): string {
  return `${key} ${caller}`;
}

/** What a reader of a repository works with. */
export type ReaderTools = {
  /** `{tenant}/{repo}`. */
  readonly key: string;
  readonly snapshots: MirrorSnapshots;
  readonly ordinary: OrdinaryNames;
  /** Names who reads, by credentials; see {@link OrdinaryNames}. */
  readonly caller: string;
  /**
   * Returns what the caller may read under this name: known before anything is opened, and not later than
   * {@link mayRead}.
   */
  right(): Promise<ReadingRight>;
  /** Whether who reads may read what was found. */
  mayRead(record: RepositoryRecord): Promise<boolean>;
  now(): number;
  /**
   * Brings the mirror up to date, for a reader who must not be told what is old; returns whether it may have done so.
   */
  freshen(): Promise<boolean>;
};

/** Returns the refs of a repository for who reads it; writers' calls pass untouched. */
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
  return {
    open: async (request) => {
      // Who pushes needs what only the Durable Object has, and so does a want that has failed.
      const isForDurable = request.pushSeed === true || request.recentSince !== undefined;
      if (isForDurable || ordinary.has(key, caller, tools.now())) return await openDurable(request);
      const [right, pointer] = await Promise.all([tools.right(), tools.snapshots.pointer(key)]);
      if (right === "none") return { kind: "missing" };
      const found = pointer === undefined ? undefined : await openAtEdge(request, pointer, { ...tools, known: right });
      if (found === undefined) return await openDurable(request);
      if (request.refPrefixes === undefined || !isTooOld(found, tools.now())) return found;
      // The pointer follows a moment after the sync.
      return (await tools.freshen()) ? await openDurable(request) : found;
    },
    beginPush: (request) => durable.beginPush(request),
    commitPush: (request) => durable.commitPush(request),
    abandonPush: (packName) => durable.abandonPush(packName),
  };
}

/** Whether what was found is an ordinary repository. Of what may not be read it is known only that it may be pushed to: then it is none. */
function isOrdinary(answer: OpenAnswer): boolean {
  if (answer.kind === "found") return answer.record.mirror === undefined;
  return answer.hidden?.readOnly === false;
}

/** Whether the mirror's owner wants it to be brought up to date before it is listed. */
function isTooOld({ record }: OpenSnapshot, now: number): boolean {
  const { fetchThrough, syncedAt = 0 } = record.mirror ?? {};
  return fetchThrough !== undefined && now - syncedAt > fetchThrough * 1000;
}

/** The tools of one whose right is known. */
type KnownReader = ReaderTools & { readonly known: ReadingRight };

/** Whether a mirror may be read here. One who may read public ones only waits for no more than where there is nothing. */
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
  if (!needsSnapshot(request)) return openSnapshot(pointer);
  const snapshot = await snapshots.read(pointer);
  if (snapshot === undefined) return undefined;
  const { syncedAt } = snapshot;
  const { mirror } = pointer.record;
  const record =
    mirror === undefined || syncedAt === undefined
      ? pointer.record
      : { ...pointer.record, mirror: { ...mirror, syncedAt } };
  return openSnapshot({ ...pointer, record }, snapshot, request);
}

/** Returns the refs of a mirror as they were at a moment, in milliseconds since the epoch; for readers only. */
export function historicRefs(durable: RefStore, at: number): Pick<RefStore, "open"> {
  return {
    open: async (request) => {
      const then = await durable.open({ packs: true, refPrefixes: [], at });
      if (then.kind === "missing") return then;
      const { record, version, refs, packs } = then;
      const { rawSize } = objectFormat(record.objectFormat);
      let headOid: string | undefined;
      for (const { name, oid } of decodeRefRows(refs, rawSize)) if (name === record.head) headOid = toHex(oid);
      // Marks are about the refs as they are now: the packs hold more than these reached, and less is known of what is in them.
      const unmarked = packs.map((pack) => ({ ...pack, marked: false }));
      const snapshot = { refs, packs: unmarked, tips: countTips(refs, rawSize) };
      return openSnapshot({ record, version, ...(headOid === undefined ? {} : { headOid }) }, snapshot, request);
    },
  };
}
