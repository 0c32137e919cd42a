-- Times are microseconds since 1970, UTC. States and kinds are the camelCase names of the execution states.
CREATE TABLE executions (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  host TEXT NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('cell', 'job')),
  state TEXT NOT NULL,
  queue TEXT NOT NULL,
  name TEXT,
  labels TEXT,
  request TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  attempt INTEGER NOT NULL DEFAULT 0,
  attempt_id TEXT,
  cancel_requested INTEGER NOT NULL DEFAULT 0,
  started_at INTEGER,
  finished_at INTEGER,
  exit_code INTEGER,
  signal INTEGER,
  cause TEXT,
  reason TEXT,
  output_bytes INTEGER,
  run_id TEXT,
  cell_id TEXT,
  cell_index INTEGER,
  start_position INTEGER NOT NULL DEFAULT 0,
  end_position INTEGER NOT NULL DEFAULT 0
) STRICT;
-- The dispatcher's order, and nothing but what it needs: finished rows leave the index.
CREATE INDEX executions_queued ON executions (seq) WHERE state = 'queued' AND kind = 'job';
CREATE INDEX executions_active ON executions (seq) WHERE state IN ('starting', 'running', 'paused');
CREATE INDEX executions_run ON executions (run_id, cell_index) WHERE run_id IS NOT NULL;

-- One start of a job, or one incarnation of a kernel. The fence is the rowid: it only grows, across all attempts.
CREATE TABLE attempts (
  fence INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  host TEXT NOT NULL,
  -- The machine's boot in which it was claimed: after a restart, what is open and has no exit record is lost.
  boot_id TEXT NOT NULL,
  execution_id TEXT,
  kernel_id TEXT,
  nonce TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  ended_at INTEGER,
  verdict TEXT
) STRICT;
CREATE INDEX attempts_open ON attempts (fence) WHERE ended_at IS NULL;

CREATE TABLE idempotency (
  key TEXT PRIMARY KEY,
  body_hash BLOB NOT NULL,
  execution_id TEXT NOT NULL,
  created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE kernels (
  id TEXT PRIMARY KEY,
  host TEXT NOT NULL,
  spec TEXT NOT NULL,
  state TEXT NOT NULL,
  attempt_id TEXT,
  cwd TEXT NOT NULL,
  reason TEXT,
  created_at INTEGER NOT NULL,
  last_activity INTEGER NOT NULL,
  restarts INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
CREATE INDEX kernels_live ON kernels (id) WHERE attempt_id IS NOT NULL;

CREATE TABLE runs (
  id TEXT PRIMARY KEY,
  host TEXT NOT NULL,
  path TEXT NOT NULL,
  state TEXT NOT NULL,
  kernel_id TEXT NOT NULL,
  attempt_id TEXT,
  owns_kernel INTEGER NOT NULL,
  stop_on_error INTEGER NOT NULL,
  start_position INTEGER NOT NULL DEFAULT 0,
  created_at INTEGER NOT NULL,
  finished_at INTEGER,
  reason TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX runs_open ON runs (id) WHERE finished_at IS NULL;
CREATE INDEX runs_path ON runs (path, id);

CREATE TABLE feed (
  position INTEGER PRIMARY KEY AUTOINCREMENT,
  at INTEGER NOT NULL,
  kind TEXT NOT NULL,
  subject TEXT NOT NULL,
  body TEXT NOT NULL
) STRICT;
