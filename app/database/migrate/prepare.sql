-- Makes or upgrades the history, one run at a time.
BEGIN;
\set is_local true
\ir session.sql
SELECT pg_try_advisory_xact_lock(:lock) AS is_ours \gset
\if :is_ours
\ir history.sql
COMMIT;
\echo applied
\else
\echo busy
\endif
