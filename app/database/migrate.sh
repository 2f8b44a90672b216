#!/usr/bin/env bash
# Brings the database of DATABASE_URL to the newest version: migrations/V<NNN>__<name>.sql in order,
# all of them in one transaction under an advisory lock, so that two runs at once do not disturb each
# other and a run that fails or is killed leaves the database as it was. (One transaction also is what
# a pooler in transaction mode can do; a lock of the session would not be.)
set -euo pipefail
umask 077

migrations=${MIGRATIONS_DIR:-/usr/local/share/todo/migrations}
patience=${MIGRATE_WAIT_SECONDS:-60}
lock=8617253094 # any number, as long as nothing else in this database takes it

say() { echo "migrate: $*"; }
fail() {
  echo "migrate: $*" >&2
  exit 1
}

# --- The way to the database goes into a file that only we can read: in an argument of psql, every
# --- process of the machine could see the password.
write_service_file() {
  local url=$1 rest credentials='' address query='' pair
  [[ $url =~ ^postgres(ql)?://(.+)$ ]] ||
    fail 'DATABASE_URL must look like postgresql://user:password@host:5432/name?sslmode=require.'
  rest=${BASH_REMATCH[2]}
  [[ $rest == *\?* ]] && query=${rest#*\?} && rest=${rest%%\?*}
  [[ $rest == *@* ]] && credentials=${rest%@*} && rest=${rest##*@}
  address=${rest%%/*}
  echo '[todo]'
  write_addresses "$address"
  [[ $rest == */?* ]] && write_pair dbname "${rest#*/}"
  [[ -n $credentials ]] && write_pair user "${credentials%%:*}"
  [[ $credentials == *:* ]] && write_pair password "${credentials#*:}"
  while IFS= read -r pair; do
    [[ $pair == ?*=* ]] && write_pair "${pair%%=*}" "${pair#*=}"
  done <<<"${query//&/$'\n'}"
  return 0
}

write_addresses() {
  local part hosts=() ports=() IFS=,
  for part in $1; do
    if [[ $part =~ ^(\[.*\]|[^:]*):([0-9]+)$ ]]; then
      hosts+=("${BASH_REMATCH[1]//[\[\]]/}") ports+=("${BASH_REMATCH[2]}")
    else
      hosts+=("${part//[\[\]]/}") ports+=(5432)
    fi
  done
  [[ -n ${hosts[*]} ]] && write_pair host "${hosts[*]}" && write_pair port "${ports[*]}"
  return 0
}

write_pair() {
  local value=${2//\\/\\\\}
  printf '%s=%b\n' "$1" "${value//%/\\x}"
}

wait_for_database() {
  local error deadline=$((SECONDS + patience)) told=''
  until error=$(PGCONNECT_TIMEOUT=3 psql --no-psqlrc --quiet --command 'SELECT 1' 2>&1 >/dev/null); do
    case $error in
    *'authentication failed'* | *' does not exist'* | *'no pg_hba.conf entry'* | *'certificate verify failed'*)
      fail "the database refuses us, waiting would not help: $error"
      ;;
    esac
    ((SECONDS < deadline)) || fail "the database did not answer within $patience seconds: $error"
    [[ -n $told ]] || say "waiting up to $patience seconds for the database"
    told=yes
    sleep 1
  done
}

# --- The whole run as one text for psql.
write_run() {
  local file name version checksum
  cat <<SQL
\\set ON_ERROR_STOP on
SET client_min_messages = warning;
BEGIN;
SET LOCAL statement_timeout = 0;
SET LOCAL idle_in_transaction_session_timeout = 0;
SET LOCAL lock_timeout = '60s';
SELECT pg_advisory_xact_lock($lock) \\g /dev/null
CREATE TABLE IF NOT EXISTS schema_migrations (
  version    integer PRIMARY KEY,
  name       text NOT NULL,
  checksum   text NOT NULL,
  applied_at timestamptz NOT NULL DEFAULT now()
);
SQL
  for file in "${files[@]}"; do
    name=${file##*/}
    version=$((10#${name:1:3}))
    checksum=$(sha256sum "$file")
    write_step "$version" "$name" "${checksum%% *}"
  done
  # A newer database is no error: after a rollback the old release meets the tables of the new one.
  cat <<SQL
SELECT count(*) AS newer, count(*) > 0 AS is_newer FROM schema_migrations WHERE version > $version \\gset
\\if :is_newer
\\echo 'migrate: the database is ahead by' :newer 'migration(s), which is left as it is'
\\endif
COMMIT;
SELECT 'migrate: the database is at version ' || max(version) FROM schema_migrations;
SQL
}

write_step() {
  local version=$1 name=$2 checksum=$3
  cat <<SQL
SELECT count(*) = 0 AS is_new,
       coalesce(max(checksum), '$checksum') <> '$checksum' AS is_edited,
       coalesce((SELECT max(version) FROM schema_migrations), 0) > $version AS is_late
  FROM schema_migrations WHERE version = $version \\gset
\\if :is_edited
DO \$\$ BEGIN RAISE EXCEPTION '$name was edited after it was applied; put it back as it was and write a new migration'; END \$\$;
\\endif
\\if :is_new
\\if :is_late
DO \$\$ BEGIN RAISE EXCEPTION '$name comes before a migration that is applied already; give it the next free number'; END \$\$;
\\endif
\\echo 'migrate: applying $name'
\\i '$migrations/$name'
INSERT INTO schema_migrations (version, name, checksum) VALUES ($version, '$name', '$checksum');
\\endif
SQL
}

find_migrations() {
  local file seen=''
  files=()
  for file in "$migrations"/*.sql; do
    [[ -e $file ]] || fail "there are no migrations in $migrations."
    [[ ${file##*/} =~ ^V([0-9]{3})__[a-z0-9_]+\.sql$ ]] ||
      fail "${file##*/} is not a name for a migration; it must look like V001__what_it_does.sql."
    [[ ${BASH_REMATCH[1]} != "$seen" ]] || fail "two migrations have the number ${BASH_REMATCH[1]}."
    seen=${BASH_REMATCH[1]}
    files+=("$file")
  done
}

if [[ -n ${DATABASE_URL_FILE:-} ]]; then
  [[ -r $DATABASE_URL_FILE ]] || fail "DATABASE_URL_FILE names $DATABASE_URL_FILE, which cannot be read."
  DATABASE_URL=$(<"$DATABASE_URL_FILE")
fi
[[ -n ${DATABASE_URL:-} ]] || fail 'DATABASE_URL is not set: set it, or let DATABASE_URL_FILE name a file with it.'

private=$(mktemp -d)
trap 'rm -rf "$private"' EXIT
write_service_file "$DATABASE_URL" >"$private/service"
unset DATABASE_URL
export PGSERVICEFILE=$private/service PGSERVICE=todo PGAPPNAME=migrate

find_migrations
wait_for_database
write_run >"$private/run.sql"
psql --no-psqlrc --quiet --tuples-only --no-align --file "$private/run.sql" ||
  fail 'nothing was changed: the run failed as a whole (the cause is above).'
