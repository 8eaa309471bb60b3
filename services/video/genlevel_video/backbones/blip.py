"""BLIP (Li et al. 2022), a captioner, as transformers has it: base, 384 x 384 pixels; and with OWLv2, what is said of the things in a frame.

Captions begin with "a picture of"; of three beams the best is taken, of 10 to 30 tokens, as Tag2Text is asked by VBench. Pictures go through one
by one, so a caption never depends on its company.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from genlevel_evaluator import weights
from genlevel_evaluator.backbones.batches import exact
from genlevel_evaluator.networks.wordpiece import WordPiece
from genlevel_video.backbones import owlv2
from genlevel_video.backbones.picked import told
from genlevel_video.backbones.state import load_checked
from genlevel_video.frames import Frame
from genlevel_video.objects.detectors import Asked
from genlevel_video.objects.words import clean

WEIGHTS, VOCABULARY = "blip-captioning-base", "minilm-l6-v2"
PROMPT = "a picture of"
BEAMS, SHORTEST, LONGEST = 3, 10, 30
DESCRIBED = 4
"""Surest things of the asked name in a frame of which a caption is made."""
_MEAN = np.array([0.48145466, 0.4578275, 0.40821073], dtype=np.float32)
_DEVIATION = np.array([0.26862954, 0.26130258, 0.27577711], dtype=np.float32)


class Captioner:
    """The network behind its preprocessing. `vocabulary` is BERT's vocab.txt."""

    def __init__(self, model: Any, vocabulary: Path) -> None:
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self._model = model.eval().requires_grad_(False).to(self.device)
        self._side = int(model.config.vision_config.image_size)
        self._prompt = WordPiece(vocabulary)(PROMPT)
        self._pieces = vocabulary.read_text(encoding="utf-8").split("\n")

    def caption(self, pixels: NDArray[np.uint8]) -> str:
        """What the network says of a picture."""
        given = torch.from_numpy(prepare(pixels, self._side))[None].to(self.device)
        ids = torch.tensor([self._prompt], device=self.device)
        with exact():
            found = self._model.generate(
                pixel_values=given, input_ids=ids, num_beams=BEAMS, min_length=SHORTEST, max_length=LONGEST, do_sample=False, early_stopping=False
            )
        return self.text(found[0].tolist())

    def text(self, numbers: Sequence[int]) -> str:
        """Tokens as words; marks are left out."""
        words = ""
        for number in numbers:
            piece = self._pieces[number] if number < len(self._pieces) else "[DEC]"
            if not (piece.startswith("[") and piece.endswith("]")):
                words += piece[2:] if piece.startswith("##") else f" {piece}"
        return words.strip()

    def extract(self, values: Sequence[Asked]) -> list[Any]:
        """The captions of each clip as JSON; in place of one, the fault of its file."""
        return told(values, lambda frame, _: self.caption(frame), lambda captions, _: {"captioner": WEIGHTS, "captions": captions})


class Describer:
    """A detector, and a caption of each of the surest things that were asked for."""

    def __init__(self, detector: owlv2.Owlv2, captioner: Captioner) -> None:
        self._detector = detector
        self._captioner = captioner

    def extract(self, values: Sequence[Asked]) -> list[Any]:
        """The detections of each clip as JSON, with descriptions; in place of one, the fault of its file."""
        detector = f"{owlv2.WEIGHTS} {WEIGHTS}"
        return told(values, lambda frame, asked: self._frame(frame, asked.names), lambda frames, _: {"detector": detector, "frames": frames})

    def _frame(self, frame: Frame, names: Sequence[str]) -> list[owlv2.Found]:
        found = self._detector.detect(frame, names)
        for one in [one for one in found if clean(one["label"]) in names][:DESCRIBED]:
            left, top, right, bottom = one["box"]
            one["description"] = self._captioner.caption(frame[math.floor(top) : math.ceil(bottom), math.floor(left) : math.ceil(right)])
        return found


def prepare(pixels: NDArray[np.uint8], side: int) -> NDArray[np.float32]:
    """RGB as (3, side, side): Pillow's bicubic kernel without keeping the aspect, CLIP's mean and deviation."""
    resized = np.asarray(Image.fromarray(np.ascontiguousarray(pixels)).resize((side, side), Image.Resampling.BICUBIC))
    values = (resized.astype(np.float32) / np.float32(255.0) - _MEAN) / _DEVIATION
    return np.ascontiguousarray(values.transpose(2, 0, 1))


def model(**sizes: Any) -> Any:
    """The architecture with random weights; `sizes` are entries of both configurations, for tests."""
    from transformers import BlipConfig, BlipForConditionalGeneration

    text = {"num_attention_heads": 12, **sizes.get("text", {})}
    return BlipForConditionalGeneration(BlipConfig(text_config=text, vision_config=dict(sizes.get("vision", {}))))


def build() -> Captioner:
    """The network with its weights."""
    network = model()
    load_checked(network, weights.path(WEIGHTS), WEIGHTS, without=("position_ids",))
    return Captioner(network, weights.path(VOCABULARY) / "vocab.txt")


def build_describer() -> Describer:
    """Both networks with their weights."""
    return Describer(owlv2.build(), build())
