"""What General-Bench's 3D tasks look like that the 3D evaluator scores: media, fields, references, right and wrong answers.

`MAKERS` has an entry for each metric: a function of a number, which turns the spellings, to the rows of a task.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from general_bench_media import colour, npy, png
from general_bench_rows import COUNT, Rows, write_rows

from genlevel_orchestrator.catalogue import Task

Maker = Callable[[int], Any]


# Shapes

CORNERS = [[x, y, z] for x in (0, 1) for y in (0, 1) for z in (0, 1)]
"""Of the unit cube, whose box is its own normalisation."""


def ply(points: list[list[float]]) -> bytes:
    """A cloud as PLY text."""
    head = f"ply\nformat ascii 1.0\nelement vertex {len(points)}\nproperty float x\nproperty float y\nproperty float z\nend_header\n"
    return (head + "".join(f"{x} {y} {z}\n" for x, y, z in points)).encode()


def _clouds(number: int) -> Rows:
    """The corners of the unit cube; wrong clouds have one more point, 0.3 beside a corner."""
    files = {"gt/cube.ply": ply(CORNERS), "found/right.ply": ply(CORNERS[::-1]), "found/wrong.npy": npy(np.array([*CORNERS, [1.3, 1, 1]], dtype=float))}
    sample = [
        {"input": {"prompt": "Complete it", "pointcloud": "in.ply"}, "output": {"pointcloud": "gt/cube.ply"}},
        {"input": {"image": "rgb.png", "depth": "d.png"}, "output": {"mesh_file": "./data/3D/generation/{folder}/gt/cube.ply"}},
        {"output": CORNERS},
    ][number % 3]
    return Rows(lambda i: sample, lambda i: CORNERS if i % 2 else "found/right.ply", lambda i: "found/wrong.npy", files)


def _described(number: int) -> Rows:
    """Shapes named by number: clouds of so many points, and pictures rendered elsewhere."""
    form: list[Maker] = [
        lambda i: {"input": {"prompt": f"shape {i}"}}, lambda i: {"input": {"text": "Make it"}, "output": {"caption": f"shape {i}"}},
        lambda i: {"output": f"shape {i}"}, lambda i: {"input": {"caption": f"shape {i}"}, "output": {"pointcloud": "gt.ply"}},
    ]  # fmt: skip
    return Rows(form[number % len(form)], *_generated(), _shapes())


def _pictured(number: int) -> Rows:
    """The same, made from a picture."""
    forms: list[Maker] = [
        lambda i: {"input": {"image": f"views/{i}.png"}}, lambda i: {"input": {"prompt": "Make it", "image_file": f"views/{i}.png"}, "output": {}},
        lambda i: {"output": {"image": f"views/{i}.png"}},
    ]  # fmt: skip
    return Rows(forms[number % len(forms)], *_generated(), _shapes())


def _shapes() -> dict[str, bytes]:
    clouds = {f"shapes/{i}.ply": ply([[0, 0, k] for k in range(i + 1)]) for i in range(COUNT + 1)}
    return clouds | {f"views/{i}.png": png(colour(i)) for i in range(COUNT + 1)}


def _generated() -> tuple[Maker, Maker]:
    return (lambda i: [f"views/{i}.png"] * 2 if i % 2 else f"shapes/{i}.ply"), (lambda i: f"shapes/{COUNT}.ply" if i % 2 else [f"views/{COUNT}.png"])


# Directions and ways


def _normals(number: int) -> Rows:
    """Normals along z; wrong ones lie across, of every second point."""
    up, half = [[0, 0, 1]] * 4, [[0, 0, -1], [1, 0, 0]] * 2
    files = {"gt/n.npy": npy(np.array(up, dtype=float)), "found/n.normals": b"0 0 1\n0 0 -1\n0 0 1\n0 0 1\n"}
    sample = [{"input": {"pointcloud": "in.ply"}, "output": {"normals": "gt/n.npy"}}, {"output": up}][number % 2]
    return Rows(lambda i: sample, lambda i: "found/n.normals" if i % 2 else up, lambda i: half, files)


def _ways(number: int) -> Rows:
    """202 frames straight on, a metre each; wrong ways are a tenth longer."""

    def way(step: float) -> str:
        return "".join(f"1 0 0 0 0 1 0 0 0 0 1 {step * frame}\n" for frame in range(202))

    files = {"poses/00.txt": way(1.0).encode(), "found/right.txt": way(1.0).encode(), "found/wrong.txt": way(1.1).encode()}
    sample = [{"input": {"video": "00.mp4"}, "output": {"poses": "poses/00.txt"}}, {"output": "poses/00.txt"}][number % 2]
    return Rows(lambda i: sample, lambda i: "found/right.txt", lambda i: "found/wrong.txt", files)


# Scenes


def _car(i: int, **more: Any) -> dict[str, Any]:
    return {"label": ["car", "pedestrian"][i % 2], "center": [3.0 * i, 2.0, 0.5], "size": [1.9, 4.5, 1.6], "yaw": 0.1, **more}


def _devkit(i: int, **more: Any) -> dict[str, Any]:
    box = _car(i)
    return {"translation": box["center"], "size": box["size"], "rotation": [1, 0, 0, 0], "detection_name": box["label"], **more}


def _scene_boxes(number: int) -> Rows:
    """One object a frame; wrong answers find nothing."""
    sample: list[Maker] = [
        lambda i: {"input": {"pointcloud": "in.bin"}, "output": {"boxes": [_car(i, points=7)]}}, lambda i: {"output": [_devkit(i, num_pts=7)]},
        lambda i: {"output": {"annotations": [{"category": _car(i)["label"], "bbox_3d": [3.0 * i, 2.0, 0.5, 4.5, 1.9, 1.6, 0.1]}]}},
    ]  # fmt: skip
    files = {f"found/{i}.json": json.dumps({"meta": {}, "results": {"t": [_devkit(i, sample_token="t", detection_score=0.9)]}}).encode() for i in range(COUNT)}
    return Rows(sample[number % 3], lambda i: [_car(i, score=0.9)] if i % 2 else f"found/{i}.json", lambda i: [], files)


def _scene_tracks(number: int) -> Rows:
    """One car in three frames; wrong answers find nothing."""
    frames = [[_car(0, center=[float(step), 0.0, 0.0], track="a")] for step in range(3)]
    sample: list[Maker] = [lambda i: {"output": {"tracks": frames}}, lambda i: {"output": {"frames": frames, "times": [0, 500, 1000]}}, lambda i: {"output": {"tracks": {str(step): frame for step, frame in enumerate(frames)}}}]
    right = [[{**box, "track": 4, "score": 0.9} for box in frame] for frame in frames]
    return Rows(sample[number % 3], lambda i: right if i % 2 else "found/tracks.json", lambda i: [[], [], []], {"found/tracks.json": json.dumps(right).encode()})


def _rooms(number: int) -> Rows:
    """One object of 120 points; wrong answers find nothing."""
    files = {"gt/labels.txt": b"5\n" * 120 + b"0\n" * 30, "gt/instances.txt": b"1\n" * 120 + b"0\n" * 30, "found/mask.txt": b"1\n" * 120 + b"0\n" * 30}
    sample: list[Maker] = [lambda i: {"output": {"labels": "gt/labels.txt", "instances": "gt/instances.txt"}}, lambda i: {"output": {"labels": [5] * 120 + [0] * 30, "instances": [1] * 120 + [0] * 30}}]
    return Rows(
        sample[number % 2], lambda i: [{"label": 5, "score": 0.9, "points": list(range(120))}] if i % 2 else [{"label_id": "chair", "confidence": 0.9, "mask_file": "found/mask.txt"}],
        lambda i: [], files,
    )  # fmt: skip


def _labelled(number: int) -> Rows:
    """Three classes; wrong labels are turned round."""
    files = {"gt/l.txt": b"1\n2\n3\n", "found/right.npy": npy(np.array([1, 2, 3])), "found/wrong.label": b"2\n3\n1\n"}
    sample: list[Maker] = [lambda i: {"input": {"pointcloud": "in.ply"}, "output": {"labels": "gt/l.txt"}}, lambda i: {"output": [1, 2, 3]}]
    return Rows(sample[number % 2], lambda i: [1, 2, 3] if i % 2 else "found/right.npy", lambda i: "found/wrong.label", files)


def _parts(number: int) -> Rows:
    """The four parts of an airplane; wrong labels are turned round."""
    files = {"gt/l.seg": b"0\n1\n2\n3\n", "found/right.txt": b"0\n1\n2\n3\n"}
    sample: list[Maker] = [
        lambda i: {"input": {"pointcloud": "in.pts", "category": "Airplane"}, "output": {"parts": "gt/l.seg"}}, lambda i: {"category": "02691156", "output": {"seg_file": "gt/l.seg"}},
        lambda i: {"output": [0, 1, 2, 3]},
    ]  # fmt: skip
    return Rows(sample[number % 3], lambda i: [0, 1, 2, 3] if i % 2 else "found/right.txt", lambda i: [1, 2, 3, 0], files)


def _motions(number: int) -> Rows:
    """The real set is two motions by turns; where answers are wrong the generated one is the other of the two."""
    files = {f"motions/{i}.npy": npy(np.full((8, 263), float(i))) for i in range(2)}
    return Rows(lambda i: {"input": {"prompt": "walk"}, "output": {"motion": f"motions/{i % 2}.npy"}}, lambda i: f"motions/{i % 2}.npy", lambda i: "motions/0.npy", files)


MAKERS: dict[str, Callable[[int], Rows]] = {
    "chamfer_distance": _clouds, "clip_score_text": _described, "clip_score_image": _pictured, "rmse_angle_deg": _normals, "rte": _ways,
    "map": _scene_boxes, "amota": _scene_tracks, "map_50": _rooms, "miou": _labelled, "instance_miou": _parts, "fid_motion": _motions,
}  # fmt: skip


def write_shapes(root: Path, task: Task, number: int, right: int) -> Path:
    """A folder of the task of which the first `right` samples are answered rightly; `number` turns the spellings."""
    return write_rows(root, task, number, right, "three_d", MAKERS[task.metric_id](number))
