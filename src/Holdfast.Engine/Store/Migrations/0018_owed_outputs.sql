-- Executions that said something too large for their notebook which could not be kept as an asset when their run ended. Tried again until it is, or the notebook or the execution is gone.
CREATE TABLE owed_outputs (
  execution_id TEXT NOT NULL PRIMARY KEY REFERENCES executions (id) ON DELETE CASCADE,
  path TEXT NOT NULL,
  since INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX owed_outputs_path ON owed_outputs (path);
