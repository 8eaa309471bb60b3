"""The JSON form of every input kind, as data: one JSON Schema a kind, `<kind>.schema.json`.

A schema holds `$defs.prediction` and `$defs.reference`, and under `x-genlevel` what a schema cannot say: whether a string is a
path, where paths lie inside, units, rules, attributes and examples. docs/formats.md is the same for people;
`python -m genlevel_evaluator.formats docs/formats.md` renews its tables from here.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping
from functools import cache, lru_cache
from importlib import resources
from typing import Any, Literal

Side = Literal["prediction", "reference"]
_SUFFIX = ".schema.json"


@lru_cache(maxsize=1)
def names() -> tuple[str, ...]:
    """All kinds, in the order of the document."""
    found = [item.name.removesuffix(_SUFFIX) for item in resources.files(__name__).iterdir() if item.name.endswith(_SUFFIX)]
    return tuple(sorted(found, key=lambda name: float(document(name)["x-genlevel"]["position"])))


@cache
def document(kind: str) -> Mapping[str, Any]:
    """The whole schema file of a kind.

    Raises:
        KeyError: no such kind, with the nearest names.
    """
    file = resources.files(__name__) / f"{kind}{_SUFFIX}"
    if not kind.isidentifier() or not file.is_file():
        known = [item.name.removesuffix(_SUFFIX) for item in resources.files(__name__).iterdir() if item.name.endswith(_SUFFIX)]
        near = difflib.get_close_matches(kind, known, n=3)
        raise KeyError(f"no input kind {kind!r}" + (f"; did you mean {', '.join(near)}?" if near else ""))
    loaded: Mapping[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return loaded


def schema(kind: str, side: Side | None = None) -> dict[str, Any]:
    """The JSON Schema of a kind, or of one of its sides alone.

    >>> schema("grounding", "reference")["$ref"]
    '#/$defs/reference'
    """
    whole = {key: value for key, value in document(kind).items() if key != "x-genlevel"}
    if side is None:
        return whole
    return {"$schema": whole["$schema"], "$ref": f"#/$defs/{side}", "$defs": whole["$defs"]}


def facts(kind: str) -> Mapping[str, Any]:
    """What the schema cannot say: group, metrics, units, rules, attributes, examples."""
    loaded: Mapping[str, Any] = document(kind)["x-genlevel"]
    return loaded


def strings_are_paths(kind: str, side: Side) -> bool:
    """Whether a string on that side is the path of a file (true) or the answer itself.

    >>> strings_are_paths("speech", "prediction"), strings_are_paths("speech", "reference")
    (True, False)
    """
    return bool(facts(kind)["strings_are_paths"][side])


def media_pointers(kind: str) -> tuple[str, ...]:
    """Places inside a list or object that hold a file, as JSON pointers in which `*` is any index.

    >>> media_pointers("instances")
    ('/*/mask', '/image')
    """
    return tuple(facts(kind).get("media_pointers", ()))
