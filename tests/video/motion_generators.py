"""Samples of the metrics of motion, actions and prompts: small clips that stand still, drift or jump."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.random import Generator
from PIL import Image

from genlevel_evaluator import media
from genlevel_evaluator.engine import RawSample
from genlevel_evaluator.kinds import Content
from genlevel_evaluator.metric import Presence

ACTIONS = ("A person is riding a bike.", "playing guitar", "a man is tap dancing on a table", "yoga at dawn")
PROMPTS = ("a cat, zoom in", "a snail made of glass", "a dog runs over a beach", "people in the rain")


def saved(frames: np.ndarray, fps: float = 8.0) -> Content:
    """A clip as a .npz file in memory."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, frames=frames, fps=np.float64(fps))
    return Content(media=media.from_bytes(buffer.getvalue(), "clip.npz"))


def moving(random: Generator, step: int, count: int, side: int = 24) -> np.ndarray:
    """A patterned picture that is shifted by `step` pixels from one frame to the next."""
    coarse = random.integers(0, 256, size=(8, 8 + count * max(step, 1), 3)).astype(np.uint8)
    wide = coarse.repeat(3, axis=0).repeat(3, axis=1)
    return np.stack([wide[:side, place * step : place * step + side] for place in range(count)])


def alone(random: Generator, count: int) -> list[RawSample]:
    """Clips without references, one of a single frame, one without a frame rate, and a missing one."""
    samples = []
    for index in range(count):
        frames = moving(random, (0, 1, 4)[index % 3], 1 if index == 4 else 3)
        given = None if index == 3 else saved(frames, 0.0 if index == 5 else 8.0)
        samples.append(RawSample(str(index), given, (), Presence.PREDICTION_ONLY if given else Presence.PREDICTION_MISSING))
    return samples


def _against(prompts: tuple[str, ...]) -> Callable[[Generator, int], list[RawSample]]:
    def made(random: Generator, count: int) -> list[RawSample]:
        samples = []
        for index in range(count):
            given = None if index == 3 else saved(moving(random, index % 3, 2))
            references: Any = tuple(Content(text=prompt) for prompt in prompts[index % 4 : index % 4 + 1 + (index == 2)])
            samples.append(RawSample(str(index), given, references, Presence.BOTH if given else Presence.PREDICTION_MISSING))
        return samples

    return made


def from_pictures(random: Generator, count: int) -> list[RawSample]:
    """Clips with a prompt, most with the picture they were to begin with; one too short for all parts, and a missing one."""
    samples = []
    for index in range(count):
        frames = moving(random, (0, 1, 4)[index % 3], 1 if index == 4 else 3)
        given = None if index == 3 else saved(frames)
        references = [Content(text=PROMPTS[index % 4])]
        if index % 2 == 0:
            references.append(Content(json={"image": media.from_bytes(png(frames[0]), "first.png")}))
        samples.append(RawSample(str(index), given, tuple(references), Presence.BOTH if given else Presence.PREDICTION_MISSING))
    return samples


def png(frame: np.ndarray) -> bytes:
    """A frame as a picture file."""
    buffer = io.BytesIO()
    Image.fromarray(frame).save(buffer, "PNG")
    return buffer.getvalue()


GENERATORS: dict[str, Callable[[Generator, int], list[RawSample]]] = {
    "dynamic_degree": alone, "motion_smoothness": alone,
    "human_action": _against(ACTIONS), "temporal_style": _against(PROMPTS), "overall_consistency": _against(PROMPTS),
    "i2v_composite": from_pictures,
}  # fmt: skip
