/**
 * Reads mirrors at the edge: a reader's snapshot comes from the pointer and KV where there is a pointer, and from the Durable Object
 * where there is none. Who may read is decided by the caller on what the pointer says, as on what the Durable Object would have said.
 *
 * That a name is an ordinary repository is remembered for a moment, so that its readers don't look for a pointer each time. It is a
 * hint about cost alone: the Durable Object is always right.
 *
 * @packageDocumentation
 */
import { needsSnapshot, openSnapshot } from "../mirror/snapshot.ts";
import type { OpenAnswer, OpenRequest, RefStore } from "../refs/ref-store.ts";
import type { PackRecord } from "../store/catalog.ts";
import type { MirrorSnapshots } from "./mirror-snapshots.ts";

/** Milliseconds. */
const TIME = 5 * 60_000;
const MOST = 10_000;

/** Names that are known to be ordinary repositories, or none; one an isolate. */
export class OrdinaryNames {
  readonly #until = new Map<string, number>();

  has(key: string, now: number): boolean {
    return (this.#until.get(key) ?? 0) > now;
  }

  add(key: string, now: number): void {
    this.#until.delete(key);
    if (this.#until.size >= MOST) {
      const [oldest] = this.#until.keys();
      if (oldest !== undefined) this.#until.delete(oldest);
    }
    this.#until.set(key, now + TIME);
  }
}

/** What a reader of a repository works with. */
export type ReaderTools = {
  /** `{tenant}/{repo}`. */
  readonly key: string;
  readonly snapshots: MirrorSnapshots;
  readonly ordinary: OrdinaryNames;
  now(): number;
  /** Brings the mirror up to date, for a reader who must not be told what is old; gives up waiting after a while. */
  freshen(): Promise<void>;
};

/** Gives the refs of a repository for who reads it; writers' calls pass untouched. */
export function readerRefs(durable: RefStore<PackRecord>, tools: ReaderTools): RefStore<PackRecord> {
  const { key, ordinary } = tools;
  const openDurable = async (request: OpenRequest): Promise<OpenAnswer<PackRecord>> => {
    const answer = await durable.open(request);
    if (answer.kind === "found" && answer.record.mirror === undefined) ordinary.add(key, tools.now());
    return answer;
  };
  return {
    open: async (request) => {
      // Who pushes needs what only the Durable Object has.
      if (request.pushSeed === true || ordinary.has(key, tools.now())) return await openDurable(request);
      const found = await openAtEdge(request, tools);
      if (found === undefined) return await openDurable(request);
      if (request.refPrefixes === undefined || !isTooOld(found, tools.now())) return found;
      await tools.freshen();
      return (await openAtEdge(request, tools)) ?? (await openDurable(request));
    },
    beginPush: (request) => durable.beginPush(request),
    commitPush: (request) => durable.commitPush(request),
    abandonPush: (packName) => durable.abandonPush(packName),
  };
}

type Found = Extract<OpenAnswer<PackRecord>, { kind: "found" }>;

/** Whether the mirror's owner wants it to be brought up to date before it is listed. */
function isTooOld({ record }: Found, now: number): boolean {
  const { fetchThrough, syncedAt = 0 } = record.mirror ?? {};
  return fetchThrough !== undefined && now - syncedAt > fetchThrough * 1000;
}

async function openAtEdge(request: OpenRequest, { key, snapshots }: ReaderTools): Promise<Found | undefined> {
  const pointer = await snapshots.pointer(key);
  if (pointer === undefined) return undefined;
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
