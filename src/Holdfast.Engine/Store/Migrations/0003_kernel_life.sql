-- What a kernel was started with beyond its kernelspec, so that a restart starts it the same way. The environment is a JSON object of texts.
ALTER TABLE kernels ADD COLUMN env TEXT;
ALTER TABLE kernels ADD COLUMN memory_bytes_max INTEGER;
-- Whether it is started again when it died by itself; whether its present incarnation was; and, while it is restarting, when the next one is due.
ALTER TABLE kernels ADD COLUMN auto_restart INTEGER NOT NULL DEFAULT 0;
ALTER TABLE kernels ADD COLUMN is_revived INTEGER NOT NULL DEFAULT 0;
ALTER TABLE kernels ADD COLUMN restart_due INTEGER;
-- The latest death, a JSON object.
ALTER TABLE kernels ADD COLUMN last_death TEXT;
-- Started in advance, and not yet anybody's.
ALTER TABLE kernels ADD COLUMN is_warm INTEGER NOT NULL DEFAULT 0;
CREATE INDEX kernels_restarting ON kernels (id) WHERE state = 'restarting';
CREATE INDEX kernels_dead ON kernels (last_activity) WHERE state = 'dead';

-- The deaths that count for the circuit breaker; a restart that somebody asks for clears them.
CREATE TABLE kernel_deaths (
  attempt_id TEXT PRIMARY KEY,
  kernel_id TEXT NOT NULL,
  at INTEGER NOT NULL,
  death TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX kernel_deaths_kernel ON kernel_deaths (kernel_id, at);
