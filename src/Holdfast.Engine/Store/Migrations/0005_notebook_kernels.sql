-- Which kernels have run which notebook: outlives the sessions that said so, since what a kernel said is looked for when the notebook is opened again.
CREATE TABLE notebook_kernels (
  path TEXT NOT NULL,
  kernel_id TEXT NOT NULL,
  bound_at INTEGER NOT NULL,
  PRIMARY KEY (path, kernel_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX notebook_kernels_kernel ON notebook_kernels (kernel_id);

-- A notebook's later executions: by its kernels, and by its cells where no kernel is known to be its own.
CREATE INDEX executions_kernel ON executions (kernel_id, seq) WHERE kernel_id IS NOT NULL;
CREATE INDEX executions_cell ON executions (cell_id, seq) WHERE message_id IS NOT NULL AND cell_id IS NOT NULL;
