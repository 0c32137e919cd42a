-- Up to which end of an attempt journals have been compressed: one row. Attempts come in the order of their ends, and of their fences among those.
CREATE TABLE journal_compression (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  ended_at INTEGER NOT NULL,
  fence INTEGER NOT NULL
) STRICT;
INSERT INTO journal_compression (one, ended_at, fence) VALUES (1, 0, 0);
