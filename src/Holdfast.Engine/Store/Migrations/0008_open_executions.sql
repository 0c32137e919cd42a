-- What is open and in neither index of 0001, so that open work is counted without a look at what has ended. Jobs on their usual way, queued and then active, never enter it.
CREATE INDEX executions_pending ON executions (kind, state) WHERE state IN ('waiting', 'blocked') OR (kind = 'cell' AND state = 'queued');
