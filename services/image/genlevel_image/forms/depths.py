"""Depth maps: metres for every pixel."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from genlevel_evaluator.errors import SampleError
from genlevel_evaluator.kinds import Content
from genlevel_evaluator.pixels.grey import Grey, read_grey
from genlevel_evaluator.pixels.pictures import blob_of


def decode_depth(content: Content, attributes: Mapping[str, Any]) -> Grey:
    """A depth map as it was stored: a 16-bit picture in the unit the metric's parameters say, or an array of metres."""
    del attributes
    blob = blob_of(content, "a depth map")
    grey = read_grey(blob, "a depth map", "depth")
    if grey.values.dtype.kind == "u" and grey.values.dtype.itemsize < 2:
        name = blob.name or "the depth map"
        raise SampleError("WRONG_TYPE", f"{name} has 8 bits, too few for a distance", remedy="save a PNG of 16 bits, or an array of metres")
    return grey
