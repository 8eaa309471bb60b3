"""Oriented boxes of one frame, from our JSON form or from the results file of nuScenes' detection devkit."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genlevel_evaluator.errors import SampleError
from genlevel_evaluator.kinds import Content, decode_json, json_type
from genlevel_three_d.forms.objects import check_list, check_object, label_number, number, read_label, vector

MAX_BOXES = 10_000
KEYS = frozenset({"label", "center", "size", "yaw", "rotation", "velocity", "score", "points", "attribute"})
_NUSCENES = {
    "translation": "center", "size": "size", "rotation": "rotation", "velocity": "velocity", "num_pts": "points",
    "detection_name": "label", "detection_score": "score", "attribute_name": "attribute",
    "tracking_name": "label", "tracking_score": "score", "tracking_id": "track",
}  # fmt: skip
_SMALLEST_NORM = 1e-6


@dataclass(frozen=True)
class Boxes3D:
    """Oriented boxes, n of them.

    Attributes:
        labels: number of each label.
        centers: shape (n, 3), metres; x and y from the ego vehicle where one is known.
        sizes: shape (n, 3), width, length, height.
        yaws: radians, from x to y.
        velocities: shape (n, 2), metres a second; NaN where unknown.
        attributes: number of each attribute, 0 for none.
        scores: NaN where there is none.
        points: lidar and radar points inside; -1 where unknown.
    """

    labels: NDArray[np.int64]
    centers: NDArray[np.float64]
    sizes: NDArray[np.float64]
    yaws: NDArray[np.float64]
    velocities: NDArray[np.float64]
    attributes: NDArray[np.int64]
    scores: NDArray[np.float64]
    points: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, chosen: NDArray[Any]) -> Boxes3D:
        """The boxes at those places."""
        return Boxes3D(
            self.labels[chosen], self.centers[chosen], self.sizes[chosen], self.yaws[chosen], self.velocities[chosen],
            self.attributes[chosen], self.scores[chosen], self.points[chosen],
        )  # fmt: skip


def decode_boxes(content: Content, attributes: Mapping[str, Any]) -> Boxes3D:
    """`[{"label", "center", "size", ...}, ...]`, or `{"results": {token: [...]}}` with the frame named by the attribute `token`."""
    value = decode_json(content, attributes)
    if isinstance(value, dict) and "results" in value:
        value = [ours(item, f"/results/{place}") for place, item in enumerate(_of_frame(value["results"], attributes.get("token")))]
    boxes = together([read_box(item, f"/{place}") for place, item in enumerate(check_list(value, "boxes", MAX_BOXES))])
    ego = attributes.get("ego")
    if ego is not None:
        if not isinstance(ego, list) or len(ego) not in (2, 3):
            raise SampleError("WRONG_SHAPE", "ego is not [x, y]", remedy="give the position of the ego vehicle", pointer="/ego")
        boxes.centers[:, : len(ego)] -= vector(ego, len(ego), "/ego")
    return boxes


def _of_frame(results: Any, token: Any) -> list[Any]:
    """The boxes of that frame of a devkit's results; of the only frame where no token is given."""
    if not isinstance(results, dict):
        raise SampleError("WRONG_TYPE", f"results is an object of frames, got {json_type(results)}", remedy="write it as the devkit does")
    if token is None and len(results) == 1:
        token = next(iter(results))
    if token is None:
        raise SampleError("NO_TOKEN", f"the results hold {len(results)} frames", remedy="name the frame by the attribute `token`")
    if not isinstance(token, str) or not isinstance(results.get(token), list):
        raise SampleError("UNKNOWN_TOKEN", "the results have no frame of that token", remedy="give a list for every frame, an empty one too")
    found: list[Any] = results[token]
    return found


def ours(item: Any, pointer: str) -> dict[str, Any]:
    """An entry of the devkit's results under our names."""
    check_object(item, frozenset(_NUSCENES) | {"sample_token", "ego_translation"}, "an entry of results", pointer)
    found = {_NUSCENES[key]: value for key, value in item.items() if key in _NUSCENES}
    if found.get("points") == -1:  # the devkit's word for unknown
        del found["points"]
    if found.get("attribute") == "":
        del found["attribute"]
    if isinstance(found.get("velocity"), list) and None in found["velocity"]:
        del found["velocity"]
    return found


Fields = tuple[int, list[float], list[float], float, list[float], int, float, int]


def read_box(item: Any, pointer: str, keys: frozenset[str] = KEYS) -> Fields:
    """The values of one box, in the order of `Boxes3D`."""
    box = check_object(item, keys, "a box", pointer)
    size = vector(box.get("size"), 3, f"{pointer}/size")
    if min(size) <= 0:
        raise SampleError("BAD_SIZE", "a box has a side that is not above 0", remedy="give width, length and height in metres", pointer=f"{pointer}/size")
    given = box.get("velocity")
    velocity = [math.nan, math.nan] if given is None else vector(given, 2, f"{pointer}/velocity")
    score = box.get("score")
    attribute = box.get("attribute")
    return (
        read_label(box.get("label"), f"{pointer}/label"), vector(box.get("center"), 3, f"{pointer}/center"), size, _yaw(box, pointer), velocity,
        0 if attribute is None else label_number(str(attribute)), math.nan if score is None else number(score, f"{pointer}/score", 1e100),
        _points(box.get("points"), f"{pointer}/points"),
    )  # fmt: skip


def together(rows: Sequence[Fields]) -> Boxes3D:
    """Boxes from the values of each."""
    labels, centers, sizes, yaws, velocities, attributes, scores, points = zip(*rows, strict=True) if rows else ((),) * 8
    return Boxes3D(
        np.array(labels, np.int64), _table(centers, 3), _table(sizes, 3), np.array(yaws, np.float64), _table(velocities, 2),
        np.array(attributes, np.int64), np.array(scores, np.float64), np.array(points, np.int64),
    )  # fmt: skip


def _table(rows: Sequence[Any], width: int) -> NDArray[np.float64]:
    return np.array(rows, dtype=np.float64).reshape(-1, width)


def _yaw(box: Mapping[str, Any], pointer: str) -> float:
    if "yaw" in box and "rotation" in box:
        raise SampleError("TWO_ROTATIONS", "a box has both yaw and rotation", remedy="give one of them", pointer=pointer)
    if "rotation" not in box:
        return number(box.get("yaw", 0.0), f"{pointer}/yaw")
    w, x, y, z = vector(box["rotation"], 4, f"{pointer}/rotation")
    norm = w * w + x * x + y * y + z * z
    if norm < _SMALLEST_NORM:
        raise SampleError("NOT_A_ROTATION", "a quaternion is zero", remedy="give w, x, y, z of length 1", pointer=f"{pointer}/rotation")
    # Where the box's own x axis points on the ground.
    return math.atan2(2 * (x * y + w * z) / norm, 1 - 2 * (y * y + z * z) / norm)


def _points(value: Any, pointer: str) -> int:
    if value is None:
        return -1
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 1 << 40:
        raise SampleError("WRONG_TYPE", "points is a whole number, 0 or more", remedy="give the number of points inside", pointer=pointer)
    return value
