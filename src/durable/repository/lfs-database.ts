/**
 * A repository's Git LFS objects on its SQL database. No other request comes in between within a method.
 *
 * @packageDocumentation
 */
import type { MirrorLfs } from "../../refs/mirror-store.ts";
import {
  type LeavingObject,
  type LfsAnswer,
  type LfsObject,
  type LfsOutcome,
  type LfsRequest,
  MOST_ANNOUNCED,
  type SharedLfsObject,
} from "../../refs/lfs-store.ts";
import type { LockAnswer, LockRequest } from "../../refs/lfs-locks.ts";
import type { BeginPushAnswer } from "../../refs/ref-store.ts";
import type { SqlDatabase } from "../sql/sql-database.ts";
import { answerLocks } from "./lock-database.ts";
import type { LfsRepository } from "./lfs-repository.ts";
import { usedBytes } from "./used-bytes.ts";
import { forwardOf } from "./move-database.ts";
import {
  addAllLeaving,
  addLeaving,
  deleteLeaving,
  leavingOf,
  listLeaving,
  nextLeaving,
  noteSweepJob,
  sweepJobAt,
} from "./tables/lfs-leaving.ts";
import { foreignLocks } from "./tables/lfs-locks.ts";
import {
  announceLfsObjects,
  askForLfsObjects,
  keepLfsObject,
  listLfsObjects,
  nextLfsExpiry,
  readAnnouncedSizes,
  readLfsObjects,
  readLfsSums,
  sumAnnouncedBytes,
  takeExpiredLfs,
} from "./tables/lfs-objects.ts";
import { noteMirrorLfs } from "./tables/mirror.ts";
import { isHidden, noteUploadChange } from "./tables/repository.ts";

/** A job that has not reported after this time is taken for lost. Milliseconds. */
const JOB_TIME = 30 * 60_000;

/** A call of one of the methods of `LfsStore`. */
export type LfsCall =
  | LfsRequest
  | { readonly kind: "locks"; readonly request: LockRequest }
  | { readonly kind: "shared"; readonly after: string; readonly limit: number }
  | { readonly kind: "adopt"; readonly objects: readonly SharedLfsObject[]; readonly as: "announced" | "stored" }
  | { readonly kind: "pulled"; readonly progress: MirrorLfs }
  | { readonly kind: "leaving"; readonly limit: number }
  | { readonly kind: "left"; readonly objects: readonly LeavingObject[] };

/** What the method returns: of `leaving` and `shared` the objects, of a request its answer. */
export type LfsReply = {
  readonly leaving?: readonly LeavingObject[];
  readonly shared?: readonly SharedLfsObject[];
  readonly locks?: LockAnswer;
  readonly answer?: LfsAnswer;
};

type BegunPush = Extract<BeginPushAnswer, { kind: "begun" }>;
type Announcement = Extract<LfsRequest, { kind: "announce" }>;
type Keeping = Extract<LfsRequest, { kind: "keep" }>;

/** The Git LFS objects of one Durable Object's repository. */
export class LfsDatabase {
  readonly #db: SqlDatabase;
  readonly #repository: LfsRepository;

  constructor(db: SqlDatabase, repository: LfsRepository) {
    this.#db = db;
    this.#repository = repository;
  }

  /** The bytes of the objects that are there. */
  get bytes(): number {
    return readLfsSums(this.#db).bytes;
  }

  /** Answers a call. `now` is in milliseconds since the epoch. */
  reply(call: LfsCall, now: number): LfsReply {
    if (call.kind === "leaving") return { leaving: this.leaving(call.limit, now) };
    if (call.kind === "shared") return { shared: this.#shared(call.after, call.limit) };
    if (call.kind === "adopt") return this.#adopt(call.objects, call.as, now);
    if (call.kind === "locks") return { locks: answerLocks(this.#db, this.#repository, call.request, now) };
    if (call.kind === "pulled") return this.#pulled(call.progress);
    if (call.kind !== "left") return { answer: this.answer(call, now) };
    this.left(call.objects);
    return {};
  }

  /** Returns the locks of others than this owner, for a push of theirs; nothing if there are none. */
  foreignLocks(owner: string | undefined): Pick<BegunPush, "locks"> {
    const locks = owner === undefined ? [] : foreignLocks(this.#db, owner);
    return locks.length === 0 ? {} : { locks };
  }

  /** See `LfsStore.lfs`. */
  answer(request: LfsRequest, now: number): LfsAnswer {
    const row = this.#repository.read();
    if (row === undefined) return { kind: "missing", ...forwardOf(this.#repository.moves) };
    if (isHidden(row, request.publicOnly)) {
      const { objectFormat, readOnly } = row.record;
      return { kind: "missing", hidden: { objectFormat, readOnly } };
    }
    const record = this.#repository.record(row);
    if (request.kind === "find") return { kind: "found", record, outcomes: this.#find(request.oids, now) };
    return this.#db.transaction(() => {
      const isMirror = record.mirror !== undefined;
      const isFixed = request.pulled === true ? !isMirror : isMirror || record.readOnly;
      if (isFixed) return { kind: "found", record, outcomes: [] };
      if (request.kind === "keep") return { kind: "found", record, outcomes: [this.#keep(request, now)] };
      const outcomes = this.#announce(request, row.record.id, now);
      return outcomes === undefined ? { kind: "full" } : { kind: "found", record, outcomes };
    });
  }

  #pulled(progress: MirrorLfs): LfsReply {
    if (this.#repository.read() !== undefined) noteMirrorLfs(this.#db, progress);
    return {};
  }

  #find(oids: readonly string[], now: number): LfsOutcome[] {
    const found = readLfsObjects(this.#db, oids, now);
    return oids.map((oid) => found.get(oid) ?? { kind: "missing" });
  }

  /**
   * Returns `undefined` if too many objects are waited for. What is announced takes room until it has come or is swept,
   * since its bytes may be in the bucket without our knowing. An object that is announced again takes no more room than
   * before, and no less: bytes that were announced first may have come.
   */
  #announce({ objects, home, most, pulled }: Announcement, id: string, now: number): LfsOutcome[] | undefined {
    const oids = objects.map(({ oid }) => oid);
    const known = readLfsObjects(this.#db, oids, now);
    const sizes = readAnnouncedSizes(this.#db, oids);
    const leaving = leavingOf(this.#db, id, oids);
    const free = most === undefined ? Number.POSITIVE_INFINITY : most - usedBytes(this.#db);
    let room = most === undefined ? free : free - sumAnnouncedBytes(this.#db);
    const wanted = new Map<string, LfsObject>();
    const outcomes = objects.map((object): LfsOutcome => {
      const { oid, size } = object;
      const here = known.get(oid);
      if (here?.kind === "stored") return here;
      if (leaving.has(oid)) return { kind: "leaving" };
      const before = sizes.get(oid) ?? 0; // One that is new takes no room yet.
      // The bytes of a mirror come through us alone, in the size that the upstream said last.
      const counted = pulled === true ? size : Math.max(size, before);
      const more = counted - before;
      if (size > free || (more > 0 && more > room)) return { kind: "over-quota" };
      room -= more;
      sizes.set(oid, counted);
      wanted.set(oid, { oid, size: counted });
      return { kind: "announced", size, home: here?.kind === "announced" ? here.home : home }; // The first home stays.
    });
    if (readLfsSums(this.#db).announced + wanted.size > MOST_ANNOUNCED) return undefined;
    const here = oids.filter((oid) => known.get(oid)?.kind === "stored");
    if (here.length > 0) askForLfsObjects(this.#db, here, now);
    if (wanted.size > 0) announceLfsObjects(this.#db, [...wanted.values()], home, now);
    return outcomes;
  }

  #keep({ object, most }: Keeping, now: number): LfsOutcome {
    const [here = { kind: "missing" } as const] = this.#find([object.oid], now);
    if (here.kind !== "announced") return here;
    if (most !== undefined && usedBytes(this.#db) + object.size > most) return { kind: "over-quota" };
    keepLfsObject(this.#db, object, now);
    noteUploadChange(this.#db);
    return { kind: "stored", size: object.size, home: here.home };
  }

  #shared(after: string, limit: number): SharedLfsObject[] {
    return this.#repository.read() === undefined ? [] : listLfsObjects(this.#db, after, limit);
  }

  /** See `LfsStore.adoptLfs`. */
  #adopt(objects: readonly SharedLfsObject[], as: "announced" | "stored", now: number): LfsReply {
    if (this.#repository.read() === undefined) return {};
    this.#db.transaction(() => {
      const known = readLfsObjects(
        this.#db,
        objects.map(({ oid }) => oid),
        now,
      );
      if (as === "announced") {
        for (const home of new Set(objects.map((object) => object.home))) {
          const own = objects.filter((object) => object.home === home && !known.has(object.oid));
          announceLfsObjects(this.#db, own, home, now);
        }
        return;
      }
      for (const object of objects) {
        if (known.get(object.oid)?.kind === "announced") keepLfsObject(this.#db, object, now);
      }
      noteUploadChange(this.#db);
    });
    return {};
  }

  /** Notes that all objects leave, now or when their uploads have ended, as a part of the removal of the repository. */
  removeAll(id: string): void {
    addAllLeaving(this.#db, id);
  }

  /** See `LfsStore.leavingLfs`. */
  leaving(limit: number, now: number): readonly LeavingObject[] {
    if (!this.#repository.hasTables()) return [];
    return this.#db.transaction(() => {
      const row = this.#repository.read();
      if (row !== undefined) {
        const { id } = row.record;
        const expired = takeExpiredLfs(this.#db, now, limit);
        addLeaving(
          this.#db,
          expired.map((object) => ({ ...object, id })),
        );
      }
      const left = listLeaving(this.#db, now, limit);
      if (left.length === 0) noteSweepJob(this.#db);
      return left;
    });
  }

  /** See `LfsStore.lfsLeft`. */
  left(objects: readonly LeavingObject[]): void {
    if (this.#repository.hasTables()) this.#db.transaction(() => deleteLeaving(this.#db, objects));
  }

  /** Returns when the next job that sweeps has to be sent; `undefined` if none has. */
  jobDue(now: number): number | undefined {
    if (!this.#repository.hasTables()) return undefined;
    const expiry = nextLfsExpiry(this.#db);
    const leaving = nextLeaving(this.#db);
    if (expiry === undefined && leaving === undefined) return undefined;
    const due = Math.max(now, Math.min(expiry ?? Number.POSITIVE_INFINITY, leaving ?? Number.POSITIVE_INFINITY));
    const sentAt = sweepJobAt(this.#db);
    return sentAt === undefined ? due : Math.max(due, sentAt + JOB_TIME);
  }

  /** Notes that a job is on its way. */
  jobSent(now: number): void {
    noteSweepJob(this.#db, now);
  }
}
