"""Image-to-video composite: the mean of four qualities of clips that were made from a picture and a text.

    i2v_composite = 100 (subject + overall + smoothness + dynamic) / 4

subject is subject_consistency / 100, overall is overall_consistency / 100, a plain cosine, smoothness motion_smoothness / 100, dynamic
dynamic_degree / 100: each pooled over the whole task as that metric pools it. A sum below zero gives zero.

Direction   higher is better
Range       [0, 100]
Unit        percent
Pooling     sequence: the mean of four aggregates; a missing clip counts in each of them as it does there
Sample      prediction: a clip; references: its prompt, and the picture it was made from, which only the companions i2v_* look at
State       rows of the four parts, keyed by sample
Undefined   no prompt: no_reference; a part without a clip long enough for it: too_few_samples. Where the weights of one of the four networks
            were not fetched there is no score at all, never a mean of three
Companions  subject_consistency, overall_consistency, motion_smoothness, dynamic_degree: the parts in their own units; clips;
            i2v_subject, i2v_background: 100 times the mean cosine of frames and the picture, over the clips that have one, of the networks
            of subject and of background consistency (one network by default, hence one value)
Backbones   those of the four metrics. Only with DINO, ViCLIP and RAFT are the first, second and fourth part VBench's; the third has no
            network of VBench here, so all values carry the warning `not_comparable`. One pass over a clip feeds all four
Source      the benchmark's label, DINO + ViCLIP + optical flow + motion smoothness; Huang et al. 2024 (VBench), arXiv 2311.17982
Checked with  the four metrics on the same samples; derivation
Differs from  the public scorer adds the four fractions, and whatever older results lie in its folder; its published values fit the mean.
            The picture plays no part in it, so a clip that ignores its picture loses nothing: look at i2v_subject.

>>> round(combined([0.95, 0.25, 0.98, 0.40]), 6)
64.5
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from genlevel_evaluator import alignment
from genlevel_evaluator.errors import SampleError
from genlevel_evaluator.metric import Metric, Sample, Score
from genlevel_evaluator.parameters import Parameters
from genlevel_evaluator.states import Column, Row, Rows
from genlevel_evaluator.statistics.intervals import Interval, bootstrap
from genlevel_video.measures import clip_texts, consistency, frame_means
from genlevel_video.metrics import dynamic_degree, motion_smoothness

NOT_COMPARABLE = "not_comparable"
PARTS = ("subject_consistency", "overall_consistency", "motion_smoothness", "dynamic_degree")


@dataclass(frozen=True)
class CompositeParameters(Parameters):
    """Parameters of the image-to-video composite.

    Attributes:
        subject: network of subject consistency.
        overall: network of overall consistency.
        smoothness: network of motion smoothness.
        flow: what makes the flow of the dynamic degree.
        background: network of the companion i2v_background.
    """

    subject: Literal["efficientnet-lite0", "dino-vit-b-16"] = "efficientnet-lite0"
    overall: Literal["conse-frames", "viclip-l-14"] = "conse-frames"
    smoothness: Literal["rife-4.0"] = "rife-4.0"
    flow: Literal["dis", "raft-things"] = "dis"
    background: Literal["efficientnet-lite0", "clip-vit-b-32"] = "efficientnet-lite0"


_FRAMES = {"efficientnet-lite0": "efficientnet-lite0.pil", "dino-vit-b-16": "dino-vit-b-16", "clip-vit-b-32": "clip-vit-b-32.tensor"}


def networks(parameters: CompositeParameters) -> tuple[str, ...]:
    """The four networks."""
    return _FRAMES[parameters.subject], parameters.overall, parameters.smoothness, parameters.flow


def beside(parameters: CompositeParameters) -> tuple[str, ...]:
    """The network of the companion, where it is none of the four."""
    return tuple({_FRAMES[parameters.background]} - {*networks(parameters)})


def observe(sample: Sample, parameters: CompositeParameters) -> Row:
    """The four rows of a clip side by side."""
    subject, overall, smoothness, flow = networks(parameters)
    text = clip_texts.cosine_row(sample, overall)
    return {
        **frame_means.row(consistency.steady(sample.features[subject, "prediction"])),
        "cosine": text["score"],
        "error": motion_smoothness.row_of(sample.features[smoothness, "prediction"])["error"],
        "dynamic": dynamic_degree.row_of(sample.features[flow, "prediction"])["dynamic"],
        "i2v_subject": likeness(sample, subject),
        "i2v_background": likeness(sample, _FRAMES[parameters.background]),
    }


def likeness(sample: Sample, network: str) -> float:
    """100 times the mean cosine of the frames and the first picture among the references; NaN where there is none."""
    sides = [alignment.side_of(place) for place, value in enumerate(sample.references) if hasattr(value, "pixels")]
    if not sides or (network, sides[0]) not in sample.features or (network, "prediction") not in sample.features:
        return math.nan
    frames, picture = sample.features[network, "prediction"], sample.features[network, sides[0]]
    cosines = consistency.units(frames) @ alignment.unit(picture)
    return 100.0 * math.fsum(cosines) / len(cosines)


def remarks(sample: Sample, row: Row, parameters: CompositeParameters) -> list[SampleError]:
    """A clip that is too short for one of the parts."""
    del sample, parameters
    known = row["values"] > 0 and not math.isnan(row["error"] + row["dynamic"])
    return frame_means.too_short(known, "three frames, two of them of about eight a second")


def missing(sample: Sample, parameters: CompositeParameters) -> Row:
    """The rows that the four metrics give a missing clip."""
    del sample, parameters
    return {
        **frame_means.missing_row(), "cosine": 0.0, "error": motion_smoothness.WHITE, "dynamic": 0.0, "i2v_subject": math.nan, "i2v_background": math.nan,
    }  # fmt: skip


def combined(fractions: Sequence[float]) -> float:
    """The composite of four fractions."""
    return max(0.0, 100.0 * math.fsum(fractions) / len(PARTS))


def score(rows: Rows, parameters: CompositeParameters) -> Score:
    """The mean of the four aggregates."""
    del parameters
    means = [frame_means.over_frames(rows), *(_mean(values) for values in _of_clips(rows)[1:])]
    companions = {name: value for name, value in zip(PARTS, means, strict=True) if value is not None} | _companions(rows)
    found = [value for value in means if value is not None]
    if len(found) < len(PARTS):
        return Score(None, "too_few_samples", companions)
    left_out = (frame_means.LEFT_OUT,) if any(np.isnan(values).any() for values in _of_clips(rows)) else ()
    return Score(combined([value / 100.0 for value in found]), companions=companions, warnings=(NOT_COMPARABLE, *left_out))


def _of_clips(rows: Rows) -> tuple[NDArray[np.float64], ...]:
    """The four parts of each clip in percent, NaN where it is too short for one."""
    smoothness = 100.0 * (motion_smoothness.WHITE - rows.column("error")) / motion_smoothness.WHITE
    return frame_means.of_clips(rows), rows.column("cosine"), smoothness, 100.0 * rows.column("dynamic")


def _mean(values: NDArray[Any]) -> float | None:
    known = values[~np.isnan(values)]
    return math.fsum(known) / len(known) if len(known) else None


def _companions(rows: Rows) -> dict[str, float]:
    found = {name: _mean(rows.column(name)) for name in ("i2v_subject", "i2v_background")}
    return {"clips": float(rows.column("there").sum())} | {name: value for name, value in found.items() if value is not None}


def samples(rows: Rows, _: object) -> NDArray[np.float64]:
    """The composite of each clip by itself; NaN where it is too short for a part."""
    return np.asarray(np.maximum(0.0, np.mean(np.stack(_of_clips(rows)), axis=0)))


def interval(rows: Rows, parameters: CompositeParameters) -> Interval | None:
    """Bootstrap over clips, of the four aggregates at once."""
    del parameters
    known = [~np.isnan(values) for values in _of_clips(rows)[1:]]
    sums = [np.where(there, values, 0.0) for there, values in zip(known, _of_clips(rows)[1:], strict=True)]
    frames = rows.column("values").astype(np.float64)
    columns = [rows.column("total"), frames, frames > 0, rows.column("there") == 0, *sums, *known]
    return bootstrap(rows.keys, np.column_stack(columns).astype(np.float64), _of_totals)


def _of_totals(totals: NDArray[np.float64]) -> NDArray[np.float64]:
    """Values of replicates out of their sums; NaN where a part has none."""
    total, frames, used, gone = totals.T[:4]
    subject = np.where(frames > 0, total / frames * used / (used + gone), np.where(gone > 0, 0.0, np.nan))
    return np.asarray(np.maximum(0.0, (subject + (totals[:, 4:7] / totals[:, 7:10]).sum(axis=1)) / len(PARTS)))


METRIC = Metric(
    id="i2v_composite", version=1, input_kind="video_text", unit="percent", higher_is_better=True, value_range=(0.0, 100.0), pooling="sequence",
    parameters=CompositeParameters,
    columns=frame_means.COLUMNS | {name: Column("f8") for name in ("cosine", "error", "dynamic", "i2v_subject", "i2v_background")},
    observe=observe, score=score, missing=missing, interval=interval, samples=samples, backbones=networks, companion_backbones=beside,
    sides=alignment.every_side, reads=("reference",), remarks=remarks,
)  # fmt: skip
