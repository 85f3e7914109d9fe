-- The list of tenants, version 3.
CREATE TABLE IF NOT EXISTS tenants (
  name TEXT PRIMARY KEY,
  created_at INTEGER NOT NULL,
  spelled TEXT
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS metrics (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  counters TEXT NOT NULL
);
