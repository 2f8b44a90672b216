#!/usr/bin/env bash
# Backs up a database of the application: a dump and, beside it, what must be true of a restored copy.
set -euo pipefail
umask 077
readonly tool=backup
# shellcheck source=postgres/place.sh
source "$(dirname "$0")/postgres/place.sh"

show_help() {
  cat <<HELP
Usage: scripts/backup-postgres.sh [options]

  Writes the folder todo-<time>, which holds database.dump (pg_dump, custom format) and manifest: versions, the dump's
  SHA-256, and for the same snapshot the rows and a hash of every table, the sequences and the foreign keys. It gets its
  name when all of it is written and read back; what a failure leaves has another name and is removed.

  --output FOLDER    where to (default: backups)
  --keep NUMBER      remove the oldest backups of that folder when there are more than this

$place_options

  Examples:
    DATABASE_URL_FILE=production.url scripts/backup-postgres.sh --output /var/backups/todo --keep 14
    scripts/backup-postgres.sh --namespace todo-app-staging --context my-cluster
    scripts/backup-postgres.sh --compose

  Ends with 0 when there is a backup, else with 1 and the reason in the first line.
HELP
}

output=backups keep=''
while (($# > 0)); do
  taken=2
  case $1 in
  --help | -h) show_help && exit 0 ;;
  --output)
    [[ -n ${2:-} ]] || fail '--output needs a value; --help shows all.'
    output=$2
    ;;
  --keep)
    [[ ${2:-} =~ ^[1-9][0-9]*$ ]] || fail '--keep needs a number, 1 or more.'
    keep=$2
    ;;
  *) take_place_option "$@" ;;
  esac
  shift "$taken"
done

# Where the disk is full, say that, and not what a program said about a pipe.
explain() {
  if grep -q 'No space left on device' "$work/write-errors" 2>/dev/null; then
    fail "the disk of $output is full; there is no backup."
  fi
  fail "$(grep -v -E '^(sha256 |command terminated|Defaulted )' "$work/there-errors" | head -n 5 || true)${1:+$1}; there is no backup."
}

clean_up() {
  local status=$?
  [[ -z ${dumper:-} ]] || kill -- "-$dumper" 2>/dev/null || true
  close_place
  [[ -z ${partial:-} ]] || rm -rf -- "$partial"
  rm -rf -- "$work"
  exit "$status"
}
work=$(mktemp -d)
trap clean_up EXIT
trap 'fail "stopped by a signal; there is no backup."' INT TERM HUP

mkdir -p "$output" || fail "the folder $output cannot be made."
# What a killed run has left, by now surely.
find "$output" -maxdepth 1 -type d -name '.todo-*.partial' -mmin +1440 -exec rm -rf -- {} +

started=$SECONDS
# shellcheck disable=SC2119 # nothing to take along
open_place
# A name for each second.
while made=$(date -u +%Y%m%dT%H%M%SZ) && name=todo-$made && [[ -e $output/$name ]]; do
  sleep 0.2
done
partial=$output/.$name-$$.partial
mkdir "$partial" 2>"$work/write-errors" || explain

# The facts come first, one a line, and then the bytes of the dump.
take_apart() {
  local line=''
  while IFS= read -r line && [[ $line != dump ]]; do
    printf '%s\n' "$line"
  done >"$partial/facts"
  [[ $line == dump ]] || return 1
  cat >"$partial/database.dump"
}
# In a process group of its own, which a signal to us ends as a whole.
set -m
{ run_there dump.sh 2>"$work/there-errors" | take_apart 2>"$work/write-errors"; } &
set +m
dumper=$!
wait "$dumper" || explain
dumper=''

sum=$(sed -n 's/^sha256 //p' "$work/there-errors")
[[ $(sha256sum <"$partial/database.dump") == "$sum  -" ]] || explain 'what arrived here is not what was sent'
{
  printf 'todo-deploy backup 1\nmade\t%s\nsha256\t%s\nbytes\t%s\n' "$made" "$sum" "$(stat --format %s "$partial/database.dump")" &&
    cat "$partial/facts" && echo end
} >"$partial/manifest" 2>"$work/write-errors" || explain
rm "$partial/facts"
sync "$partial/database.dump" "$partial/manifest" 2>"$work/write-errors" || explain
mv --no-target-directory "$partial" "$output/$name" 2>"$work/there-errors" || explain
sync "$output"
partial=''

rows=$(awk -F '\t' '$1 == "table" { rows += $3; tables++ } END { printf "%d rows in %d tables", rows, tables }' "$output/$name/manifest")
say "$output/$name: $rows, schema version $(sed -n 's/^schema-version\t//p' "$output/$name/manifest"), $((SECONDS - started)) s"
awk -F '\t' '$1 == "sequence" && $5 == "taken" { print "backup: warning: the next value of " $2 " is taken in its table already" }
  $1 == "foreign-key" && $5 > 0 { print "backup: warning: " $5 " rows of " $2 " point to nothing (" $3 ")" }' "$output/$name/manifest"

if [[ -n $keep ]]; then
  find "$output" -mindepth 1 -maxdepth 1 -type d -name 'todo-[0-9]*T[0-9]*Z' | LC_ALL=C sort | head -n "-$keep" | while IFS= read -r old; do
    [[ $(head -n 1 "$old/manifest" 2>/dev/null) == 'todo-deploy backup 1' ]] || continue
    rm -rf -- "$old"
    say "removed $old"
  done
fi
