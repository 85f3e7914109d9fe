-- The list of tenants, version 4.
CREATE TABLE IF NOT EXISTS tenants (
  name TEXT PRIMARY KEY,
  created_at INTEGER NOT NULL,
  spelled TEXT
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS metrics (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  counters TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS public_repos (
  tenant TEXT NOT NULL,
  repo TEXT NOT NULL,
  PRIMARY KEY (tenant, repo)
) WITHOUT ROWID;
