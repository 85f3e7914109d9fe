-- A tenant, version 16.
CREATE TABLE IF NOT EXISTS tenant (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  name TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  push_to_create INTEGER NOT NULL,
  quota_repos INTEGER,
  quota_bytes INTEGER,
  quota_objects INTEGER,
  quota_blob_bytes INTEGER,
  repo_count INTEGER NOT NULL DEFAULT 0,
  used_bytes INTEGER NOT NULL DEFAULT 0,
  used_objects INTEGER NOT NULL DEFAULT 0,
  leaving INTEGER NOT NULL DEFAULT 0,
  in_directory INTEGER NOT NULL DEFAULT 0,
  least_mirror_interval INTEGER NOT NULL DEFAULT 0,
  used_lfs_bytes INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS tenant_repos (
  name TEXT PRIMARY KEY,
  id TEXT NOT NULL,
  object_format TEXT NOT NULL,
  is_public INTEGER NOT NULL,
  removing INTEGER NOT NULL DEFAULT 0,
  check_at INTEGER,
  bytes INTEGER NOT NULL DEFAULT 0,
  objects INTEGER NOT NULL DEFAULT 0,
  usage_version INTEGER NOT NULL DEFAULT -1,
  lfs_bytes INTEGER NOT NULL DEFAULT 0,
  offload_from INTEGER
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS tenant_repos_removing ON tenant_repos (is_public) WHERE removing = 1;
CREATE INDEX IF NOT EXISTS tenant_repos_check ON tenant_repos (check_at) WHERE check_at IS NOT NULL;
CREATE TABLE IF NOT EXISTS tokens (
  id TEXT PRIMARY KEY,
  hash BLOB NOT NULL UNIQUE,
  name TEXT NOT NULL,
  scopes TEXT NOT NULL,
  repos TEXT,
  created_at INTEGER NOT NULL,
  expires_at INTEGER,
  used_at INTEGER,
  created_by TEXT
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS tokens_created_by ON tokens (created_by) WHERE created_by IS NOT NULL;
CREATE TABLE IF NOT EXISTS revoked_makers (
  id TEXT PRIMARY KEY,
  created_by TEXT
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS revoked_makers_created_by ON revoked_makers (created_by) WHERE created_by IS NOT NULL;
CREATE TABLE IF NOT EXISTS signing_keys (
  fingerprint TEXT PRIMARY KEY,
  kind TEXT NOT NULL,
  title TEXT NOT NULL,
  key TEXT NOT NULL,
  created_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS usage_days (
  repo_id TEXT NOT NULL,
  day INTEGER NOT NULL,
  requests INTEGER NOT NULL,
  clones INTEGER NOT NULL,
  fetches INTEGER NOT NULL,
  pushes INTEGER NOT NULL,
  bytes_in INTEGER NOT NULL,
  bytes_out INTEGER NOT NULL,
  ms INTEGER NOT NULL,
  PRIMARY KEY (repo_id, day)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS mirrors (
  repo TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  upstream TEXT NOT NULL,
  interval INTEGER NOT NULL,
  last_attempt INTEGER,
  last_sync INTEGER,
  last_error TEXT,
  failures INTEGER NOT NULL,
  next_sync INTEGER
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS audit (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  at INTEGER NOT NULL,
  actor TEXT NOT NULL,
  actor_name TEXT,
  action TEXT NOT NULL,
  subject TEXT NOT NULL,
  details TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS tenant_hooks (
  id TEXT PRIMARY KEY,
  url TEXT NOT NULL,
  secret TEXT,
  events TEXT NOT NULL,
  active INTEGER NOT NULL,
  origin TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS lfs_links (
  oid TEXT NOT NULL,
  repo_id TEXT NOT NULL,
  PRIMARY KEY (oid, repo_id)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS lfs_deleting (
  oid TEXT PRIMARY KEY,
  since INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS ssh_keys (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  scopes TEXT NOT NULL,
  repos TEXT,
  created_at INTEGER NOT NULL,
  expires_at INTEGER,
  used_at INTEGER,
  created_by TEXT,
  fingerprint TEXT NOT NULL UNIQUE,
  key TEXT NOT NULL,
  deploys TEXT
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS ssh_keys_deploys ON ssh_keys (deploys) WHERE deploys IS NOT NULL;
CREATE INDEX IF NOT EXISTS ssh_keys_created_by ON ssh_keys (created_by) WHERE created_by IS NOT NULL;
CREATE TABLE IF NOT EXISTS host_key (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  fingerprint TEXT NOT NULL,
  public_key TEXT NOT NULL,
  sealed_by TEXT NOT NULL,
  sealed TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  kind TEXT NOT NULL DEFAULT 'ssh'
);
CREATE TABLE IF NOT EXISTS listing_changes (
  name TEXT PRIMARY KEY,
  serial INTEGER NOT NULL
) WITHOUT ROWID;
