-- Records migrations whose tables are there already, after proof: they are run in a schema of its own, what they make is
-- compared with what is there, and that schema is taken back. :files are those to be recorded, :run a file that runs them.
BEGIN;
\set is_local true
\ir session.sql
SELECT pg_try_advisory_xact_lock(:lock) AS is_ours \gset
\if :is_ours
\else
\echo busy
\q
\endif
SELECT to_regclass('schema_migrations') IS NOT NULL AS is_there, current_schema() AS here \gset
\if :is_there
\echo there
\q
\endif
SAVEPOINT as_it_was;
CREATE SCHEMA todo_migrate_baseline;
SET LOCAL search_path = todo_migrate_baseline;
\o /dev/null
\i :run
\o
WITH shape AS (
  SELECT n.nspname AS schema, c.relname AS relation,
         format('column %I %s%s', a.attname, format_type(a.atttypid, a.atttypmod), CASE WHEN a.attnotnull THEN ' not null' END) AS part
    FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace JOIN pg_attribute AS a ON a.attrelid = c.oid
   WHERE c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped
  UNION ALL
  SELECT n.nspname, c.relname,
         format('%s on (%s)',
                CASE k.contype WHEN 'p' THEN 'primary key' WHEN 'u' THEN 'unique' ELSE 'foreign key to ' || t.relname END,
                (SELECT string_agg(attname, ', ' ORDER BY place)
                   FROM unnest(k.conkey) WITH ORDINALITY AS u (number, place)
                   JOIN pg_attribute ON attrelid = c.oid AND attnum = number))
    FROM pg_constraint AS k JOIN pg_class AS c ON c.oid = k.conrelid JOIN pg_namespace AS n ON n.oid = c.relnamespace
    LEFT JOIN pg_class AS t ON t.oid = k.confrelid
   WHERE k.contype IN ('p', 'u', 'f')
),
wanted AS (SELECT relation, part FROM shape WHERE schema = 'todo_migrate_baseline'),
present AS (SELECT relation, part FROM shape WHERE schema = :'here' AND relation IN (SELECT relation FROM wanted)),
difference AS (
  SELECT relation, 'lacks ' || part AS what FROM (SELECT * FROM wanted EXCEPT SELECT * FROM present) AS lacking
  UNION ALL
  SELECT relation, 'has ' || part FROM (SELECT * FROM present EXCEPT SELECT * FROM wanted) AS extra
)
SELECT count(*) > 0 AS differs, string_agg(format('%I %s', relation, what), '; ' ORDER BY relation, what) AS differences
  FROM difference \gset
ROLLBACK TO as_it_was;
\if :differs
\echo :differences
\echo differs
\q
\endif
\ir history.sql
INSERT INTO schema_migrations (version, subversion, name, checksum, kind, duration_ms, is_baseline)
SELECT key[1], key[2:], name, checksum, kind, 0, true FROM (VALUES :files) AS f (key, name, checksum, kind);
COMMIT;
\echo applied
