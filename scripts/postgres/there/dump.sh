#!/usr/bin/env bash
# Writes to standard output the facts of the database, a line "dump", and a dump of the same snapshot; and to standard
# error what it has to say, at last a line "sha256 <of the dump> <bytes>".
# dump.sh [NAME of another database of that server]
set -euo pipefail
umask 077
# shellcheck source=connection.sh
source "$(dirname "${BASH_SOURCE[0]}")/connection.sh"
# shellcheck source=session.sh
source "$(dirname "${BASH_SOURCE[0]}")/session.sh"
trap '' PIPE

need_programs pg_dump pg_restore
connect_by "$home/service" "${1:-}"
export PGAPPNAME=todo-backup
open_session
programs=$(pg_dump --version)
programs=${programs#*) } programs=${programs%% *}
# A pooler or a busy server may take its time, but a dump lasts as long as it lasts.
server=$(ask_session "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
  SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0; SET LOCAL lock_timeout = '30s';
  SHOW server_version;") || fail "the database cannot be read: $(read_errors)"
server=${server%% *}
# A dump of newer programs could only be restored into a newer server, one of older programs not be made.
[[ $(major_of "$programs") == "$(major_of "$server")" ]] ||
  fail "pg_dump here is $programs, the server $server: use PostgreSQL's programs of version $(major_of "$server")"
snapshot=$(ask_session 'SELECT pg_export_snapshot();') || fail "the database gives no snapshot: $(read_errors)"
version=$(ask_session "SELECT to_regclass('public.schema_migrations') IS NOT NULL AS is_there \\gset
\\if :is_there
SELECT array_to_string(max((j ->> 'version')::bigint || ARRAY(SELECT jsonb_array_elements_text(coalesce(j -> 'subversion', '[]'))::bigint)), '.')
  FROM (SELECT to_jsonb(m) AS j FROM public.schema_migrations AS m) AS history;
\\endif") || fail "the history of migrations cannot be read: $(read_errors)"
facts=$(ask_session "$(<"$home/facts.sql")") || fail "the database cannot be read: $(read_errors)"

printf 'server\t%s\nprograms\t%s\nschema-version\t%s\n%s\ndump\n' "$server" "$programs" "${version:-none}" "$facts"

# While it is sent, the dump is read whole by pg_restore: a list of its contents alone would not prove the rows behind it.
mkfifo "$home/to-sum" "$home/to-read"
sha256sum <"$home/to-sum" >"$home/sum" &
summing=$!
pg_restore --file=/dev/null <"$home/to-read" >/dev/null 2>"$home/read-errors" &
reading=$!
status=0
pg_dump --format=custom --snapshot="$snapshot" --lock-wait-timeout=30s --exclude-schema='before_restore_*' --no-password 2>"$home/errors" |
  tee --output-error=warn-nopipe "$home/to-sum" "$home/to-read" 2>"$home/tee-errors" || status=$?
wait "$summing"
readable=0
wait "$reading" || readable=$?
((status == 0)) || fail "the dump broke off: $(cat "$home/errors" "$home/tee-errors" | sed -e 's/^pg_dump: //' | head -n 5)"
((readable == 0)) || fail "the dump cannot be read: $(head -n 5 "$home/read-errors")"
# Its snapshot has done its work: pg_dump has taken it, or would have failed.
close_session || true
read -r sum _ <"$home/sum"
echo "sha256 $sum" >&2
