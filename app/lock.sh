#!/usr/bin/env bash
# Renews the pinned requirements.txt of every Python service from its requirements.in, all from one
# resolution, so that the services agree on versions and one virtual environment can test them all.
# Needs uv on the PATH.
set -euo pipefail
cd "$(dirname "$0")"

lock() {
  uv pip compile --quiet --upgrade --generate-hashes --no-header --no-emit-index-url \
    --python-version 3.11 --python-platform linux --output-file "$@"
}

lock requirements-dev.txt requirements-dev.in
for service in backend mcp-server ai-agent; do
  echo "lock: $service"
  lock "$service/requirements.txt" --constraint requirements-dev.txt "$service/requirements.in"
done
