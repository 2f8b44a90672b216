-- Applies :file and records it, all of it or nothing. Says how it ended: busy (somebody else migrates), there (somebody
-- else was faster), late (and newer ones came before it), ended (the file has ended our transaction), applied.
BEGIN;
\set is_local true
\ir session.sql
-- Asking and going away, not waiting: a statement that waits would hold up CREATE INDEX CONCURRENTLY of whom it waits for.
SELECT pg_try_advisory_xact_lock(:lock) AS is_ours \gset
\if :is_ours
\else
\echo busy
\q
\endif
SELECT EXISTS (SELECT FROM schema_migrations WHERE version || subversion = :'key'::bigint[]) AS is_there,
       EXISTS (SELECT FROM schema_migrations WHERE version || subversion > :'key'::bigint[]) AS is_late \gset
\if :is_there
\echo there
\q
\endif
\if :is_late
\echo late
\q
\endif
SELECT clock_timestamp() AS began, txid_current() AS transaction \gset
\o /dev/null
\i :file
\o
RESET search_path;
SELECT txid_current() <> :transaction AS was_ended \gset
\if :was_ended
\echo ended
\q
\endif
INSERT INTO schema_migrations (version, subversion, name, checksum, kind, duration_ms, finished_at)
VALUES ((:'key'::bigint[])[1], (:'key'::bigint[])[2:], :'name', :'checksum', :'kind',
        extract(epoch FROM clock_timestamp() - :'began'::timestamptz) * 1000, clock_timestamp());
COMMIT;
\echo applied
