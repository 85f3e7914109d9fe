/**
 * Plans the maintenance of a repository: when a step is due, which packs it combines, and what became of it.
 *
 * @packageDocumentation
 */
import { planRollUp, ROLLING_UP, type RollUpPack } from "../../catalog/roll-up.ts";
import type {
  BeginMaintenanceAnswer,
  MaintenanceRun,
  MaintenanceState,
  PackSum,
} from "../../refs/maintenance-store.ts";
import type { ReplacePacksAnswer, ReplacePacksRequest } from "../../refs/pack-catalog.ts";
import type { RepositoryRecord } from "../../refs/ref-store.ts";
import type { SqlDatabase } from "../sql/sql-database.ts";
import { replacePacks } from "./replace-packs.ts";
import { insertLease, LEASE_TIME } from "./tables/leases.ts";
import { insertRun, listRuns, readMaintenance, writeMaintenance } from "./tables/maintenance.ts";
import { readMirror } from "./tables/mirror.ts";
import { listPackSizes, listPacks } from "./tables/packs.ts";
import { readRepository } from "./tables/repository.ts";

/** A job that has not reported after this time is taken for lost. Milliseconds. */
const JOB_TIME = 15 * 60_000;
/** How long after a failure the next step is begun: twice as long after each further one, up to a day. Milliseconds. */
const RETRY_TIME = 5 * 60_000;
const MOST_RETRY_TIME = 24 * 60 * 60_000;
const MOST_ERROR = 1000;

/** A call of one of the methods of `MaintenanceStore`. */
export type MaintenanceCall =
  | { readonly kind: "show" | "ask" }
  | { readonly kind: "begin"; readonly id: string; readonly packName: string }
  | { readonly kind: "end"; readonly id: string; readonly run: MaintenanceRun };

/** What the method returns: of `show` and `ask` the state, of `begin` the beginning. */
export type MaintenanceAnswer = { readonly state?: MaintenanceState; readonly begun?: BeginMaintenanceAnswer };

/** The part of the repository's other tables that maintenance needs. */
export interface MaintainedRepository {
  /** Whether the tables exist. */
  hasTables(): boolean;
  describe(): RepositoryRecord | undefined;
}

function sumOf(packs: readonly RollUpPack[]): PackSum {
  let objects = 0;
  let bytes = 0;
  for (const pack of packs) {
    objects += pack.objects;
    bytes += pack.packBytes;
  }
  return { packs: packs.length, objects, bytes };
}

/** The tables of one Durable Object, as far as maintenance uses them. */
export class MaintenanceDatabase {
  readonly #db: SqlDatabase;
  readonly #repository: MaintainedRepository;
  /** The number of packs that are due for a version of the catalog, so that it is not planned again for each answer. */
  #planned: { readonly version: string; readonly least: number; readonly due: number } | undefined;

  constructor(db: SqlDatabase, repository: MaintainedRepository) {
    this.#db = db;
    this.#repository = repository;
  }

  get #row(): ReturnType<typeof readRepository> {
    return this.#repository.hasTables() ? readRepository(this.#db) : undefined;
  }

  /** Returns the packs that the next step combines. A mirror whose slices are under way still builds on each of them. */
  #plan<Pack extends RollUpPack>(packs: readonly Pack[], asked: boolean): Pack[] {
    if (readMirror(this.#db)?.slice !== undefined) return [];
    return planRollUp(packs, asked ? 2 : ROLLING_UP.duePacks);
  }

  /** Returns how many packs the next step would combine. */
  #due(asked: boolean): number {
    const row = this.#row;
    if (row === undefined) return 0;
    const version = `${row.record.id}/${row.version}`;
    const least = asked ? 2 : ROLLING_UP.duePacks;
    if (this.#planned?.version !== version || this.#planned.least !== least) {
      this.#planned = { version, least, due: this.#plan(listPackSizes(this.#db), asked).length };
    }
    return this.#planned.due;
  }

  /** Answers a call. `now` is in milliseconds since the epoch. */
  answer(call: MaintenanceCall, now: number): MaintenanceAnswer {
    if (call.kind === "begin") return { begun: this.begin(call.id, call.packName, now) };
    if (call.kind === "end") this.end(call.id, call.run, now);
    const state = call.kind === "ask" ? this.ask() : call.kind === "show" ? this.state() : undefined;
    return state === undefined ? {} : { state };
  }

  /** Returns when the next job has to be sent; `undefined` if none has. */
  nextDue(now: number): number | undefined {
    if (this.#row === undefined) return undefined;
    const { asked, jobAt, notBefore } = readMaintenance(this.#db);
    if (jobAt !== undefined) return jobAt + JOB_TIME;
    return asked || this.#due(false) > 0 ? Math.max(now, notBefore) : undefined;
  }

  /** Notes that a job is on its way. */
  jobSent(now: number): void {
    writeMaintenance(this.#db, { ...readMaintenance(this.#db), jobAt: now });
  }

  /** See `MaintenanceStore.maintenance`. */
  state(): MaintenanceState | undefined {
    if (this.#row === undefined) return undefined;
    const { asked, jobAt } = readMaintenance(this.#db);
    const packs = listPackSizes(this.#db);
    const own = packs.filter(({ source }) => source !== "copy");
    return {
      total: sumOf(own),
      unmarked: sumOf(own.filter(({ marked }) => !marked)),
      tipPacks: sumOf(packs.filter(({ source }) => source === "copy")),
      due: this.#due(asked),
      asked,
      ...(jobAt === undefined ? {} : { runningSince: jobAt }),
      runs: listRuns(this.#db),
    };
  }

  /** See `MaintenanceStore.askForMaintenance`. */
  ask(): MaintenanceState | undefined {
    if (this.#row === undefined) return undefined;
    writeMaintenance(this.#db, { ...readMaintenance(this.#db), asked: true, notBefore: 0 });
    return this.state();
  }

  /** See `MaintenanceStore.beginMaintenance`. */
  begin(id: string, packName: string, now: number): BeginMaintenanceAnswer {
    return this.#db.transaction(() => {
      const record = this.#row === undefined ? undefined : this.#repository.describe();
      if (record?.id !== id) return { kind: "gone" };
      const packs = this.#plan(listPacks(this.#db), readMaintenance(this.#db).asked);
      if (packs.length > 0) insertLease(this.#db, packName, now + LEASE_TIME);
      return { kind: "begun", record, packs };
    });
  }

  /** See `PackCatalog.replacePacks`. */
  replacePacks(request: ReplacePacksRequest, now: number): ReplacePacksAnswer {
    return this.#repository.hasTables() ? replacePacks(this.#db, request, now) : { kind: "gone" };
  }

  /** See `MaintenanceStore.endMaintenance`. */
  end(id: string, run: MaintenanceRun, now: number): void {
    if (this.#row?.record.id !== id) return;
    const before = readMaintenance(this.#db);
    const failures = run.outcome === "failed" ? before.failures + 1 : 0;
    const wait = failures === 0 ? 0 : Math.min(RETRY_TIME * 2 ** (failures - 1), MOST_RETRY_TIME);
    writeMaintenance(this.#db, {
      asked: before.asked && (run.outcome === "failed" || this.#due(true) > 0),
      failures,
      notBefore: failures === 0 ? 0 : now + wait,
    });
    if (run.outcome === "nothing") return;
    const { error } = run;
    insertRun(this.#db, { ...run, ...(error === undefined ? {} : { error: error.slice(0, MOST_ERROR) }) });
  }
}
