"""Alpha mattes: opacity in 0..1 for every pixel."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genlevel_evaluator.errors import SampleError
from genlevel_evaluator.kinds import Content
from genlevel_evaluator.metric import Sample
from genlevel_evaluator.pixels.grey import Grey, read_shares, same_size
from genlevel_evaluator.pixels.pictures import blob_of
from genlevel_image.forms.regions import region_of

UNKNOWN = 128
"""Grey value of a trimap's unknown region."""


def decode_matte(content: Content, attributes: Mapping[str, Any]) -> Grey:
    """A matte from a grey picture, or an array of floats in 0..1."""
    del attributes
    return read_shares(blob_of(content, "a matte"), "a matte", "alpha")


def errors(sample: Sample, region: str) -> tuple[float, float, int]:
    """Sum of absolute errors, sum of squared errors, and how many pixels they are of.

    Raises:
        SampleError: sizes that differ, or no unknown region where one is asked for.
    """
    prediction, reference = sample.prediction, sample.reference
    chosen = _unknown(sample) if region == "trimap" else None
    same_size(prediction.size, reference.size)
    difference, peak = _difference(prediction, reference)
    if chosen is not None:
        difference = difference[chosen]
    if difference.dtype.kind == "i":  # exact
        return float(np.abs(difference).sum(dtype=np.int64)) / peak, float(np.square(difference, dtype=np.int64).sum()) / peak**2, difference.size
    return float(np.abs(difference).sum()), float(np.square(difference).sum()), difference.size


def _difference(prediction: Grey, reference: Grey) -> tuple[NDArray[Any], float]:
    if prediction.peak == reference.peak and prediction.values.dtype.kind == reference.values.dtype.kind == "u":
        return prediction.values.astype(np.int32) - reference.values, reference.peak
    return prediction.shares() - reference.shares(), 1.0


def _unknown(sample: Sample) -> NDArray[np.bool_]:
    unknown = region_of(sample.attributes, "trimap", UNKNOWN)
    if unknown is None:
        raise SampleError("NO_TRIMAP", "region=trimap needs the unknown region", remedy="add the attribute trimap", side="reference")
    width, height = sample.reference.size
    if unknown.shape != (height, width):
        message = f"the trimap is {unknown.shape[1]} x {unknown.shape[0]} pixels, the reference {width} x {height}"
        raise SampleError("SIZE_MISMATCH", message, remedy="give the trimap in the size of the reference", side="reference", pointer="/trimap")
    if not unknown.any():
        raise SampleError("NO_VALID_PIXEL", "the trimap has no unknown pixel", remedy=f"mark the unknown region with {UNKNOWN}", side="reference", pointer="/trimap")
    return unknown
