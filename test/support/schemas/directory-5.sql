-- The list of tenants, version 5.
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
CREATE TABLE IF NOT EXISTS dead_letters (
  id INTEGER PRIMARY KEY,
  job TEXT NOT NULL UNIQUE,
  kind TEXT NOT NULL,
  times INTEGER NOT NULL,
  first_at INTEGER NOT NULL,
  last_at INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS dead_letters_last_at ON dead_letters (last_at, id);
CREATE TABLE IF NOT EXISTS outcome_days (
  day INTEGER NOT NULL,
  outcome TEXT NOT NULL,
  requests INTEGER NOT NULL,
  PRIMARY KEY (day, outcome)
) WITHOUT ROWID;
