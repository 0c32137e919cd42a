-- Tokens beside the data directory's own: only their hashes. And who did what, with them or with that one.
CREATE TABLE tokens (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  hash BLOB NOT NULL UNIQUE,
  scopes INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  created_by TEXT NOT NULL,
  expires_at INTEGER,
  revoked_at INTEGER,
  revoke_reason TEXT
) STRICT, WITHOUT ROWID;

CREATE TABLE audit (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  at INTEGER NOT NULL,
  token_id TEXT NOT NULL,
  token_name TEXT NOT NULL,
  remote TEXT NOT NULL,
  operation TEXT NOT NULL,
  subject TEXT NOT NULL,
  reason TEXT
) STRICT;
CREATE INDEX audit_subject ON audit (subject, seq);
