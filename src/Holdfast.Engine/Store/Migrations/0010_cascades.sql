-- A cascade is a run whose cells depend on one another. How many cells its plan has; null for a run in the order of the notebook.
ALTER TABLE runs ADD COLUMN cascade_cells INTEGER;
-- The cell's place in that plan, counted from 0; and, when it is blocked, the execution upstream that did not end well.
ALTER TABLE executions ADD COLUMN place INTEGER;
ALTER TABLE executions ADD COLUMN blocked_by TEXT;
CREATE INDEX executions_blocked ON executions (run_id) WHERE state = 'blocked';

-- The one kernel that a reactive notebook keeps.
CREATE TABLE reactive_kernels (
  path TEXT PRIMARY KEY,
  kernel_id TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX reactive_kernels_kernel ON reactive_kernels (kernel_id);

-- Which value of each cell its kernel holds: by which execution, in which incarnation, of which source (SHA-256), and from which executions of the cells upstream, a JSON object.
-- A cell is stale when its row is missing or says something else than the notebook does now.
CREATE TABLE cell_values (
  path TEXT NOT NULL,
  cell_id TEXT NOT NULL,
  attempt_id TEXT NOT NULL,
  execution_id TEXT NOT NULL,
  source_hash TEXT NOT NULL,
  inputs TEXT NOT NULL,
  PRIMARY KEY (path, cell_id)
) STRICT, WITHOUT ROWID;

-- Which cell made which name in that kernel. When another cell makes the name, or it is removed, the value of the cell that had made it is gone.
CREATE TABLE held_names (
  path TEXT NOT NULL,
  name TEXT NOT NULL,
  cell_id TEXT NOT NULL,
  PRIMARY KEY (path, name, cell_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX held_names_cell ON held_names (path, cell_id);

-- Names that no cell defines any more and that are still to be taken out of the notebook's kernel.
CREATE TABLE ghost_names (
  path TEXT NOT NULL,
  name TEXT NOT NULL,
  PRIMARY KEY (path, name)
) STRICT, WITHOUT ROWID;
