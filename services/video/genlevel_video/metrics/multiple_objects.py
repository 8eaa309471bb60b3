"""Multiple objects success: the share of frames in which both named classes are detected.

    multiple_objects = 100 x frames with detections of both classes / frames,  over the 16 middle frames of all clips

A detection counts with a score of at least the threshold. Names are compared as in object_class.

Direction   higher is better
Range       [0, 100]
Unit        percent
Pooling     corpus: one ratio over the frames of all clips; a missing clip is as many frames without them
Sample      prediction: a clip, or its detections; reference: "a and b", as text or {"object"}
State       rows keyed by sample: frames with both, frames
Undefined   no sample has a usable target: no_reference
Companions  clips_any_frame, clips_every_frame: percent of clips with both in any and in every frame; frames
Source      Huang et al. 2024 (VBench), arXiv 2311.17982, dimension multiple objects
Checked with  VBench's rule written out again in the test
Differs from  as object_class. A target that does not name two classes is left out; VBench stops there.

>>> from genlevel_evaluator.metric import Sample
>>> from genlevel_video.objects.forms import Detection, Detections
>>> found = Detections("grit-b", ((Detection("dog"), Detection("cat")), (Detection("dog"),)))
>>> row = observe(Sample("1", found, ({"text": "A dog and a cat."},)), DetectorParameters(detector="supplied", frames=2))
>>> row["hits"], row["frames"]
(1, 2)
"""

from __future__ import annotations

from genlevel_evaluator.metric import Metric, Sample, Score
from genlevel_evaluator.states import Row, Rows
from genlevel_video.objects import detectors, shares, targets
from genlevel_video.objects.detectors import DetectorParameters


def observe(sample: Sample, parameters: DetectorParameters) -> Row:
    """The frames of one clip."""
    both = set(targets.two(sample.reference, parameters.rule))
    return shares.row([both <= detectors.names_of(frame, parameters.rule) for frame in detectors.seen(sample, parameters)])


def missing(sample: Sample, parameters: DetectorParameters) -> Row:
    """A missing clip shows nothing."""
    targets.two(sample.reference, parameters.rule)
    return shares.missing_row(parameters.expected_frames)


def score(rows: Rows, parameters: DetectorParameters) -> Score:
    """One ratio over all frames."""
    return shares.score(rows, parameters.comparable)


METRIC = Metric(
    id="multiple_objects", version=1, input_kind="frame_detections", unit="percent", higher_is_better=True, value_range=(0.0, 100.0), pooling="corpus",
    parameters=DetectorParameters, columns=shares.COLUMNS, observe=observe, score=score, missing=missing, interval=shares.interval,
    samples=shares.samples, settle=detectors.settled, backbones=detectors.backbones(detectors.PLAIN), sides=detectors.looking_for(lambda given: targets.two(given, "strict")),
)
