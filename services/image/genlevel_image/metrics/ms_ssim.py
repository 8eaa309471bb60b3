"""MS-SSIM: structural similarity of pictures over five levels of a pyramid, in the form of document unwarping.

    docunet   value = sum over levels of w * mean SSIM, grey, the reference scaled to 598,400 pixels and the result to its size
    wang      value = product over levels 1 to 4 of (mean contrast-structure)^w, times (mean SSIM)^w of level 5
    w = 0.0448, 0.2856, 0.3001, 0.2363, 0.1333; ms_ssim = mean over pictures

    Direction   higher is better
    Range       [-1, 1]
    Unit        fraction -1..1
    Pooling     sample: the mean over pictures; a missing picture is -1
    Sample      prediction and reference; of several references the best counts. `variant=wang`, and `area=0`, want one size
    State       a row of the similarity of each picture, keyed by sample
    Undefined   no sample has a reference: no_reference
    Source      Ma et al. 2018, DocUNet (its evaluation); Wang, Simoncelli and Bovik 2003 for `wang`
    Checked with  scikit-image 0.26 (SSIM), SciPy 1.17 (pyramid), pytorch-msssim 1.0.0 and torchmetrics 1.9 (`wang`)
    Differs from  DocUNet's program rounds to 8 bits after every step; the weights add up to 1.0001, and a value is cut at 1. Resizing is bicubic
                with antialiasing. Under `wang` an odd last row or column falls away at each level; pytorch-msssim pads it with zeros.

    >>> from genlevel_evaluator.pixels.structural_similarity import WEIGHTS
    >>> round(sum(WEIGHTS), 4)
    1.0001
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
from genlevel_evaluator.pixels.structural_similarity import SMALLEST, Plane, arithmetic, product
from genlevel_evaluator.states import Column, Row, Rows
from genlevel_evaluator.statistics.intervals import Interval, bootstrap_mean
from genlevel_image.media import Picture
from genlevel_image.pixels.resampling import bicubic

# BT.601 luma, as MATLAB's rgb2gray has it.
_LUMA = np.array([0.298936021293775, 0.587043074451121, 0.114020904255103])


@dataclass(frozen=True)
class MsSsimParameters(Parameters):
    """Parameters of MS-SSIM.

    Attributes:
        variant: `docunet`, the weighted sum, or `wang`, the weighted product.
        channel: of `wang`: `grey`, or `rgb` for the mean over the channels.
        area: of `docunet`: pixels that the reference is scaled to, in its own aspect; 0 compares pictures of one size as they are.
    """

    variant: Literal["docunet", "wang"] = "docunet"
    channel: Literal["grey", "rgb"] = "grey"
    area: int = 598_400

    def __post_init__(self) -> None:
        if not 0 <= self.area <= 1 << 26:
            raise ValueError("area must be 0 to 67108864")
        if self.variant == "docunet" and self.channel != "grey":
            raise ValueError("variant=docunet is of grey pictures")


def observe(sample: Sample, parameters: MsSsimParameters) -> Row:
    """The best similarity with the references."""
    compare = _docunet if parameters.variant == "docunet" else _wang
    return {"similarity": max(compare(sample.prediction, reference, parameters) for reference in sample.references)}


def missing(sample: Sample, parameters: MsSsimParameters) -> Row:
    """No picture is as unlike as can be."""
    del sample, parameters
    return {"similarity": -1.0}


def score(rows: Rows, parameters: MsSsimParameters) -> Score:
    """Mean over pictures."""
    del parameters
    values = rows.column("similarity")
    return Score(math.fsum(values) / len(values), companions={"worst": float(values.min()), "best": float(values.max())})


def interval(rows: Rows, parameters: MsSsimParameters) -> Interval | None:
    """Bootstrap over pictures."""
    del parameters
    return bootstrap_mean(rows.keys, rows.column("similarity"))


def _docunet(prediction: Picture, reference: Picture, parameters: MsSsimParameters) -> float:
    ours, theirs = _grey(prediction), _grey(reference)
    if not parameters.area:
        same_size(prediction.size, reference.size)
        return min(arithmetic(ours, theirs), 1.0)
    width, height = reference.size
    scale = math.sqrt(parameters.area / (width * height))
    size = max(1, math.ceil(width * scale)), max(1, math.ceil(height * scale))
    return min(arithmetic(bicubic(ours, size).astype(np.float64), bicubic(theirs, size).astype(np.float64)), 1.0)


def _wang(prediction: Picture, reference: Picture, parameters: MsSsimParameters) -> float:
    same_size(prediction.size, reference.size)
    if min(reference.size) < SMALLEST:
        message = "a picture of {} x {} pixels is too small for five levels".format(*reference.size)
        raise SampleError("TOO_SMALL", message, remedy=f"give at least {SMALLEST} pixels a side, or use variant=docunet", side="reference")
    if parameters.channel == "grey":
        return product(_grey(prediction), _grey(reference))
    planes = [[plane / picture.peak for plane in np.moveaxis(picture.pixels, 2, 0)] for picture in (prediction, reference)]
    return math.fsum(product(ours, theirs) for ours, theirs in zip(*planes, strict=True)) / 3


def _grey(picture: Picture) -> Plane:
    grey: NDArray[np.float64] = picture.pixels @ (_LUMA / picture.peak)
    return grey


METRIC = Metric(
    id="ms_ssim", version=1, input_kind="image", unit="fraction -1..1", higher_is_better=True, value_range=(-1.0, 1.0), pooling="sample",
    parameters=MsSsimParameters, columns={"similarity": Column("f8")},
    observe=observe, score=score, missing=missing, interval=interval, samples=lambda rows, _: rows.column("similarity"),
)
