"""Counts: a number, or the sum of a density map in a file."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

import numpy as np

from genlevel_evaluator.errors import SampleError
from genlevel_evaluator.kinds import Content, InputKind
from genlevel_evaluator.media import Blob


def decode_count(content: Content, attributes: Mapping[str, Any]) -> float:
    """The count of one picture."""
    del attributes
    if isinstance(content.json, dict) and isinstance(content.json.get("density"), Blob):
        return float(np.load(io.BytesIO(content.json["density"].read())).sum(dtype=np.float64))
    if isinstance(content.json, int | float):
        return float(content.json)
    if content.text is not None:
        return float(content.text)
    raise SampleError("WRONG_TYPE", "expected a number or a density map", remedy="see docs/formats.md, kind count")


KINDS = {"count": InputKind("count", strings_are_paths=False, decode=decode_count)}
