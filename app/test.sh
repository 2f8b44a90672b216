#!/usr/bin/env bash
# Tests the reference application: the frontend (types, jest, build) and then all Python suites, the
# last of which run the whole stack as plain processes with a throw-away PostgreSQL.
#
#   app/test.sh [folder of the virtual environment, app/.venv by default] [arguments for pytest]
#
# What is installed or built already, from the same files, is used again.
set -euo pipefail
cd "$(dirname "$0")"

venv=${1:-$PWD/.venv}
[[ $# -gt 0 ]] && shift
export NEXT_TELEMETRY_DISABLED=1 PIP_DISABLE_PIP_VERSION_CHECK=1

say() { printf 'app: [%3ds] %s\n' "$SECONDS" "$*"; }
fail() {
  echo "app: $*" >&2
  exit 1
}

# Runs the command unless it has run before with the same input files and its result is still there.
# Usage: once NAME RESULT INPUTS -- COMMAND
once() {
  local name=$1 result=$2 inputs=() stamp
  shift 2
  while [[ $1 != -- ]]; do
    inputs+=("$1")
    shift
  done
  shift
  stamp=$(find "${inputs[@]}" -type f -print0 | sort -z | xargs -0 sha256sum | sha256sum)
  if [[ -e $result && $(cat "$result.stamp" 2>/dev/null) == "$stamp" ]]; then
    say "$name: unchanged"
    return
  fi
  say "$name"
  rm -f "$result.stamp"
  "$@"
  echo "$stamp" >"$result.stamp"
}

install_python_packages() {
  python3 -m venv --clear "$venv"
  "$venv/bin/pip" install --quiet --no-cache-dir --require-hashes --requirement requirements-dev.txt
}

python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' || fail 'Python 3.11 or newer is needed.'
[[ -n ${TEST_DATABASE_URL:-} ]] || compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || command -v initdb >/dev/null ||
  fail 'there is no PostgreSQL server to test with: install the package postgresql-15.'

once 'installing the packages of the Python services' "$venv/bin/pytest" requirements-dev.txt -- install_python_packages

cd frontend
once 'installing the packages of the frontend' node_modules/.package-lock.json package-lock.json -- \
  npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
say 'frontend: jest'
npx --no-install jest
once 'frontend: types and build' .next/standalone/server.js src package.json package-lock.json tsconfig.json next.config.ts -- \
  npm run --silent build
cd ..

say 'pytest: every service, the database, and the stack as a whole'
"$venv/bin/python" -m pytest "$@"
say 'passed'
