"""The numbers of a picture file, for kinds in which a pixel is a number and not a colour: nothing is scaled, mixed or cut to 8 bits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from genlevel_evaluator.media import Blob
from genlevel_evaluator.pixels.pictures import bytes_of, deep_colour, is_deep_colour, load, open_image

if TYPE_CHECKING:
    from PIL.Image import Image

WHOLE_MODES = ("1", "L", "I;16", "I;16B", "I;16L", "I")
_FEW_BITS = {2: 85, 4: 17}
_OPAQUE = {"LA": 1, "RGBA": 3}


@dataclass(frozen=True)
class Channels:
    """A picture as it was stored.

    Attributes:
        pixels: shape (height, width) or (height, width, channels).
        mode: what the channels are, in Pillow's words.
        form: of the file: PNG, JPEG, ...
        lossy: whether the form changes numbers.
        step: what a grey of 2 or 4 bits was multiplied by, so that its brightest is 255; else 1.
    """

    pixels: NDArray[Any]
    mode: str
    form: str
    lossy: bool
    step: int = 1

    def one(self) -> NDArray[Any] | None:
        """The one channel: alone, or written to red, green and blue alike, beside an alpha that hides nothing. None where there are more."""
        if self.pixels.ndim == 2:
            return self.pixels if self.mode != "P" else None
        alpha = _OPAQUE.get(self.mode)
        if alpha is not None and (self.pixels[:, :, alpha] != 255).any():
            return None
        colours = self.pixels[:, :, :alpha]
        if self.mode not in ("RGB", *_OPAQUE) or np.ptp(colours, axis=2).any():
            return None
        return np.ascontiguousarray(colours[:, :, 0])


def read_channels(blob: Blob, name: str) -> Channels:
    """The channels of a picture.

    Raises:
        SampleError: what `open_image` and `load` raise.
    """
    data = bytes_of(blob, name)
    with open_image(data, name) as image:
        form = str(image.format)
        if is_deep_colour(data, image):
            return Channels(deep_colour(data, name), "RGB", form, False)
        step = _step(data, image)
        pixels = load(image, name)
        return Channels(pixels, image.mode, form, form in ("JPEG", "MPO") or (form == "WEBP" and b"VP8L" not in data[:64]), step)


def _step(data: bytes, image: Image) -> int:
    bits = 0
    if image.mode == "L" and image.format == "PNG":
        bits = data[24]
    elif image.mode == "L" and image.format == "TIFF":
        bits = image.tag_v2.get(258, (8,))[0]  # type: ignore[attr-defined]
    return _FEW_BITS.get(bits, 1)
