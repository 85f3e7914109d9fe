/**
 * The schemas of a tenant's database and of the list of tenants. What a step does to rows that are there already is decided here; what
 * the tables mean is said in their own modules.
 *
 * @packageDocumentation
 */
import { addColumn, type Schema } from "../sql/migrations.ts";
import { SIGNING_KEYS_DDL } from "./tables/signing-keys.ts";
import { TENANT_REPOS_DDL } from "./tables/tenant-repos.ts";
import { TENANT_DDL } from "./tables/tenant.ts";
import { TENANTS_DDL } from "./tables/tenants.ts";
import { TOKENS_DDL } from "./tables/tokens.ts";

/** The schema of a tenant's database. A tenant that is removed has no repositories; its object says what else goes. */
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

/** The schema of the list of tenants. */
export const DIRECTORY_SCHEMA: Schema = {
  first: "tenants",
  tables: [TENANTS_DDL],
  // Without a version: the same.
  steps: [() => undefined],
};
