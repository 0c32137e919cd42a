-- What is over is deleted by its age, and found without reading what is not.
CREATE INDEX executions_finished ON executions (finished_at) WHERE finished_at IS NOT NULL;
CREATE INDEX attempts_execution ON attempts (execution_id) WHERE execution_id IS NOT NULL;
CREATE INDEX attempts_kernel ON attempts (kernel_id) WHERE kernel_id IS NOT NULL;
CREATE INDEX idempotency_execution ON idempotency (execution_id);
CREATE INDEX runs_attempt ON runs (attempt_id);
CREATE INDEX cell_values_execution ON cell_values (execution_id);

-- When the journal of an attempt was removed although its row is kept.
ALTER TABLE attempts ADD COLUMN journal_removed_at INTEGER;
CREATE INDEX attempts_kept ON attempts (ended_at) WHERE ended_at IS NOT NULL AND journal_removed_at IS NULL;

-- Followers of one subject.
CREATE INDEX feed_subject ON feed (subject, position);

-- How many executions ended how, and how long they took: by powers of two of microseconds. Outlives the executions.
CREATE TABLE execution_statistics (
  kind TEXT NOT NULL,
  state TEXT NOT NULL,
  bucket INTEGER NOT NULL,
  count INTEGER NOT NULL,
  microseconds INTEGER NOT NULL,
  PRIMARY KEY (kind, state, bucket)
) STRICT, WITHOUT ROWID;
