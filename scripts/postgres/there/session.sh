# shellcheck shell=bash
# One session of psql that is spoken to line by line, so that a decision can be made within a transaction. Runs where
# PostgreSQL's programs are: on this machine, in a container or in a pod. Errors are told on standard error.

home=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

# shellcheck disable=SC2034 # load.sh takes it
lock=8617253094 # that of the migrations: nobody may change the tables meanwhile

fail() {
  echo "$1" >&2
  exit "${2:-1}"
}

need_programs() {
  local program
  for program in psql "$@"; do
    command -v "$program" >/dev/null ||
      fail "there is no $program here: install PostgreSQL's client programs, or use --compose or --namespace to have those of the database image."
  done
}

open_session() {
  # Terse: the details of an error quote the rows of people.
  coproc PSQL {
    exec psql --no-psqlrc --quiet --tuples-only --no-align --set ON_ERROR_STOP=1 --set VERBOSITY=terse 2>"$home/errors"
  }
  # Moved, so that they are still there when bash forgets a coprocess that has ended.
  exec 7<&"${PSQL[0]}"- 8>&"${PSQL[1]}"-
  session=$PSQL_PID
}

# tell_session SQL: without an answer. Fails quietly when psql has ended; the next question says why.
tell_session() { printf '%s\n' "$1" >&8 2>/dev/null || true; }

# ask_session SQL: prints the answer; fails with the server's words when there is none.
ask_session() {
  local line
  tell_session "$1"
  tell_session '\echo end-of-answer'
  while IFS= read -r line <&7; do
    [[ $line != end-of-answer ]] || return 0
    printf '%s\n' "$line"
  done
  return 1
}

# The first words of psql about what went wrong, without the place in a text that nobody sees.
read_errors() {
  sed -e 's/^psql:<stdin>:[0-9]*: //' -e 's/^psql: error: //' -e 's/^\(ERROR\|FATAL\): */\1: /' "$home/errors" | grep . | head -n 5 ||
    echo 'the connection was closed without a word'
}

close_session() {
  exec 8>&- 7<&-
  local status=0
  wait "$session" || status=$?
  return "$status"
}

# major_of "pg_dump (PostgreSQL) 15.20 (Debian …)", major_of 15.20
major_of() {
  [[ $1 =~ ([0-9]+)(\.|devel|beta|rc|$) ]] && echo "${BASH_REMATCH[1]}"
}
