#!/usr/bin/env bash
# Starts PostgreSQL as the user of the container, on a read-only root file system. The first start
# makes the data directory beside its final place and moves it there when it is complete, so that a
# start which was killed half-way leaves nothing that looks like a database.
set -euo pipefail
umask 077

PGDATA=${PGDATA:-/var/lib/postgresql/data/pgdata}
POSTGRES_USER=${POSTGRES_USER:-todo}
POSTGRES_DB=${POSTGRES_DB:-$POSTGRES_USER}
run_dir=${POSTGRES_RUN_DIR:-/var/run/postgresql}
init_dir=${POSTGRES_INIT_DIR:-/usr/local/share/todo/init-scripts}

say() { echo "database: $*"; }
fail() {
  echo "database: $*" >&2
  exit 1
}

read_password() {
  if [[ -n ${POSTGRES_PASSWORD_FILE:-} ]]; then
    [[ -r $POSTGRES_PASSWORD_FILE ]] || fail "POSTGRES_PASSWORD_FILE names $POSTGRES_PASSWORD_FILE, which cannot be read."
    POSTGRES_PASSWORD=$(<"$POSTGRES_PASSWORD_FILE")
  fi
  [[ -n ${POSTGRES_PASSWORD:-} ]] ||
    fail 'POSTGRES_PASSWORD is not set: set it, or let POSTGRES_PASSWORD_FILE name a file with it.'
}

initialise() {
  read_password
  local new=$PGDATA.new private
  private=$(mktemp -d "$run_dir/init.XXXXXX")
  rm -rf "$new"
  say "making a data directory in $PGDATA"
  printf '%s\n' "$POSTGRES_PASSWORD" >"$private/password"
  initdb --pgdata "$new" --username "$POSTGRES_USER" --pwfile "$private/password" \
    --auth scram-sha-256 --encoding UTF8 --locale C.UTF-8 --data-checksums >/dev/null
  rm "$private/password"

  # Nobody but this script can reach the server yet: no address, and a socket in a private folder.
  pg_ctl --pgdata "$new" --wait --timeout 60 --silent --log "$private/log" \
    --options "-c listen_addresses='' -c unix_socket_directories='$private'" start ||
    fail "the new database did not start: $(tail -n 5 "$private/log")"
  run_init_scripts "$private"
  pg_ctl --pgdata "$new" --wait --timeout 60 --silent --mode fast stop
  mv "$new" "$PGDATA"
  rm -rf "$private"
}

run_init_scripts() {
  local script run=(psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --host "$1" --username "$POSTGRES_USER")
  export PGPASSWORD=$POSTGRES_PASSWORD
  if [[ $POSTGRES_DB != postgres ]]; then
    "${run[@]}" --dbname postgres --set name="$POSTGRES_DB" <<<'CREATE DATABASE :"name";'
  fi
  for script in "$init_dir"/*.sql; do
    [[ -e $script ]] || continue
    say "running ${script##*/}"
    "${run[@]}" --dbname "$POSTGRES_DB" --file "$script"
  done
  unset PGPASSWORD
}

# Written at every start, so that it follows the settings of today and not those of the first start.
write_access_rules() {
  local kind=host
  [[ -n ${TLS_CERT_FILE:-} ]] && kind=hostssl
  cat >"$run_dir/pg_hba.conf" <<RULES
local   all all           scram-sha-256
$kind all all 0.0.0.0/0 scram-sha-256
$kind all all ::/0      scram-sha-256
RULES
}

options=(
  -c "hba_file=$run_dir/pg_hba.conf"
  -c "listen_addresses=${POSTGRES_LISTEN:-*}"
  -c "port=${POSTGRES_PORT:-5432}"
  -c "unix_socket_directories=$run_dir"
)

add_tls() {
  [[ -n ${TLS_CERT_FILE:-} || -n ${TLS_KEY_FILE:-} ]] || return 0
  local file
  for file in "${TLS_CERT_FILE:-}" "${TLS_KEY_FILE:-}"; do
    [[ -r $file ]] || fail "TLS_CERT_FILE and TLS_KEY_FILE must both name readable files; '$file' is not one."
  done
  # PostgreSQL refuses a key that others may read, which is how a mounted secret looks.
  install -m 0600 "$TLS_KEY_FILE" "$run_dir/tls.key"
  options+=(-c ssl=on -c "ssl_cert_file=$TLS_CERT_FILE" -c "ssl_key_file=$run_dir/tls.key")
  options+=(-c ssl_min_protocol_version=TLSv1.2)
}

# Any other command is run as it is: the same image also migrates, dumps and answers probes.
if [[ ${1:-postgres} != postgres ]]; then
  exec "$@"
fi
[[ -s $PGDATA/PG_VERSION ]] || initialise
# Kubernetes opens a volume to the group of the pod (fsGroup); PostgreSQL refuses such a folder.
chmod 0700 "$PGDATA"
write_access_rules
add_tls
unset POSTGRES_PASSWORD
exec postgres -D "$PGDATA" "${options[@]}" "${@:2}"
