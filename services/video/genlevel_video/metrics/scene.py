"""Scene success: the share of frames whose caption contains every word of the asked scene.

    scene = 100 x frames whose caption has all words of the scene / frames,  over the 16 middle frames of all clips

Words are compared whole, in lower case, in the singular; articles of the scene do not count.

Direction   higher is better
Range       [0, 100]
Unit        percent
Pooling     corpus: one ratio over the frames of all clips; a missing clip is as many frames without the scene
Sample      prediction: a clip, or captions of its frames; reference: the scene, as text or {"scene"}
State       rows keyed by sample: frames with the scene, frames
Undefined   no sample has a usable target: no_reference
Companions  clips_any_frame, clips_every_frame: percent of clips with the scene in any and in every frame; frames
Source      Huang et al. 2024 (VBench), arXiv 2311.17982, dimension scene
Checked with  VBench's rule written out again in the test
Differs from  VBench captions with Tag2Text, which is research code: supply its captions (captioner=supplied), as values of another
            captioner, BLIP among them, are not_comparable. `rule=public` looks for parts of words ("bar" in "barn"), in the case
            they have. There is no stand-in that can be had offline: classes of ImageNet name things, not places.

>>> from genlevel_evaluator.metric import Sample
>>> from genlevel_video.objects.forms import Captions
>>> found = Captions("tag2text", ("A street with an amusement park.", "a barn"))
>>> [observe(Sample("1", found, ({"text": text},)), SceneParameters(frames=2))["hits"] for text in ("amusement park", "bar")]
[1, 0]
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Literal

from genlevel_evaluator.errors import SampleError
from genlevel_evaluator.metric import Metric, Sample, Score
from genlevel_evaluator.parameters import Parameters
from genlevel_evaluator.states import Row, Rows
from genlevel_video.clips import Clip
from genlevel_video.objects import detectors, shares, supplied, targets
from genlevel_video.objects.detectors import FRAMES
from genlevel_video.objects.forms import Captions, parse
from genlevel_video.objects.words import singular

SOTA_CAPTIONER = "tag2text"


@dataclass(frozen=True)
class SceneParameters(Parameters):
    """Parameters of scene success.

    Attributes:
        captioner: `supplied` takes the captions that stand in place of the clip; `blip` is a network.
        supplied_by: with `supplied`, the name of the captioner that the files must give; letters and digits count.
        frames: with `supplied`, how many frames every sample must have; 0 for any number.
        rule: `strict` compares words; `public` looks for parts of them.
    """

    captioner: Literal["supplied", "blip"] = "supplied"
    supplied_by: str = "tag2text"
    frames: int = FRAMES
    rule: Literal["strict", "public"] = "strict"

    def __post_init__(self) -> None:
        if self.frames < 0 or (self.captioner == "blip" and self.frames != FRAMES):
            raise ValueError(f"frames is 0 or more, and captioner=blip looks at {FRAMES}")


def observe(sample: Sample, parameters: SceneParameters) -> Row:
    """The frames of one clip."""
    wanted = targets.scene_words(sample.reference, parameters.rule)
    captions = _captions(sample, parameters)
    if parameters.rule == "public":
        return shares.row([all(word in caption for word in wanted) for caption in captions])
    return shares.row([{singular(word) for word in wanted} <= _words(caption) for caption in captions])


def _words(caption: str) -> set[str]:
    return {singular(word) for word in re.findall(r"[^\W_]+", caption.lower())}


def _captions(sample: Sample, parameters: SceneParameters) -> tuple[str, ...]:
    value = sample.prediction
    if parameters.captioner == "blip":
        if not isinstance(value, Clip):
            raise SampleError("CAPTIONS_NOT_READ", "no clip, and the parameter captioner says blip", remedy="set captioner=supplied, or give the clip", side="prediction")
        made = parse(json.loads(str(sample.features["blip", "prediction"])))
        assert isinstance(made, Captions)
        return made.captions
    if not isinstance(value, Captions):
        raise SampleError(
            "NO_CAPTIONS", "the prediction holds no captions, and the parameter captioner says supplied",
            remedy='give {"captioner": ..., "captions": [...]}, or set captioner=blip', side="prediction",
        )  # fmt: skip
    supplied.check(supplied.CAPTIONER, value.captioner, value.captions, parameters)
    return value.captions


def missing(sample: Sample, parameters: SceneParameters) -> Row:
    """A missing clip shows nothing."""
    targets.scene_words(sample.reference, parameters.rule)
    return shares.missing_row(parameters.frames or FRAMES)


def score(rows: Rows, parameters: SceneParameters) -> Score:
    """One ratio over all frames."""
    return shares.score(rows, parameters.captioner == "supplied" and supplied.same_name(parameters.supplied_by, SOTA_CAPTIONER))


METRIC = Metric(
    id="scene", version=1, input_kind="frame_detections", unit="percent", higher_is_better=True, value_range=(0.0, 100.0), pooling="corpus",
    parameters=SceneParameters, columns=shares.COLUMNS, observe=observe, score=score, missing=missing, interval=shares.interval,
    samples=shares.samples, backbones=lambda parameters: ("blip",) if parameters.captioner == "blip" else (), sides=detectors.looking_for(lambda _: ()),
)
