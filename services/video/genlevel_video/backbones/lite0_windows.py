"""EfficientNet-Lite0 in windows of the frame, a stand-in for a detector: it tells which classes of ImageNet a window shows, and no true boxes.

Windows are the whole frame, its four corners and its middle, each 3/5 as wide and high. A class of COCO is as likely as the classes of
ImageNet behind it together. Of each name the likeliest window of a frame is given, described by its commonest colour.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genlevel_evaluator import weights
from genlevel_evaluator.networks import conse, lite0
from genlevel_video.backbones.imagenet_groups import COCO_CLASSES, members
from genlevel_video.backbones.picked import told
from genlevel_video.frames import Frame
from genlevel_video.objects.colours import commonest
from genlevel_video.objects.detectors import FLOOR, Asked
from genlevel_video.objects.words import clean

_SHARE = 0.6


class Lite0Windows:
    """The network behind its windows. Windows go through one by one, so nothing depends on its company."""

    def __init__(self, network: lite0.Lite0Features, classes: Sequence[str]) -> None:
        self._network = network
        # Some names of ImageNet are there twice, or a name of COCO as well: what COCO's is made of goes before.
        groups = {name: np.array(members(name)) for name in COCO_CLASSES}
        taken = {clean(name) for name in groups}
        for name in classes:
            if clean(name) not in taken:
                groups[name.lower()] = np.array([number for number, same in enumerate(classes) if same == name])
                taken.add(clean(name))
        self._groups = groups
        self._known = taken

    def extract(self, values: Sequence[Asked]) -> list[Any]:
        """The detections of each clip as JSON; in place of one, the fault of its file."""
        return told(values, lambda frame, _: self._frame(frame), self._document)

    def _document(self, frames: list[list[dict[str, Any]]], asked: Asked) -> dict[str, Any]:
        return {"detector": "lite0-windows", "frames": frames, "blind": [name for name in asked.names if name not in self._known]}

    def _frame(self, frame: Frame) -> list[dict[str, Any]]:
        best: dict[str, tuple[float, tuple[int, int, int, int]]] = {}
        for left, top, right, bottom in windows(frame.shape[1], frame.shape[0]):
            shares = self._network.classes(self._network.prepare(frame[top:bottom, left:right]))
            for name, numbers in self._groups.items():
                share = float(shares[numbers].sum())
                if share >= max(FLOOR, best[name][0] if name in best else 0.0):
                    best[name] = (share, (left, top, right, bottom))
        return [
            {"label": name, "score": min(share, 1.0), "box": list(box), "description": f"{commonest(_cut(frame, box))} {name}"}
            for name, (share, box) in best.items()
        ]


def _cut(frame: Frame, box: tuple[int, int, int, int]) -> NDArray[np.uint8]:
    """The middle of a window, where the thing is likeliest."""
    left, top, right, bottom = box
    across, down = (right - left) // 4, (bottom - top) // 4
    return frame[top + down : bottom - down, left + across : right - across]


def windows(width: int, height: int) -> list[tuple[int, int, int, int]]:
    """Corners of the windows, the whole frame first; one pixel at least.

    >>> windows(10, 5)[:2]
    [(0, 0, 10, 5), (0, 0, 6, 3)]
    """
    wide, high = max(1, round(_SHARE * width)), max(1, round(_SHARE * height))
    across, down = width - wide, height - high
    places = [(0, 0), (across, 0), (0, down), (across, down), (across // 2, down // 2)]
    return [(0, 0, width, height), *((left, top, left + wide, top + high) for left, top in places)]


def build() -> Lite0Windows:
    """The network with the weights its package ships."""
    return Lite0Windows(lite0.load(), conse.class_names(weights.path(conse.NAMES)))
