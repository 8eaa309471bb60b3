"""Fréchet audio distance: how far the features of generated recordings are from those of real ones, as two Gaussians.

    fad = |m1 - m2|^2 + tr S1 + tr S2 - 2 tr (S1 S2)^(1/2)

m and S are mean and unbiased covariance of the features of all windows of all files of a side, so long files weigh more.

    Direction       lower is better
    Range           [0, inf)
    Unit            absolute
    Pooling         set: one value of two sets
    Sample          a generated recording (prediction), a real one (reference), or one of each
    State           feature rows of both sides; on disk past 128 MB a side
    Undefined when  no reference: no_reference; fewer than two windows on a side: too_few_samples
    Companions      windows and files a side; kad and its standard error (kernel distance of the same rows); precision, recall and
                    authenticity of the windows in percent, as those of fid; from 500 windows a side on, and where half of them are more
                    than dimensions, fad_infinity and its standard error: the value at endless windows, by a line through the distances of subsets of the generated
                    windows against 1/n (Gui et al. 2024); per_song_mean and per_song_worst: the distance of single generated files of two
                    windows and more from all real windows, per_song_files of them
    Backbones       clap: unit vectors of 512 values of 10 s at 48 kHz, as in clap_score; fits music and long effects better. vggish: 128 values of 0.96 s at 16 kHz before the last ReLU, the network of the literature. aisfx: 512 values of
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

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from genlevel_evaluator.metric import Metric, Sample, Score
from genlevel_evaluator.parameters import Parameters
from genlevel_evaluator.states import Column, Row, Rows, feature_rows

DIMENSIONS = {"aisfx": 512, "vggish": 128, "clap": 512}
WIDTH = max(DIMENSIONS.values())


@dataclass(frozen=True)
class FadParameters(Parameters):
    """Parameters of the Fréchet audio distance.

    Attributes:
        backbone: network the features are taken from.
    """

    backbone: Literal["aisfx", "vggish", "clap"] = "aisfx"


def observe(sample: Sample, parameters: FadParameters) -> Row:
    """Features of the sides that are there, filled up with zeros to the width of the column."""
    return {f"{side}_features": feature_rows(sample.features.get((parameters.backbone, side)), WIDTH) for side in ("prediction", "reference")}


def score(rows: Rows, parameters: FadParameters) -> Score:
    """Fréchet distance of the two sets."""
    from genlevel_audio import per_song
    from genlevel_evaluator.statistics import frechet, set_companions

    width = DIMENSIONS[parameters.backbone]
    generated, real = (rows.features(f"{side}_features")[:, :width] for side in ("prediction", "reference"))
    counts = {
        "prediction_windows": float(len(generated)), "reference_windows": float(len(real)),
        **{f"{side}_files": float(np.sum(rows.lengths[f"{side}_features"] > 0)) for side in ("prediction", "reference")},
    }
    if min(counts["prediction_windows"], counts["reference_windows"]) < 2:
        return Score(None, "too_few_samples" if counts["reference_windows"] else "no_reference", counts)
    value = frechet.frechet_distance(generated, real)
    beside = counts | per_song.companions(generated, rows.lengths["prediction_features"], real) | set_companions.companions(generated, real, "fad", "kad")
    return Score(value, companions=beside, warnings=frechet.sample_warnings(generated, real))


METRIC = Metric(
    id="fad", version=1, input_kind="audio", unit="absolute", higher_is_better=False, value_range=(0.0, math.inf),
    pooling="set", parameters=FadParameters,
    columns={f"{side}_features": Column("f4", (WIDTH,), ragged=True, features=True) for side in ("prediction", "reference")},
    observe=observe, score=score, backbones=lambda parameters: (parameters.backbone,), reads=(), set_metric=True,
)
