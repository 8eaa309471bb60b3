"""A picture with its reference, for networks that look at both at once."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from genlevel_image.media import Picture

SMALLEST = {"alex": 31, "vgg": 16}
"""Shortest side LPIPS takes, in pixels, by network: below, nothing is left of its last layer."""
LARGEST = {"alex": 1 << 24, "vgg": 1 << 21}
"""Pixels LPIPS takes at most: its layers then fill about 2 GB."""


@dataclass(frozen=True)
class Pair:
    """Two pictures."""

    prediction: Picture
    reference: Picture

    @property
    def sha256(self) -> str:
        """Of the digests of both files; empty where one does not know its own."""
        digests = self.prediction.sha256, self.reference.sha256
        return hashlib.sha256("-".join(digests).encode()).hexdigest() if all(digests) else ""
