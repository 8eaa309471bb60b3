#!/usr/bin/env bash
# Starts the whole system on this machine, or ends it.
#
#   docker/up.sh [up] [--tls] [--store] [--judge] [--gateway]   make the secrets once, start, wait until healthy, say where it is
#     --tls      the orchestrator has TLS (tls.crt and tls.key among the secrets; self-signed ones are made)
#     --store    media travel through an S3-compatible store instead of shared folders
#     --judge    the language evaluator may reach the judge that GENLEVEL_JUDGE_URL and _MODEL name (docker/compose.judge.yaml)
#     --gateway  the evaluators can be called from outside, with TLS and the token
#   docker/up.sh down [--volumes]                     end it; with --volumes runs, weights and database go too
#   docker/up.sh logs | ps                            what it says, what runs
#   docker/up.sh secrets                              only make the secrets
#
# Variables: see the head of docker/compose.yaml, and GENLEVEL_PROJECT (name of the compose project, genlevel).
set -euo pipefail
cd "$(dirname "$0")/.."
fail() { echo "docker/up.sh: $*" >&2; exit 1; }

export GENLEVEL_SECRETS=${GENLEVEL_SECRETS:-$PWD/build/compose}
export GENLEVEL_BUNDLES=${GENLEVEL_BUNDLES:-$PWD/build/demo}
export GENLEVEL_CPUS=${GENLEVEL_CPUS:-$(nproc)}
port=${GENLEVEL_PORT:-9100} gateway_port=${GENLEVEL_GATEWAY_PORT:-9443} project=${GENLEVEL_PROJECT:-genlevel}
seconds=${GENLEVEL_WAIT_SECONDS:-600}
files=(--file docker/compose.yaml) services=(weights database eval-language eval-image eval-video eval-audio eval-3d orchestrator) tls=

# Docker binds the files below into containers, where user 10001 reads them: the files are readable, their folder is closed.
write() {
  local file=$GENLEVEL_SECRETS/$1
  if [ -s "$file" ]; then cat >/dev/null; return; fi
  cat >"$file.new"
  chmod 444 "$file.new"
  mv "$file.new" "$file"
}
random() { head -c "$1" /dev/urandom | od -An -vtx1 | tr -d ' \n'; }
secrets() {
  mkdir -p "$GENLEVEL_SECRETS"
  chmod 700 "$GENLEVEL_SECRETS"
  random 32 | write token
  random 24 | write database-password
  printf 'postgresql+psycopg://genlevel:%s@database:5432/genlevel\n' "$(cat "$GENLEVEL_SECRETS/database-password")" | write database-url
  random 10 | write store-access-key
  random 32 | write store-secret-key
  printf '[default]\naws_access_key_id = %s\naws_secret_access_key = %s\n' \
    "$(cat "$GENLEVEL_SECRETS/store-access-key")" "$(cat "$GENLEVEL_SECRETS/store-secret-key")" | write aws-credentials
  [ -s "$GENLEVEL_SECRETS/tls.key" ] && return
  command -v openssl >/dev/null || { echo "docker/up.sh: no openssl here, so no certificate for --tls and the gateway: put tls.crt and tls.key into $GENLEVEL_SECRETS" >&2; return; }
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 825 -subj /CN=genlevel \
    -addext "subjectAltName=DNS:localhost,DNS:orchestrator,DNS:gateway,IP:127.0.0.1" -addext "basicConstraints=critical,CA:TRUE" \
    -keyout "$GENLEVEL_SECRETS/key.new" -out "$GENLEVEL_SECRETS/crt.new" 2>/dev/null || fail "openssl made no certificate"
  write tls.crt <"$GENLEVEL_SECRETS/crt.new"
  write tls.key <"$GENLEVEL_SECRETS/key.new"
  rm -f "$GENLEVEL_SECRETS"/*.new
}

compose() {
  if docker compose version >/dev/null 2>&1; then docker compose --project-name "$project" "${files[@]}" "$@"
  elif command -v docker-compose >/dev/null; then docker-compose --project-name "$project" "${files[@]}" "$@"
  else fail "neither 'docker compose' nor docker-compose is here: install one of them"; fi
}

last_tag() { sed -n 's/^ *"tag": "\(.*\)",$/\1/p' build/images.json 2>/dev/null || true; }

check() {
  docker version >/dev/null 2>&1 || fail "no Docker engine answers: start one, or correct DOCKER_HOST"
  [ -n "${GENLEVEL_TAG:-}" ] || fail "no images were built here: run 'make images', or name their tag in GENLEVEL_TAG"
  local image missing=
  for image in language image video audio three_d orchestrator database "${extra[@]}"; do
    docker image inspect "genlevel/$image:$GENLEVEL_TAG" >/dev/null 2>&1 || missing+=" genlevel/$image:$GENLEVEL_TAG"
  done
  [ -z "$missing" ] || fail "missing images:$missing; run 'make images', or name another tag in GENLEVEL_TAG"
  [ -d "$GENLEVEL_BUNDLES" ] || fail "no folder $GENLEVEL_BUNDLES: run 'make demo-bundle', or name a folder of bundles in GENLEVEL_BUNDLES"
}

state() { docker inspect --format '{{.State.Status}} {{if .State.Health}}{{.State.Health.Status}}{{end}} {{.State.ExitCode}} restarts={{.RestartCount}}' "$1"; }

# Prints what is not ready yet; fails with the log of a container that ended badly.
waiting() {
  local service id now left=
  for service in "${services[@]}"; do
    id=$(compose ps --all --quiet "$service" 2>/dev/null || compose ps --quiet "$service")
    [ -n "$id" ] || { left+=" $service"; continue; }
    now=$(state "$id")
    case "$service:$now" in
      weights:"exited  0 "* | *:"running healthy "*) ;;
      weights:exited*) compose logs --tail 20 weights >&2; fail "the weights were not fetched: see the lines above" ;;
      *:exited* | *:dead* | *" unhealthy "* | *restarts=[3-9]* | *restarts=[1-9][0-9]*) compose logs --tail 30 "$service" >&2; fail "$service does not run ($now): see the lines above" ;;
      *) left+=" $service" ;;
    esac
  done
  echo "$left"
}

up() {
  local begun=$SECONDS left before=
  check
  secrets
  compose up --detach --no-build --remove-orphans || { waiting >/dev/null; fail "compose could not start everything: see the lines above"; }
  while true; do
    left=$(waiting) || exit 1
    [ -n "$left" ] || break
    [ "$left" = "$before" ] || echo "waiting for$left" >&2
    before=$left
    [ $((SECONDS - begun)) -lt "$seconds" ] || fail "not ready after $seconds s:$left; see '$0 logs'"
    sleep 1
  done
  echo "ready after $((SECONDS - begun)) s"
  echo "orchestrator: grpc${tls:+s}://${GENLEVEL_BIND:-127.0.0.1}:$port, token in $GENLEVEL_SECRETS/token${tls:+, authority $GENLEVEL_SECRETS/tls.crt}"
  case " ${services[*]} " in *" gateway "*) echo "gateway: ${GENLEVEL_BIND:-127.0.0.1}:$gateway_port (TLS), same token, authority $GENLEVEL_SECRETS/tls.crt" ;; esac
  echo "try: ${tls:+GENLEVEL_TLS_AUTHORITY=$GENLEVEL_SECRETS/tls.crt }GENLEVEL_TOKEN_FILE=$GENLEVEL_SECRETS/token genlevel run /var/lib/genlevel/bundles/predictions --references /var/lib/genlevel/bundles/references --model demo --endpoint grpc${tls:+s}://127.0.0.1:$port"
  echo "what lies in $GENLEVEL_BUNDLES is /var/lib/genlevel/bundles there; folders elsewhere go with --upload"
}

command=up extra=() volumes=
case "${1:-}" in up | down | secrets | logs | ps) command=$1; shift ;; esac
while [ $# -gt 0 ]; do
  case "$1" in
    --tls) tls=1 files+=(--file docker/compose.tls.yaml) ;;
    --store) files+=(--file docker/compose.store.yaml) extra+=(store) services+=(store) ;;
    --judge) files+=(--file docker/compose.judge.yaml) ;;
    --gateway) extra+=(gateway) services+=(gateway) ;;
    --volumes) volumes=--volumes ;;
    *) fail "unknown option $1: see the head of this file" ;;
  esac
  shift
done
export GENLEVEL_TAG=${GENLEVEL_TAG:-$(last_tag)}
[ ${#extra[@]} -eq 0 ] || { export COMPOSE_PROFILES; COMPOSE_PROFILES=$(IFS=,; echo "${extra[*]}"); }
case "$command" in
  up) up ;;
  secrets) secrets ;;
  down) export GENLEVEL_TAG=${GENLEVEL_TAG:-none} COMPOSE_PROFILES=store,gateway; compose down --remove-orphans $volumes ;;
  *) compose "$command" ;;
esac
