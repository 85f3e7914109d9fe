-- The list of tenants, version 2.
CREATE TABLE IF NOT EXISTS tenants (
  name TEXT PRIMARY KEY,
  created_at INTEGER NOT NULL,
  spelled TEXT
) WITHOUT ROWID;
