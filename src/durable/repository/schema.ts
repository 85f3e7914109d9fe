/**
 * The schema of a repository's database. Each step decides what happens to rows that are there already; the modules of
 * the tables say what the tables mean.
 *
 * @packageDocumentation
 */
import { addColumn, type Schema } from "../sql/migrations.ts";
import type { SqlDatabase } from "../sql/sql-database.ts";
import { ANSWERED_REQUESTS_DDL } from "./tables/answered-requests.ts";
import { CLONE_TWIN_DDL } from "./tables/clone-twin.ts";
import { COMMIT_STATUSES_DDL } from "./tables/commit-statuses.ts";
import { COMMIT_GRAPHS_DDL } from "./tables/commit-graphs.ts";
import { DELIVERIES_DDL } from "./tables/deliveries.ts";
import { DOOMED_PREFIXES_DDL } from "./tables/doomed-prefixes.ts";
import { FORKS_DDL, PACK_RETURNS_DDL } from "./tables/forks.ts";
import { FSCK_SETTINGS_DDL } from "./tables/fsck-settings.ts";
import { HEAD_LOG_DDL } from "./tables/head-log.ts";
import { KEPT_BLOBS_DDL } from "./tables/kept-blobs.ts";
import { KEPT_OBJECTS_DDL } from "./tables/kept-objects.ts";
import { HOOKS_DDL } from "./tables/hooks.ts";
import { LEASES_DDL } from "./tables/leases.ts";
import { LFS_LEAVING_DDL } from "./tables/lfs-leaving.ts";
import { LFS_LOCKS_DDL } from "./tables/lfs-locks.ts";
import { LFS_OBJECTS_DDL } from "./tables/lfs-objects.ts";
import { LFS_RULES_DDL } from "./tables/lfs-rules.ts";
import { MAINTENANCE_DDL } from "./tables/maintenance.ts";
import { MIRROR_POINTER_DDL } from "./tables/mirror-pointer.ts";
import { MIRROR_DDL } from "./tables/mirror.ts";
import { MOVED_DDL } from "./tables/moved.ts";
import { MULTI_PACK_INDEX_DDL } from "./tables/multi-pack-index.ts";
import { PACK_BITMAPS_DDL } from "./tables/pack-bitmaps.ts";
import { PACKS_DDL } from "./tables/packs.ts";
import { PUSH_CERTIFICATES_DDL } from "./tables/push-certificates.ts";
import { PUSH_SEED_DDL } from "./tables/push-seed.ts";
import { countByOurselves, keepLogEnds, LOG_ENDS_DDL, REF_LOG_DDL } from "./tables/ref-log.ts";
import { REF_RULES_DDL } from "./tables/ref-rules.ts";
import { storeNamesAsBytes } from "./tables/ref-writes.ts";
import { REFS_DDL } from "./tables/refs.ts";
import { REPOSITORY_DDL } from "./tables/repository.ts";
import { TAIL_PACKS_DDL } from "./tables/tail-packs.ts";
import { UPLOADS_DDL } from "./tables/uploads.ts";

/** The statements of a module of tables, and whether a removal of the repository empties those tables. */
type TableSet = { readonly ddl: string; readonly onRemoval: "emptied" | "kept" };

/**
 * All tables. Those of a repository are emptied with it. Those kept record what is still to be deleted below its
 * prefix, and where readers were sent.
 */
const TABLE_SETS: readonly TableSet[] = [
  { ddl: REPOSITORY_DDL, onRemoval: "emptied" },
  { ddl: REFS_DDL, onRemoval: "emptied" },
  { ddl: PACKS_DDL, onRemoval: "emptied" },
  { ddl: PACK_BITMAPS_DDL, onRemoval: "emptied" },
  { ddl: LEASES_DDL, onRemoval: "emptied" },
  { ddl: REF_LOG_DDL, onRemoval: "emptied" },
  { ddl: LOG_ENDS_DDL, onRemoval: "kept" },
  { ddl: HEAD_LOG_DDL, onRemoval: "emptied" },
  { ddl: REF_RULES_DDL, onRemoval: "emptied" },
  { ddl: PUSH_CERTIFICATES_DDL, onRemoval: "emptied" },
  { ddl: HOOKS_DDL, onRemoval: "emptied" },
  { ddl: DELIVERIES_DDL, onRemoval: "emptied" },
  { ddl: MIRROR_DDL, onRemoval: "emptied" },
  { ddl: MIRROR_POINTER_DDL, onRemoval: "kept" },
  { ddl: PUSH_SEED_DDL, onRemoval: "emptied" },
  { ddl: DOOMED_PREFIXES_DDL, onRemoval: "kept" },
  { ddl: MOVED_DDL, onRemoval: "kept" },
  { ddl: UPLOADS_DDL, onRemoval: "emptied" },
  { ddl: FSCK_SETTINGS_DDL, onRemoval: "emptied" },
  { ddl: MAINTENANCE_DDL, onRemoval: "emptied" },
  { ddl: LFS_OBJECTS_DDL, onRemoval: "emptied" },
  { ddl: LFS_LOCKS_DDL, onRemoval: "emptied" },
  { ddl: LFS_RULES_DDL, onRemoval: "emptied" },
  { ddl: LFS_LEAVING_DDL, onRemoval: "kept" },
  { ddl: FORKS_DDL, onRemoval: "emptied" },
  { ddl: PACK_RETURNS_DDL, onRemoval: "kept" },
  { ddl: COMMIT_GRAPHS_DDL, onRemoval: "emptied" },
  { ddl: ANSWERED_REQUESTS_DDL, onRemoval: "emptied" },
  { ddl: CLONE_TWIN_DDL, onRemoval: "emptied" },
  { ddl: KEPT_BLOBS_DDL, onRemoval: "emptied" },
  { ddl: TAIL_PACKS_DDL, onRemoval: "emptied" },
  { ddl: COMMIT_STATUSES_DDL, onRemoval: "emptied" },
  { ddl: KEPT_OBJECTS_DDL, onRemoval: "emptied" },
  { ddl: MULTI_PACK_INDEX_DDL, onRemoval: "emptied" },
];

/** The schema. */
export const REPOSITORY_SCHEMA: Schema = {
  first: "repository",
  tables: TABLE_SETS.map(({ ddl }) => ddl),
  steps: [
    // Adds what builds before versions may lack. Whether old moves went forward is unknown; a mirror that accepted no
    // slips still accepts none.
    (db) => {
      addColumn(db, "packs", "kinds BLOB");
      addColumn(db, "ref_log", "forward INTEGER NOT NULL DEFAULT 0");
      addColumn(db, "mirror", "hook_key TEXT");
      addColumn(db, "mirror", "hook TEXT");
      addColumn(db, "mirror", "fsck_ignore TEXT NOT NULL DEFAULT ''");
      addColumn(db, "mirror", "fsck_skip TEXT NOT NULL DEFAULT ''");
      addColumn(db, "mirror", "fetch_through INTEGER NOT NULL DEFAULT 0");
    },
    // Slices of upstreams: none is under way.
    (db) => addColumn(db, "mirror", "slice_anchors BLOB"),
    // Sums over a tenant: each repository has to report what it holds, and its tenant's step asks for that.
    (db) => addColumn(db, "repository", "usage_version INTEGER NOT NULL DEFAULT -1"),
    // Uploads in parts: new tables.
    () => undefined,
    // The packs of slices: for slices taken in already, it is unknown what they hold.
    (db) => addColumn(db, "mirror", "slice_packs TEXT"),
    // The log of HEAD: a new table. For the time before it, HEAD is taken to have always been where it is.
    () => undefined,
    // Digests of certificates: those of old certificates are unknown, and their nonces expire within the hour.
    (db) => addColumn(db, "push_certificates", "digest BLOB"),
    // The bytes of uploads in the bucket: parts that are here already count with their announced length.
    (db) => {
      addColumn(db, "repository", "upload_changes INTEGER NOT NULL DEFAULT 0");
      addColumn(db, "uploads", "holder TEXT");
      addColumn(db, "uploads", "ended INTEGER NOT NULL DEFAULT 0");
      for (const column of ["held", "writers", "overlapped"]) {
        addColumn(db, "upload_parts", `${column} INTEGER NOT NULL DEFAULT 0`);
      }
      db.run("UPDATE upload_parts SET held = bytes");
    },
    // Whether HEAD's branch was chosen: one with another name than the usual is taken as chosen.
    (db) => {
      addColumn(db, "repository", "head_chosen INTEGER NOT NULL DEFAULT 0");
      db.run(
        "UPDATE repository SET head_chosen = 1 WHERE head <> 'refs/heads/main' AND NOT EXISTS (SELECT 1 FROM mirror)",
      );
    },
    // The fsck settings: a new table. Until somebody changes them, harmless slips bring warnings.
    () => undefined,
    // The place in the ref log after which earlier values of refs may be wanted: those of the last minute are.
    (db) => addColumn(db, "repository", "recent_after INTEGER NOT NULL DEFAULT 0"),
    // The places from which on the log may be seen. Since when a repository has been public is unknown, so its newest
    // move counts. A mirror counts as one since the last move that no sync made; whether it had other upstreams is
    // unknown.
    (db) => {
      for (const column of ["public_seq", "public_at", "mirror_seq", "mirror_at"]) {
        addColumn(db, "repository", `${column} INTEGER`);
      }
      db.run(`UPDATE repository SET public_seq = (SELECT max(seq) FROM ref_log), public_at = (SELECT max(at) FROM pushes)
        WHERE visibility = 'public' AND EXISTS (SELECT 1 FROM ref_log)`);
      const pushed = "FROM ref_log l JOIN pushes p ON p.seq = l.push WHERE p.actor <> 'mirror'";
      db.run(`UPDATE repository SET mirror_seq = (SELECT max(l.seq) ${pushed}), mirror_at = (SELECT max(p.at) ${pushed})
        WHERE EXISTS (SELECT 1 FROM mirror) AND EXISTS (SELECT 1 ${pushed})`);
    },
    // What a token that pushed was called: of old pushes it was not kept.
    (db) => addColumn(db, "pushes", "actor_name TEXT"),
    // The name as it is shown: old names are shown as they are found.
    (db) => addColumn(db, "repository", "spelled TEXT"),
    // Maintenance: new tables. The packs say what is due. Of packs that were replaced before there are none.
    (db) => addColumn(db, "leases", "replaced INTEGER NOT NULL DEFAULT 0"),
    // Names of refs, which are bytes: those that are not ASCII were stored as text. What mirrors left out is unknown
    // until their next sync.
    (db) => {
      storeNamesAsBytes(db);
      addColumn(db, "mirror", "left_out TEXT");
    },
    // Renamed repositories: a new table.
    () => undefined,
    // Events that have a detail of their own: no old one has.
    (db) => addColumn(db, "deliveries", "detail TEXT"),
    // Copies of tenants' webhooks: there were none.
    (db) => addColumn(db, "hooks", "is_tenants INTEGER NOT NULL DEFAULT 0"),
    // Git LFS: new tables.
    () => undefined,
    // Forks: new tables. Nothing was lent before, and nothing is known of what earlier purges removed.
    (db) => {
      addColumn(db, "doomed_prefixes", "lent INTEGER NOT NULL DEFAULT 0");
      addColumn(db, "maintenance", "dropped_version INTEGER NOT NULL DEFAULT 0");
    },
    // Bitmaps of packs: a new table. Maintenance makes them of old packs, too.
    () => undefined,
    // The commit-graph: a new table. There is none yet of any repository.
    (db) => {
      for (const column of ["graph_objects", "graph_after"]) {
        addColumn(db, "maintenance", `${column} INTEGER NOT NULL DEFAULT 0`);
      }
    },
    // Rules about Git LFS: a new table. There were none.
    () => undefined,
    // The grace period, and whether the past is shown: as it was for all.
    (db) => {
      addColumn(db, "repository", "grace_days INTEGER");
      addColumn(db, "repository", "past_since INTEGER");
    },
    // When a Git LFS object leaves: those that are leaving do so now.
    (db) => addColumn(db, "lfs_leaving", "due INTEGER NOT NULL DEFAULT 0"),
    // Requests that are done once: a new table. None was answered before.
    () => undefined,
    // Twins of catalogs: a new table. Nothing was counted before.
    () => undefined,
    // Which Git LFS objects have pointers: of those that are there it is not known, and looked for.
    (db) => {
      addColumn(db, "lfs_objects", "asked INTEGER NOT NULL DEFAULT 0");
      addColumn(db, "lfs_objects", "unnamed INTEGER DEFAULT 0");
      for (const column of ["lfs_doubt", "lfs_purges"]) {
        addColumn(db, "maintenance", `${column} INTEGER NOT NULL DEFAULT 0`);
      }
    },
    // Blobs that are sent by themselves: a new table. There were none.
    () => undefined,
    // The tail of small pushes: a new table. All packs are in the bucket.
    () => undefined,
    // Statuses of commits: a new table. There were none, and no rule could demand one.
    (db) => {
      addColumn(db, "repository", "status_changes INTEGER NOT NULL DEFAULT 0");
      addColumn(db, "ref_rules", "contexts TEXT");
    },
    // The tips of packs that have bitmaps: there are no files of them yet.
    (db) => addColumn(db, "pack_bitmaps", "tips INTEGER NOT NULL DEFAULT 0"),
    // Objects that no ref reaches yet: a new table. There were none.
    () => undefined,
    // Blobs that are left out for clients that fetch them later: none are.
    (db) => addColumn(db, "repository", "offload_from INTEGER"),
    // Git LFS objects of mirrors: those of all came by request.
    (db) => addColumn(db, "mirror", "lfs TEXT"),
    // The multi-pack index: a new table. None was made before.
    () => undefined,
    // The numbers of the ref log, which SQLite counted.
    countByOurselves,
    // The way that a graph in steps has left: a new table. Each step began at refs.
    () => undefined,
    // Whether the host signs what is made through the API: only what a request asks for.
    (db) => addColumn(db, "repository", "host_signs INTEGER NOT NULL DEFAULT 0"),
  ],
};

function namesOf(wanted: TableSet["onRemoval"]): string[] {
  return TABLE_SETS.filter(({ onRemoval }) => onRemoval === wanted).flatMap(({ ddl }) =>
    Array.from(ddl.matchAll(/CREATE TABLE IF NOT EXISTS (\w+)/g), ([, name = ""]) => name),
  );
}

/** The names of the tables that are emptied when the repository is removed. */
export const EMPTIED_TABLES: readonly string[] = namesOf("emptied");

/** The names of the tables that outlive a repository. */
export const KEPT_TABLES: readonly string[] = namesOf("kept");

/** Empties the tables of a repository that is removed, or is elsewhere now. A part of the caller's transaction. */
export function emptyTables(db: SqlDatabase): void {
  keepLogEnds(db);
  for (const table of EMPTIED_TABLES) db.run(`DELETE FROM ${table}`);
}
