-- prepare_session
-- For every session: a statement that hangs, a transaction left open and a client that died without a word must not hold locks
-- for long. As statements and not as options of the connection, which poolers refuse.
SET statement_timeout = '60s';
SET idle_in_transaction_session_timeout = '60s';
SET client_connection_check_interval = '2s';
SET timezone = 'UTC'
