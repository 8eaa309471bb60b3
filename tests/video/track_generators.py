"""Small random samples of the metrics of tracks, tubes, masks, depths, grey frames and restored clips."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from genlevel_evaluator.engine import RawSample
from genlevel_evaluator.kinds import Content
from tests.video.files import npz, pictures, run_lengths, sample, text_file


def boxes(random: Generator, frames: int) -> NDArray[np.float64]:
    """Corner and size, drifting."""
    start = np.r_[random.uniform(0, 30, 2), random.uniform(5, 20, 2)]
    return start + random.normal(0, 1, (frames, 4)).cumsum(axis=0).clip(-4, 4)


def tracks(random: Generator, count: int) -> list[RawSample]:
    """Lists and files; frames without the object, lost boxes, a perfect tracker, missing ones."""
    found = []
    for index in range(count):
        frames = int(random.integers(1, 8))
        true = boxes(random, frames)
        guess = true if index % 5 == 1 else true + random.normal(0, 3, true.shape)
        truth: list[Any] = true.tolist()
        given: list[Any] = guess.tolist()
        if frames > 3:
            truth[2], given[1], given[3] = None, None, [0, 0, 0, 0]
        content = Content(json=given) if index % 2 else text_file("\n".join(",".join(map(str, box or ["nan"] * 4)) for box in given))
        found.append(sample(str(index), None if index % 7 == 3 else content, Content(json=truth), absent=[0] * (frames - 1) + [int(frames > 4)]))
    return found


def tubes(random: Generator, count: int) -> list[RawSample]:
    """Stretches that overlap, touch and miss each other, lists with gaps, boxes without area, a missing one."""
    found = []
    for index in range(count):
        true = boxes(random, 6)
        true[:, 2:] += true[:, :2]
        guess = true + random.normal(0, 2, true.shape)
        guess[0, 2:] = guess[0, :2]
        whole: list[Any] = [None, *guess.tolist(), [0, 0, 0, 0], None, None]
        reference = Content(json={"start": 2, "boxes": true.tolist()}) if index != 5 else Content(json=[None] * 10)
        given = Content(json={"start": index, "boxes": guess[: 10 - index].tolist()}) if index % 2 else Content(json=whole)
        found.append(sample(str(index), None if index % 7 == 3 else given, reference, frame_count=10))
    return found


def masks(random: Generator, count: int) -> list[RawSample]:
    """One object and several, in every form; one that is never there; a missing prediction."""
    found = []
    for index in range(count):
        size, frames = (int(random.integers(1, 9)), int(random.integers(1, 9))), int(random.integers(1, 4))
        true, guess = (random.integers(0, 1 + index % 3, (frames, *size)).astype(np.uint8) for _ in range(2))
        true[0, 0, 0] = 1
        objects: dict[str, Any] = {str(name): [run_lengths(frame == name) for frame in true] for name in (1, 2)}
        objects["2"] = [None] * frames if index % 4 == 0 else objects["2"]
        forms = [Content(json={"objects": {"1": [run_lengths(frame == 1) for frame in guess], "9": [None] * frames}}), npz(labels=guess), pictures(guess * 255)]
        reference = Content(json={"objects": objects}) if index % 2 else npz(labels=true)
        found.append(sample(str(index), None if index % 7 == 3 else forms[index % 3], reference))
    return found


def depths(random: Generator, count: int) -> list[RawSample]:
    """Inverse depths off by a scale and a shift, frames without a valid pixel, constant ones, perfect ones, a missing one."""
    found = []
    for index in range(count):
        truth = random.uniform(0.5, 90, (int(random.integers(1, 4)), 4, 5)).astype(np.float32)
        truth[0, 0, 0] = 5.0
        guess = 2 / truth + 0.1 + (0 if index % 5 == 1 else 0.02) * random.normal(size=truth.shape)
        guess = np.ones_like(guess) if index == 4 else guess
        truth[-1, 1:] = np.nan if index % 3 else 200.0
        given = None if index % 7 == 3 else npz(disparity=guess[:, None])
        found.append(sample(str(index), given, npz(disparity=truth)))
    return found


def grey_frames(random: Generator, count: int) -> list[RawSample]:
    """Maps of 8 bits and floats against masks, all black and all white ones among them, a missing one."""
    found = []
    for index in range(count):
        shape = (int(random.integers(1, 4)), int(random.integers(1, 9)), int(random.integers(1, 9)))
        truth = ((random.random(shape) < [0.5, 0.0, 1.0][index % 3]) * 255).astype(np.uint8)
        guess = np.clip(truth * 0.5 + random.integers(0, 120, shape), 0, 255).astype(np.uint8)
        forms = [pictures(guess), npz(frames=guess), npz(frames=(guess / 255).astype(np.float32))]
        found.append(sample(str(index), None if index % 7 == 3 else forms[index % 3], pictures(truth)))
    return found


def restored(random: Generator, count: int) -> list[RawSample]:
    """Noisy clips, perfect ones, too small ones for SSIM, a missing one."""
    found = []
    for index in range(count):
        side = 5 if index == 2 else 12
        truth = random.integers(0, 256, (int(random.integers(1, 4)), side, side, 3), dtype=np.uint8)
        guess = truth if index % 5 == 1 else (truth // 2 + random.integers(0, 100, truth.shape)).astype(np.uint8)
        found.append(sample(str(index), None if index % 7 == 3 else npz(frames=guess), npz(frames=truth)))
    return found


GENERATORS: dict[str, Callable[[Generator, int], list[RawSample]]] = {
    "success_auc": tracks, "m_viou": tubes, "miou_video": masks, "abs_rel": depths, "s_measure": grey_frames, "psnr": restored,
}  # fmt: skip
