"""Small random samples of the metrics that look at frames by themselves, for the common laws."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.random import Generator
from PIL import Image

from genlevel_evaluator import media
from genlevel_evaluator.engine import RawSample
from genlevel_evaluator.kinds import Content
from genlevel_evaluator.metric import Presence

WORDS = ("oil painting", "a sketch in ink", "neon lights at night")


def moving(random: Generator, count: int, height: int = 24, width: int = 30) -> Content:
    """Frames of coarse colours that drift, as a .npz file in memory."""
    coarse = Image.fromarray(random.integers(0, 256, (4, 5, 3), dtype=np.uint8)).resize((width, height), Image.Resampling.BICUBIC)
    steps = random.integers(-9, 10, size=(count, height, width, 3)).cumsum(axis=0)
    buffer = io.BytesIO()
    np.savez(buffer, frames=np.clip(np.asarray(coarse)[None] + steps, 0, 255).astype(np.uint8), fps=np.array(8.0))
    return Content(media=media.from_bytes(buffer.getvalue(), "clip.npz"))


def picture(random: Generator) -> Content:
    """A picture file in memory."""
    buffer = io.BytesIO()
    Image.fromarray(random.integers(0, 256, (9, 11, 3), dtype=np.uint8)).save(buffer, "PNG")
    return Content(media=media.from_bytes(buffer.getvalue(), "style.png"))


def alone(random: Generator, count: int) -> list[RawSample]:
    """Clips of one to four frames, one of them still, and a missing one."""
    samples = []
    for index in range(count):
        given = None if index % 7 == 3 else moving(random, 1 + index % 4)
        samples.append(RawSample(str(index), given, (), Presence.PREDICTION_ONLY if given else Presence.PREDICTION_MISSING))
    return samples


def _with(random: Generator, count: int, references: Callable[[int], tuple[Content, ...]]) -> list[RawSample]:
    def presence(sample: RawSample) -> Presence:
        return Presence.BOTH if sample.prediction else Presence.PREDICTION_MISSING

    return [replace(sample, references=references(index), presence=presence(sample)) for index, sample in enumerate(alone(random, count))]


def worded(random: Generator, count: int) -> list[RawSample]:
    """The same with one or two texts, and the prompt of before."""

    def texts(index: int) -> tuple[Content, ...]:
        return tuple(Content(text=WORDS[(index + place) % 3]) for place in range(1 + index % 2))

    return [replace(sample, attributes={"source_prompt": "a dog"}) for sample in _with(random, count, texts)]


def styled(random: Generator, count: int) -> list[RawSample]:
    """The same with one or two pictures."""
    return _with(random, count, lambda index: tuple(picture(random) for _ in range(1 + index % 2)))


GENERATORS: dict[str, Callable[[Generator, int], list[RawSample]]] = {
    **dict.fromkeys(("subject_consistency", "background_consistency", "temporal_flickering", "aesthetic_quality", "imaging_quality", "musiq"), alone),
    "appearance_style": worded, "frame_accuracy": worded, "clip_style_similarity": styled,
}  # fmt: skip
