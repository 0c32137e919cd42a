-- Outputs and uploads that are too large to live inline, by the hash of their content. The bytes are files in assets/.
CREATE TABLE assets (
  hash TEXT NOT NULL PRIMARY KEY,
  size INTEGER NOT NULL,
  media_type TEXT NOT NULL,
  host TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  lease_until INTEGER NOT NULL,
  -- When it was found to be expired and unreferenced; whoever renews or refers to it before it is deleted takes this away.
  deleting_at INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX assets_lease ON assets (lease_until);
CREATE INDEX assets_deleting ON assets (deleting_at) WHERE deleting_at IS NOT NULL;

-- Who refers to an asset. The foreign key is the last guard: the row of what is referred to cannot be deleted.
CREATE TABLE asset_references (
  hash TEXT NOT NULL REFERENCES assets (hash),
  kind TEXT NOT NULL CHECK (kind IN ('execution', 'notebook', 'pin')),
  subject TEXT NOT NULL,
  seen_at INTEGER NOT NULL,
  -- Of a notebook whose file is gone: since when.
  missing_at INTEGER,
  PRIMARY KEY (hash, kind, subject)
) STRICT, WITHOUT ROWID;
CREATE INDEX asset_references_of ON asset_references (kind, subject);
