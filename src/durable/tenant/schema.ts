/**
 * The schemas of a tenant's database and of the directory's. Each step decides what happens to rows that are there
 * already; the modules of the tables say what the tables mean.
 *
 * @packageDocumentation
 */
import { addColumn, type Schema } from "../sql/migrations.ts";
import { DEAD_LETTERS_DDL } from "./tables/dead-letters.ts";
import { OUTCOME_DAYS_DDL } from "./tables/outcome-days.ts";
import { AUDIT_DDL } from "./tables/audit.ts";
import { MIRRORS_DDL } from "./tables/mirrors.ts";
import { LISTING_CHANGES_DDL, noteAllListed } from "./tables/listing-changes.ts";
import { PUBLIC_REPOS_DDL } from "./tables/public-repos.ts";
import { HOST_KEY_DDL } from "./tables/host-key.ts";
import { SIGNING_KEYS_DDL } from "./tables/signing-keys.ts";
import { LFS_LINKS_DDL } from "./tables/lfs-links.ts";
import { SSH_KEYS_DDL } from "./tables/ssh-keys.ts";
import { TENANT_HOOKS_DDL } from "./tables/tenant-hooks.ts";
import { TENANT_REPOS_DDL } from "./tables/tenant-repos.ts";
import { TENANT_DDL } from "./tables/tenant.ts";
import { TENANTS_DDL } from "./tables/tenants.ts";
import { TOKENS_DDL } from "./tables/tokens.ts";
import { METRICS_DDL } from "./tables/metrics.ts";
import { USAGE_DAYS_DDL } from "./tables/usage-days.ts";

/**
 * The schema of a tenant's database. A removed tenant has no repositories left; its object says what else is deleted.
 */
export const TENANT_SCHEMA: Schema = {
  first: "tenant",
  tables: [
    TENANT_DDL,
    TENANT_REPOS_DDL,
    TOKENS_DDL,
    SIGNING_KEYS_DDL,
    USAGE_DAYS_DDL,
    MIRRORS_DDL,
    AUDIT_DDL,
    TENANT_HOOKS_DDL,
    LFS_LINKS_DDL,
    SSH_KEYS_DDL,
    HOST_KEY_DDL,
    LISTING_CHANGES_DDL,
  ],
  steps: [
    // From before versions: tables were added, and none was changed.
    () => undefined,
    // Sums over a tenant: the tenant asks each of its repositories, which then reports what it holds.
    (db) => {
      addColumn(db, "tenant", "used_bytes INTEGER NOT NULL DEFAULT 0");
      addColumn(db, "tenant", "used_objects INTEGER NOT NULL DEFAULT 0");
      addColumn(db, "tenant_repos", "bytes INTEGER NOT NULL DEFAULT 0");
      addColumn(db, "tenant_repos", "objects INTEGER NOT NULL DEFAULT 0");
      addColumn(db, "tenant_repos", "usage_version INTEGER NOT NULL DEFAULT -1");
      db.run("UPDATE tenant_repos SET check_at = 0 WHERE removing = 0");
    },
    // Intervals of mirrors: the deployment's minimum applies.
    (db) => addColumn(db, "tenant", "least_mirror_interval INTEGER NOT NULL DEFAULT 0"),
    // The token that made a token: it was not kept for old ones.
    (db) => addColumn(db, "tokens", "created_by TEXT"),
    // The revoked tokens that made others: those that are gone already are not known.
    () => undefined,
    // Usage by day: nothing was counted before.
    () => undefined,
    // The list of mirrors: each repository is asked, and tells if it is one.
    (db) => db.run("UPDATE tenant_repos SET check_at = 0 WHERE removing = 0"),
    // The audit log: nothing was kept before.
    () => undefined,
    // Webhooks of tenants: a new table.
    () => undefined,
    // Git LFS objects: new tables.
    () => undefined,
    // Bytes of Git LFS objects: they are told with the next report of each repository, which is asked for it.
    (db) => {
      addColumn(db, "tenant", "used_lfs_bytes INTEGER NOT NULL DEFAULT 0");
      addColumn(db, "tenant_repos", "lfs_bytes INTEGER NOT NULL DEFAULT 0");
      db.run("UPDATE tenant_repos SET check_at = 0 WHERE removing = 0");
    },
    // SSH keys: a new table.
    () => undefined,
    // Repositories that leave large blobs out: none did.
    (db) => addColumn(db, "tenant_repos", "offload_from INTEGER"),
    // The key with which the host signs: a new table.
    () => undefined,
    // The kind of that key: the host made them all, for SSH.
    (db) => addColumn(db, "host_key", "kind TEXT NOT NULL DEFAULT 'ssh'"),
    // What the directory has to be told of public repositories: it knows none.
    noteAllListed,
  ],
};

/** The schema of the directory's database. */
export const DIRECTORY_SCHEMA: Schema = {
  first: "tenants",
  tables: [TENANTS_DDL, METRICS_DDL, PUBLIC_REPOS_DDL, DEAD_LETTERS_DDL, OUTCOME_DAYS_DDL],
  steps: [
    // From before versions: tables were added, and none was changed.
    () => undefined,
    // Names as they are shown: those of old tenants are shown as they were stored.
    (db) => addColumn(db, "tenants", "spelled TEXT"),
    // Counters of the deployment: nothing was counted before.
    () => undefined,
    // Public repositories: each tenant tells of its own when its object wakes.
    () => undefined,
    // Jobs that failed in all their tries, and how requests ended, by day: nothing was kept before.
    () => undefined,
  ],
};
