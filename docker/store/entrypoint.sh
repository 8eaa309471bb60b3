#!/bin/bash
# Serves /var/lib/genlevel/store as S3 on port 9200; each folder in it is a bucket. The key pair is read from two files.
set -euo pipefail
fail() { echo "store: $*" >&2; exit 1; }

[ $# -eq 0 ] || exec "$@"
read_key() {
  local value
  [ -r "$1" ] || fail "cannot read $1: mount the key there, readable by user $(id -u)"
  value=$(tr -d '\r\n' <"$1")
  [[ "$value" =~ ^[A-Za-z0-9/+=_.-]{8,}$ ]] || fail "$1: a key has at least 8 letters, digits or /+=_.- and nothing else"
  printf %s "$value"
}
access=$(read_key "$STORE_ACCESS_KEY_FILE")
secret=$(read_key "$STORE_SECRET_KEY_FILE")
mkdir -p "/var/lib/genlevel/store/$STORE_BUCKET" 2>/dev/null || fail "cannot write to /var/lib/genlevel/store: the volume must belong to user $(id -u)"
# In the environment, not on the command line, where every process could read it.
export RCLONE_AUTH_KEY="\"$access,$secret\""  # quoted: a comma separates pairs otherwise
exec rclone serve s3 /var/lib/genlevel/store --addr :9200 --config /tmp/rclone.conf --cache-dir /tmp/rclone --vfs-cache-mode off --log-level NOTICE
