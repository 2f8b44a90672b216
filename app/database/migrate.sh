#!/usr/bin/env bash
# Brings the database of DATABASE_URL to the newest version: migrations/V<version>__<name>.sql in order, each in a
# transaction of its own together with its line in the table schema_migrations. A run that fails or is killed leaves
# whole migrations only, and the next one goes on from there; runs at the same time take turns.
#
#   migrate           apply what is not applied yet
#   migrate status    show every migration and where it stands; changes nothing
#
#   DATABASE_URL, or DATABASE_URL_FILE with the path of a file that holds it (in a container of the database: its own)
#   MIGRATE_BASELINE=002            for a database that has the tables but no history: record the migrations up to this
#                                   one as done, if the tables are just what they would have made
#   MIGRATE_WAIT_SECONDS=60         how long to wait for the database, and for another run to end
#   MIGRATE_LOCK_SECONDS=5          how long a statement may wait for a table that is in use. While it waits, everybody
#                                   else waits behind it; so it is short, and tried again
#   MIGRATE_LOCK_TRIES=5            how often
#   MIGRATE_STATEMENT_SECONDS=120   how long any statement may take
set -euo pipefail
umask 077

migrations=${MIGRATIONS_DIR:-/usr/local/share/todo/migrations}
parts=${MIGRATE_DIR:-/usr/local/share/todo/migrate}
patience=${MIGRATE_WAIT_SECONDS:-60}
lock_seconds=${MIGRATE_LOCK_SECONDS:-5}
lock_tries=${MIGRATE_LOCK_TRIES:-5}
statement_seconds=${MIGRATE_STATEMENT_SECONDS:-120}
lock=8617253094 # any number, as long as nothing else in this database takes it

say() { echo "migrate: $*"; }
fail() {
  echo "migrate: $*" >&2
  exit 1
}

# shellcheck source=migrate/connection.sh
source "$parts/connection.sh"
# shellcheck source=migrate/files.sh
source "$parts/files.sh"

# --- asking the database ---

child=''
# psql in the background, so that a signal to us does not wait for its end.
run_psql() {
  psql --no-psqlrc --quiet --tuples-only --no-align --field-separator='|' --set ON_ERROR_STOP=1 "$@" \
    </dev/null >"$private/said" 2>"$private/errors" &
  child=$!
  local status=0
  wait "$child" || status=$?
  child=''
  return "$status"
}

stop() {
  [[ -z $child ]] || kill "$child" 2>/dev/null || true
  fail 'stopped by a signal. What was under way is taken back; "migrate status" shows what is applied.'
}

# run_part FILE [psql's variables]: returns psql's status; its last word is in $answer.
run_part() {
  local part=$1 status=0
  shift
  run_psql --set VERBOSITY=verbose --set lock="$lock" --set lock_timeout="${lock_seconds}s" \
    --set statement_timeout="${statement_seconds}s" --set files="$rows" "$@" --file "$parts/$part" || status=$?
  answer=$(tail -n 1 "$private/said")
  return "$status"
}

# As run_part, and again while somebody else migrates or a table is in use. Fails after all tries.
run_in_turn() {
  local deadline=$((SECONDS + patience)) tries=1 pause=1 told='' status
  while true; do
    status=0
    run_part "$@" || status=$?
    if ((status == 0)) && [[ $answer == busy ]]; then
      ((SECONDS < deadline)) || fail "another run is migrating this database for more than $patience seconds: see to it, then run again."
      [[ -n $told ]] || say 'waiting for another run to end'
      told=yes
      sleep 1
    elif ((status != 0)) && [[ $1 != apply-alone.sql ]] && grep -q -E '^psql:.*(ERROR|FATAL): +(55P03|40P01):' "$private/errors" && ((tries < lock_tries)); then
      say "a table is in use by others, trying again in $pause s ($tries of $lock_tries)"
      sleep "$pause"
      tries=$((tries + 1)) pause=$((pause * 2))
    else
      return "$status"
    fi
  done
}

wait_for_database() {
  local error deadline=$((SECONDS + patience)) told=''
  until PGCONNECT_TIMEOUT=3 run_psql --command 'SELECT 1'; do
    error=$(<"$private/errors")
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

# --- deciding ---

# Sets has_history, is_new_history, tables, and plan: lines "state|key|name|kind|details".
read_plan() {
  run_in_turn plan.sql --set is_exclusive="$1" || fail "the database cannot be read: $(read_errors)"
  local first
  { IFS= read -r first && mapfile -t plan; } <"$private/said"
  IFS='|' read -r _ has_history is_new_history tables <<<"$first"
}

# Without its details, which quote the rows of people.
read_errors() { grep -E '^(psql:|HINT:)' "$private/errors" | sed -e 's#^psql:[^ ]*/\([^ /]*: \)#\1#' | head -n 5; }

show_plan() {
  local line state name kind details
  [[ $has_history == t ]] || say "the database has no history of migrations${tables:+, but these tables: $tables}"
  for line in "${plan[@]}"; do
    IFS='|' read -r state _ name kind details <<<"$line"
    printf '%-9s  %-10s  %s  %s\n' "$state" "$kind" "$name" "$details"
  done
}

# Refuses what no run can put right; sets `pending` and `version`.
check_plan() {
  local line state key name kind details ahead=0 contracts=''
  pending=() version=0
  for line in "${plan[@]}"; do
    IFS='|' read -r state key name kind details <<<"$line"
    case $state in
    edited) fail "$name was edited after it was applied ($details); put it back as it was and write a new migration." ;;
    re-marked) fail "$name was applied with the mark \"$kind\"; put that mark back." ;;
    missing) fail "$name was applied ($details), but is not among the files; put it back." ;;
    late) fail "$name comes before a migration that is applied already; give it the next free number." ;;
    half-done) explain_half_done "$key" "$name" "$details" ;;
    pending) pending+=("$key") ;;
    # No error: after a rollback the old release meets the tables of the new one.
    ahead) ahead=$((ahead + 1)) && [[ $kind != contract ]] || contracts+=" $name" ;;
    esac
    [[ $state == pending ]] || version=$key
  done
  ((ahead == 0)) || say "the database is ahead by $ahead migration(s), which is left as it is"
  [[ -z $contracts ]] || say "warning: this release is older than what took something away from it:$contracts"
}

explain_half_done() {
  local key=$1 where="version || subversion = '{${1//./,}}'"
  run_psql --command "SELECT string_agg(indexrelid::regclass::text, ', ') FROM pg_index WHERE NOT indisvalid" || true
  fail "$2 was begun ($3) and not completed. It does not run in a transaction, so a part of it may be there.
Indexes that are not valid: $(grep . "$private/said" || echo none)
Look what is there. Then either take it back (such as DROP INDEX CONCURRENTLY), forget the try and run again:
  DELETE FROM schema_migrations WHERE $where;
or complete it by hand and record that:
  UPDATE schema_migrations SET finished_at = now() WHERE $where;"
}

# --- doing ---

# Records the migrations up to MIGRATE_BASELINE as applied, if the tables are what they would have made.
take_baseline() {
  local last key
  last=$(read_version "V${MIGRATE_BASELINE}__baseline.sql" 2>/dev/null) || fail "MIGRATE_BASELINE is \"$MIGRATE_BASELINE\": it must be a version, such as 002."
  [[ -n ${file_of[$last]:-} ]] || fail "MIGRATE_BASELINE is \"$MIGRATE_BASELINE\", but there is no migration of that version."
  : >"$private/baseline.sql"
  for key in "${keys[@]}"; do
    # Outside a transaction nothing can be taken back; what such files make is indexes.
    [[ -n ${is_alone[$key]:-} ]] || printf "\\\\i '%s'\n" "${file_of[$key]}" >>"$private/baseline.sql"
    [[ $key != "$last" ]] || break
  done
  rows=$(list_rows "$last") run_in_turn baseline.sql --set run="$private/baseline.sql" ||
    fail "the tables could not be compared with what the migrations make; nothing was changed: $(read_errors)"
  [[ $answer != differs ]] ||
    fail "the database is not at version $last, so it was not recorded as such: $(tail -n 2 "$private/said" | head -n 1)"
  [[ $answer == there ]] || say "recorded what was there as version $last"
}

prepare_history() {
  if [[ $has_history == f && -n $tables ]]; then
    [[ -n ${MIGRATE_BASELINE:-} ]] ||
      fail "the database has tables, but no history of migrations: $tables. If they are those of this application, run once with MIGRATE_BASELINE=<the version they are at>; the newest is ${keys[-1]}."
    take_baseline
  elif [[ $is_new_history != t ]]; then
    run_in_turn prepare.sql || fail "the table schema_migrations could not be made or brought up to date; nothing was changed: $(read_errors)"
  else
    return 0
  fi
  read_plan true
}

apply() {
  local key=$1 part=apply.sql status=0
  local name=${file_of[$key]##*/} settings=()
  if [[ -n ${is_alone[$key]:-} ]]; then
    # It waits for others without holding them up.
    part=apply-alone.sql settings=(--set lock_timeout=0)
  fi
  say "applying $name"
  run_in_turn "$part" --set key="{${key//./,}}" --set name="$name" --set checksum="${checksum_of[$key]}" \
    --set kind="${kind_of[$key]}" --set file="${file_of[$key]}" "${settings[@]}" || status=$?
  ((status == 0)) || explain_failure "$key" "$name"
  case $answer in
  applied)
    version=$key
    # Whoever deploys reads this: no release of before may come back.
    [[ ${kind_of[$key]} != contract ]] || say "applied $name (contract)"
    ;;
  there) say "$name was applied by another run meanwhile" ;;
  late) fail "$name comes before a migration that another run has applied meanwhile; give it the next free number." ;;
  *) fail "$name has ended our transaction, so a part of it may be applied and it is not recorded: look what is there, and take the COMMIT or ROLLBACK out of it." ;;
  esac
}

explain_failure() {
  local key=$1 name=$2 what='it was taken back'
  [[ -z ${is_alone[$key]:-} ]] || what='it does not run in a transaction, so a part of it may be there (the next run says what to do)'
  local error
  error=$(read_errors)
  case $error in
  *55P03:*) what+="; longest open transactions: $(list_transactions)" ;;
  *'closed the connection'* | *'terminating connection'* | *': 57P0'*) what+='; the connection was lost, so run again' ;;
  esac
  fail "$name failed, $what. The database is at version $version. The cause: $error"
}

list_transactions() {
  run_psql --command "SELECT string_agg(format('%s (process %s, %s, for %s s)', coalesce(nullif(application_name, ''), usename), pid, state,
    extract(epoch FROM now() - xact_start)::int), ', ' ORDER BY xact_start) FROM (SELECT * FROM pg_stat_activity
    WHERE datname = current_database() AND xact_start IS NOT NULL AND pid <> pg_backend_pid() ORDER BY xact_start LIMIT 3) AS a" || true
  grep . "$private/said" || echo 'none any more'
}

# --- the way through ---

command=${1:-apply}
[[ $command == apply || $command == status ]] || fail "\"$command\" is not known: give no argument, or status."
private=$(mktemp -d)
trap 'rm -rf "$private"' EXIT
trap stop TERM INT HUP
connect_by "$private/service"
export PGAPPNAME=migrate

read_migrations "$migrations"
rows=$(list_rows)
wait_for_database
if [[ $command == status ]]; then
  read_plan false
  show_plan
  exit 0
fi
read_plan true
prepare_history
check_plan
while ((${#pending[@]} > 0)); do
  for key in "${pending[@]}"; do
    apply "$key"
  done
  read_plan true
  check_plan
done
say "the database is at version $version"
