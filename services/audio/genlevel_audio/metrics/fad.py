"""Fréchet audio distance: how far the features of generated recordings are from those of real ones, as two Gaussians.

    fad = |m1 - m2|^2 + tr S1 + tr S2 - 2 tr (S1 S2)^(1/2)

m and S are mean and unbiased covariance of the features of all windows of all files of a side, so long files weigh more.

    Direction       lower is better
    Range           [0, inf)
    Unit            absolute
    Pooling         set: one value of two sets
    Sample          a generated recording (prediction), a real one (reference), or one of each
    State           feature rows of both sides; folded into moments beyond 4,096 rows
    Undefined when  no reference: no_reference; fewer than two windows on a side: too_few_samples
    Companions      windows and files a side; kad and its standard error (kernel distance of the same rows); from 500 windows a side on
                    fad_infinity and its standard error: the value at endless windows, by a line through the distances of subsets
                    of the generated windows against 1/n (Gui et al. 2024)
    Backbones       vggish: 128 values of 0.96 s at 16 kHz before the last ReLU, the network of the literature. aisfx: 512 values of
                    2.3 s at 44.1 kHz, a stand-in that can be had offline; its values are on another scale and not comparable
    Source          Kilgour et al. 2019
    Checked with    pytorch-fid 0.3.0 (the function frechet-audio-distance 0.3.4 took over) on equal embeddings; librosa 0.11.0 (mels of
                    aisfx); torchvision 0.26 layers and scalar loops (vggish)
    Differs from    the first TensorFlow release, whose windows overlap; values after PCA and 8-bit rounding are on another scale

No interval: windows of one file are not independent, and resampling inflates a Fréchet distance. Below 2,048 windows a side the
value is mostly bias: warning small_sample.

    >>> import numpy as np
    >>> from genlevel_evaluator.metric import Sample
    >>> row = observe(Sample("1", features={("vggish", "reference"): np.ones((3, 128))}), FadParameters(backbone="vggish"))
    >>> row["prediction_features"].shape, row["reference_features"].shape
    ((0, 512), (3, 512))
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from genlevel_evaluator.metric import Metric, Sample, Score
from genlevel_evaluator.parameters import Parameters
from genlevel_evaluator.states import Column, Moments, Row, Rows

DIMENSIONS = {"aisfx": 512, "vggish": 128}
WIDTH = max(DIMENSIONS.values())
INFINITY_WINDOWS = 500
INFINITY_POINTS = 9


@dataclass(frozen=True)
class FadParameters(Parameters):
    """Parameters of the Fréchet audio distance.

    Attributes:
        backbone: network the features are taken from.
    """

    backbone: Literal["aisfx", "vggish"] = "aisfx"


def observe(sample: Sample, parameters: FadParameters) -> Row:
    """Features of the sides that are there, filled up with zeros to the width of the column."""
    return {f"{side}_features": _features(sample, parameters.backbone, side) for side in ("prediction", "reference")}


def _features(sample: Sample, backbone: str, side: str) -> NDArray[np.float32]:
    # The columns of a metric have one width whatever its parameters; zeros add nothing, and `score` cuts them off.
    windows = sample.features.get((backbone, side))
    padded = np.zeros((0 if windows is None else len(windows), WIDTH), dtype=np.float32)
    if windows is not None:
        padded[:, : DIMENSIONS[backbone]] = windows
    return padded


def score(rows: Rows, parameters: FadParameters) -> Score:
    """Fréchet distance of the two sets."""
    from genlevel_evaluator.statistics import frechet

    width = DIMENSIONS[parameters.backbone]
    generated, real = (_cut(rows.features(f"{side}_features"), width) for side in ("prediction", "reference"))
    counts = {
        "prediction_windows": float(frechet.sample_count(generated)), "reference_windows": float(frechet.sample_count(real)),
        **_files(rows),
    }
    if min(counts["prediction_windows"], counts["reference_windows"]) < 2:
        return Score(None, "too_few_samples" if counts["reference_windows"] else "no_reference", counts)
    value = frechet.frechet_distance(generated, real)
    return Score(value, companions={**counts, **_companions(generated, real)}, warnings=frechet.sample_warnings(generated, real))


def _cut(features: NDArray[Any] | Moments, width: int) -> NDArray[Any] | Moments:
    if isinstance(features, Moments):
        return Moments(features.count, features.mean[:width], features.scatter[:width, :width])
    return features[:, :width]


def _files(rows: Rows) -> dict[str, float]:
    """Files a side, where the rows were not folded."""
    if rows.folded:
        return {}
    return {f"{side}_files": float(np.sum(rows.lengths[f"{side}_features"] > 0)) for side in ("prediction", "reference")}


def _companions(generated: NDArray[Any] | Moments, real: NDArray[Any] | Moments) -> dict[str, float]:
    """Kernel distance and FAD-infinity need the rows, so they end where those were folded."""
    from genlevel_evaluator.statistics import frechet

    if isinstance(generated, Moments) or isinstance(real, Moments):
        return {}
    kernel = frechet.kernel_distance(generated, real)
    found = {} if kernel is None else {"kad": kernel.value, "kad_standard_error": kernel.standard_error}
    if min(len(generated), len(real)) < INFINITY_WINDOWS:
        return found
    value, error = infinity(generated, real)
    return {**found, "fad_infinity": value, "fad_infinity_standard_error": error}


def infinity(generated: NDArray[Any], real: NDArray[Any]) -> tuple[float, float]:
    """Distance at endless generated windows and the standard error of the fit.

    Subsets of half to all of the windows are drawn without replacement, by a generator seeded with the windows themselves.
    """
    from genlevel_evaluator.statistics import frechet

    seed = int.from_bytes(hashlib.sha256(np.ascontiguousarray(generated).tobytes()).digest()[:8], "little")
    source = np.random.default_rng(seed)
    sizes = np.linspace(len(generated) // 2, len(generated), INFINITY_POINTS).astype(int)
    baseline = Moments.of(real)
    subsets = (np.sort(source.choice(len(generated), size, replace=False)) for size in sizes)
    values = np.array([frechet.frechet_distance(Moments.of(generated[subset]), baseline) for subset in subsets])
    return _intercept(1.0 / sizes, values)


def _intercept(places: NDArray[Any], values: NDArray[Any]) -> tuple[float, float]:
    """Value at zero of the least-squares line, with its standard error."""
    centred = places - places.mean()
    spread = float(centred @ centred)
    slope = float(centred @ values) / spread
    at_zero = float(values.mean()) - slope * float(places.mean())
    residuals = values - (at_zero + slope * places)
    variance = float(residuals @ residuals) / (len(values) - 2)
    return at_zero, math.sqrt(variance * (1.0 / len(values) + float(places.mean()) ** 2 / spread))


METRIC = Metric(
    id="fad", version=1, input_kind="audio", unit="absolute", higher_is_better=False, value_range=(0.0, math.inf),
    pooling="set", parameters=FadParameters,
    columns={f"{side}_features": Column("f4", (WIDTH,), ragged=True, fold=True) for side in ("prediction", "reference")},
    observe=observe, score=score, backbones=lambda parameters: (parameters.backbone,), set_metric=True,
)
