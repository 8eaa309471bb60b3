"""Label images from PNG, arrays of integers, or COCO run lengths."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genlevel_evaluator.errors import SampleError
from genlevel_evaluator.kinds import Content, json_type
from genlevel_evaluator.media import Blob
from genlevel_image.media import LabelImage
from genlevel_image.pictures import MAX_PIXELS, MAX_SIDE, load, open_image
from genlevel_image.run_lengths import runs_of

_LABEL_MODES = ("1", "L", "P", "I;16", "I;16B", "I;16L", "I")


def decode_masks(content: Content, attributes: Mapping[str, Any]) -> LabelImage:
    """A label image from a file, `{"size", "counts"}` or `[{"label", "mask"}, ...]`."""
    del attributes
    if content.media is not None:
        return LabelImage(read_label_image(content.media))
    value = content.json
    if isinstance(value, dict):
        return LabelImage(decode_run_lengths(value).astype(np.int32))
    if isinstance(value, list) and value:
        return LabelImage(_painted(value))
    given = "text" if content.text is not None else "an empty list" if value == [] else json_type(value)
    raise SampleError("WRONG_TYPE", f"expected a label image, got {given}", remedy="give a PNG of class numbers, or run lengths")


def read_label_image(blob: Blob) -> NDArray[np.int32]:
    """Class numbers from a file."""
    name = blob.name or "the label image"
    labels = _read_array(blob, name) if blob.suffix in (".npy", ".npz") else _read_image(blob, name)
    if not labels.size:
        raise SampleError("WRONG_SHAPE", f"{name} has no pixel", remedy="give at least one pixel")
    return labels


def _read_image(blob: Blob, name: str) -> NDArray[np.int32]:
    with open_image(blob.read(), name) as image:
        pixels = load(image, name)
        if image.mode in _LABEL_MODES:
            return pixels.astype(np.int32)
        if image.mode == "RGB" and image.format == "PNG" and not np.ptp(pixels, axis=2).any():
            return pixels[:, :, 0].astype(np.int32)  # class numbers written to all three channels
    raise SampleError(
        "WRONG_TYPE", f"{name} is a colour picture, not class numbers", remedy="save one channel (or a palette) of class numbers as PNG"
    )


def _read_array(blob: Blob, name: str) -> NDArray[np.int32]:
    try:
        loaded = np.load(io.BytesIO(blob.read()), allow_pickle=False)
        if not isinstance(loaded, np.ndarray):
            if len(loaded.files) != 1:
                raise SampleError("WRONG_SHAPE", f"{name} holds {len(loaded.files)} arrays", remedy="save one array")
            loaded = loaded[loaded.files[0]]
    except (ValueError, OSError, EOFError, KeyError):
        raise SampleError("UNREADABLE", f"{name} cannot be read as an array", remedy="save it with numpy.save, without objects") from None
    if loaded.ndim != 2 or loaded.dtype.kind not in "iub":
        raise SampleError(
            "WRONG_TYPE", f"{name} has shape {loaded.shape} and type {loaded.dtype}", remedy="save whole numbers of shape (height, width)"
        )
    if loaded.size > MAX_PIXELS:
        raise SampleError("IMAGE_TOO_LARGE", f"{name} has {loaded.size} elements", remedy=f"stay below {MAX_PIXELS}")
    labels: NDArray[np.int32] = loaded.astype(np.int32)
    return labels


def _painted(items: list[Any]) -> NDArray[np.int32]:
    canvas: NDArray[np.int32] | None = None
    for place, item in enumerate(items):
        pointer = f"/{place}"
        label = item.get("label") if isinstance(item, dict) else None
        if isinstance(label, bool) or not isinstance(label, int) or not 0 <= label < 2**31 or not isinstance(item.get("mask"), dict):
            raise SampleError("WRONG_TYPE", 'a painted mask is {"label": number, "mask": run lengths}', remedy="see docs/formats.md", pointer=pointer)
        mask = decode_run_lengths(item["mask"], f"{pointer}/mask")
        if canvas is None:
            canvas = np.zeros(mask.shape, np.int32)
        if mask.shape != canvas.shape:
            raise SampleError("WRONG_SHAPE", "the masks of one picture differ in size", remedy="give all the same size", pointer=pointer)
        canvas[mask] = label
    assert canvas is not None
    return canvas


def decode_run_lengths(value: Mapping[str, Any], pointer: str = "") -> NDArray[np.bool_]:
    """A mask from COCO run lengths: column-major, background first, plain or compressed.

    >>> decode_run_lengths({"size": [2, 3], "counts": [1, 2, 3]}).astype(int).tolist()
    [[0, 1, 0], [1, 0, 0]]
    """
    height, width = mask_size(value.get("size"), pointer)
    runs = runs_of(value.get("counts"), height * width, pointer)
    flat = np.repeat(np.arange(len(runs)) % 2 == 1, runs)
    return np.asarray(flat.reshape(width, height).T)


def mask_size(size: Any, pointer: str) -> tuple[int, int]:
    """Height and width, checked."""
    valid = isinstance(size, list) and len(size) == 2 and all(isinstance(s, int) and not isinstance(s, bool) and s > 0 for s in size)
    if not valid:
        raise SampleError("WRONG_SHAPE", "size is not [height, width] of whole numbers above 0", remedy="see docs/formats.md", pointer=pointer)
    height, width = size
    if max(size) > MAX_SIDE or height * width > MAX_PIXELS:
        raise SampleError("IMAGE_TOO_LARGE", f"the mask is {width} x {height} pixels", remedy=f"stay below {MAX_PIXELS}", pointer=pointer)
    return height, width
