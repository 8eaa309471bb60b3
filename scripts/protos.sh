#!/usr/bin/env bash
# Generates protos/python from protos/genlevel. With --check, fails when the committed code differs from what would be generated.
set -euo pipefail
cd "$(dirname "$0")/.."
python=${PYTHON:-.venv/bin/python}
out=protos/python
if [ "${1:-}" = --check ]; then out=$(mktemp -d); trap 'rm -rf "$out"' EXIT; fi
PATH="$(dirname "$python"):$PATH" "$python" -m grpc_tools.protoc -Iprotos --python_out="$out" --mypy_out="$out" --grpc_python_out="$out" --mypy_grpc_out="$out" protos/genlevel/v1/*.proto
if [ "$out" != protos/python ]; then
  diff -r --exclude='*.egg-info' --exclude=__pycache__ --exclude=py.typed "$out/genlevel" protos/python/genlevel || { echo "generated code is out of date: run 'make protos'" >&2; exit 1; }
fi
