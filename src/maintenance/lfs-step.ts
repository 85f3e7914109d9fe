/**
 * Finds out which Git LFS objects of a repository no pointer names any more. A pointer is a small blob, and what lies beside
 * the packs tells roughly how large each object is: so few blobs are read, each pack in its order, and none any more
 * once every object was found named.
 *
 * @packageDocumentation
 */
import { concat } from "../bytes/chunk.ts";
import type { GraphSession } from "../graph/graph-session.ts";
import { pointersInPack } from "../packing/pack-pointers.ts";
import { ReachableObjects } from "../packing/reachable-objects.ts";
import type { LfsStore } from "../refs/lfs-store.ts";
import { KEPT_VALUES_TIME, type LfsLookReport, type MaintenanceStore } from "../refs/maintenance-store.ts";
import { decodeRefRows } from "../refs/ref-rows.ts";
import type { OpenSnapshot } from "../refs/ref-store.ts";
import { openObjects } from "../repository/open-objects.ts";
import { inOwnSession } from "../repository/own-session.ts";
import type { Repository } from "../repository/repository.ts";
import { allReachable } from "../repository/view.ts";
import type { PackHandle } from "../store/pack-handle.ts";

/** Objects whose pointers are looked for at once, and the bytes of memory that each takes meanwhile. */
const SOUGHT_AT_ONCE = 100_000;
const SOUGHT_BYTES = 160;
/** Objects of one report, and of one page of the list. */
const REPORTED_AT_ONCE = 20_000;

/** The repository that is looked through. */
export type LfsLookInput = {
  readonly repository: Repository;
  readonly lfs: Pick<LfsStore, "sharedLfs">;
  readonly maintenance: Pick<MaintenanceStore, "reportLfs">;
  /** When the step began, by the store's clock: objects that came later are not judged. */
  readonly since: number;
  readonly purges: boolean;
};

/** What the step did. `gone`: there is no repository any more. */
export type LfsLookResult = { readonly kind: "done" | "stale" | "gone"; readonly objects: number };

/** Takes the objects out of `sought` that pointers of a pack name. `isReached` tells whether a blob, by its raw name, counts. */
async function dropNamed(
  graph: GraphSession,
  numbered: readonly [number, PackHandle],
  sought: Set<string>,
  isReached: (name: Uint8Array) => boolean,
): Promise<void> {
  if (sought.size === 0) return;
  for await (const { pointer } of pointersInPack(graph, numbered, 0, isReached)) {
    sought.delete(pointer.oid);
    if (sought.size === 0) return;
  }
}

/** Returns what tells whether a blob counts: whether a ref reaches it or, unless this is a purge, one lately did. */
async function reachedIn(
  graph: GraphSession,
  { refs, recentValues, packs }: OpenSnapshot,
  purges: boolean,
): Promise<(name: Uint8Array) => boolean> {
  if (allReachable({ packs })) return () => true;
  const { rawSize } = graph.format;
  const reachable = new ReachableObjects(graph);
  await reachable.add(concat(Array.from(decodeRefRows(refs, rawSize), ({ oid }) => oid)));
  if (!purges && recentValues !== undefined) await reachable.add(await storedOf(graph, recentValues));
  return (name) => reachable.has(name);
}

/** Returns those of the raw names whose objects are here. */
async function storedOf(graph: GraphSession, names: Uint8Array): Promise<Uint8Array> {
  const { rawSize } = graph.format;
  const { packs } = await graph.database.locate(names);
  const found: Uint8Array[] = [];
  for (const [i, pack] of packs.entries()) if (pack >= 0) found.push(names.slice(i * rawSize, (i + 1) * rawSize));
  return concat(found);
}

/** Lists the next objects that are here, in the order of their names. */
async function listNext(lfs: LfsLookInput["lfs"], after: string): Promise<string[]> {
  const oids: string[] = [];
  while (oids.length < SOUGHT_AT_ONCE) {
    const page = await lfs.sharedLfs(oids.at(-1) ?? after, REPORTED_AT_ONCE);
    for (const { oid } of page) oids.push(oid);
    if (page.length < REPORTED_AT_ONCE) break;
  }
  return oids;
}

/** One look. */
class LfsLook {
  readonly #input: LfsLookInput;
  readonly #snapshot: OpenSnapshot;
  readonly #graph: GraphSession;

  constructor(input: LfsLookInput, snapshot: OpenSnapshot, graph: GraphSession) {
    this.#input = input;
    this.#snapshot = snapshot;
    this.#graph = graph;
  }

  /** Looks for the pointers of all objects, from the first ones on, which are listed already. */
  async run(first: readonly string[]): Promise<LfsLookResult> {
    const { lfs, purges } = this.#input;
    const isReached = await reachedIn(this.#graph, this.#snapshot, purges);
    let [from, objects] = ["", 0];
    for (let oids = first; ;) {
      const sought = new Set(oids);
      for (const numbered of this.#graph.database.packs.entries()) {
        // A tip pack has only what other packs have, too.
        if (numbered[1].record.source !== "copy") await dropNamed(this.#graph, numbered, sought, isReached);
      }
      objects += oids.length;
      const last = oids.at(-1) ?? ""; // Nothing comes after an empty list.
      const next = oids.length < SOUGHT_AT_ONCE ? [] : await listNext(lfs, last);
      const kind = await this.#report({ from, oids, isLast: next.length === 0 }, sought);
      if (kind !== "done" || next.length === 0) return { kind, objects };
      from = last;
      oids = next;
    }
  }

  async #report(
    seen: { readonly from: string; readonly oids: readonly string[]; readonly isLast: boolean },
    unnamed: ReadonlySet<string>,
  ): Promise<"done" | "stale" | "gone"> {
    const { maintenance, since, purges } = this.#input;
    const { record, version } = this.#snapshot;
    let { from } = seen;
    for (let at = 0; at === 0 || at < seen.oids.length; at += REPORTED_AT_ONCE) {
      const oids = seen.oids.slice(at, at + REPORTED_AT_ONCE);
      const upTo = oids.at(-1) ?? from;
      const isLast = seen.isLast && at + REPORTED_AT_ONCE >= seen.oids.length;
      const report: LfsLookReport = { id: record.id, version, since, purges, from, upTo, isLast, unnamed: oids.filter((oid) => unnamed.has(oid)) }; // prettier-ignore
      const { kind } = await maintenance.reportLfs(report);
      if (kind !== "done") return kind;
      from = upTo;
    }
    return "done";
  }
}

/**
 * Looks for the pointers of all Git LFS objects of a repository, and tells its store which have none. The store takes that
 * only in the version that was looked at.
 *
 * @throws CorruptStore, MissingObject, LimitExceeded
 */
export async function lookForPointers(input: LfsLookInput): Promise<LfsLookResult> {
  const { repository, lfs } = input;
  // They are listed before the refs are read: what a push brings later is not in the list.
  const first = await listNext(lfs, "");
  const snapshot = await repository.refs.open({
    packs: true,
    refPrefixes: [],
    recentSince: repository.now() - KEPT_VALUES_TIME,
    keptValues: true,
  });
  if (snapshot.kind === "missing") return { kind: "gone", objects: 0 };
  const database = openObjects(repository, snapshot.record, snapshot.packs, snapshot.graphs);
  const held = Math.min(SOUGHT_AT_ONCE, first.length) * SOUGHT_BYTES;
  await repository.memory.claim({ bytes: held });
  try {
    return await inOwnSession(repository, database, (graph) => new LfsLook(input, snapshot, graph).run(first));
  } finally {
    repository.memory.giveBack(held);
  }
}
