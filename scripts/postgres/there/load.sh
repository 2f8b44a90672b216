#!/usr/bin/env bash
# Restores a dump in one transaction: all of it and proved equal, or nothing. Standard input is the dump, and after it a
# line "commit", sent when this has written "verified": whoever started it and was killed meanwhile cannot have wanted that.
# load.sh empty|replace BYTES [NAME of another database of that server]; the facts to be reached are in ./expected.
set -euo pipefail
umask 077
mode=$1 bytes=$2
# shellcheck source=connection.sh
source "$(dirname "${BASH_SOURCE[0]}")/connection.sh"
# shellcheck source=session.sh
source "$(dirname "${BASH_SOURCE[0]}")/session.sh"
trap '' PIPE

untouched='nothing was changed'
# What the server says when it gave up: its own words, and the remedy where we know one.
explain() {
  local said
  said=$(read_errors)
  case $said in
  *'No space left on device'*) fail "the disk of the database is full, $untouched: make room for twice the size of the data, and see that the server runs. $said" ;;
  *'closed the connection'* | *'terminating connection'* | *'without a word'*) fail "the connection to the database was lost, $untouched: $said" ;;
  *) fail "$1, $untouched: $said" ;;
  esac
}

need_programs pg_restore
connect_by "$home/service" "${3:-}"
export PGAPPNAME=todo-restore
open_session

# --- Is it the right place? ---

server=$(ask_session "BEGIN; SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = '30s'; SET LOCAL idle_in_transaction_session_timeout = 0;
  SHOW server_version;") || explain 'the database cannot be used'
server=${server%% *}
programs=$(pg_restore --version)
programs=${programs#*) } programs=${programs%% *}
made_by=$(sed -n 's/^programs\t//p' "$home/expected")
(($(major_of "$made_by") <= $(major_of "$server"))) ||
  fail "the backup is of PostgreSQL $made_by and the server is $server: restore into the same version or a newer one."
(($(major_of "$programs") >= $(major_of "$made_by") && $(major_of "$programs") <= $(major_of "$server"))) ||
  fail "pg_restore here is $programs, the backup of $made_by, the server $server: use PostgreSQL's programs of version $(major_of "$server")."
is_ours=$(ask_session "SELECT pg_try_advisory_xact_lock($lock);") || explain 'the database cannot be used'
[[ $is_ours == t ]] || fail "a migration or another restore is at work in this database, $untouched: wait for its end."

# Lists what is in the database that a migration or a person has made.
list_objects() {
  ask_session "SELECT left(string_agg(format('%I.%I', nspname, name), ', ' ORDER BY nspname, name), 200)
    FROM (
      SELECT relnamespace, relname, oid, tableoid FROM pg_class WHERE relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
      UNION ALL SELECT pronamespace, proname, oid, tableoid FROM pg_proc
    ) AS object (namespace, name, oid, class) JOIN pg_namespace AS n ON n.oid = namespace
    WHERE nspname !~ '^(pg_|before_restore_)' AND nspname <> 'information_schema' AND $1
      AND NOT EXISTS (SELECT FROM pg_depend AS d WHERE d.classid = class AND d.objid = object.oid AND d.deptype = 'e');"
}
present=$(list_objects true) || explain 'the database cannot be read'
if [[ $mode == empty && -n $present ]]; then
  fail "the database is not empty, $untouched: it has $present. Restore into an empty one, or use --replace."
elif [[ -n $present ]]; then
  in_the_way=$(list_objects "nspname <> 'public'" && ask_session "SELECT 'the extension ' || extname FROM pg_extension
    WHERE extnamespace = to_regnamespace('public');") || explain 'the database cannot be read'
  [[ -z ${in_the_way//$'\n'/} ]] ||
    fail "--replace can put the tables of the schema public aside, but there is more, so $untouched: ${in_the_way//$'\n'/ }. Restore into a new database."
  # Beside, not over: who works with the old tables goes on with them until the moment of the commit.
  aside=before_restore_$(date -u +%Y%m%d_%H%M%S)
  ask_session "ALTER SCHEMA public RENAME TO $aside; CREATE SCHEMA public; GRANT USAGE ON SCHEMA public TO PUBLIC;" ||
    explain 'the old tables could not be put aside'
fi

# --- The data ---

ask_session '\o /dev/null' || explain 'the restore broke off'
status=0
head -c "$bytes" 2>/dev/null | pg_restore --no-owner --no-privileges --file=- 2>"$home/read-errors" >&8 || status=$?
# A broken pipe is that to psql, who has ended and says why.
((status == 0)) || grep -q 'Broken pipe' "$home/read-errors" ||
  fail "the dump cannot be read to its end, $untouched: $(sed -e 's/^pg_restore: //' "$home/read-errors" | grep -m 3 .)"
ask_session '\o' || explain 'the restore broke off'
((status == 0)) || fail "the restore broke off, $untouched: $(grep -m 3 . "$home/read-errors")"

# --- The proof ---

ask_session "$(<"$home/facts.sql")" >"$home/reached" || explain 'the restored data cannot be read'

# list_facts FILE KIND...: what must be the same to the letter.
list_facts() { grep -E '^(table|foreign-key|objects)'$'\t' "$1" | LC_ALL=C sort; }
differences=$(diff <(list_facts "$home/expected") <(list_facts "$home/reached") | sed -n -e 's/^< /the backup has: /p' -e 's/^> /restored was: /p' | tr '\t' ' ') || true
[[ -z $differences ]] || fail "what was restored is not what was backed up, $untouched:
$differences"
# A dump reads sequences a moment after us: they may be further on, never behind.
behind=$(join -t $'\t' -j 1 -a 1 \
  <(sed -n 's/^sequence\t//p' "$home/expected" | LC_ALL=C sort) <(sed -n 's/^sequence\t//p' "$home/reached" | LC_ALL=C sort) |
  awk -F '\t' 'NF < 7 || $5 < $2 || ($5 == $2 && $3 == "t" && $6 == "f") || ($4 == "free" && $7 != "free") { print $1 }')
[[ -z $behind ]] || fail "sequences would give numbers that are taken, $untouched: $behind"

echo verified
read -r word || word=''
[[ $word == commit ]] || fail "nobody has asked for the end, $untouched."
ask_session 'COMMIT;' || fail "the connection was lost at the very end, so look whether the data is there: $(read_errors)"
close_session || true
echo "committed ${aside:-}"
