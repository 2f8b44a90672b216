-- Applies :file outside a transaction. Its line in the history is written before, and completed after: what is between
-- them when this is killed is found by the next run. Says how it ended, as apply.sql does.
\set is_local false
\ir session.sql
SELECT pg_try_advisory_lock(:lock) AS is_ours \gset
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
INSERT INTO schema_migrations (version, subversion, name, checksum, kind, finished_at)
VALUES ((:'key'::bigint[])[1], (:'key'::bigint[])[2:], :'name', :'checksum', :'kind', NULL);
\o /dev/null
\i :file
\o
RESET search_path;
UPDATE schema_migrations
   SET finished_at = clock_timestamp(), duration_ms = extract(epoch FROM clock_timestamp() - applied_at) * 1000
 WHERE version || subversion = :'key'::bigint[];
\echo applied
