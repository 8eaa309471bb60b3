#!/usr/bin/env bash
# A Docker engine, the two base images and docker-compose for `make test-containers`; says what is missing and what to do.
# Takes the engine that `docker` offers. Where there is none, or a base image can neither be found nor pulled, it asks the
# program named by GENLEVEL_CONTAINER_ENGINE (default: container-engine beside this checkout, in ../shared/tools).
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)

fail() { echo "container-engine: $1" >&2; echo "  remedy: $2" >&2; exit 1; }

helper=${GENLEVEL_CONTAINER_ENGINE:-}
for candidate in "$root/../shared/tools/container-engine" /work/shared/tools/container-engine; do
  [ -n "$helper" ] || [ ! -x "$candidate" ] || helper=$candidate
done
[ -z "$helper" ] || [ -x "$helper" ] || fail "GENLEVEL_CONTAINER_ENGINE=$helper is no program" "Correct or unset the variable."

if ! docker info >/dev/null 2>&1; then
  [ -n "$helper" ] || fail "no Docker engine answers ($(docker info 2>&1 | tail -n 1))" \
    "Install and start Docker, join its group, or name a program that does in GENLEVEL_CONTAINER_ENGINE."
  "$helper" || fail "$helper could not start an engine" "See its output above."
  docker info >/dev/null 2>&1 || fail "no Docker engine answers after $helper" "See its output above."
fi

for image in "${GENLEVEL_PYTHON_IMAGE:-python:3.11-slim-bookworm}" "${GENLEVEL_DEBIAN_IMAGE:-debian:bookworm-slim}"; do
  docker image inspect "$image" >/dev/null 2>&1 && continue
  timeout 300 docker pull --quiet "$image" >/dev/null 2>&1 && continue
  [ -n "$helper" ] || fail "no image $image here, and it cannot be pulled" "Pull or load it, or name others in GENLEVEL_PYTHON_IMAGE and GENLEVEL_DEBIAN_IMAGE."
  "$helper" "$image" || fail "$helper could not make $image" "See its output above."
done

if ! docker compose version >/dev/null 2>&1 && ! docker-compose version >/dev/null 2>&1; then
  remedy="Install the compose plugin of Docker, or docker-compose."
  [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || fail "no docker compose here" "$remedy"
  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq docker-compose >/dev/null || fail "docker-compose cannot be installed" "$remedy"
fi
docker version --format 'Docker engine {{.Server.Version}}'
