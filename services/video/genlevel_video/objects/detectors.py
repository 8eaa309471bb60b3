"""Who says what is in the frames: detections that came with the bundle, or a network; their parameters and what is common to the metrics."""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeVar

from genlevel_evaluator.errors import SampleError
from genlevel_evaluator.metric import Sample
from genlevel_evaluator.parameters import Parameters
from genlevel_video.clips import Clip
from genlevel_video.objects import supplied
from genlevel_video.objects.forms import Detection, Detections, parse
from genlevel_video.objects.words import clean

FRAMES = 16
FLOOR = 0.1
"""Networks tell of nothing that is less sure."""
SOTA_DETECTOR = "grit"
NOT_COMPARABLE = "not_comparable"


@dataclass(frozen=True)
class Asked:
    """A clip and the cleaned names that a detector is to look for."""

    clip: Clip
    names: tuple[str, ...]

    @property
    def sha256(self) -> str:
        """Under which the detections are remembered."""
        return hashlib.sha256("\0".join((self.clip.sha256, *self.names)).encode("utf-8", "surrogatepass")).hexdigest()


@dataclass(frozen=True)
class DetectorParameters(Parameters):
    """Parameters of metrics that stand on a detector.

    Attributes:
        detector: `lite0` is a stand-in that can be had offline and finds classes of ImageNet in windows of the frame; `owlv2` an open-vocabulary
            detector; `supplied` takes the detections that stand in place of the clip.
        supplied_by: with `supplied`, the name of the detector that the files must give; letters and digits count.
        threshold: least score of a detection that counts.
        frames: with `supplied`, how many frames every sample must have; 0 for any number.
        rule: `strict` compares cleaned names; `public` does as the public toolkit.
    """

    detector: Literal["lite0", "owlv2", "supplied"] = "lite0"
    supplied_by: str = "grit-b"
    threshold: float = 0.5
    frames: int = FRAMES
    rule: Literal["strict", "public"] = "strict"

    def __post_init__(self) -> None:
        if self.detector == "supplied":
            if not supplied.key(self.supplied_by) or self.frames < 0:
                raise ValueError("detector=supplied needs supplied_by, the detector's name, and frames of 0 or more")
        elif self.frames != FRAMES or not FLOOR <= self.threshold <= 1:
            raise ValueError(f"detector={self.detector} looks at {FRAMES} frames and gives scores from {FLOOR} to 1")

    @property
    def comparable(self) -> bool:
        """Whether the detector is the one of the SoTA."""
        return self.detector == "supplied" and supplied.key(self.supplied_by).startswith(SOTA_DETECTOR)

    @property
    def expected_frames(self) -> int:
        """Frames that a missing prediction counts."""
        return self.frames or FRAMES


S = TypeVar("S", bound=DetectorParameters)


def settled(parameters: S) -> S:
    """The parameters without the name of a detector that nothing comes from, so that signatures do not tell of it."""
    return parameters if parameters.detector == "supplied" else replace(parameters, supplied_by="")


def backbones(networks: Mapping[str, str]) -> Callable[[DetectorParameters], tuple[str, ...]]:
    """The network of the parameters, of those that a metric has for each detector."""
    return lambda parameters: () if parameters.detector == "supplied" else (networks[parameters.detector],)


PLAIN = {"lite0": "lite0-windows", "owlv2": "owlv2"}
"""Networks of the metrics that need boxes and names only."""


def looking_for(names: Callable[[Mapping[str, Any]], Sequence[str]]) -> Callable[[Sample], Mapping[str, Any]]:
    """What networks look at: the clip, with the names that are asked for."""

    def sides(sample: Sample) -> Mapping[str, Any]:
        if not isinstance(sample.prediction, Clip) or not sample.references:
            return {}
        try:
            wanted = {clean(name) for name in names(sample.reference)}
        except SampleError:  # said when the sample is observed
            return {}
        return {"prediction": Asked(sample.prediction, tuple(sorted(wanted - {""})))}

    return sides


def seen(sample: Sample, parameters: DetectorParameters, network: str = "") -> list[list[Detection]]:
    """The detections of each frame that are sure enough.

    Raises:
        SampleError: NO_DETECTIONS, DETECTIONS_NOT_READ, OTHER_DETECTOR or WRONG_FRAME_COUNT.
    """
    found = _supplied(sample.prediction, parameters) if parameters.detector == "supplied" else _made(sample, network or PLAIN[parameters.detector])
    return [[one for one in frame if one.score >= parameters.threshold] for frame in found.frames]


def _supplied(value: Any, parameters: DetectorParameters) -> Detections:
    if not isinstance(value, Detections):
        raise SampleError(
            "NO_DETECTIONS", "the prediction holds no detections, and the parameter detector says supplied",
            remedy='give {"detector": ..., "frames": [...]}, or set detector=owlv2', side="prediction",
        )  # fmt: skip
    supplied.check(supplied.DETECTOR, value.detector, value.frames, parameters)
    return value


def _made(sample: Sample, network: str) -> Detections:
    if not isinstance(sample.prediction, Clip):
        raise SampleError(
            "DETECTIONS_NOT_READ", "detections were supplied, and the parameter detector names a network",
            remedy="set detector=supplied and supplied_by to the detector's name, or give the clip", side="prediction",
        )  # fmt: skip
    found, blind = _parsed(str(sample.features[network, "prediction"]))
    if blind:
        raise SampleError(
            "UNKNOWN_TO_DETECTOR", f"the stand-in {network} knows no {' and no '.join(blind)}",
            remedy="set detector=owlv2 (its weights: `genlevel weights fetch owlv2-base-patch16-ensemble --allow-url`), or supply detections", side="reference",
        )  # fmt: skip
    return found


@functools.lru_cache(maxsize=64)
def _parsed(text: str) -> tuple[Detections, tuple[str, ...]]:
    """What a network found, and the names it cannot find."""
    document = json.loads(text)
    blind = tuple(document.pop("blind", ()))
    found = parse(document)
    assert isinstance(found, Detections)
    return found, blind


def names_of(frame: Sequence[Detection], rule: str) -> set[str]:
    """The classes in a frame, as the rule compares them."""
    return {named(one.label, rule) for one in frame}


def named(label: str, rule: str) -> str:
    """A label as the rule compares it."""
    return label if rule == "public" else clean(label)
