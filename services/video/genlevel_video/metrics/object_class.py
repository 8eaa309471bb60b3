"""Object class success: the share of frames in which the named class is detected.

    object_class = 100 x frames with a detection of the class / frames,  over the 16 middle frames of all clips

A frame counts when a detection with a score of at least the threshold has the asked name. Names are compared in lower case, without
articles before and punctuation around them, the last word in the singular.

Direction   higher is better
Range       [0, 100]
Unit        percent
Pooling     corpus: one ratio over the frames of all clips; a missing clip is as many frames without the class
Sample      prediction: a clip, or its detections; reference: the class, as text or {"object"}
State       rows keyed by sample: frames with the class, frames
Undefined   no sample has a usable target: no_reference
Companions  clips_any_frame, clips_every_frame: percent of clips with the class in any and in every frame; frames
Source      Huang et al. 2024 (VBench), arXiv 2311.17982, dimension object class
Checked with  VBench's rule written out again in the test
Differs from  VBench looks with GRiT, which is research code: supply its detections (detector=supplied), as values of any other
            detector are not_comparable. `rule=public` compares the strings as they are, so "A dog." is never found. Targets that
            name no thing are left out.

>>> from genlevel_evaluator.metric import Sample
>>> from genlevel_video.objects.forms import Detection, Detections
>>> found = Detections("grit-b", ((Detection("dog", 0.9),), (Detection("dog", 0.4),)))
>>> row = observe(Sample("1", found, ({"text": "A dog."},)), DetectorParameters(detector="supplied", frames=2))
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
    name = targets.single(sample.reference, parameters.rule)
    return shares.row([name in detectors.names_of(frame, parameters.rule) for frame in detectors.seen(sample, parameters)])


def missing(sample: Sample, parameters: DetectorParameters) -> Row:
    """A missing clip shows nothing."""
    targets.single(sample.reference, parameters.rule)
    return shares.missing_row(parameters.expected_frames)


def score(rows: Rows, parameters: DetectorParameters) -> Score:
    """One ratio over all frames."""
    return shares.score(rows, parameters.comparable)


METRIC = Metric(
    id="object_class", version=1, input_kind="frame_detections", unit="percent", higher_is_better=True, value_range=(0.0, 100.0), pooling="corpus",
    parameters=DetectorParameters, columns=shares.COLUMNS, observe=observe, score=score, missing=missing, interval=shares.interval,
    samples=shares.samples, settle=detectors.settled, backbones=detectors.backbones(detectors.PLAIN), sides=detectors.looking_for(lambda given: [targets.single(given, "strict")]),
)
