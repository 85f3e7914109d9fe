/**
 * A repository's uploads on its SQL database. No other request comes in between within a call.
 *
 * @packageDocumentation
 */
import { MOST_UPLOADS, MOST_UPLOADS_OF_ONE, type UploadAnswer, type UploadRequest } from "../../refs/upload-store.ts";
import type { SqlDatabase } from "../sql/sql-database.ts";
import { deleteLease, insertLease, LEASE_TIME, renewLease } from "./tables/leases.ts";
import { noteUploadChange } from "./tables/repository.ts";
import {
  announcePart,
  countUploads,
  endUpload,
  heldOfPart,
  insertUpload,
  partWritten,
  readUpload,
} from "./tables/uploads.ts";
import { usedBytes } from "./used-bytes.ts";

type Beginning = Extract<UploadRequest, { kind: "begin" }>;
type Announcement = Extract<UploadRequest, { kind: "announce" }>;
type Writing = Extract<UploadRequest, { kind: "written" }>;

function begin(db: SqlDatabase, { name, holder }: Beginning, now: number): UploadAnswer {
  if (holder !== undefined && countUploads(db, holder) >= MOST_UPLOADS_OF_ONE) return { kind: "share-full" };
  if (countUploads(db) >= MOST_UPLOADS) return { kind: "full" };
  insertUpload(db, name, holder, now);
  insertLease(db, name, now + LEASE_TIME);
  return show(db, name, now);
}

function show(db: SqlDatabase, name: string, now: number): UploadAnswer {
  const upload = readUpload(db, name, now);
  return upload === undefined ? { kind: "missing" } : { kind: "found", upload };
}

function hold(db: SqlDatabase, name: string, now: number): UploadAnswer {
  if (readUpload(db, name, now) !== undefined) renewLease(db, name, now + LEASE_TIME);
  return show(db, name, now);
}

function announce(db: SqlDatabase, { name, part, most }: Announcement, now: number): UploadAnswer {
  if (readUpload(db, name, now) === undefined) return { kind: "missing" };
  const held = heldOfPart(db, name, part.number);
  const used = usedBytes(db) - held;
  // The old content of the part stays until the new one is whole.
  if (most !== undefined && used + Math.max(held, part.bytes) > most) return { kind: "over-quota", used };
  announcePart(db, name, part);
  noteUploadChange(db);
  return hold(db, name, now);
}

function written(db: SqlDatabase, { name, number, isWhole }: Writing, now: number): UploadAnswer {
  partWritten(db, name, number, isWhole);
  noteUploadChange(db);
  return show(db, name, now);
}

function end(db: SqlDatabase, name: string, now: number): UploadAnswer {
  const before = show(db, name, now);
  // While a part is being written the lease stays: the sweep at its end deletes what nobody else does.
  if (endUpload(db, name)) deleteLease(db, name);
  noteUploadChange(db);
  return before;
}

/** Answers an upload's request, as a part of the caller's transaction. The tables have to exist. */
export function answerUpload(db: SqlDatabase, request: UploadRequest, now: number): UploadAnswer {
  switch (request.kind) {
    case "begin":
      return begin(db, request, now);
    case "show":
      return show(db, request.name, now);
    case "announce":
      return announce(db, request, now);
    case "written":
      return written(db, request, now);
    case "hold":
      return hold(db, request.name, now);
    case "end":
      return end(db, request.name, now);
  }
}
