# shellcheck shell=bash disable=SC2034 # what this sets is for migrate.sh
# Reads the migration files: V<version>__<name>.sql, as Flyway names them, each marked in a comment:
#
#   -- todo-deploy: expand           only adds: the release before this one goes on working with the result
#   -- todo-deploy: contract         takes something away: no way back to a release that still uses it
#   -- todo-deploy: no-transaction   for what PostgreSQL does not do in a transaction (CREATE INDEX CONCURRENTLY)
#
# The marks are no part of the checksum, and neither are the line ends of another system.

# Sets `keys` (in order) and, for each key, file_of, checksum_of, kind_of and is_alone.
read_migrations() {
  local folder=$1 file key
  declare -gA file_of=() checksum_of=() kind_of=() is_alone=()
  for file in "$folder"/*; do
    [[ -e $file ]] || fail "there are no migrations in $folder."
    [[ $file == *.sql ]] || continue
    key=$(read_version "${file##*/}") || exit 1
    [[ -z ${file_of[$key]:-} ]] ||
      fail "${file##*/} and ${file_of[$key]##*/} have the same version, $key: give the newer one the next free number."
    file_of[$key]=$file
    read_marks "$file" "$key"
    refuse_commands "$file"
    checksum_of[$key]=$(sed -e '/^-- todo-deploy:/d' -e 's/\r$//' "$file" | sha256sum | cut -d ' ' -f 1)
  done
  ((${#file_of[@]} > 0)) || fail "there are no migrations in $folder."
  mapfile -t keys < <(printf '%s\n' "${!file_of[@]}" | sort --version-sort)
}

# Prints V001_010__name.sql as 1.10; 1.0 is 1.
read_version() {
  local name=$1 version='' part
  case $name in
  U[0-9]*__*) fail "$name would undo a migration. Migrations only go forward: write a new V file that does so." ;;
  R__*) fail "$name is repeatable, which is not supported: write a new V file for each change." ;;
  esac
  [[ $name =~ ^V([0-9]{1,15}([._][0-9]{1,15}){0,5})__[A-Za-z0-9_.-]+\.sql$ ]] ||
    fail "$name is not a name for a migration; it must look like V001__what_it_does.sql."
  for part in ${BASH_REMATCH[1]//[._]/ }; do
    version+=.$((10#$part))
  done
  while [[ $version == .*.0 ]]; do version=${version%.0}; done
  echo "${version#.}"
}

read_marks() {
  local file=$1 key=$2 name=${1##*/} mark marks
  mapfile -t marks < <(sed -n 's/^-- todo-deploy:[[:space:]]*\([^[:space:]]*\)[[:space:]]*$/\1/p' "$file" | tr -d '\r')
  for mark in "${marks[@]}"; do
    case $mark in
    expand | contract)
      [[ -z ${kind_of[$key]:-} ]] || fail "$name is marked twice: leave one of expand and contract."
      kind_of[$key]=$mark
      ;;
    no-transaction) is_alone[$key]=yes ;;
    *) fail "$name has the mark \"$mark\"; the marks are expand, contract and no-transaction." ;;
    esac
  done
  [[ -n ${kind_of[$key]:-} ]] ||
    fail "$name is not marked. Add a line \"-- todo-deploy: expand\" if the release before this one goes on working with it, or \"-- todo-deploy: contract\" if it takes something away."
}

# What would end our transaction, or make psql do other things than SQL. (\N and \. are data of a COPY.)
refuse_commands() {
  local line
  line=$(grep -n -m 1 -i -E '^\\[^N.]|^[[:space:]]*(BEGIN|START|COMMIT|ROLLBACK|ABORT|END)([[:space:]]+(TRANSACTION|WORK))?[[:space:]]*;' "$1" |
    grep -v -i -E '^[0-9]+:[[:space:]]*END[[:space:]]*;') || return 0
  fail "${1##*/}, line $line: take this out. A migration is plain SQL, and its transaction is begun and ended for it."
}

# Prints the files as rows of an SQL VALUES list, as far as the key given, if one is.
list_rows() {
  local key rows='' last=${1:-}
  for key in "${keys[@]}"; do
    rows+=",('{${key//./,}}'::bigint[],'${file_of[$key]##*/}','${checksum_of[$key]}','${kind_of[$key]}')"
    [[ $key != "$last" ]] || break
  done
  echo "${rows#,}"
}
