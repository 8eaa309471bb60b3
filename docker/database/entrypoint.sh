#!/bin/bash
# Makes the cluster on the first start, then runs PostgreSQL. The password is read from a file and never from the environment.
set -euo pipefail
fail() { echo "database: $*" >&2; exit 1; }

[ "${1:-}" = postgres ] || exec "$@"
shift
if [ -s "$PGDATA/PG_VERSION" ]; then
  found=$(cat "$PGDATA/PG_VERSION")
  [ "$found" = 15 ] || fail "$PGDATA was made by PostgreSQL $found and this is 15: dump it with the old version and restore it here"
  # Kubernetes may give the group rights to a volume that it mounts anew (fsGroup), which PostgreSQL refuses.
  chmod 0700 "$PGDATA" || fail "$PGDATA must belong to user $(id -u)"
else
  [ -r "$POSTGRES_PASSWORD_FILE" ] || fail "cannot read the password in $POSTGRES_PASSWORD_FILE: mount it there, readable by user $(id -u)"
  [ -s "$POSTGRES_PASSWORD_FILE" ] || fail "$POSTGRES_PASSWORD_FILE is empty: put a password into it"
  mkdir -p "$PGDATA" 2>/dev/null || fail "cannot write to $(dirname "$PGDATA"): the volume must belong to user $(id -u)"
  # A start that ended half-way leaves a folder without PG_VERSION at its end: it is made anew beside it and moved in one step.
  fresh=$(mktemp -d "$(dirname "$PGDATA")/fresh.XXXXXX")
  trap 'rm -rf "$fresh"' EXIT
  initdb --pgdata="$fresh" --username="$POSTGRES_USER" --pwfile="$POSTGRES_PASSWORD_FILE" \
    --auth-host=scram-sha-256 --auth-local=peer --encoding=UTF8 --locale=C.UTF-8 --data-checksums >/dev/null
  echo "host all all all scram-sha-256" >>"$fresh/pg_hba.conf"
  if [ "$POSTGRES_DB" != postgres ]; then
    echo "CREATE DATABASE \"$POSTGRES_DB\";" | postgres --single -j -D "$fresh" postgres >/dev/null
  fi
  rm -rf "$PGDATA"
  mv "$fresh" "$PGDATA"
  trap - EXIT
  echo "database: made the cluster in $PGDATA" >&2
fi
exec postgres -D "$PGDATA" -c listen_addresses='*' -c unix_socket_directories=/tmp -c logging_collector=off "$@"
