"""Video object IoU: how well the masks of objects are followed through a clip.

    IoU(object) = sum over frames of the shared pixels / sum over frames of the pixels of either side
    miou_video  = 100 * mean over videos of the mean over objects of IoU(object)

    Direction   higher is better
    Range       [0, 100]
    Unit        percent
    Pooling     sequence: the mean over videos
    Sample      prediction and reference, masks of the objects of one clip; the first reference counts
    State       rows of (shared pixels, pixels of either) and of (J, F) of each object, keyed by sample
    Undefined   no sample has a reference with an object: no_reference
    Source      as the public scorer of General-Bench pools it; J and F as in DAVIS (Perazzi et al., CVPR 2016)
    Checked with  pycocotools.mask 2.0.11; DAVIS's region and boundary measures written out in the tests
    Differs from  an object that neither side shows in any frame has IoU 1, where the public scorer has 0, and any value above 0 is foreground,
                where it needs exactly 1. All objects of the reference count, not the first. Frame counts must agree.

Where the reference has one object, all that is predicted is held against it, whatever it is called; of several, objects of one name are held
against each other. Beside it: j, the mean over frames of the IoU of each frame (1 where neither side has a pixel), f, of the boundaries, within
0.8 % of the diagonal, and j_and_f, their mean; over all frames of the clip.

    >>> from genlevel_evaluator.metric import Sample
    >>> from genlevel_video.forms.mask_tracks import MaskTracks
    >>> truth = MaskTracks((2, 2), 2, {"1": np.array([0, 2, 4, 6])})
    >>> guess = MaskTracks((2, 2), 2, {"1": np.array([0, 2])})
    >>> observe(Sample("1", guess, (truth,)), MaskParameters())["pixels"]
    [[2, 4]]
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from genlevel_evaluator.errors import SampleError
from genlevel_evaluator.metric import Metric, Sample, Score
from genlevel_evaluator.parameters import Parameters
from genlevel_evaluator.states import Column, Row, Rows
from genlevel_evaluator.statistics.intervals import Interval, bootstrap_mean
from genlevel_video.forms.boxes import count_mismatch
from genlevel_video.forms.mask_tracks import Edges, MaskTracks
from genlevel_video.measures.mask_overlap import frame_counts, outline_f

_NOTHING = np.zeros(0, np.int64)


@dataclass(frozen=True)
class MaskParameters(Parameters):
    """Parameters of the video object IoU.

    Attributes:
        boundary: how far from a boundary it counts as found, as a share of the diagonal; 0 leaves F out, which takes most of the time.
    """

    boundary: float = 0.008

    def __post_init__(self) -> None:
        if not 0 <= self.boundary <= 0.05:
            raise ValueError("boundary must be 0 to 0.05")


def observe(sample: Sample, parameters: MaskParameters) -> Row:
    """Counts of each object of the reference."""
    prediction: MaskTracks = sample.prediction
    reference = _reference(sample)
    if prediction.frames != reference.frames:
        raise count_mismatch(prediction.frames, reference.frames)
    if None not in (prediction.size, reference.size) and prediction.size != reference.size:
        (height, width), (true_height, true_width) = prediction.size or (0, 0), reference.size or (0, 0)
        raise SampleError(
            "SIZE_MISMATCH", f"the masks are {width} x {height} pixels, those of the reference {true_width} x {true_height}",
            remedy="give masks of the clip's size; they are never resized", side="prediction",
        )  # fmt: skip
    size = reference.size or prediction.size or (1, 1)
    alone = len(reference.objects) == 1
    pixels, similarity = [], []
    for name, theirs in sorted(reference.objects.items()):
        ours = prediction.together() if alone else prediction.objects.get(name, _NOTHING)
        counts = frame_counts(ours, theirs, reference.frames, size[0] * size[1])
        pixels.append([int(counts.shared.sum()), int(counts.union.sum())])
        outline = outline_f(ours, theirs, reference.frames, size, parameters.boundary) if parameters.boundary else math.nan
        similarity.append([math.fsum(counts.similarity()) / reference.frames, outline])
    return {"pixels": pixels, "similarity": similarity}


def missing(sample: Sample, parameters: MaskParameters) -> Row:
    """Nothing is found, not even where there is nothing to find."""
    reference = _reference(sample)
    areas = [_area(edges) for _, edges in sorted(reference.objects.items())]
    return {"pixels": [[0, max(area, 1)] for area in areas], "similarity": [[0.0, 0.0 if parameters.boundary else math.nan]] * len(areas)}


def _area(edges: Edges) -> int:
    return int((edges[1::2] - edges[::2]).sum())


def _reference(sample: Sample) -> MaskTracks:
    reference: MaskTracks = sample.reference
    if not reference.objects:
        raise SampleError("NO_OBJECT", "the reference has no object", remedy="mark its pixels with a number above 0", side="reference")
    return reference


def remarks(sample: Sample, row: Row, parameters: MaskParameters) -> list[SampleError]:
    """Objects that are held against none."""
    del row, parameters
    if sample.prediction is None or len(sample.reference.objects) == 1:
        return []
    names = sample.prediction.objects.keys() - sample.reference.objects.keys()
    if not names:
        return []
    message = f"{len(names)} predicted objects are not among those of the reference"
    return [SampleError("UNKNOWN_OBJECT", message, remedy="give objects the names or numbers they have in the reference", side="prediction")]


def samples(rows: Rows, _: object) -> NDArray[np.float64]:
    """Mean IoU over the objects of each video."""
    return np.array([100.0 * _mean([shared / union if union else 1.0 for shared, union in part.tolist()]) for part in rows.ragged("pixels")])


def score(rows: Rows, parameters: MaskParameters) -> Score:
    """Mean over videos."""
    regions, outlines = ([100.0 * _mean(part[:, place].tolist()) for part in rows.ragged("similarity")] for place in (0, 1))
    companions = {"j": _mean(regions), "objects": float(rows.lengths["pixels"].sum()), "videos": float(len(rows))}
    if parameters.boundary:
        companions |= {"f": _mean(outlines), "j_and_f": (_mean(regions) + _mean(outlines)) / 2}
    return Score(_mean(samples(rows, parameters)), companions=companions)


def _mean(values: list[float] | NDArray[np.float64]) -> float:
    return math.fsum(values) / len(values)


def interval(rows: Rows, parameters: MaskParameters) -> Interval | None:
    """Bootstrap over videos."""
    return bootstrap_mean(rows.keys, samples(rows, parameters))


METRIC = Metric(
    id="miou_video", version=1, input_kind="video_masks", unit="percent", higher_is_better=True, value_range=(0.0, 100.0), pooling="sequence",
    parameters=MaskParameters, columns={"pixels": Column("i8", (2,), ragged=True), "similarity": Column("f8", (2,), ragged=True)},
    observe=observe, score=score, missing=missing, interval=interval, samples=samples, remarks=remarks,
)
