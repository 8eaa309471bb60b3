"""Anomaly and infection maps: a score in 0..1 for every pixel, or one for the picture; and the masks they are held against."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genlevel_evaluator.errors import SampleError
from genlevel_evaluator.kinds import Content, json_type
from genlevel_evaluator.media import Blob
from genlevel_evaluator.pixels.channels import read_channels
from genlevel_evaluator.pixels.grey import Grey, read_shares
from genlevel_evaluator.pixels.planes import read_array
from genlevel_image.forms.masks import decode_run_lengths, lossy_mask


@dataclass(frozen=True)
class ScoreMap:
    """What a system says of a picture: a map, or one score."""

    grey: Grey | None
    score: float = 0.0


@dataclass(frozen=True)
class TrueMask:
    """What is true of a picture: a mask, or one truth value. `lossy` says that the file of the mask had changed it a little."""

    mask: NDArray[np.bool_] | None
    truth: bool = False
    lossy: bool = False


def decode_map(content: Content, attributes: Mapping[str, Any]) -> ScoreMap:
    """A map from a grey picture or an array of floats in 0..1, or a number in 0..1."""
    del attributes
    if content.media is not None:
        return ScoreMap(read_shares(content.media, "a score map", "map"))
    value = content.json
    if isinstance(value, bool) or not isinstance(value, int | float):
        given = "text" if content.text is not None else json_type(value)
        raise SampleError("WRONG_TYPE", f"expected a score map or a number, got {given}", remedy="give the path of a file, or a score in 0..1")
    if not 0 <= value <= 1:
        raise SampleError("OUT_OF_RANGE", "a score is outside 0..1", remedy="scale scores to 0..1")
    return ScoreMap(None, float(value))


def decode_truth(content: Content, attributes: Mapping[str, Any]) -> TrueMask:
    """A mask from a grey picture (above 0), an array or run lengths; or 0 or 1 for the whole picture."""
    del attributes
    if content.media is not None:
        return _read_truth(content.media, content.media.name or "the mask")
    value = content.json
    if isinstance(value, dict):
        return TrueMask(decode_run_lengths(value))
    if value in (0, 1) and isinstance(value, bool | int | float):
        return TrueMask(None, bool(value))
    given = "text" if content.text is not None else json_type(value)
    raise SampleError("WRONG_TYPE", f"expected a mask, 0 or 1, got {given}", remedy="give the path of a mask, run lengths, or 0 or 1")


def _read_truth(blob: Blob, name: str) -> TrueMask:
    if blob.suffix in (".npy", ".npz"):
        values = read_array(blob, name, "mask")
    else:
        read = read_channels(blob, name)
        if read.lossy:
            return TrueMask(lossy_mask(read, name), lossy=True)
        one = read.one()
        if one is None:
            raise SampleError("WRONG_TYPE", f"{name} has the channels {read.mode}, and a mask has one", remedy="save one grey channel")
        values = one
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        raise SampleError("NOT_FINITE", f"{name} holds NaN or infinity", remedy="use 0 and 1")
    return TrueMask(np.asarray(values > 0))
