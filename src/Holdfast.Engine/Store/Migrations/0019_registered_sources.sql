-- The text that each cell of a reactive notebook had when it was last registered, as SHA-256: what a file has otherwise was edited while nobody looked.
CREATE TABLE registered_sources (
  path TEXT NOT NULL,
  cell_id TEXT NOT NULL,
  source_hash TEXT NOT NULL,
  PRIMARY KEY (path, cell_id)
) STRICT, WITHOUT ROWID;
