-- One stay in the lines of all the locks that an execution asks for. The place only grows and is never used again, so it orders every line the same way, and is the
-- fence of whoever holds a lock. It is gone when the execution has ended.
CREATE TABLE lock_entries (
  place INTEGER PRIMARY KEY AUTOINCREMENT,
  execution_id TEXT NOT NULL UNIQUE,
  entered_at INTEGER NOT NULL,
  granted_at INTEGER
) STRICT;

-- The lines: whoever stands first in one holds the lock, or will when it stands first in all of its lines.
CREATE TABLE lock_claims (
  name TEXT NOT NULL,
  place INTEGER NOT NULL,
  PRIMARY KEY (name, place)
) STRICT, WITHOUT ROWID;
CREATE INDEX lock_claims_place ON lock_claims (place);
