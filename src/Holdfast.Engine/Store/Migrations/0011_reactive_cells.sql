-- Edits of reactive notebooks that are not in their files yet, and what stands in the graph for a cell where its text does not say it: one whose edit was refused, or cannot be read.
CREATE TABLE reactive_cells (
  path TEXT NOT NULL,
  cell_id TEXT NOT NULL,
  source TEXT,       -- the edited text; null where the file has it
  based_on TEXT,     -- SHA-256 of the file's text that it replaces: a file that has changed since wins
  registered TEXT,   -- the registration in the graph as JSON; null where it is what the text says
  PRIMARY KEY (path, cell_id)
) STRICT, WITHOUT ROWID;
