-- The outbox: one row for each outcome that somebody is to be told, from when it is asked for. The id is the webhook-id, the same at every attempt; the body is what is signed,
-- byte for byte. Secrets are here and nowhere else.
CREATE TABLE callbacks (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  host TEXT NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('execution', 'run')),
  subject_id TEXT NOT NULL,
  -- Who is told: callbacks with the same lane go to the same receiver.
  lane TEXT NOT NULL,
  url TEXT,
  argv TEXT,
  cwd TEXT,
  secrets TEXT,
  -- The delays after failed attempts, a JSON list of seconds.
  schedule TEXT NOT NULL,
  state TEXT NOT NULL,
  -- Failed attempts since it was last set going, and all attempts.
  failures INTEGER NOT NULL DEFAULT 0,
  attempts INTEGER NOT NULL DEFAULT 0,
  due_at INTEGER NOT NULL DEFAULT 0,
  type TEXT,
  body BLOB,
  reason TEXT,
  created_at INTEGER NOT NULL,
  settled_at INTEGER
) STRICT;
CREATE INDEX callbacks_subject ON callbacks (subject_id, seq);
CREATE INDEX callbacks_waiting ON callbacks (subject_id) WHERE state = 'waiting';
CREATE INDEX callbacks_pending ON callbacks (lane, due_at) WHERE state = 'pending';
CREATE INDEX callbacks_sending ON callbacks (seq) WHERE state = 'sending';
CREATE INDEX callbacks_parked ON callbacks (seq) WHERE state IN ('parked', 'disabled');

-- Each attempt, from before anything is sent; without an end it was cut off.
CREATE TABLE callback_attempts (
  callback_seq INTEGER NOT NULL,
  number INTEGER NOT NULL,
  started_at INTEGER NOT NULL,
  finished_at INTEGER,
  status INTEGER,
  error TEXT,
  answer BLOB,
  PRIMARY KEY (callback_seq, number)
) STRICT, WITHOUT ROWID;
