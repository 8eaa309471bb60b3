"""Label images from PNG, arrays of integers, or COCO run lengths."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genlevel_evaluator.errors import SampleError
from genlevel_evaluator.kinds import Content, json_type
from genlevel_evaluator.media import Blob
from genlevel_evaluator.metric import Sample
from genlevel_evaluator.pixels.channels import Channels, read_channels
from genlevel_evaluator.pixels.pictures import MAX_PIXELS, MAX_SIDE
from genlevel_evaluator.pixels.planes import read_array
from genlevel_evaluator.pixels.run_lengths import runs_of
from genlevel_evaluator.states import Row
from genlevel_image.media import LabelImage

_DARK, _TINT, _CLEAR_SHARE = 64, 48, 0.9
"""Of a lossy mask: how far from black or white a pixel is clear, how far its channels may lie apart, and how many pixels are clear."""


def decode_masks(content: Content, attributes: Mapping[str, Any]) -> LabelImage:
    """A label image from a file, `{"size", "counts"}` or `[{"label", "mask"}, ...]`."""
    del attributes
    if content.media is not None:
        return read_labels(content.media, lossy=True)
    value = content.json
    if isinstance(value, dict):
        return LabelImage(decode_run_lengths(value).astype(np.int32))
    if isinstance(value, list) and value:
        return LabelImage(_painted(value))
    given = "text" if content.text is not None else "an empty list" if value == [] else json_type(value)
    raise SampleError("WRONG_TYPE", f"expected a label image, got {given}", remedy="give a PNG of class numbers, or run lengths")


def read_label_image(blob: Blob) -> NDArray[np.int32]:
    """Numbers from a file that keeps them as they are."""
    return read_labels(blob).labels


def read_labels(blob: Blob, lossy: bool = False) -> LabelImage:
    """Class numbers from a file.

    Args:
        blob: the file.
        lossy: whether a JPEG is read, too, as a mask of one foreground.
    """
    name = blob.name or "the label image"
    if blob.suffix in (".npy", ".npz"):
        return LabelImage(_whole_numbers(read_array(blob, name, "mask"), name))
    read = read_channels(blob, name)
    if read.lossy:
        return LabelImage(lossy_mask(read, name, lossy).astype(np.int32), lossy=True)
    values = read.pixels if read.mode == "P" else read.one()
    if values is None or values.dtype.kind == "f":
        what = "floating-point values" if read.mode == "F" else f"the channels {read.mode}"
        raise SampleError("WRONG_TYPE", f"{name} holds {what}, not class numbers", remedy="save one channel (or a palette) of class numbers as PNG")
    return LabelImage(_whole_numbers(values // read.step if read.step > 1 else values, name))


def lossy_mask(read: Channels, name: str, allowed: bool = True) -> NDArray[np.bool_]:
    """The bright pixels of a JPEG or lossy WebP that shows black and white, which is all that such a file can keep.

    Raises:
        SampleError: LOSSY_MASK.
    """
    values = read.pixels.astype(np.int16) if read.pixels.ndim == 3 else read.pixels[:, :, None].astype(np.int16)
    grey = values[:, :, :3].mean(axis=2)
    known = read.mode in ("L", "RGB") and int(np.ptp(values, axis=2).max()) <= _TINT
    clear = float(np.mean((grey <= _DARK) | (grey >= 255 - _DARK)))
    black_and_white = known and clear >= _CLEAR_SHARE and (grey.max() == 0 or grey.max() >= 255 - _DARK)
    if not (allowed and black_and_white):
        what = "a JPEG" if read.form != "WEBP" else "a lossy WebP"
        raise SampleError("LOSSY_MASK", f"{name} is {what}, which changes numbers", remedy="save a PNG of class numbers")
    return np.asarray(grey >= 128)


def _whole_numbers(values: NDArray[Any], name: str) -> NDArray[np.int32]:
    if not values.size:
        raise SampleError("WRONG_SHAPE", f"{name} has no pixel", remedy="give at least one pixel")
    if values.ndim != 2 or values.dtype.kind not in "iub":
        raise SampleError("WRONG_TYPE", f"{name} has shape {values.shape} and type {values.dtype}", remedy="save whole numbers of shape (height, width)")
    if values.dtype.kind != "b" and (int(values.min()) < -(2**31) or int(values.max()) >= 2**31):
        raise SampleError("OUT_OF_RANGE", f"{name} holds numbers beyond 32 bits", remedy="number the classes from 0")
    return values.astype(np.int32)


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


def lossy_remarks(sample: Sample, row: Row, parameters: Any) -> list[SampleError]:
    """Masks that were made out from files that change numbers."""
    del row, parameters
    sides = [side for side, value in (("prediction", sample.prediction), ("reference", sample.reference)) if getattr(value, "lossy", False)]
    message = "the mask is a JPEG or a lossy WebP; its bright pixels were taken as the foreground, and its edges are not exact"
    return [SampleError("LOSSY_MASK", f"{side}: {message}", remedy="save a PNG", side=side) for side in sides]


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
