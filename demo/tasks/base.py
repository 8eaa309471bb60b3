"""What the task modules share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from demo import files
from demo.bundle import Media, Recipe, Task


@dataclass(frozen=True)
class Builder:
    """A recipe and the function that fills its task."""

    recipe: Recipe
    fill: Callable[[Task], None]


def png(image: NDArray[Any]) -> Media:
    """An image to be written as PNG."""
    return Media(".png", lambda path: files.write_png(path, image))


def jpeg(image: NDArray[Any], quality: int = 92) -> Media:
    """An image to be written as JPEG."""
    return Media(".jpg", lambda path: files.write_jpeg(path, image, quality))


def flow(field: NDArray[Any]) -> Media:
    """A flow field."""
    return Media(".flo", lambda path: files.write_flow(path, field))


def video(frames: Sequence[NDArray[Any]]) -> Media:
    """A short clip."""
    return Media(".mp4", lambda path: files.write_video(path, list(frames)))


def audio(samples: NDArray[Any], rate: int) -> Media:
    """A recording."""
    return Media(".wav", lambda path: files.write_wav(path, samples, rate))


def points(cloud: NDArray[Any]) -> Media:
    """A point cloud."""
    return Media(".ply", lambda path: files.write_points(path, cloud))


def mesh(vertices: NDArray[Any], faces: NDArray[Any]) -> Media:
    """A triangle mesh."""
    return Media(".ply", lambda path: files.write_mesh(path, vertices, faces))


def poses(matrices: list[NDArray[Any]]) -> Media:
    """A trajectory."""
    return Media(".txt", lambda path: files.write_poses(path, matrices))


def to_image(values: NDArray[Any]) -> NDArray[np.uint8]:
    """Round values in 0..255 to 8 bits."""
    return np.asarray(np.clip(np.rint(values), 0, 255), dtype=np.uint8)


def question(text: str, options: Sequence[str] | None = None, **media: Any) -> dict[str, Any]:
    """The input of a question, with its options lettered in the prompt."""
    prompt = text
    if options:
        letters = "".join(f"\n{chr(65 + k)}. {option}" for k, option in enumerate(options))
        prompt = f"{text}{letters}\nAnswer with the option's text."
    body: dict[str, Any] = {"prompt": prompt, **media}
    if options:
        body["options"] = list(options)
    return body
