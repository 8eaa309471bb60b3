"""Fréchet distance of features of generated and real human motions.

    fid_motion = |m1 - m2|^2 + tr(S1 + S2 - 2 (S1 S2)^(1/2)) over the features of motions, covariances unbiased, in float64

    Direction   lower is better
    Range       [0, inf]
    Unit        absolute
    Pooling     set: one value of two sets
    Sample      prediction: a generated motion; reference: a real one; either may be absent, and the sets need not be of one size
    State       feature rows of either side and of the captions, and the number of the caption, keyed by sample
    Undefined   no real motion: no_reference; fewer than two motions on a side: too_few_samples
    Source      Guo et al. 2022 (HumanML3D); Fréchet distance: Heusel et al. 2017
    Companions  predictions, references (motions); diversity, diversity_reference: mean distance of two motions of a side; multimodality: the same
                of the generated motions of one caption, mean over captions with several (attribute `caption`, `text`, `prompt`, `captions` or `texts`);
                kid, precision, recall, authenticity as for fid. With `beside=texts`: r_precision_1, _2, _3, percent of captions whose motion is among
                the nearest 1, 2, 3 of a batch of 32 (by chance 3.1, 6.3, 9.4); matching_distance, mean distance of a motion and its captions; texts,
                generated motions with captions; all of them again for the real motions, `..._reference`, which is the ceiling. Fewer than 32
                motions of a side with captions have the number only (`fewer_than_32_texts`)
    Checked with  the nuclear norm of the centred features' product and scipy's pdist; the networks with seeded weights against PyTorch's own layers over
                packed sequences; R-precision by sorting the distances of each batch
    Differs from  the literature averages 20 replications that cut each motion at random places; here a motion is cut once, to a multiple of four
                frames from its start, at most 196. Diversity is over all pairs, not 300 drawn ones. R-precision is the mean of 20 shuffles by `seed`, each
                of which draws one caption of several, as the replications do; the matching distance is over all captions, which such draws
                tend to. Several motions of one caption hide one another from it: leave them out where R-precision is read.
                Captions need the tokens of HumanML3D's text files: one without them, or of a part of the motion, is a warning and is left out of both, since other tags and other forms of a word are other vectors. The default features are statistics of the motion, a stand-in
                whose values are on another scale and in no space with captions, so neither is given; `backbone=t2m-evaluator` is the network of
                the literature.

    >>> from genlevel_three_d.scenes.spread import mean_distance
    >>> float(mean_distance(np.array([[0.0], [1.0], [3.0]])))
    2.0
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from genlevel_evaluator.errors import SampleError
from genlevel_evaluator.metric import Metric, Sample, Score, each_side
from genlevel_evaluator.parameters import Parameters
from genlevel_evaluator.states import Column, Row, Rows, feature_rows
from genlevel_evaluator.statistics.frechet import frechet_distance, sample_warnings
from genlevel_evaluator.statistics.set_companions import companions
from genlevel_three_d.forms.motion_texts import read_texts, told
from genlevel_three_d.forms.objects import label_number
from genlevel_three_d.scenes.matching import BATCH, matching_distance, r_precision
from genlevel_three_d.scenes.spread import mean_distance

_WIDTH = 512
_FEATURES = Column("f4", (_WIDTH,), ragged=True, features=True)


@dataclass(frozen=True)
class FidMotionParameters(Parameters):
    """Parameters of the Fréchet motion distance.

    Attributes:
        backbone: `t2m-evaluator` is HumanML3D's network; `kinematics` needs no weights, and its values are not comparable with published ones.
        beside: `texts` holds motions against their captions, which takes the text encoder of `t2m-evaluator` and its word vectors; `motions` does not.
        seed: of the batches in which captions look for their motions.
    """

    backbone: Literal["kinematics", "t2m-evaluator"] = "kinematics"
    beside: Literal["motions", "texts"] = "motions"
    seed: int = 0

    def __post_init__(self) -> None:
        if self.beside == "texts" and self.backbone != "t2m-evaluator":
            raise ValueError("beside=texts belongs to backbone=t2m-evaluator")
        if self.seed < 0:
            raise ValueError("seed: must not be negative")


def network(parameters: FidMotionParameters) -> str:
    """Name of the network, with or without its text encoder."""
    return parameters.backbone + ".texts" * (parameters.beside == "texts")


def sides(sample: Sample) -> Mapping[str, Any]:
    """Both motions, and the captions that can be read."""
    return {**each_side(sample), "texts": read_texts(sample.attributes)[0]}


def observe(sample: Sample, parameters: FidMotionParameters) -> Row:
    """The features of the sides that are there."""
    name, caption = network(parameters), told(sample.attributes)
    rows = {f"{side}_features": feature_rows(sample.features.get((name, side)), _WIDTH) for side in ("prediction", "reference", "texts")}
    return {**rows, "caption": 0 if caption is None else label_number(str(caption))}


def remarks(sample: Sample, row: Row, parameters: FidMotionParameters) -> Sequence[SampleError]:
    """Why a caption is not held against its motion."""
    del row
    return read_texts(sample.attributes)[1] if parameters.beside == "texts" else ()


def score(rows: Rows, parameters: FidMotionParameters) -> Score:
    """Distance of the two sets."""
    generated, real = (rows.features(f"{side}_features") for side in ("prediction", "reference"))
    counts = {"predictions": float(len(generated)), "references": float(len(real))}
    if min(counts.values()) < 2:
        return Score(None, "too_few_samples" if len(real) else "no_reference", counts)
    beside = counts | companions(generated, real, "fid_motion", "kid") | {"diversity": mean_distance(generated), "diversity_reference": mean_distance(real)}
    beside |= _multimodality(rows)
    warnings = sample_warnings(generated, real) + ("kinematics_not_t2m",) * (parameters.backbone == "kinematics")
    if parameters.beside == "texts":
        found = _texts(rows, "prediction", parameters.seed), _texts(rows, "reference", parameters.seed)
        beside |= found[0] | {f"{name}_reference": value for name, value in found[1].items()}
        warnings += ("fewer_than_32_texts",) * any(one["texts"] < BATCH for one in found)
    return Score(frechet_distance(generated, real), companions=beside, warnings=warnings)


def _texts(rows: Rows, side: str, seed: int) -> dict[str, float]:
    """How well the motions of a side and their captions find one another; only the number of motions where they fill no batch."""
    held = (rows.lengths[f"{side}_features"] > 0) & (rows.lengths["texts_features"] > 0)
    pairs = rows.take(held)
    texts, motions = pairs.ragged("texts_features"), pairs.features(f"{side}_features")
    if len(pairs) < BATCH:
        return {"texts": float(len(pairs))}
    shares = {f"r_precision_{place + 1}": float(share) for place, share in enumerate(r_precision(texts, motions, seed))}
    return {"texts": float(len(pairs)), **shares, "matching_distance": matching_distance(texts, motions)}


def _multimodality(rows: Rows) -> dict[str, float]:
    """Mean distance of two motions of one caption."""
    generated = rows.features("prediction_features")
    captions = np.repeat(rows.column("caption"), rows.lengths["prediction_features"])
    names, counts = np.unique(captions[captions != 0], return_counts=True)
    found = [mean_distance(generated[captions == name]) for name in names[counts > 1]]
    return {"multimodality": math.fsum(found) / len(found)} if found else {}


METRIC = Metric(
    id="fid_motion", version=1, input_kind="motion", unit="absolute", higher_is_better=False, value_range=(0.0, float("inf")), pooling="set",
    parameters=FidMotionParameters, columns={"prediction_features": _FEATURES, "reference_features": _FEATURES, "texts_features": _FEATURES, "caption": Column("i8")},
    observe=observe, score=score, backbones=lambda parameters: (network(parameters),), sides=sides, reads=(), set_metric=True, remarks=remarks,
)  # fmt: skip
