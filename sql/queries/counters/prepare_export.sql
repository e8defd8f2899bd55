-- prepare_export
-- Whoever reads the export may take their time between two lines.
SET LOCAL statement_timeout = 0;
SET LOCAL idle_in_transaction_session_timeout = 0;
SET LOCAL jit = off
