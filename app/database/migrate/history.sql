-- Makes the table of what was applied, or brings an older one up to date: only by adding, so that the migrations of an
-- older release, which know less columns, go on working after a rollback.
CREATE TABLE IF NOT EXISTS schema_migrations (
  version    integer PRIMARY KEY,
  name       text NOT NULL,
  checksum   text NOT NULL,
  applied_at timestamptz NOT NULL DEFAULT now()
);

SELECT NOT EXISTS (
  SELECT FROM pg_attribute
   WHERE attrelid = 'schema_migrations'::regclass AND attname = 'subversion'
) AS is_old \gset
\if :is_old
ALTER TABLE schema_migrations
  ALTER COLUMN version TYPE bigint,
  -- V2_1_3 is version 2, subversion {1,3}.
  ADD COLUMN subversion bigint[] NOT NULL DEFAULT '{}',
  ADD COLUMN kind text CHECK (kind IN ('expand', 'contract')),
  -- Empty: begun outside a transaction, and not known to be complete.
  ADD COLUMN finished_at timestamptz DEFAULT now(),
  ADD COLUMN duration_ms bigint,
  ADD COLUMN installed_by text DEFAULT current_user,
  -- Recorded for a database that had these tables already, not run.
  ADD COLUMN is_baseline boolean NOT NULL DEFAULT false,
  DROP CONSTRAINT schema_migrations_pkey,
  ADD PRIMARY KEY (version, subversion);
-- What the older table could not know.
UPDATE schema_migrations SET finished_at = applied_at, installed_by = NULL;
UPDATE schema_migrations AS m
   SET kind = f.kind
  FROM (VALUES :files) AS f (key, name, checksum, kind)
 WHERE m.version || m.subversion = f.key AND m.checksum = f.checksum;
\endif
