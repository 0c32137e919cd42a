-- Every execute_request is an execution, whichever client sent it. A request of a client is known by its incarnation and its msg_id, which the kernel's journal has too: reading that
-- again after a crash finds the row that is there.
ALTER TABLE executions ADD COLUMN kernel_id TEXT;
ALTER TABLE executions ADD COLUMN message_id TEXT;
ALTER TABLE executions ADD COLUMN client_session TEXT;
ALTER TABLE executions ADD COLUMN client_username TEXT;
UPDATE executions SET kernel_id = (SELECT kernel_id FROM attempts WHERE attempts.id = executions.attempt_id) WHERE kind = 'cell';
CREATE UNIQUE INDEX executions_message ON executions (attempt_id, message_id) WHERE message_id IS NOT NULL;

-- Kernels: from where the journal has to be read after a restart to know what is unfinished; everything before has been stored.
ALTER TABLE attempts ADD COLUMN read_from INTEGER NOT NULL DEFAULT 0;
