"""Builds the bundle reader's table of input kinds from the schemas of the evaluators. Run it to renew the table."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from genlevel_evaluator import formats

TABLE = Path(__file__).parents[1] / "orchestrator/genlevel_orchestrator/bundle/data/kinds.json"


def build() -> dict[str, Any]:
    """The table as it should be."""
    return {kind: _entry(kind) for kind in sorted(formats.names())}


def _entry(kind: str) -> dict[str, Any]:
    sides: tuple[formats.Side, ...] = ("prediction", "reference")
    schema = formats.schema(kind)
    return {
        "paths": {side: formats.strings_are_paths(kind, side) for side in sides},
        "lists": {side: _takes_lists(schema["$defs"][side], schema["$defs"]) for side in sides},
        "media": list(formats.media_pointers(kind)),
    }


def _takes_lists(schema: Any, definitions: Mapping[str, Any]) -> bool:
    if not isinstance(schema, Mapping):
        return False
    if "$ref" in schema:
        return _takes_lists(definitions[schema["$ref"].rsplit("/", 1)[-1]], definitions)
    declared = schema.get("type", [])
    if "array" in ([declared] if isinstance(declared, str) else declared):
        return True
    return any(_takes_lists(item, definitions) for word in ("anyOf", "oneOf", "allOf") for item in schema.get(word, ()))


def text() -> str:
    """The table as the file holds it: one kind a line."""
    lines = [f"  {json.dumps(kind)}: {json.dumps(entry)}" for kind, entry in build().items()]
    return "{\n" + ",\n".join(lines) + "\n}\n"


if __name__ == "__main__":
    TABLE.write_text(text(), encoding="utf-8")
