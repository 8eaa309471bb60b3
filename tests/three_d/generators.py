"""Small random samples of each metric of the 3D evaluator, for the common laws."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.random import Generator
from PIL import Image

from genlevel_evaluator import media
from genlevel_evaluator.engine import RawSample
from genlevel_evaluator.kinds import Content
from genlevel_evaluator.metric import Presence

sys.path.append(str(Path(__file__).resolve().parent))

import scene_data


def shapes(random: Generator, count: int) -> list[RawSample]:
    """Point clouds: usual ones, single points, equal ones, and missing predictions."""
    samples = []
    for index in range(count):
        reference = random.normal(size=(int(random.integers(1, 12)), 3)).round(3).tolist()
        prediction = reference if index % 5 == 1 else random.normal(size=(int(random.integers(1, 12)), 3)).round(3).tolist()
        samples.append(_sample(str(index), None if index % 7 == 3 else prediction, reference))
    return samples


def trajectories(random: Generator, count: int) -> list[RawSample]:
    """Drives of 20 to 250 m: some too short for a segment, and missing predictions."""
    samples = []
    for index in range(count):
        frames = int(random.integers(12, 90))
        reference = drive(random, frames, speed=3.0)
        prediction = reference.copy()
        prediction[:, :3, 3] *= 1.0 + 0.02 * float(random.normal())
        samples.append(_sample(str(index), None if index % 7 == 3 else prediction[:, :3].tolist(), reference[:, :3].tolist()))
    return samples


def directions(random: Generator, count: int) -> list[RawSample]:
    """Normals: random, equal and opposite ones, listed points, subsets, and missing predictions."""
    samples = []
    for index in range(count):
        reference, prediction = (_unit(random, int(3 + index % 4)) for _ in range(2))
        given = None if index % 7 == 3 else (-reference if index % 5 == 1 else prediction).tolist()
        raw = _sample(str(index), given, reference.tolist())
        samples.append(replace(raw, attributes={"indices": [0, 2]} if index % 4 == 2 else {"subset": f"noise {index % 3}"}))
    return samples


_OBJ = "".join(f"v {x} {y} {z} {x} {y} {z}\n" for x in (0, 1) for y in (0, 1) for z in (0, 1)) + "f 1 2 4 3\nf 5 7 8 6\nf 1 5 6 2\n"
_WORDS = ("a red box", "two wooden chairs", "a cube, open on three sides")


def described(random: Generator, count: int) -> list[RawSample]:
    """Meshes, clouds and given pictures against captions, true shapes among them, and missing shapes."""
    samples = []
    for index in range(count):
        references = [Content(text=_WORDS[(index + turn) % len(_WORDS)]) for turn in range(1 + index % 2)]
        references += [Content(json={"shape": _cloud(random).media})] if index % 5 == 0 else []
        samples.append(_made(random, index, tuple(references)))
    return samples


def pictured(random: Generator, count: int) -> list[RawSample]:
    """The same against one or more pictures."""
    return [_made(random, index, tuple(_photo(random) for _ in range(1 + index % 2))) for index in range(count)]


def _made(random: Generator, index: int, references: tuple[Content, ...]) -> RawSample:
    kinds = (
        lambda: Content(media=media.from_bytes(_OBJ.encode(), "box.obj")),
        lambda: _cloud(random),
        lambda: Content(json=[_photo(random).media for _ in range(2)]),
    )
    given = None if index % 7 == 3 else kinds[index % 3]()
    return RawSample(str(index), given, references, Presence.BOTH if given else Presence.PREDICTION_MISSING)


def _cloud(random: Generator) -> Content:
    buffer = io.BytesIO()
    np.savez(buffer, points=random.normal(size=(9, 3)).round(3), colors=random.random((9, 3)).round(3))
    return Content(media=media.from_bytes(buffer.getvalue(), "cloud.npz"))


def _photo(random: Generator) -> Content:
    buffer = io.BytesIO()
    Image.fromarray(random.integers(0, 256, (12, 16, 3), dtype=np.uint8)).save(buffer, "PNG")
    return Content(media=media.from_bytes(buffer.getvalue(), "photo.png"))


def _unit(random: Generator, count: int) -> np.ndarray:
    rows = random.normal(size=(count, 3))
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def drive(random: Generator, frames: int, speed: float = 1.0, turn: float = 0.02) -> np.ndarray:
    """Poses of a car that goes forward along z and turns about y, shape (frames, 4, 4)."""
    poses = np.tile(np.eye(4), (frames, 1, 1))
    for index in range(1, frames):
        angle = turn * float(random.normal())
        step = np.eye(4)
        step[:3, :3] = [[np.cos(angle), 0, np.sin(angle)], [0, 1, 0], [-np.sin(angle), 0, np.cos(angle)]]
        step[:3, 3] = [0.02 * float(random.normal()), 0.02 * float(random.normal()), speed * float(random.uniform(0.5, 1.5))]
        poses[index] = poses[index - 1] @ step
    return poses


def frames_of_boxes(random: Generator, count: int) -> list[RawSample]:
    """Frames of boxes: usual ones, empty ones on either side, equal scores, and missing predictions."""
    samples = []
    for index in range(count):
        prediction, reference = scene_data.frame(random, 0 if index % 6 == 4 else 9, steps=4 if index % 2 else 0)
        samples.append(_sample(str(index), None if index % 7 == 3 else [] if index % 7 == 5 else prediction, reference))
    return samples


def scenes_of_tracks(random: Generator, count: int) -> list[RawSample]:
    """Scenes of tracks: usual ones, empty predictions, equal scores, and missing predictions."""
    samples = []
    for index in range(count):
        found = scene_data.scene(random, 8, 5, steps=3 if index % 2 else 0)
        prediction = None if index % 7 == 3 else [[] for _ in range(8)] if index % 7 == 5 else found["prediction"]
        samples.append(_sample(str(index), prediction, found["reference"]))
    return samples


def labelled_clouds(random: Generator, count: int) -> list[RawSample]:
    """Labels of points: usual ones, single points, perfect ones, labels that no reference has, and missing predictions."""
    samples = []
    for index in range(count):
        reference = random.integers(0, 4, int(random.integers(1, 30)))
        prediction = reference if index % 5 == 1 else np.where(random.random(len(reference)) < 0.6, reference, random.integers(0, 6, len(reference)))
        samples.append(_sample(str(index), None if index % 7 == 3 else prediction.tolist(), reference.tolist()))
    return samples


def labelled_shapes(random: Generator, count: int) -> list[RawSample]:
    """The same with categories: of the sixteen, others, and none."""
    names = ("Airplane", "02691156", "gondola", None)
    return [
        replace(sample, attributes={} if names[index % 4] is None else {"category": names[index % 4]})
        for index, sample in enumerate(labelled_clouds(random, count))
    ]


def scanned_rooms(random: Generator, count: int) -> list[RawSample]:
    """Objects of scans: usual ones, an empty prediction, equal scores, and missing predictions."""
    samples = []
    for index in range(count):
        prediction, reference = scene_data.room(random, 1500, 6, steps=3 if index % 2 else 0)
        samples.append(_sample(str(index), None if index % 7 == 3 else [] if index % 7 == 5 else prediction, reference))
    return samples


def motions(random: Generator, count: int) -> list[RawSample]:
    """Members of both sets: some with one side only, some of one caption."""
    samples = []
    for index in range(count):
        prediction, reference = (random.normal(size=(int(random.integers(4, 9)), 263)).round(3).tolist() for _ in range(2))
        found = _sample(str(index), None if index % 7 == 3 else prediction, reference)
        samples.append(replace(found, attributes={"caption": "a person walks"}) if index % 3 == 0 else found)
    return samples


def _sample(key: str, prediction: object, reference: object) -> RawSample:
    given = None if prediction is None else Content(json=prediction)
    presence = Presence.PREDICTION_MISSING if prediction is None else Presence.BOTH
    return RawSample(key, given, (Content(json=reference),), presence)


GENERATORS: dict[str, Callable[[Generator, int], list[RawSample]]] = {"chamfer_distance": shapes, "map": frames_of_boxes, "amota": scenes_of_tracks, "miou": labelled_clouds, "fid_motion": motions, "instance_miou": labelled_shapes, "map_50": scanned_rooms, "rte": trajectories, "rmse_angle_deg": directions,
    "clip_score_text": described, "clip_score_image": pictured}
