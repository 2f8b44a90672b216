-- Compares the files with what was applied, and changes nothing. The table is read as JSON, so that it may lack columns.
-- Before work is done, :is_exclusive sees to it that no other run is in the middle of something.
BEGIN;
\set is_local true
\ir session.sql
\if :is_exclusive
SELECT NOT pg_try_advisory_xact_lock(:lock) AS is_busy \gset
\if :is_busy
\echo busy
\q
\endif
\endif
\set source '(SELECT NULL::jsonb AS j WHERE false) AS nothing'
SELECT to_regclass('schema_migrations') IS NOT NULL AS has_history,
       -- Of one statement, because another run may be at work: where it has made tables, it has made the history before.
       (SELECT coalesce(string_agg(relname, ', ' ORDER BY relname), '')
          FROM pg_class
         WHERE relkind IN ('r', 'p') AND relnamespace = to_regnamespace(current_schema())
           AND relname <> 'schema_migrations'
           AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = pg_class.oid AND deptype = 'e')) AS tables \gset
\if :has_history
\set source '(SELECT to_jsonb(m) AS j FROM schema_migrations AS m) AS history'
SELECT EXISTS (
  SELECT FROM pg_attribute WHERE attrelid = 'schema_migrations'::regclass AND attname = 'subversion'
) AS is_new \gset
\else
\set is_new false
\endif
SELECT 'history', :'has_history', :'is_new', :'tables';

WITH file AS (SELECT * FROM (VALUES :files) AS f (key, name, checksum, kind)),
history AS (
  SELECT (j ->> 'version')::bigint
           || ARRAY(SELECT jsonb_array_elements_text(coalesce(j -> 'subversion', '[]'))::bigint) AS key,
         j ->> 'name' AS name, j ->> 'checksum' AS checksum, j ->> 'kind' AS kind,
         to_char((j ->> 'applied_at')::timestamptz AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS UTC') AS at,
         j ->> 'duration_ms' AS duration, j ->> 'installed_by' AS installed_by,
         coalesce((j ->> 'is_baseline')::boolean, false) AS is_baseline,
         NOT j ? 'finished_at' OR j ->> 'finished_at' IS NOT NULL AS is_finished
    FROM :source
)
SELECT CASE
         WHEN h.key IS NULL AND f.key < (SELECT max(key) FROM history) THEN 'late'
         WHEN h.key IS NULL THEN 'pending'
         WHEN NOT h.is_finished THEN 'half-done'
         WHEN f.key IS NULL AND h.key > (SELECT max(key) FROM file) THEN 'ahead'
         WHEN f.key IS NULL THEN 'missing'
         WHEN h.checksum <> f.checksum THEN 'edited'
         WHEN h.kind <> f.kind THEN 're-marked'
         WHEN h.is_baseline THEN 'baseline'
         ELSE 'applied'
       END,
       array_to_string(coalesce(f.key, h.key), '.'), coalesce(f.name, h.name), coalesce(h.kind, f.kind, 'not marked'),
       concat_ws(' ', h.at, 'in ' || h.duration || ' ms', 'by ' || h.installed_by)
  FROM file AS f FULL JOIN history AS h USING (key)
 ORDER BY key;
COMMIT;
