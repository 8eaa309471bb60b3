"""A region of a picture that a sample carries among its attributes: run lengths, or a small picture in place."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genlevel_evaluator import media
from genlevel_evaluator.errors import SampleError
from genlevel_evaluator.pixels.grey import read_grey
from genlevel_image.forms.masks import decode_run_lengths


def region_of(attributes: Mapping[str, Any], name: str, level: int | None = None) -> NDArray[np.bool_] | None:
    """The pixels of a region, or None where the sample does not say it.

    Args:
        attributes: of the sample.
        name: of the attribute: run lengths of the region, or `{"name", "base64"}` of a grey picture.
        level: the grey value of the region; None for every value above 0.

    Raises:
        SampleError: of the reference, for the region is a part of the truth.
    """
    value = attributes.get(name)
    if value is None:
        return None
    try:
        return _read(value, name, level)
    except SampleError as error:
        raise SampleError(error.code, error.message, remedy=error.remedy, side="reference", pointer=f"/{name}") from None


def _read(value: Any, name: str, level: int | None) -> NDArray[np.bool_]:
    if isinstance(value, Mapping) and "counts" in value:
        return decode_run_lengths(_whole(value))
    if not isinstance(value, Mapping) or set(value) != {"name", "base64"}:
        raise SampleError("WRONG_TYPE", f"{name} is neither run lengths nor a picture in place", remedy='give {"size", "counts"} or {"name", "base64"}')
    try:
        data = base64.b64decode(str(value["base64"]), validate=True)
    except binascii.Error:
        raise SampleError("BAD_BASE64", f"{name} is not base64", remedy="encode the file as base64") from None
    grey = read_grey(media.from_bytes(data, str(value["name"])), name, name)
    if grey.lossy:
        raise SampleError("LOSSY_MASK", f"{name} is a JPEG, or a lossy WebP, which changes values", remedy="save a PNG")
    values = grey.values
    return np.asarray(values > 0 if level is None else values == level)


def _whole(value: Mapping[str, Any]) -> dict[str, Any]:
    """Attributes travel as doubles; run lengths are whole numbers."""
    return {key: [_integer(number) for number in entry] if isinstance(entry, list) else entry for key, entry in value.items()}


def _integer(number: Any) -> Any:
    return int(number) if isinstance(number, float) and number.is_integer() else number
