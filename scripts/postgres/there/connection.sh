# shellcheck shell=bash
# The way to the database, as a service file of libpq that only we can read: in an argument of psql, every process of the
# machine could see the password. (This file is in two folders, both of which have to do without the other.)

# connect_by FILE [DATABASE instead of the one that is named]: writes the service file and lets libpq find it. The database
# is that of DATABASE_URL; in a container of the database itself, which has none, the one it serves. Needs `fail`.
connect_by() {
  local password=${POSTGRES_PASSWORD:-}
  if [[ -n ${DATABASE_URL_FILE:-} ]]; then
    [[ -r $DATABASE_URL_FILE ]] || fail "DATABASE_URL_FILE names $DATABASE_URL_FILE, which cannot be read."
    DATABASE_URL=$(<"$DATABASE_URL_FILE")
  fi
  if [[ -z ${DATABASE_URL:-} && -r ${POSTGRES_PASSWORD_FILE:-} ]]; then
    password=$(<"$POSTGRES_PASSWORD_FILE")
  fi
  if [[ -n ${DATABASE_URL:-} ]]; then
    write_service_file "$DATABASE_URL" "${2:-}" >"$1" ||
      fail 'DATABASE_URL must look like postgresql://user:password@host:5432/name?sslmode=require.'
  elif [[ -n $password ]]; then
    printf '[todo]\nhost=127.0.0.1\nuser=%s\ndbname=%s\npassword=%s\n' \
      "${POSTGRES_USER:-todo}" "${2:-${POSTGRES_DB:-${POSTGRES_USER:-todo}}}" "$password" >"$1"
  else
    fail 'DATABASE_URL is not set: set it, or let DATABASE_URL_FILE name a file with it.'
  fi
  unset DATABASE_URL
  export PGSERVICEFILE=$1 PGSERVICE=todo PGCONNECT_TIMEOUT=${PGCONNECT_TIMEOUT:-10}
}

# write_service_file URL [DATABASE instead of the URL's]
write_service_file() {
  local url=$1 rest credentials='' address query='' pair
  [[ $url =~ ^postgres(ql)?://(.+)$ ]] || return 1
  rest=${BASH_REMATCH[2]}
  [[ $rest == *\?* ]] && query=${rest#*\?} && rest=${rest%%\?*}
  [[ $rest == *@* ]] && credentials=${rest%@*} && rest=${rest##*@}
  address=${rest%%/*}
  echo '[todo]'
  write_addresses "$address"
  if [[ -n ${2:-} ]]; then
    printf 'dbname=%s\n' "$2"
  elif [[ $rest == */?* ]]; then
    write_pair dbname "${rest#*/}"
  fi
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

# Undoes the %xx of a URL.
write_pair() {
  local value=${2//\\/\\\\}
  printf '%s=%b\n' "$1" "${value//%/\\x}"
}
