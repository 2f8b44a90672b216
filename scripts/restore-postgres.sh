#!/usr/bin/env bash
# Restores a backup of backup-postgres.sh, and proves that the result is what was backed up.
set -euo pipefail
umask 077
readonly tool=restore
# shellcheck source=postgres/place.sh
source "$(dirname "$0")/postgres/place.sh"

show_help() {
  cat <<HELP
Usage: scripts/restore-postgres.sh BACKUP [options]

  BACKUP is a folder that scripts/backup-postgres.sh has written. Its files are checked first. Then everything happens in
  one transaction, which ends well only if every table has the rows and the hash of the manifest, no sequence gives a
  number that is taken, and every foreign key points to something. Until then nobody sees a change, and whatever goes
  wrong, there was none.

  --replace          restore although the database has tables. They are put aside, not removed: they stay in the schema
                     before_restore_<time>. Stop what writes into them first, or its last words stay there too

$place_options

  Examples:
    scripts/restore-postgres.sh backups/todo-20261121T140000Z --url-file empty.url
    scripts/restore-postgres.sh backups/todo-20261121T140000Z --namespace todo-app-staging --replace

  Ends with 0 when the data is there and proved, else with 1 and the reason in the first line.
HELP
}

backup='' mode=empty
while (($# > 0)); do
  taken=1
  case $1 in
  --help | -h) show_help && exit 0 ;;
  --replace) mode=replace ;;
  --*) take_place_option "$@" ;;
  *)
    [[ -z $backup ]] || fail "two backups are named, $backup and $1; --help shows all."
    backup=${1%/}
    ;;
  esac
  shift "$taken"
done
[[ -n $backup ]] || fail 'which backup? Name its folder; --help shows all.'

# --- the files ---

manifest=$backup/manifest dump=$backup/database.dump
for file in "$manifest" "$dump"; do
  [[ -r $file ]] || fail "$backup is not a backup: there is no ${file##*/} that can be read."
done
[[ $(head -n 1 "$manifest") == 'todo-deploy backup 1' ]] ||
  fail "the manifest of $backup is of another kind: it begins with \"$(head -n 1 "$manifest" | head -c 60)\"."
[[ $(tail -n 1 "$manifest") == end ]] || fail "the manifest of $backup is not complete: take another backup."
read_fact() { sed -n "s/^$1\t//p" "$manifest"; }
bytes=$(stat --format %s "$dump")
[[ $bytes == "$(read_fact bytes)" ]] || fail "the dump of $backup is not complete: it has $bytes of $(read_fact bytes) bytes. Take another backup."
[[ $(sha256sum <"$dump") == "$(read_fact sha256)  -" ]] || fail "the dump of $backup is damaged: its SHA-256 is not that of the manifest. Take another backup."

# --- the restore ---

committing=''
stop() {
  [[ -z $committing ]] || fail 'stopped by a signal in the last moment: look whether the data is there.'
  fail 'stopped by a signal; nothing was changed.'
}
clean_up() {
  local status=$?
  # Its end takes the transaction back, unless that was committed.
  [[ -z ${loader:-} ]] || kill -- "-$loader" 2>/dev/null || true
  close_place
  rm -rf -- "$work"
  exit "$status"
}
work=$(mktemp -d)
trap clean_up EXIT
trap stop INT TERM HUP

explain() {
  exec 8>&-
  wait "$loader" 2>/dev/null || true
  loader=''
  fail "$(grep -v -E '^(command terminated|Defaulted )' "$work/errors" || echo 'the connection was lost; nothing was changed.')"
}

started=$SECONDS
cp "$manifest" "$work/expected"
open_place "$work/expected"
# In a process group of its own, which a signal to us ends as a whole.
set -m
coproc LOADER { run_there load.sh "$mode" "$bytes" 2>"$work/errors"; }
set +m
loader=$LOADER_PID
exec 7<&"${LOADER[0]}"- 8>&"${LOADER[1]}"-
cat "$dump" >&8 2>/dev/null &
wait $! || true # it says itself why it stopped to read
IFS= read -r word <&7 || explain
[[ $word == verified ]] || explain
committing=yes
echo commit >&8 || explain
IFS= read -r word <&7 || explain
[[ $word == committed* ]] || explain

say "$(awk -F '\t' '$1 == "table" { rows += $3; tables++ } END { printf "%d rows in %d tables", rows, tables }' "$manifest")" \
  "are as they were at $(read_fact made): rows, hashes, sequences and foreign keys are the same; $((SECONDS - started)) s"
aside=${word#committed }
[[ -z $aside ]] || say "the tables of before are in the schema $aside; when you are sure: DROP SCHEMA $aside CASCADE;"
