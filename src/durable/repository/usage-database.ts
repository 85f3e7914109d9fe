/**
 * The report of a repository's usage, from its tables.
 *
 * @packageDocumentation
 */
import type { SqlDatabase } from "../sql/sql-database.ts";
import { sumPackObjects } from "./tables/packs.ts";
import { noteUsageVersion, type RepositoryRow } from "./tables/repository.ts";
import { usedBytes } from "./used-bytes.ts";
import type { UsageTable } from "./usage-report.ts";

/**
 * Makes the table's face for the reporter. `read` returns the repository's row; `undefined` if there is none. `lfs` has
 * the bytes of its Git LFS objects, and `tail` tells how long small pushes need not be reported.
 */
export function usageTable(
  db: SqlDatabase,
  read: () => RepositoryRow | undefined,
  lfs: { readonly bytes: number },
  tail: { readonly untoldUntil: number },
): UsageTable {
  const unreported = (): RepositoryRow | undefined => {
    const row = read();
    return row === undefined || row.usageVersion === row.sizeVersion ? undefined : row;
  };
  return {
    get isUsageUnreported() {
      return unreported() !== undefined;
    },
    get usageDueFrom() {
      return tail.untoldUntil;
    },
    unreportedUsage: () => {
      const row = unreported();
      if (row === undefined) return undefined;
      const { sizeVersion: version, record } = row;
      return {
        id: record.id,
        version,
        bytes: usedBytes(db),
        objects: sumPackObjects(db),
        ...(lfs.bytes === 0 ? {} : { lfsBytes: lfs.bytes }),
      };
    },
    usageReported: ({ id, version }) => {
      if (read()?.record.id === id) noteUsageVersion(db, version);
    },
  };
}
