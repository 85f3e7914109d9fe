/**
 * A repository's uploads on its SQL database. Each call is one step for every other request.
 *
 * @packageDocumentation
 */
import { MOST_UPLOADS, type UploadAnswer, type UploadRequest } from "../../refs/upload-store.ts";
import type { SqlDatabase } from "../sql/sql-database.ts";
import { insertLease, LEASE_TIME, renewLease } from "./tables/leases.ts";
import { sumPackBytes } from "./tables/packs.ts";
import { countUploads, deleteUpload, insertUpload, putPart, readUpload, sumOtherParts } from "./tables/uploads.ts";

type Announcement = Extract<UploadRequest, { kind: "announce" }>;

function begin(db: SqlDatabase, name: string, now: number): UploadAnswer {
  if (countUploads(db) >= MOST_UPLOADS) return { kind: "full" };
  insertUpload(db, name, now);
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
  const used = sumPackBytes(db) + sumOtherParts(db, name, part.number);
  if (most !== undefined && used + part.bytes > most) return { kind: "over-quota", used };
  putPart(db, name, part);
  return hold(db, name, now);
}

function end(db: SqlDatabase, name: string, now: number): UploadAnswer {
  const before = show(db, name, now);
  // Its lease stays: a part that is still on its way is swept when that ends.
  deleteUpload(db, name);
  return before;
}

/** Does what is asked; the tables have to be there. A part of the caller's transaction. */
export function answerUpload(db: SqlDatabase, request: UploadRequest, now: number): UploadAnswer {
  switch (request.kind) {
    case "begin":
      return begin(db, request.name, now);
    case "show":
      return show(db, request.name, now);
    case "announce":
      return announce(db, request, now);
    case "hold":
      return hold(db, request.name, now);
    case "end":
      return end(db, request.name, now);
  }
}
