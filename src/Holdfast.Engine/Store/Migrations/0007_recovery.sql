-- One row for each start-up. Without finished_at it was interrupted, and the next one finishes it. The report is a JSON object.
CREATE TABLE recovery_starts (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  started_at INTEGER NOT NULL,
  last_phase TEXT,
  finished_at INTEGER,
  report TEXT
) STRICT;

-- Attempts that a person has set aside: start-ups leave them alone.
CREATE TABLE recovery_quarantine (
  attempt_id TEXT PRIMARY KEY,
  at INTEGER NOT NULL,
  reason TEXT NOT NULL
) STRICT, WITHOUT ROWID;
