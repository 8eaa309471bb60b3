"""Colour success: of the frames that show the object in some colour, the share that show it in the asked one.

    color = mean over clips of 100 x frames with the object in the asked colour / frames with the object in any of the colours

A detection of the object with a score of at least the threshold tells its colour by words: those of its description, or of its label
("red car"). The colours are white, red, pink, blue, silver, purple, orange, green, gray, yellow, black; grey is gray.

Direction   higher is better
Range       [0, 100]
Unit        percent
Pooling     sequence: the mean over clips; one without a frame that shows the object in a colour is left out and counted apart, a
            missing one is 0
Sample      prediction: a clip, or its detections with descriptions; reference: {"color", "object"}, or a text such as "a red car";
            the attribute `object` may name the object
State       rows keyed by sample: frames in the asked colour, frames in any colour, frames
Undefined   no clip shows its object in a colour: too_few_samples
Companions  without_colour: clips that are left out; all_clips: the value with these as 0; frames
Source      Huang et al. 2024 (VBench), arXiv 2311.17982, dimension color
Checked with  VBench's rule written out again in the test
Differs from  VBench describes with GRiT's dense captions, which is research code: supply them (detector=supplied), as values of any
            other network are not_comparable. With owlv2 the description is BLIP's of the part in the box, with lite0 the
            commonest colour of the window. `rule=public` looks for parts of words ("red" in "colored"), keeps gray and grey apart,
            and compares names as they are.

>>> from genlevel_evaluator.metric import Sample
>>> from genlevel_video.objects.forms import Detection, Detections
>>> frames = ((Detection("car", description="a red car"),), (Detection("car", description="a colored car"),), (Detection("blue car"),))
>>> row = observe(Sample("1", Detections("grit-b", frames), ({"text": "a red car"},)), DetectorParameters(detector="supplied", frames=3))
>>> row["asked"], row["coloured"]
(1, 2)
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from genlevel_evaluator.metric import Metric, Sample, Score
from genlevel_evaluator.states import Column, Row, Rows
from genlevel_evaluator.statistics.intervals import Interval, bootstrap
from genlevel_video.objects import detectors, targets
from genlevel_video.objects.detectors import NOT_COMPARABLE, DetectorParameters
from genlevel_video.objects.forms import Detection
from genlevel_video.objects.words import PUBLIC_COLOURS, clean, colour_words

NETWORKS = {"lite0": "lite0-windows", "owlv2": "owlv2-blip"}


def observe(sample: Sample, parameters: DetectorParameters) -> Row:
    """The frames of one clip."""
    name, colour = targets.coloured(sample.reference, parameters.rule)
    frames = detectors.seen(sample, parameters, NETWORKS.get(parameters.detector, ""))
    colours = [(_public if parameters.rule == "public" else _strict)(frame, name, colour) for frame in frames]
    return {"asked": sum(asked for asked, _ in colours), "coloured": sum(shown for _, shown in colours), "frames": len(frames), "missing": 0}


def _strict(frame: Sequence[Detection], name: str, colour: str) -> tuple[bool, bool]:
    """Whether the object is there in the asked colour, and in any."""
    found: set[str] = set()
    for one in frame:
        words = colour_words(one.label)
        if name in (clean(one.label), clean(" ".join(word for word in one.label.lower().split() if not colour_words(word)))):
            found.update(words, colour_words(one.description))
    return colour in found, bool(found)


def _public(frame: Sequence[Detection], name: str, colour: str) -> tuple[bool, bool]:
    texts = [one.description for one in frame if one.label == name]
    shown = any(word in text for text in texts for word in PUBLIC_COLOURS)
    return shown and any(colour in text for text in texts), shown


def missing(sample: Sample, parameters: DetectorParameters) -> Row:
    """A missing clip shows nothing."""
    targets.coloured(sample.reference, parameters.rule)
    return {"asked": 0, "coloured": 0, "frames": parameters.expected_frames, "missing": 1}


def score(rows: Rows, parameters: DetectorParameters) -> Score:
    """Mean over the clips that show their object in a colour, or are missing."""
    values = samples(rows, parameters)
    kept = values[~np.isnan(values)]
    total = math.fsum(kept)
    beside = {"without_colour": float(len(rows) - len(kept)), "all_clips": total / len(rows), "frames": float(rows.column("frames").sum())}
    warnings = () if parameters.comparable else (NOT_COMPARABLE,)
    return Score(total / len(kept), companions=beside, warnings=warnings) if len(kept) else Score(None, "too_few_samples", beside, warnings)


def samples(rows: Rows, _: object) -> NDArray[np.float64]:
    """The share of each clip; NaN where no frame shows the object in a colour."""
    shown = rows.column("coloured")
    shares = np.divide(100.0 * rows.column("asked"), shown, out=np.full(len(rows), np.nan), where=shown > 0)
    return np.where(rows.column("missing") > 0, 0.0, shares)


def interval(rows: Rows, parameters: DetectorParameters) -> Interval | None:
    """Bootstrap over clips."""
    values = samples(rows, parameters)
    sums = np.column_stack([np.nan_to_num(values), ~np.isnan(values)])
    return bootstrap(rows.keys, sums, lambda totals: totals[:, 0] / totals[:, 1])


METRIC = Metric(
    id="color", version=1, input_kind="frame_detections", unit="percent", higher_is_better=True, value_range=(0.0, 100.0), pooling="sequence",
    parameters=DetectorParameters, columns={name: Column("i8") for name in ("asked", "coloured", "frames", "missing")}, observe=observe, score=score,
    missing=missing, interval=interval, samples=samples, settle=detectors.settled, backbones=detectors.backbones(NETWORKS),
    sides=detectors.looking_for(lambda given: [targets.coloured(given, "strict")[0]]),
)
