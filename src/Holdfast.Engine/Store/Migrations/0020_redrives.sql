-- Callbacks that somebody had sent again by hand: how often, when last, and by whom (a token's name, never the token).
ALTER TABLE callbacks ADD COLUMN redrives INTEGER NOT NULL DEFAULT 0;
ALTER TABLE callbacks ADD COLUMN redriven_at INTEGER;
ALTER TABLE callbacks ADD COLUMN redriven_by TEXT;
