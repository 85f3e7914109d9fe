/**
 * Plans the maintenance of a repository: when a step is due, which packs it combines, and what became of it.
 *
 * @packageDocumentation
 */
import { layerToFilter } from "../../catalog/commit-graph-record.ts";
import { type BitmapPack, BITMAPS } from "../../catalog/bitmap-plan.ts";
import { planDescription } from "../../catalog/bundle-plan.ts";
import { indexedPacks, multiPackIndexDue } from "../../catalog/multi-pack-plan.ts";
import { changedMultiPackIndex, lastMultiPackIndex } from "./multi-pack-indexes.ts";
import { packSet, TWINS } from "../../catalog/clone-twin.ts";
import { planRollUp, type RollUpPack } from "../../catalog/roll-up.ts";
import {
  type BeginMaintenanceAnswer,
  type GraphSum,
  type LfsLookAnswer,
  type LfsLookReport,
  type MaintenanceRun,
  type MaintenanceState,
  PACKS_WRITTEN,
  type ReplaceGraphsAnswer,
  type ReplaceGraphsRequest,
} from "../../refs/maintenance-store.ts";
import { graceTimeOf } from "../../refs/grace-period.ts";
import type { ReplacePacksAnswer, ReplacePacksRequest } from "../../refs/pack-catalog.ts";
import type { OpenAnswer, OpenRequest, OpenSnapshot, RepositoryRecord } from "../../refs/ref-store.ts";
import type { SqlDatabase } from "../sql/sql-database.ts";
import { dropTwin, isTwinStale, noteClone, twinOf, wantsTwin } from "./clone-twins.ts";
import { graphBeginning, isGraphDue, replaceGraphs, sumOfGraphs } from "./graph-layers.ts";
import { forgetDamaged } from "./damaged-files.ts";
import { lfsLookDue, settleLfsLook } from "./lfs-look.ts";
import type { MaintenanceAnswer, MaintenanceCall } from "./maintenance-call.ts";
import { sumOf, withTail } from "./pack-sums.ts";
import { packToOrder } from "./pack-to-order.ts";
import { replacePacks, retirePacks } from "./replace-packs.ts";
import { StepTurns } from "./step-turns.ts";
import { LENT_NOTHING, readLending } from "./tables/forks.ts";
import { listGraphs } from "./tables/commit-graphs.ts";
import { areAnyPurged, insertLease, LEASE_TIME, listReplaced } from "./tables/leases.ts";
import {
  endLostJob,
  forgetBegun,
  insertRun,
  JOB_TIME,
  listRuns,
  type MaintenanceRow,
  noteBegun,
  noteDoubt,
  readMaintenance,
  walkPause,
  writeMaintenance,
} from "./tables/maintenance.ts";
import { readMirror } from "./tables/mirror.ts";
import { cruftBefore, listPackSizes, listPublished, oldestCruft, reviveCruft } from "./tables/packs.ts";
import { pastHoldsUntil } from "./tables/recent-values.ts";
import { sumTail } from "./tables/tail-packs.ts";
import { bumpCatalogVersion, type RepositoryRow } from "./tables/repository.ts";

/** The part of the repository's other tables that maintenance needs. */
export interface MaintainedRepository {
  /** Returns the repository's row; `undefined` if there is no repository. */
  read(): RepositoryRow | undefined;
  describe(): RepositoryRecord | undefined;
}

/** Whether readers are told of a pack, and it is no tip pack. */
const isOwn = ({ source }: RollUpPack): boolean => source !== "copy" && source !== "cruft";

/** Whether the refs are walked for a pack: it has no mark, or it is wanted back. */
const isDoubtful = (pack: RollUpPack): boolean => (isOwn(pack) && !pack.marked) || pack.loan?.state === "demanded";

/** A step, and the packs that it is about. */
type DueStep<Pack> = { readonly step: MaintenanceRun["step"]; readonly packs: readonly Pack[] };
type Step<Pack> = DueStep<Pack> | { readonly step: "nothing"; readonly packs: readonly [] };

/** What is due, for one version of the catalog. */
type Due = {
  readonly rollUp: number;
  readonly doubtful: number;
  readonly wantsDescription: boolean;
  readonly objects: number;
  readonly lacksFilters: boolean;
  readonly cruftSince: number | undefined;
  /** When a multi-pack index is due. */
  readonly indexed: number | undefined;
  /** The packs that a clone is answered from, and the set of their names. */
  readonly own: readonly (RollUpPack & BitmapPack)[];
  readonly set: string;
};

/** The tables of one Durable Object, as far as maintenance uses them. */
export class MaintenanceDatabase {
  readonly #db: SqlDatabase;
  readonly #repository: MaintainedRepository;
  /** What is due for a version of the catalog, so that it is not planned again for each answer. */
  #planned: { readonly key: string; readonly due: Due } | undefined;

  constructor(db: SqlDatabase, repository: MaintainedRepository) {
    this.#db = db;
    this.#repository = repository;
  }

  get #exists(): boolean {
    return this.#repository.read() !== undefined;
  }

  /** Whether packs stay as they are: a mirror whose slices are under way builds on each of them. */
  get #isHeld(): boolean {
    return readMirror(this.#db)?.slice !== undefined;
  }

  #plan<Pack extends RollUpPack & BitmapPack>(packs: readonly Pack[], row: MaintenanceRow, now: number): Step<Pack> {
    const nothing = { step: "nothing", packs: [] } as const;
    if (this.#isHeld) return nothing;
    return this.#turns(row).choose(this.#dueSteps(packs, row, now), now) ?? nothing;
  }

  #turns({ askedAt }: MaintenanceRow): StepTurns {
    return new StepTurns(listRuns(this.#db).filter(({ at }) => at > askedAt));
  }

  /** Yields the steps that are due, those first that are worth most. */
  *#dueSteps<Pack extends RollUpPack & BitmapPack>(
    packs: readonly Pack[],
    row: MaintenanceRow,
    now: number,
  ): Generator<DueStep<Pack>> {
    const { asked, purges, walkAfter } = row;
    const own = packs.filter((pack) => isOwn(pack));
    const doubtful = packs.filter((pack) => isDoubtful(pack));
    if (purges || (doubtful.length > 0 && now >= walkAfter)) yield { step: "walk", packs: doubtful };
    const isLookDue = this.#isLookDue(row, now, doubtful.length === 0);
    if (row.lfsPurges && isLookDue) yield { step: "lfs", packs: [] };
    const rollUp = planRollUp(own, asked);
    if (rollUp.length > 0) yield { step: "roll-up", packs: rollUp };
    if (wantsTwin(this.#db, own)) yield { step: "twin", packs: own };
    yield* this.#dueHelp(packs, row, now);
    if (isLookDue) yield { step: "lfs", packs: [] };
    const pack = packToOrder(this.#db, own, asked);
    if (pack !== undefined) yield { step: "order", packs: [pack] };
  }

  /** Yields the steps that make reading quick, once packs are as they should be. */
  *#dueHelp<Pack extends RollUpPack & BitmapPack>(
    packs: readonly Pack[],
    row: MaintenanceRow,
    now: number,
  ): Generator<DueStep<Pack>> {
    const own = packs.filter((pack) => isOwn(pack));
    // What makes bitmaps walks history, and filters take long: so the graph comes first, and filters last.
    if (isGraphDue(row, sumOf(own).objects)) yield { step: "graph", packs: [] };
    const description = planDescription(own, row.asked ? BITMAPS.leastAsked : BITMAPS.leastObjects);
    if (description !== undefined) yield description;
    if (this.#lacksFilters) yield { step: "graph", packs: [] };
    const indexAt = multiPackIndexDue(packs, lastMultiPackIndex(this.#db), row.asked);
    if (indexAt !== undefined && indexAt <= now) yield { step: "midx", packs: indexedPacks(packs) };
  }

  #isLookDue(row: MaintenanceRow, now: number, isSettled: boolean): boolean {
    const repository = this.#repository.read();
    const due = repository === undefined ? undefined : lfsLookDue(this.#db, repository, row, { now, isSettled });
    return due !== undefined && due <= now;
  }

  /** Whether a step is to compute filters of changed paths. */
  get #lacksFilters(): boolean {
    return layerToFilter(listGraphs(this.#db)) >= 0;
  }

  get #graphSum(): GraphSum {
    return sumOfGraphs(listGraphs(this.#db));
  }

  #due({ record, version }: RepositoryRow): Due {
    const key = `${record.id}/${version}`;
    if (this.#planned?.key === key) return this.#planned.due;
    const packs = this.#isHeld ? [] : listPackSizes(this.#db);
    const own = packs.filter((pack) => isOwn(pack));
    const due = {
      rollUp: planRollUp(own, false).length,
      doubtful: packs.filter((pack) => isDoubtful(pack)).length,
      wantsDescription: planDescription(packs, BITMAPS.leastObjects) !== undefined,
      objects: sumOf(own).objects,
      lacksFilters: !this.#isHeld && this.#lacksFilters,
      cruftSince: oldestCruft(this.#db),
      indexed: this.#isHeld ? undefined : multiPackIndexDue(packs, lastMultiPackIndex(this.#db), false),
      own,
      set: packSet(own),
    };
    this.#planned = { key, due };
    return due;
  }

  /** Returns when the next job has to be sent; `undefined` if none has. `row` is that of the repository. */
  jobDue(now: number, row: RepositoryRow): number | undefined {
    const maintenance = readMaintenance(this.#db);
    if (maintenance.jobAt !== undefined) return maintenance.jobAt + JOB_TIME;
    const times = this.#dueTimes(now, row, maintenance);
    if (times.length === 0) return undefined;
    const turns = this.#turns(maintenance);
    if (!turns.isAnyResting(now)) return Math.min(...times);
    // A step that rests may be overtaken by one that comes due before its rest ends.
    const packs = listPackSizes(this.#db);
    return Math.min(
      ...times.map((at) => {
        const { step } = this.#plan(packs, maintenance, at);
        return step === "nothing" ? at : Math.max(at, turns.restsUntil(step));
      }),
    );
  }

  /** Returns when steps come due, whether they rest or not. */
  #dueTimes(now: number, row: RepositoryRow, maintenance: MaintenanceRow): number[] {
    const { asked, purges, walkAfter } = maintenance;
    const { rollUp, doubtful, wantsDescription, objects, lacksFilters, own, indexed } = this.#due(row);
    const wantsHelp = isGraphDue(maintenance, objects) || lacksFilters || packToOrder(this.#db, own) !== undefined;
    const isAsked = asked || purges || wantsTwin(this.#db, own);
    const isDue = isAsked || rollUp > 0 || wantsDescription || wantsHelp;
    const lookAt = lfsLookDue(this.#db, row, maintenance, { now, isSettled: doubtful === 0 });
    return [isDue ? now : undefined, doubtful > 0 ? walkAfter : undefined, indexed, lookAt]
      .filter((at) => at !== undefined)
      .map((at) => Math.max(now, at));
  }

  /** Returns when there is something to do: a job to be sent, or a cruft pack to be deleted. */
  nextDue(now: number, row = this.#repository.read()): number | undefined {
    if (row === undefined) return undefined;
    const { cruftSince, set } = this.#due(row);
    if (isTwinStale(this.#db, set)) return now;
    const due = [this.jobDue(now, row), cruftSince === undefined ? undefined : cruftSince + graceTimeOf(row.record)];
    const times = due.filter((at) => at !== undefined);
    return times.length === 0 ? undefined : Math.min(...times);
  }

  /** Counts a clone. Returns whether a twin is wanted from now on. */
  noteClone(answer: OpenAnswer, now: number): boolean {
    return this.#db.transaction(() => noteClone(this.#db, answer, now));
  }

  /**
   * Removes the cruft packs whose time is up, and the twin of packs that are not the catalog any more. Their files are
   * deleted with those of ended uploads. A job that is taken for lost has failed.
   */
  expire(now: number, row: RepositoryRow): void {
    endLostJob(this.#db, now);
    const { cruftSince, set } = this.#due(row);
    if (isTwinStale(this.#db, set)) this.#db.transaction(() => dropTwin(this.#db, now + TWINS.grace));
    const graceTime = graceTimeOf(row.record);
    if (cruftSince === undefined || cruftSince + graceTime > now) return;
    this.#db.transaction(() => {
      retirePacks(this.#db, cruftBefore(this.#db, now - graceTime + 1), now);
      bumpCatalogVersion(this.#db);
    });
  }

  /**
   * Returns what a snapshot tells beside the packs that it tells of: the layers of the commit-graph, the packs' twin, and the packs that
   * others have replaced, if it is asked for them.
   */
  catalogParts(
    { packs, replaced, multiPackIndex }: Pick<OpenRequest, "packs" | "replaced" | "multiPackIndex">,
    forReader = false,
  ): Pick<OpenSnapshot, "graphs" | "replaced" | "twin" | "multiPackIndex"> {
    const graphs = packs === true ? listGraphs(this.#db) : [];
    return {
      ...(graphs.length === 0 ? {} : { graphs }),
      ...(forReader && packs === true ? twinOf(this.#db) : {}),
      ...(replaced === true ? { replaced: listReplaced(this.#db) } : {}),
      ...(multiPackIndex === true ? this.#changedIndex() : {}),
    };
  }

  #changedIndex(): Pick<OpenSnapshot, "multiPackIndex"> {
    const row = this.#repository.read();
    return row === undefined ? {} : changedMultiPackIndex(this.#db, row);
  }

  /** See `MaintenanceStore.replaceGraphs`. */
  replaceGraphs(request: ReplaceGraphsRequest, now: number): ReplaceGraphsAnswer {
    return this.#exists ? replaceGraphs(this.#db, request, now) : { kind: "gone" };
  }

  /** See `MaintenanceStore.reportLfs`. */
  reportLfs(report: LfsLookReport, now: number): LfsLookAnswer {
    return this.#exists ? settleLfsLook(this.#db, report, now) : { kind: "gone" };
  }

  /** Notes that a job is on its way. */
  jobSent(now: number): void {
    writeMaintenance(this.#db, { ...readMaintenance(this.#db), jobAt: now });
  }

  /** Answers a call. `now` is in milliseconds since the epoch. */
  answer(call: MaintenanceCall, now: number): MaintenanceAnswer {
    if (call.kind === "begin") return { begun: this.begin(call.id, call.packNames, now) };
    if (call.kind === "packs") return { replaced: this.replacePacks(call.request, now) };
    if (call.kind === "graphs") return { replaced: this.replaceGraphs(call.request, now) };
    if (call.kind === "lfs") return { replaced: this.reportLfs(call.report, now) };
    if (call.kind === "damage")
      return { replaced: { kind: this.#exists && forgetDamaged(this.#db, call.files, now) ? "done" : "stale" } };
    if (call.kind === "revive") return { revived: this.#revive(now) };
    if (call.kind === "end") this.end(call, now);
    if (call.kind === "ask") this.ask(call.purge, now);
    const state = call.kind === "end" ? undefined : this.state(now);
    return state === undefined ? {} : { state };
  }

  /** See `MaintenanceStore.reviveUnreachable`. */
  #revive(now: number): boolean {
    if (!this.#exists) return false;
    return this.#db.transaction(() => {
      const revived = reviveCruft(this.#db);
      if (revived) bumpCatalogVersion(this.#db);
      if (revived) noteDoubt(this.#db, now);
      return revived;
    });
  }

  /** See `MaintenanceStore.maintenance`. */
  state(now: number): MaintenanceState | undefined {
    if (!this.#exists) return undefined;
    const row = readMaintenance(this.#db);
    const packs = listPackSizes(this.#db);
    const own = packs.filter((pack) => isOwn(pack));
    const cruft = packs.filter(({ source }) => source === "cruft");
    const { step, packs: due } = this.#plan(packs, row, now);
    const { purge: lent, waiting } = readLending(this.#db) ?? LENT_NOTHING;
    return {
      total: withTail(sumOf(own), sumTail(this.#db)),
      unmarked: sumOf(own.filter(({ marked }) => !marked)),
      unreachable: sumOf(cruft),
      tipPacks: sumOf(packs.filter(({ source }) => source === "copy")),
      borrowed: sumOf(packs.filter(({ loan }) => loan !== undefined)),
      graph: this.#graphSum,
      isGraphDue: step === "graph",
      due: step === "nothing" ? 0 : due.length,
      purging: row.purges || row.lfsPurges || lent !== "none" || areAnyPurged(this.#db),
      waitingForForks: waiting,
      asked: row.asked,
      ...(row.jobAt === undefined ? {} : { runningSince: row.jobAt }),
      runs: listRuns(this.#db).filter(({ outcome }) => outcome !== "nothing"),
    };
  }

  /** See `MaintenanceStore.askForMaintenance`. */
  ask(purge: boolean, now: number): void {
    if (!this.#exists) return;
    const row = readMaintenance(this.#db);
    writeMaintenance(this.#db, { ...row, asked: true, purges: row.purges || purge, askedAt: now, walkAfter: 0 });
  }

  /** See `MaintenanceStore.beginMaintenance`. */
  begin(id: string, packNames: readonly string[], now: number): BeginMaintenanceAnswer {
    return this.#db.transaction(() => {
      const record = this.#repository.describe();
      if (record?.id !== id) return { kind: "gone" };
      const row = readMaintenance(this.#db);
      const plan = this.#plan(listPublished(this.#db), row, now);
      const written = plan.step === "nothing" ? 0 : PACKS_WRITTEN[plan.step];
      if (plan.step !== "nothing") noteBegun(this.#db, plan.step, now);
      for (const name of packNames.slice(0, written)) insertLease(this.#db, name, now + LEASE_TIME);
      const purges = plan.step === "lfs" ? row.lfsPurges : row.purges;
      return { kind: "begun", record, ...plan, purges, now, ...graphBeginning(this.#db) };
    });
  }

  /** See `PackCatalog.replacePacks`. */
  replacePacks(request: ReplacePacksRequest, now: number): ReplacePacksAnswer {
    return this.#exists ? replacePacks(this.#db, request, now) : { kind: "gone" };
  }

  /** Returns how long after a walk the next one is begun: not before it can find anything else, unless refs move. */
  #pauseAfter(run: MaintenanceRun, { record }: RepositoryRow, now: number): number {
    return walkPause(run, (pastHoldsUntil(this.#db, record, now) ?? now) - now);
  }

  /** See `MaintenanceStore.endMaintenance`. */
  end({ id, run }: Extract<MaintenanceCall, { kind: "end" }>, now: number): void {
    const found = this.#repository.read();
    if (found?.record.id !== id) return;
    const { jobAt: _, ...before } = readMaintenance(this.#db);
    const { outcome, step } = run;
    const failures = outcome === "failed" ? before.failures + 1 : 0;
    const row: MaintenanceRow = {
      ...before,
      failures,
      askedAt: Math.min(before.askedAt, run.at - 1), // A run that ends after somebody has asked counts.
      walkAfter: step === "walk" && failures === 0 ? now + this.#pauseAfter(run, found, now) : before.walkAfter,
    };
    forgetBegun(this.#db);
    // A step that was planned and found nothing to do may stay due. Where none was, the report is one of a roll-up.
    const isIdle = outcome === "nothing" && step !== "roll-up";
    if (outcome !== "nothing" || isIdle) insertRun(this.#db, run);
    const next = this.#plan(listPackSizes(this.#db), row, now).step;
    const isOver = outcome !== "failed" && (next === "nothing" || (isIdle && next === step));
    writeMaintenance(this.#db, { ...row, asked: before.asked && !isOver });
  }
}
