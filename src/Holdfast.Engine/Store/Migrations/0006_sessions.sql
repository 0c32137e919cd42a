-- What Jupyter calls a session: a document, and the kernel that it uses. Several sessions may use one kernel.
CREATE TABLE sessions (
  id TEXT PRIMARY KEY,
  host TEXT NOT NULL,
  path TEXT NOT NULL,
  name TEXT NOT NULL,
  type TEXT NOT NULL,
  kernel_id TEXT NOT NULL,
  -- The kernel that it had before, while that is still to be stopped.
  left_kernel_id TEXT,
  created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX sessions_path ON sessions (path);
CREATE INDEX sessions_kernel ON sessions (kernel_id);
CREATE INDEX sessions_left ON sessions (id) WHERE left_kernel_id IS NOT NULL;
