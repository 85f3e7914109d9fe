/**
 * The schema of a repository's database. What a step does to rows that are there already is decided here; what the tables mean is said
 * in their own modules.
 *
 * @packageDocumentation
 */
import { addColumn, type Schema } from "../sql/migrations.ts";
import { DELIVERIES_DDL } from "./tables/deliveries.ts";
import { DOOMED_PREFIXES_DDL } from "./tables/doomed-prefixes.ts";
import { FSCK_SETTINGS_DDL } from "./tables/fsck-settings.ts";
import { HEAD_LOG_DDL } from "./tables/head-log.ts";
import { HOOKS_DDL } from "./tables/hooks.ts";
import { LEASES_DDL } from "./tables/leases.ts";
import { MIRROR_POINTER_DDL } from "./tables/mirror-pointer.ts";
import { MIRROR_DDL } from "./tables/mirror.ts";
import { PACKS_DDL } from "./tables/packs.ts";
import { PUSH_CERTIFICATES_DDL } from "./tables/push-certificates.ts";
import { PUSH_SEED_DDL } from "./tables/push-seed.ts";
import { REF_LOG_DDL } from "./tables/ref-log.ts";
import { REF_RULES_DDL } from "./tables/ref-rules.ts";
import { REFS_DDL } from "./tables/refs.ts";
import { REPOSITORY_DDL } from "./tables/repository.ts";
import { UPLOADS_DDL } from "./tables/uploads.ts";

/** The statements of a module of tables, and what becomes of their rows when the repository is removed. */
type TableSet = { readonly ddl: string; readonly onRemoval: "emptied" | "kept" };

/**
 * All tables. Those of a repository are emptied with it. Kept are those that say what is still to be done for it: what is to be deleted
 * below its prefix, and where readers were sent.
 */
const TABLE_SETS: readonly TableSet[] = [
  { ddl: REPOSITORY_DDL, onRemoval: "emptied" },
  { ddl: REFS_DDL, onRemoval: "emptied" },
  { ddl: PACKS_DDL, onRemoval: "emptied" },
  { ddl: LEASES_DDL, onRemoval: "emptied" },
  { ddl: REF_LOG_DDL, onRemoval: "emptied" },
  { ddl: HEAD_LOG_DDL, onRemoval: "emptied" },
  { ddl: REF_RULES_DDL, onRemoval: "emptied" },
  { ddl: PUSH_CERTIFICATES_DDL, onRemoval: "emptied" },
  { ddl: HOOKS_DDL, onRemoval: "emptied" },
  { ddl: DELIVERIES_DDL, onRemoval: "emptied" },
  { ddl: MIRROR_DDL, onRemoval: "emptied" },
  { ddl: MIRROR_POINTER_DDL, onRemoval: "kept" },
  { ddl: PUSH_SEED_DDL, onRemoval: "emptied" },
  { ddl: DOOMED_PREFIXES_DDL, onRemoval: "kept" },
  { ddl: UPLOADS_DDL, onRemoval: "emptied" },
  { ddl: FSCK_SETTINGS_DDL, onRemoval: "emptied" },
];

/** The schema. */
export const REPOSITORY_SCHEMA: Schema = {
  first: "repository",
  tables: TABLE_SETS.map(({ ddl }) => ddl),
  steps: [
    // What builds before versions were kept may lack. Of old moves it isn't known whether they went forward; a mirror that
    // forgave nothing goes on like that.
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
    // Sums over a tenant: it has to be told what there is, and asks for it below.
    (db) => addColumn(db, "repository", "usage_version INTEGER NOT NULL DEFAULT -1"),
    // Uploads in parts: new tables.
    () => undefined,
    // The packs of slices: of those that are here already it isn't known what they hold.
    (db) => addColumn(db, "mirror", "slice_packs TEXT"),
    // Where HEAD was: a new table. Of before it is taken that HEAD has always been where it is.
    () => undefined,
    // What certificates sign: of those that are here it is not known, and their nonces are too old within the hour.
    (db) => addColumn(db, "push_certificates", "digest BLOB"),
    // What of uploads lies in the bucket: of parts that are here already, what was announced.
    (db) => {
      addColumn(db, "repository", "upload_changes INTEGER NOT NULL DEFAULT 0");
      addColumn(db, "uploads", "holder TEXT");
      addColumn(db, "uploads", "ended INTEGER NOT NULL DEFAULT 0");
      for (const column of ["held", "writers", "overlapped"]) {
        addColumn(db, "upload_parts", `${column} INTEGER NOT NULL DEFAULT 0`);
      }
      db.run("UPDATE upload_parts SET held = bytes");
    },
    // Whether HEAD's branch was chosen: of one that is not the usual name it is taken that it was.
    (db) => {
      addColumn(db, "repository", "head_chosen INTEGER NOT NULL DEFAULT 0");
      db.run(
        "UPDATE repository SET head_chosen = 1 WHERE head <> 'refs/heads/main' AND NOT EXISTS (SELECT 1 FROM mirror)",
      );
    },
    // What of checks is let pass: a new table. Until somebody changes that, slips that harm nobody bring warnings.
    () => undefined,
    // From where on values that refs had may be wanted: those of the last minute are.
    (db) => addColumn(db, "repository", "recent_after INTEGER NOT NULL DEFAULT 0"),
    // From where on the log may be seen. Of a repository that is public already it isn't known since when: its newest move counts.
    // A mirror has been one since the last move that another than a sync made; whether it had other upstreams isn't known.
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
  ],
};

/** The names of the tables that are emptied when the repository is removed. */
export const EMPTIED_TABLES: readonly string[] = TABLE_SETS.filter(({ onRemoval }) => onRemoval === "emptied").flatMap(
  ({ ddl }) => Array.from(ddl.matchAll(/CREATE TABLE IF NOT EXISTS (\w+)/g), ([, name = ""]) => name),
);
