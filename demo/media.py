"""Photos, clips and recordings of the sources, decoded and scaled."""

from __future__ import annotations

import functools
import io
from typing import Any

import av
import cv2
import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from demo import sources
from demo.files import Image

MVTB_PHOTOS = (
    *(f"campus/P10704{n}.png" for n in (91, 93, 95, 97, 98, 99)),
    *(f"campus/P10705{n}.png" for n in ("00", "01", "04", "05", "07", "12")),
    *(f"flowers{n}.png" for n in range(1, 10)),
    "building2-3.png",
    "butterfly.jpg",
    "church.jpg",
    "eiffel-1.png",
    "eiffel-2.png",
    "notre-dame.png",
    "rocks2-l.png",
    "road.png",
    "tomato_124.png",
    "tomato_14.png",
    "tomato_35.png",
    "tomato_54.png",
)


def decode(content: bytes) -> Image:
    """Return an image file as RGB."""
    image = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    if image is None:
        raise ValueError("not an image")
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), dtype=np.uint8)


def cover(image: Image, width: int, height: int) -> Image:
    """Scale and crop the middle so that the image fills width x height."""
    scale = max(width / image.shape[1], height / image.shape[0])
    size = (max(width, round(image.shape[1] * scale)), max(height, round(image.shape[0] * scale)))
    scaled = cv2.resize(image, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    left, top = (size[0] - width) // 2, (size[1] - height) // 2
    return np.asarray(scaled[top : top + height, left : left + width], dtype=np.uint8)


@functools.cache
def photo_names() -> tuple[tuple[str, str], ...]:
    """Return (package, file) of every colour photo, in a fixed order."""
    gradio = tuple(("gradio", f"gradio/media_assets/images/{n}.jpg") for n in ("cheetah1", "lion", "tower"))
    skimage = tuple(("skimage", f"data/{n}") for n in ("astronaut.png", "chelsea.png", "coffee.png", "rocket.jpg"))
    sklearn = tuple(("sklearn", f"datasets/images/{n}.jpg") for n in ("china", "flower"))
    mvtb = tuple(("mvtb-data", f"mvtbdata/images/{n}") for n in MVTB_PHOTOS)
    return (*mvtb, *skimage, *sklearn, *gradio)


@functools.cache
def _photo(package: str, member: str) -> Image:
    installed = package in ("skimage", "sklearn")
    content = sources.read_installed(package, member) if installed else sources.read(package, member)
    image = decode(content)
    scale = min(1.0, 800 / max(image.shape[:2]))
    if scale < 1:
        image = np.asarray(cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), dtype=np.uint8)
    image.flags.writeable = False
    return image


def photos(width: int, height: int, count: int | None = None, start: int = 0) -> list[Image]:
    """Return `count` photos from number `start` on, each filling width x height."""
    names = photo_names()
    count = len(names) if count is None else count
    return [cover(_photo(*names[(start + k) % len(names)]), width, height) for k in range(count)]


def grey_photo(package: str, member: str) -> Image:
    """Return a photo as one grey channel at its own size."""
    return np.asarray(cv2.cvtColor(_photo(package, member), cv2.COLOR_RGB2GRAY), dtype=np.uint8)


@functools.cache
def clip(package: str, member: str, width: int, height: int) -> tuple[Image, ...]:
    """Return all frames of a video, each filling width x height."""
    with av.open(io.BytesIO(sources.read(package, member))) as container:
        return tuple(
            cover(np.asarray(frame.to_ndarray(format="rgb24"), np.uint8), width, height) for frame in container.decode(video=0)
        )


def recording(package: str, member: str, rate: int) -> NDArray[np.float64]:
    """Return a recording as mono samples at `rate`."""
    data, original = soundfile.read(io.BytesIO(sources.read(package, member)), always_2d=True)
    mono: NDArray[Any] = data.mean(axis=1)
    return np.asarray(soxr.resample(mono, original, rate), dtype=np.float64)
