-- Describes the contents of the database, one fact a line with tabs between its words, as the transaction in which it
-- runs sees them. It only reads, and does with a standby too.

-- Settings that change how a value is written: equal rows must look equal wherever this runs.
SET LOCAL search_path = '';
SET LOCAL row_security = off;
SET LOCAL timezone = 'UTC';
SET LOCAL datestyle = 'ISO, YMD';
SET LOCAL intervalstyle = 'postgres';
SET LOCAL bytea_output = 'hex';
SET LOCAL extra_float_digits = 1;

-- What a dump holds: nothing of the system, of an extension, or of what a restore with --replace has put aside.
SELECT $$ (
  SELECT c.oid, c.relkind, format('%I.%I', n.nspname, c.relname) AS name
    FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
   WHERE n.nspname !~ '^(pg_|before_restore_)' AND n.nspname <> 'information_schema'
     AND NOT EXISTS (SELECT FROM pg_depend AS d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
) AS relation $$ AS relations \gset

-- Sequences come first: they do not belong to the snapshot, and what pg_dump will read later can only be further on.
-- Free: the next value is beyond every value in the column.
SELECT format(
         $$SELECT concat_ws(E'\t', 'sequence', %L, last_value, is_called, CASE WHEN %s THEN 'free' ELSE 'taken' END) FROM %s$$,
         relation.name,
         CASE WHEN d.refobjid IS NULL THEN 'true' ELSE format(
           '(SELECT count(*) = 0 FROM %s WHERE %I %s last_value + CASE WHEN is_called THEN %s ELSE 0 END)',
           d.refobjid::regclass, a.attname, CASE WHEN s.seqincrement > 0 THEN '>=' ELSE '<=' END, s.seqincrement) END,
         relation.name)
  FROM :relations JOIN pg_sequence AS s ON s.seqrelid = relation.oid
  LEFT JOIN pg_depend AS d ON d.classid = 'pg_class'::regclass AND d.objid = relation.oid
    AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i') AND d.refobjsubid > 0
  LEFT JOIN pg_attribute AS a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
 ORDER BY relation.name COLLATE "C" \gexec

-- Rows, and a hash of them all that does not depend on their order: the sums of both halves of each row's SHA-256.
SELECT format(
         $$SELECT concat_ws(E'\t', 'table', %L, count(*),
             encode(sha256(convert_to(concat_ws(' ', count(*),
               sum(('x' || left(hash, 16))::bit(64)::bigint::numeric), sum(('x' || right(hash, 16))::bit(64)::bigint::numeric)), 'UTF8')), 'hex'))
           FROM (SELECT encode(sha256(convert_to((todo_row.*)::text, 'UTF8')), 'hex') AS hash FROM ONLY %s AS todo_row) AS hashed$$,
         name, name)
  FROM :relations WHERE relkind IN ('r', 'm') ORDER BY name COLLATE "C" \gexec

-- Foreign keys, and how many rows point to nothing: asked of the rows themselves, not of the flag that says so.
SELECT format(
         $$SELECT concat_ws(E'\t', 'foreign-key', %L, %L, %L, count(*)) FROM %s AS child
            WHERE (%s) IS NOT NULL AND NOT EXISTS (SELECT FROM %s AS parent WHERE (%s) = (%s))$$,
         relation.name, k.conname, pg_get_constraintdef(k.oid), relation.name,
         'row(' || child.columns || ')', k.confrelid::regclass, child.columns, parent.columns)
  FROM :relations JOIN pg_constraint AS k ON k.conrelid = relation.oid AND k.contype = 'f'
  CROSS JOIN LATERAL (
    SELECT string_agg(format('child.%I', attname), ', ' ORDER BY place) AS columns
      FROM unnest(k.conkey) WITH ORDINALITY AS u (number, place)
      JOIN pg_attribute ON attrelid = k.conrelid AND attnum = number) AS child
  CROSS JOIN LATERAL (
    SELECT string_agg(format('parent.%I', attname), ', ' ORDER BY place) AS columns
      FROM unnest(k.confkey) WITH ORDINALITY AS u (number, place)
      JOIN pg_attribute ON attrelid = k.confrelid AND attnum = number) AS parent
 ORDER BY relation.name COLLATE "C", k.conname COLLATE "C" \gexec

-- How many of everything else.
SELECT concat_ws(E'\t', 'objects', kind, count(*))
  FROM (
    SELECT CASE relkind WHEN 'i' THEN 'indexes' WHEN 'I' THEN 'indexes' WHEN 'v' THEN 'views' ELSE 'tables' END
      FROM :relations WHERE relkind IN ('i', 'I', 'v', 'm', 'r', 'p', 'f')
    UNION ALL
    SELECT 'constraints' FROM :relations JOIN pg_constraint ON conrelid = relation.oid AND contype IN ('c', 'p', 'u', 'f', 'x')
    UNION ALL
    SELECT 'triggers' FROM :relations JOIN pg_trigger ON tgrelid = relation.oid AND NOT tgisinternal
    UNION ALL
    SELECT 'large-objects' FROM pg_largeobject_metadata
  ) AS counted (kind)
 GROUP BY kind ORDER BY kind COLLATE "C";
