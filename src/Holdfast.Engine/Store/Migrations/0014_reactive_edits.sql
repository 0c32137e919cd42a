-- What has happened to a reactive notebook whose consequences are not settled yet: which cells were edited, and which a client ran in its kernel past the cascades.
-- A row goes in the transaction that settles it; a start finds those that a crash left.
CREATE TABLE reactive_edits (
  path TEXT NOT NULL,
  cell_id TEXT NOT NULL,   -- of a client's execution that names no cell: the execution's id
  execution_id TEXT,       -- what a client ran of the cell; NULL for an edit
  PRIMARY KEY (path, cell_id)
) STRICT, WITHOUT ROWID;
