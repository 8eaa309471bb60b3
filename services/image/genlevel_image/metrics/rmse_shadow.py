"""Shadow removal error: absolute CIELAB differences summed over the channels, which shadow papers call RMSE.

    error(pixel) = |dL| + |da| + |db|, both pictures at 256 x 256
    rmse_shadow  = mean over pictures of the mean of error over pixels

    Direction   lower is better
    Range       [0, inf]
    Unit        Lab units
    Pooling     sample: the mean over pictures
    Sample      prediction and reference; the first reference counts. `region` needs the attribute `mask`, the shadow
    State       a row of (all, shadow, lit) errors of each picture, keyed by sample; NaN where a region is not said or empty
    Undefined   no reference, or no pixel of the region in any picture: no_valid_pixel
    Source      the evaluation of ISTD (Wang et al. 2018) as later papers run it
    Checked with  scikit-image 0.26, color.rgb2lab (`white=d65`); Little CMS by Pillow 13 (`white=d50`)
    Differs from  `measure=rms` is a root mean square over pixels and channels, less than half of it. White is D50 as in MATLAB's profile transform;
                scikit-image's is D65. OpenCV's 8-bit Lab has another scale of L.

Pictures are scaled by definition; where the two sizes differ a warning says so.

    >>> import numpy as np
    >>> from genlevel_image.pixels.lab import lab
    >>> white, black = lab(np.array([[1.0, 1.0, 1.0], [0.0, 0.0, 0.0]]))
    >>> round(float(np.abs(white - black).sum()), 1)
    100.0
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from genlevel_evaluator.errors import SampleError
from genlevel_evaluator.metric import Metric, Sample, Score
from genlevel_evaluator.parameters import Parameters
from genlevel_evaluator.pixels.grey import same_size
from genlevel_evaluator.states import Column, Row, Rows
from genlevel_evaluator.statistics.intervals import Interval, bootstrap_mean
from genlevel_image.forms.regions import region_of
from genlevel_image.media import Picture
from genlevel_image.pixels.lab import lab
from genlevel_image.pixels.resampling import bicubic


@dataclass(frozen=True)
class ShadowParameters(Parameters):
    """Parameters of the shadow removal error.

    Attributes:
        region: pixels that count: `all`, `shadow` or `lit`, by the attribute `mask`.
        measure: `absolute`, or `rms` for the root mean square over pixels and channels.
        size: pixels a side that both pictures are scaled to; 0 compares pictures of one size as they are.
        white: `d50`, or `d65`.
    """

    region: Literal["all", "shadow", "lit"] = "all"
    measure: Literal["absolute", "rms"] = "absolute"
    size: int = 256
    white: Literal["d50", "d65"] = "d50"

    def __post_init__(self) -> None:
        if not 0 <= self.size <= 8192:
            raise ValueError("size must be 0 to 8192")


def observe(sample: Sample, parameters: ShadowParameters) -> Row:
    """The error of all pixels, of those in shadow and of those in light."""
    mask = _mask(sample, parameters)
    if not parameters.size:
        same_size(sample.prediction.size, sample.reference.size)
    ours, theirs = (_lab(picture, parameters) for picture in (sample.prediction, sample.reference))
    difference = ours - theirs
    each = np.abs(difference).sum(axis=2) if parameters.measure == "absolute" else np.square(difference).mean(axis=2)
    regions = {"all": np.ones(each.shape, dtype=bool)}
    regions |= {"shadow": mask, "lit": ~mask} if mask is not None else {"shadow": ~regions["all"], "lit": ~regions["all"]}
    means = {name: float(each[chosen].mean()) if chosen.any() else math.nan for name, chosen in regions.items()}
    return means if parameters.measure == "absolute" else {name: math.sqrt(mean) for name, mean in means.items()}


def score(rows: Rows, parameters: ShadowParameters) -> Score:
    """Mean over pictures."""
    means = {name: _mean(rows.column(name)) for name in ("all", "shadow", "lit")}
    value = means[parameters.region]
    companions = {f"{name}_pixels": mean for name, mean in means.items() if mean is not None}
    return Score(value, companions=companions) if value is not None else Score(None, "no_valid_pixel", companions=companions)


def interval(rows: Rows, parameters: ShadowParameters) -> Interval | None:
    """Bootstrap over pictures that have the region."""
    values = rows.column(parameters.region)
    defined = np.isfinite(values)
    return bootstrap_mean([key for key, kept in zip(rows.keys, defined, strict=True) if kept], values[defined])


def remarks(sample: Sample, row: Row, parameters: ShadowParameters) -> list[SampleError]:
    """Sizes that differ before both are scaled."""
    del row, parameters
    if sample.prediction.size == sample.reference.size:
        return []
    message = "the prediction is {} x {} pixels, the reference {} x {}; both were scaled to one size".format(*sample.prediction.size, *sample.reference.size)
    return [SampleError("SIZE_MISMATCH", message, remedy="give the picture in the size of its reference", side="prediction")]


def _mask(sample: Sample, parameters: ShadowParameters) -> NDArray[np.bool_] | None:
    mask = region_of(sample.attributes, "mask")
    if mask is None:
        if parameters.region != "all":
            raise SampleError("NO_MASK", f"region={parameters.region} needs the mask of the shadow", remedy="add the attribute mask", side="reference")
        return None
    width, height = sample.reference.size
    if mask.shape != (height, width):
        message = f"the mask is {mask.shape[1]} x {mask.shape[0]} pixels, the reference {width} x {height}"
        raise SampleError("SIZE_MISMATCH", message, remedy="give the mask in the size of the reference", side="reference", pointer="/mask")
    side = parameters.size
    return np.asarray(bicubic(mask.astype(np.float32), (side, side)) > 0.5) if side else mask


def _lab(picture: Picture, parameters: ShadowParameters) -> NDArray[np.float64]:
    size = (parameters.size, parameters.size) if parameters.size else picture.size
    planes = [bicubic(np.divide(picture.pixels[:, :, channel], picture.peak, dtype=np.float32), size) for channel in range(3)]
    return lab(np.stack(planes, axis=2).astype(np.float64), parameters.white)


def _mean(values: NDArray[np.float64]) -> float | None:
    defined = values[np.isfinite(values)]
    return math.fsum(defined) / len(defined) if len(defined) else None


METRIC = Metric(
    id="rmse_shadow", version=1, input_kind="image", unit="Lab units", higher_is_better=False, value_range=(0.0, float("inf")), pooling="sample",
    parameters=ShadowParameters, columns={"all": Column("f8"), "shadow": Column("f8"), "lit": Column("f8")},
    observe=observe, score=score, interval=interval, samples=lambda rows, parameters: rows.column(parameters.region), remarks=remarks,
)
