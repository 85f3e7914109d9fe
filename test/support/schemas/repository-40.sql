-- A repository, version 40.
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
  derived_job_at INTEGER,
  usage_version INTEGER NOT NULL DEFAULT -1,
  upload_changes INTEGER NOT NULL DEFAULT 0,
  head_chosen INTEGER NOT NULL DEFAULT 0,
  recent_after INTEGER NOT NULL DEFAULT 0,
  public_seq INTEGER,
  public_at INTEGER,
  mirror_seq INTEGER,
  mirror_at INTEGER,
  spelled TEXT,
  grace_days INTEGER,
  past_since INTEGER,
  status_changes INTEGER NOT NULL DEFAULT 0,
  offload_from INTEGER,
  host_signs INTEGER NOT NULL DEFAULT 0
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
  kinds BLOB,
  index_head BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS pack_refs (
  ref TEXT NOT NULL,
  pack TEXT NOT NULL,
  PRIMARY KEY (ref, pack)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS pack_refs_pack ON pack_refs (pack);
CREATE TABLE IF NOT EXISTS pack_bitmaps (
  pack TEXT PRIMARY KEY,
  bytes INTEGER NOT NULL,
  commits INTEGER NOT NULL,
  tips INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS leases (
  pack TEXT PRIMARY KEY,
  expires_at INTEGER NOT NULL,
  replaced INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS pushes (
  seq INTEGER PRIMARY KEY,
  actor TEXT NOT NULL,
  at INTEGER NOT NULL,
  options TEXT NOT NULL,
  actor_name TEXT
);
CREATE TABLE IF NOT EXISTS ref_log (
  seq INTEGER PRIMARY KEY,
  push INTEGER NOT NULL,
  name TEXT NOT NULL,
  old BLOB NOT NULL,
  new BLOB NOT NULL,
  forward INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS log_ends (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  push INTEGER NOT NULL,
  move INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS head_log (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  at INTEGER NOT NULL,
  old TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS ref_rules (
  seq INTEGER PRIMARY KEY,
  pattern TEXT NOT NULL,
  allow_force_push INTEGER NOT NULL,
  allow_deletion INTEGER NOT NULL,
  pushers TEXT,
  require_signed INTEGER NOT NULL,
  contexts TEXT
);
CREATE TABLE IF NOT EXISTS push_certificates (
  push INTEGER PRIMARY KEY,
  nonce TEXT NOT NULL,
  nonce_slop INTEGER,
  signature TEXT NOT NULL,
  key TEXT,
  signer TEXT NOT NULL,
  content BLOB NOT NULL,
  digest BLOB
);
CREATE UNIQUE INDEX IF NOT EXISTS push_certificates_digest ON push_certificates (digest) WHERE digest IS NOT NULL;
CREATE TABLE IF NOT EXISTS hooks (
  id TEXT PRIMARY KEY,
  url TEXT NOT NULL,
  secret TEXT,
  events TEXT NOT NULL,
  active INTEGER NOT NULL,
  disabled_why TEXT,
  origin TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  seen INTEGER NOT NULL,
  job_at INTEGER,
  taken_at INTEGER,
  failing_since INTEGER,
  is_tenants INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS deliveries (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  hook TEXT NOT NULL,
  guid TEXT NOT NULL,
  event TEXT NOT NULL,
  seq INTEGER,
  ref TEXT,
  redelivery INTEGER NOT NULL,
  state TEXT NOT NULL,
  attempts INTEGER NOT NULL,
  status INTEGER,
  error TEXT,
  duration INTEGER,
  created_at INTEGER NOT NULL,
  attempted_at INTEGER,
  due_at INTEGER,
  detail TEXT
);
CREATE INDEX IF NOT EXISTS deliveries_hook ON deliveries (hook, id);
CREATE INDEX IF NOT EXISTS deliveries_due ON deliveries (hook, due_at) WHERE due_at IS NOT NULL;
CREATE TABLE IF NOT EXISTS mirror (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  upstream TEXT NOT NULL,
  interval INTEGER NOT NULL,
  fetch_through INTEGER NOT NULL,
  refspecs TEXT NOT NULL,
  policy TEXT NOT NULL,
  fsck_ignore TEXT NOT NULL,
  fsck_skip TEXT NOT NULL,
  slice_anchors BLOB,
  slice_packs TEXT,
  login_key TEXT,
  login TEXT,
  hook_key TEXT,
  hook TEXT,
  last_attempt INTEGER,
  last_sync INTEGER,
  last_change INTEGER,
  last_error TEXT,
  failures INTEGER NOT NULL,
  next_sync INTEGER,
  asked INTEGER NOT NULL,
  running TEXT,
  running_until INTEGER,
  bytes INTEGER NOT NULL,
  objects INTEGER NOT NULL,
  progress TEXT,
  left_out TEXT,
  lfs TEXT
);
CREATE TABLE IF NOT EXISTS mirror_pointer (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  version INTEGER NOT NULL,
  previous INTEGER NOT NULL,
  doomed INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS push_seed (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  seed TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS doomed_prefixes (
  id TEXT PRIMARY KEY,
  due_at INTEGER NOT NULL,
  leased_until INTEGER NOT NULL,
  lent INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS moved (
  id TEXT PRIMARY KEY,
  state TEXT NOT NULL,
  target TEXT NOT NULL,
  is_public INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS uploads (
  name TEXT PRIMARY KEY,
  started_at INTEGER NOT NULL,
  holder TEXT,
  ended INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS upload_parts (
  upload TEXT NOT NULL,
  number INTEGER NOT NULL,
  bytes INTEGER NOT NULL,
  held INTEGER NOT NULL DEFAULT 0,
  writers INTEGER NOT NULL DEFAULT 0,
  overlapped INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (upload, number)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS fsck_settings (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  strict INTEGER NOT NULL,
  ignored TEXT NOT NULL,
  skipped TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS maintenance (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  asked INTEGER NOT NULL DEFAULT 0,
  job_at INTEGER,
  failures INTEGER NOT NULL DEFAULT 0,
  not_before INTEGER NOT NULL DEFAULT 0,
  purges INTEGER NOT NULL DEFAULT 0,
  walk_after INTEGER NOT NULL DEFAULT 0,
  cruft_version INTEGER NOT NULL DEFAULT 0,
  dropped_version INTEGER NOT NULL DEFAULT 0,
  graph_objects INTEGER NOT NULL DEFAULT 0,
  graph_after INTEGER NOT NULL DEFAULT 0,
  lfs_doubt INTEGER NOT NULL DEFAULT 0,
  lfs_purges INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS maintenance_runs (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  step TEXT NOT NULL,
  outcome TEXT NOT NULL,
  at INTEGER NOT NULL,
  ms INTEGER NOT NULL,
  packs INTEGER NOT NULL,
  objects INTEGER NOT NULL,
  bytes INTEGER NOT NULL,
  written INTEGER NOT NULL,
  error TEXT
);
CREATE TABLE IF NOT EXISTS lfs_objects (
  oid TEXT PRIMARY KEY,
  size INTEGER NOT NULL,
  home TEXT NOT NULL,
  until INTEGER,
  asked INTEGER NOT NULL DEFAULT 0,
  unnamed INTEGER DEFAULT 0
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS lfs_objects_until ON lfs_objects (until) WHERE until IS NOT NULL;
CREATE INDEX IF NOT EXISTS lfs_objects_unnamed ON lfs_objects (unnamed) WHERE unnamed IS NOT NULL;
CREATE TABLE IF NOT EXISTS lfs_sums (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  bytes INTEGER NOT NULL,
  objects INTEGER NOT NULL,
  announced INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS lfs_locks (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  path TEXT NOT NULL UNIQUE,
  owner TEXT NOT NULL,
  owner_name TEXT NOT NULL,
  at INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS lfs_rules (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  require_objects INTEGER NOT NULL,
  above INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS lfs_leaving (
  id TEXT NOT NULL,
  oid TEXT NOT NULL,
  home TEXT NOT NULL,
  due INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (id, oid)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS lfs_leaving_due ON lfs_leaving (due);
CREATE TABLE IF NOT EXISTS lfs_sweep (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  job_at INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS fork_origin (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  id TEXT NOT NULL,
  name TEXT NOT NULL,
  is_public INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS borrowed_packs (
  pack TEXT PRIMARY KEY,
  home TEXT NOT NULL,
  state TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS lending (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  purge_state TEXT NOT NULL,
  purge_at INTEGER NOT NULL,
  purge_began INTEGER NOT NULL,
  waiting INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS pack_returns (
  pack TEXT NOT NULL,
  borrower TEXT NOT NULL,
  home TEXT NOT NULL,
  kind TEXT NOT NULL,
  due_at INTEGER NOT NULL,
  PRIMARY KEY (pack, borrower)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS commit_graphs (
  level INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  checksum TEXT NOT NULL,
  commits INTEGER NOT NULL,
  filters INTEGER NOT NULL,
  bytes INTEGER NOT NULL,
  dropped INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS commit_graph_way (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  names BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS answered_requests (
  key TEXT PRIMARY KEY,
  fingerprint TEXT NOT NULL,
  answer TEXT NOT NULL,
  expires_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS answered_requests_end ON answered_requests (expires_at);
CREATE TABLE IF NOT EXISTS clone_twin (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  packs TEXT NOT NULL,
  day INTEGER NOT NULL,
  clones INTEGER NOT NULL,
  name TEXT,
  bytes INTEGER
);
CREATE TABLE IF NOT EXISTS kept_blobs (
  pack TEXT PRIMARY KEY,
  oid TEXT NOT NULL,
  size INTEGER NOT NULL,
  bytes INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS kept_blobs_oid ON kept_blobs (oid);
CREATE TABLE IF NOT EXISTS tail_packs (
  push INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  checksum TEXT NOT NULL,
  objects INTEGER NOT NULL,
  own_objects INTEGER NOT NULL,
  pack_bytes INTEGER NOT NULL,
  own_bytes INTEGER NOT NULL,
  index_bytes INTEGER NOT NULL,
  marked INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  refs TEXT NOT NULL,
  kinds BLOB NOT NULL,
  index_head BLOB NOT NULL,
  bytes BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS commit_statuses (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  oid BLOB NOT NULL,
  context TEXT NOT NULL,
  state TEXT NOT NULL,
  description TEXT NOT NULL,
  target_url TEXT NOT NULL,
  actor TEXT NOT NULL,
  actor_name TEXT,
  at INTEGER NOT NULL
);
CREATE UNIQUE INDEX IF NOT EXISTS commit_statuses_context ON commit_statuses (oid, context);
CREATE TABLE IF NOT EXISTS kept_objects (
  oid TEXT PRIMARY KEY,
  type TEXT NOT NULL,
  size INTEGER NOT NULL,
  bytes BLOB NOT NULL,
  expires_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS multi_pack_index (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  name TEXT,
  bytes INTEGER NOT NULL,
  packs TEXT NOT NULL,
  objects INTEGER NOT NULL,
  made_at INTEGER NOT NULL,
  version INTEGER NOT NULL
);
