/**
 * The schema of each kind of database. What a step does to rows that are there already is decided here; what the tables mean is
 * said in their own modules.
 *
 * @packageDocumentation
 */
import { addColumn, type Schema } from "./sql/migrations.ts";
import { DELIVERIES_DDL } from "./repository/tables/deliveries.ts";
import { DOOMED_PREFIXES_DDL } from "./repository/tables/doomed-prefixes.ts";
import { FSCK_SETTINGS_DDL } from "./repository/tables/fsck-settings.ts";
import { HOOKS_DDL } from "./repository/tables/hooks.ts";
import { LEASES_DDL } from "./repository/tables/leases.ts";
import { MIRROR_POINTER_DDL } from "./repository/tables/mirror-pointer.ts";
import { HEAD_LOG_DDL } from "./repository/tables/head-log.ts";
import { MIRROR_DDL } from "./repository/tables/mirror.ts";
import { PACKS_DDL } from "./repository/tables/packs.ts";
import { PUSH_CERTIFICATES_DDL } from "./repository/tables/push-certificates.ts";
import { PUSH_SEED_DDL } from "./repository/tables/push-seed.ts";
import { REF_LOG_DDL } from "./repository/tables/ref-log.ts";
import { REF_RULES_DDL } from "./repository/tables/ref-rules.ts";
import { REFS_DDL } from "./repository/tables/refs.ts";
import { REPOSITORY_DDL } from "./repository/tables/repository.ts";
import { SIGNING_KEYS_DDL } from "./tenant/tables/signing-keys.ts";
import { TENANT_REPOS_DDL } from "./tenant/tables/tenant-repos.ts";
import { TENANT_DDL } from "./tenant/tables/tenant.ts";
import { TENANTS_DDL } from "./tenant/tables/tenants.ts";
import { TOKENS_DDL } from "./tenant/tables/tokens.ts";
import { UPLOADS_DDL } from "./repository/tables/uploads.ts";

/** Of a repository. */
export const REPOSITORY_SCHEMA: Schema = {
  first: "repository",
  tables: [
    REPOSITORY_DDL,
    REFS_DDL,
    PACKS_DDL,
    LEASES_DDL,
    REF_LOG_DDL,
    HEAD_LOG_DDL,
    REF_RULES_DDL,
    PUSH_CERTIFICATES_DDL,
    HOOKS_DDL,
    DELIVERIES_DDL,
    MIRROR_DDL,
    MIRROR_POINTER_DDL,
    PUSH_SEED_DDL,
    DOOMED_PREFIXES_DDL,
    UPLOADS_DDL,
    FSCK_SETTINGS_DDL,
  ],
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

/** Tables of that database that outlive the repository: they say what is still to be deleted, and where readers were sent. */
const KEPT_TABLES: readonly string[] = ["doomed_prefixes", "mirror_pointer"];

/** Tables that belong to one repository and are emptied when it is removed: all others. */
export const OWNED_TABLES: readonly string[] = REPOSITORY_SCHEMA.tables
  .flatMap((ddl) => [...ddl.matchAll(/CREATE TABLE IF NOT EXISTS (\w+)/g)].map(([, name = ""]) => name))
  .filter((name) => !KEPT_TABLES.includes(name));

/** Of a tenant. */
export const TENANT_SCHEMA: Schema = {
  first: "tenant",
  tables: [TENANT_DDL, TENANT_REPOS_DDL, TOKENS_DDL, SIGNING_KEYS_DDL],
  steps: [
    // Without a version: tables were added, none was changed.
    () => undefined,
    // Sums over a tenant: each repository is asked after, which has it say what it has.
    (db) => {
      addColumn(db, "tenant", "used_bytes INTEGER NOT NULL DEFAULT 0");
      addColumn(db, "tenant", "used_objects INTEGER NOT NULL DEFAULT 0");
      addColumn(db, "tenant_repos", "bytes INTEGER NOT NULL DEFAULT 0");
      addColumn(db, "tenant_repos", "objects INTEGER NOT NULL DEFAULT 0");
      addColumn(db, "tenant_repos", "usage_version INTEGER NOT NULL DEFAULT -1");
      db.run("UPDATE tenant_repos SET check_at = 0 WHERE removing = 0");
    },
    // Intervals of mirrors: the deployment's floor holds.
    (db) => addColumn(db, "tenant", "least_mirror_interval INTEGER NOT NULL DEFAULT 0"),
    // Who made a token: of old ones it was not kept.
    (db) => addColumn(db, "tokens", "created_by TEXT"),
  ],
};

/** Of the list of tenants. */
export const DIRECTORY_SCHEMA: Schema = {
  first: "tenants",
  tables: [TENANTS_DDL],
  // Without a version: the same.
  steps: [() => undefined],
};
