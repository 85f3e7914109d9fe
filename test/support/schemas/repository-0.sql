-- A repository as the oldest builds made it, without a version.
CREATE TABLE IF NOT EXISTS repository (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  id TEXT NOT NULL,
  object_format TEXT NOT NULL,
  visibility TEXT NOT NULL,
  head TEXT NOT NULL,
  description TEXT NOT NULL,
  read_only INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  pushed_at INTEGER,
  version INTEGER NOT NULL,
  derived_version INTEGER NOT NULL,
  derived_job_at INTEGER
);
CREATE TABLE IF NOT EXISTS refs (
  name TEXT PRIMARY KEY,
  oid BLOB NOT NULL,
  peeled BLOB
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS refs_oid ON refs (oid);
CREATE INDEX IF NOT EXISTS refs_peeled ON refs (peeled) WHERE peeled IS NOT NULL;
CREATE TABLE IF NOT EXISTS packs (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL UNIQUE,
  checksum TEXT NOT NULL,
  objects INTEGER NOT NULL,
  own_objects INTEGER NOT NULL,
  pack_bytes INTEGER NOT NULL,
  own_bytes INTEGER NOT NULL,
  index_bytes INTEGER NOT NULL,
  marked INTEGER NOT NULL,
  source TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  index_head BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS pack_refs (
  ref TEXT NOT NULL,
  pack TEXT NOT NULL,
  PRIMARY KEY (ref, pack)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS pack_refs_pack ON pack_refs (pack);
CREATE TABLE IF NOT EXISTS leases (
  pack TEXT PRIMARY KEY,
  expires_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS pushes (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  actor TEXT NOT NULL,
  at INTEGER NOT NULL,
  options TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS ref_log (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  push INTEGER NOT NULL,
  name TEXT NOT NULL,
  old BLOB NOT NULL,
  new BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS doomed_prefixes (
  id TEXT PRIMARY KEY,
  due_at INTEGER NOT NULL,
  leased_until INTEGER NOT NULL
) WITHOUT ROWID;
