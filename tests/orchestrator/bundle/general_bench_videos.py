"""What General-Bench's video tasks look like that the video evaluator scores: media, fields, references, right and wrong answers.

`MAKERS` has an entry for each metric: a function of a number, which turns the spellings, to the rows of a task.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from general_bench_media import colour, flat, halves, png
from general_bench_rows import COUNT, Rows, write_rows
from numpy.typing import NDArray

from genlevel_orchestrator.catalogue import Task

ACTIONS = ("abseiling", "air drumming", "answering questions", "applauding")
"""The first actions of Kinetics."""
Maker = Callable[[int], Any]


# Media


def npz(**arrays: NDArray[Any]) -> bytes:
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


def clip(number: int, frames: int = 2, shift: int = 0) -> NDArray[np.uint8]:
    """Frames that differ from one another and from those of every other clip of these tests."""
    return np.stack([colour(10 * number + frame, shift) for frame in range(frames)])


def frame_folder(path: str, frames: NDArray[Any]) -> dict[str, bytes]:
    """A folder of PNG files."""
    return {f"{path}/{place:05d}.png": png(frame) for place, frame in enumerate(frames)}


# Masks, boxes, depth, flow


def _counts(left: bool) -> dict[str, Any]:
    return {"size": [8, 8], "counts": [0, 32, 32] if left else [32, 32]}


def _masks(number: int) -> Rows:
    """The left half of both frames; wrong answers find the right half, or nothing."""
    files = frame_folder("found/right", np.stack([halves(255, 0)] * 2)) | {"found/wrong.npz": npz(labels=np.stack([halves(0, 1)] * 2))}
    compressed = {"size": [8, 8], "counts": "0P1P1"}
    forms: list[Maker] = [lambda i: "found/right", lambda i: {"objects": {"1": [_counts(True)] * 2}}, lambda i: [compressed] * 2]
    return Rows(
        lambda i: {
            "input": {"video_folder": f"frames/{i}", "prompt": "the dog"},
            "output": {f"{i}_{frame}": {"mask": compressed if number % 2 else _counts(True)} for frame in range(2)},
        },
        forms[number % 3], lambda i: ["found/wrong.npz", {"0": {"mask": None}, "1": {"mask": _counts(False)}}][i % 2], files,
    )  # fmt: skip


def _tubes(number: int) -> Rows:
    """A box over frames 3 to 5 of ten, in both layouts of trajectories."""
    box, frames = [2, 3, 10, 20], range(3, 6)
    listed = {"trajectory": [box] * 3, "tube_start_frame": 4, "tube_end_frame": 7}
    mapped = {"trajectory": {str(frame): {"bbox": box} for frame in range(10)}, "tube_start_frame": 3, "tube_end_frame": 6}
    corners = [2, 3, 12, 23]
    forms: list[Maker] = [
        lambda i: {"start": 3, "boxes": [corners] * 3}, lambda i: [corners if frame in frames else [0, 0, 0, 0] for frame in range(10)],
        lambda i: json.dumps([corners if frame in frames else None for frame in range(10)]), lambda i: dict(mapped),
    ]  # fmt: skip
    return Rows(
        lambda i: {"video_path": f"{i}.mp4", "frame_count": 10, "caption": "a man walks", **(listed if number % 2 else mapped)},
        forms[number % 4], lambda i: {"start": 6, "boxes": [corners] * 3} if i % 2 else {"start": 0, "boxes": []}, key="original_video_id",
    )  # fmt: skip


def _tracks(number: int) -> Rows:
    boxes = [[10 + frame, 5, 30, 40] for frame in range(5)]
    text = "\n".join([",", "\t", " "][number % 3].join(map(str, box)) for box in boxes)
    files = {"found/right.txt": text.encode(), "found/away.txt": b"500,500,9,9\n" * 5}
    return Rows(
        lambda i: {"input": {"prompt": "track it", "video_folder": f"frames/{i}"}, "output": {"answer": boxes}},
        lambda i: boxes if number % 2 else "found/right.txt", lambda i: "found/away.txt", files,
    )  # fmt: skip


def _depths(number: int) -> Rows:
    """Depth 2 and 4 m; right answers are inverse depths up to a scale, wrong ones see one depth everywhere."""
    truth = np.stack([halves(2, 4, np.float32)] * 2)[:, None]
    files = {f"depth/{i}.npz": npz(disparity=truth) for i in range(COUNT)}
    files |= {"found/right.npz": npz(disparity=3 / truth + 1), "found/wrong.npz": npz(depth=np.ones_like(truth[:, 0]))}
    return Rows(lambda i: {"input": f"{i}.mp4", "output": f"{i}.npz"}, lambda i: "found/right.npz", lambda i: "found/wrong.npz", files)


def _flows(number: int) -> Rows:
    """Nothing moves; wrong answers move by (3, 4) everywhere, those of panoramas by as much the longer way round."""
    still = np.zeros((8, 8, 2), np.float32)
    coded = np.dstack([np.full((8, 8, 2), 32768, np.uint16), np.ones((8, 8), np.uint16)])
    files = {"flow/t.flo": _flo(still), "flow/t.png": _png16(coded), "found/r.flo": _flo(still), "found/w.npz": npz(flow=still + np.float32([3, 4]))}
    path = ["flow/t.flo", "./data/video/comprehension/{folder}/flow/t.flo", "flow/t.png"][number % 3]
    return Rows(
        lambda i: {"input": {"prompt": "p", "video_folder": f"frames/{i}"}, "output": {"flow": path}}, lambda i: "found/r.flo", lambda i: "found/w.npz", files,
    )  # fmt: skip


def _flo(vectors: NDArray[np.float32]) -> bytes:
    height, width = vectors.shape[:2]
    return b"PIEH" + np.array([width, height], "<i4").tobytes() + vectors.astype("<f4").tobytes()


def _png16(pixels: NDArray[np.uint16]) -> bytes:
    import cv2

    return bytes(cv2.imencode(".png", np.ascontiguousarray(pixels[:, :, ::-1]))[1])


def _maps(number: int) -> Rows:
    """The left half is salient; wrong maps are black."""
    files = frame_folder("gt", np.stack([halves(255, 0)] * 2)) | frame_folder("found/right", np.stack([halves(200, 0)] * 2))
    files |= frame_folder("found/wrong", np.stack([flat(0)] * 2))
    return Rows(
        lambda i: {"input": {"pred_dir": "found/right", "gt_dir": "gt"}, "output": [None, {}, ""][number % 3]},
        lambda i: "found/right", lambda i: "found/wrong", files,
    )  # fmt: skip


# Restored and generated clips


def _restored(number: int) -> Rows:
    """Wrong answers are brighter by 10 throughout."""
    files: dict[str, bytes] = {}
    for i in range(COUNT):
        files |= frame_folder(f"gt/{i}", clip(i)) | frame_folder(f"found/{i}", clip(i)) | {f"bright/{i}.npz": npz(frames=clip(i, shift=10))}
    return Rows(
        lambda i: {"input": {"pred_dir": f"found/{i}", "gt_dir": f"gt/{i}"}, "output": {} if number % 2 else None}, lambda i: f"found/{i}", lambda i: f"bright/{i}.npz", files,
    )  # fmt: skip


def _generated(number: int) -> Rows:
    """The real set is two clips by turns; where answers are wrong the generated one is the first of the two."""
    files = {f"videos/{i}.npz": npz(frames=clip(i)) for i in range(2)}
    return Rows(
        lambda i: {"input": {"prompt": "a scene"}, "output": {"video_file": f"videos/{i % 2}.npz"}}, lambda i: f"videos/{i % 2}.npz", lambda i: "videos/0.npz", files,
    )  # fmt: skip


# What is to be seen


def _shown(metric_id: str) -> Callable[[int], Rows]:
    """Clips; in the right ones everything that is asked for is found (see `NETWORKS` of the test), in the others nothing."""
    forms: dict[str, list[dict[str, Any]]] = {
        "object_class": [
            {"input": {"prompt": "A cat."}}, {"input": {"prompt": "A film of it"}, "output": {"auxiliary_info": {"object_class": {"object": "cat"}}}},
            {"input": {"prompt": "It sleeps", "auxiliary_info": {"object": "a cat"}}, "output": {}},
        ],
        "multiple_objects": [{"input": {"prompt": "A cat and a dog."}}, {"output": {"object": "a cat and a dog"}}],
        "spatial_relationship": [
            {"input": {"prompt": "A cat on the left of a dog."}},
            {"input": {"prompt": "Pets"}, "output": {"spatial_relationship": {"object_a": "cat", "object_b": "dog", "relationship": "on the left of"}}},
        ],
    }  # fmt: skip
    files = {f"found/{i}.npz": npz(frames=clip(i)) for i in range(COUNT)} | {f"bright/{i}.npz": npz(frames=clip(i, shift=10)) for i in range(COUNT)}

    def rows(number: int) -> Rows:
        form = forms[metric_id][number % len(forms[metric_id])]
        return Rows(lambda i: form, lambda i: f"found/{i}.npz", lambda i: f"bright/{i}.npz", files)

    return rows


def _coloured(number: int) -> Rows:
    """Detections made elsewhere, in place or in files; the car is red in right answers."""
    found = {colour: {"detector": "GRiT-B", "frames": [[{"label": "car", "score": 0.9, "description": f"a {colour} car"}]] * 2} for colour in ("red", "blue")}
    files = {f"found/{colour}.json": json.dumps(value).encode() for colour, value in found.items()}
    samples: list[dict[str, Any]] = [
        {"input": {"prompt": "a red car"}}, {"output": {"color": {"color": "red"}, "object": "a car"}}, {"output": "red", "input": {"object": "car"}},
        {"prompt_en": "a red car", "auxiliary_info": {"color": {"color": "red"}}},
    ]  # fmt: skip
    return Rows(
        lambda i: samples[(number + i) % 4], lambda i: found["red"] if i % 2 else "found/red.json", lambda i: found["blue"] if i % 2 else "found/blue.json", files,
        {"parameters": {"detector": "supplied", "frames": 2}},
    )  # fmt: skip


# Frames by themselves, and against words and pictures


def _alone(number: int) -> Rows:
    """Clips that nothing is held against; what the annotation says of an output is not read."""
    files = {f"found/{i}.npz": npz(frames=clip(i)) for i in range(COUNT)} | frame_folder("found/3", clip(3)) | {"bright/0.npz": npz(frames=clip(0, shift=10))}
    samples: list[Maker] = [
        lambda i: {"input": {"prompt": f"scene {i}"}}, lambda i: {"input": {"pred_dir": f"found/{i}"}, "output": {}},
        lambda i: {"input": {"prompt": f"scene {i}"}, "output": {"video_file": "videos/not_there.mp4"}},
    ]  # fmt: skip
    return Rows(samples[number % 3], lambda i: f"found/{i}" if i == 3 else f"found/{i}.npz", lambda i: "bright/0.npz", files)


def _steady(number: int) -> Rows:
    """Still clips of two frames; in the wrong ones white follows black."""
    rows = _alone(number)
    rows.files.update({f"found/{i}.npz": npz(frames=np.stack([colour(i)] * 2)) for i in range(COUNT)} | frame_folder("found/3", np.stack([colour(3)] * 2)))
    cut = np.stack([np.full((8, 8, 3), value, np.uint8) for value in (0, 255)])
    rows.files["bright/0.npz"] = npz(frames=cut)
    return rows


def _worded(sample: Maker) -> Callable[[int], Rows]:
    def rows(number: int) -> Rows:
        found = _alone(number)
        found.sample = lambda i: sample(i) | ({"output": {"frame_dir": f"found/{i}"}} if number % 2 else {})
        return found

    return rows


def _styled(number: int) -> Rows:
    """Pictures of the style, which is that of a frame of the right clip."""
    rows = _alone(number)
    rows.files.update({f"styles/{i}.png": png(clip(i)[0]) for i in range(COUNT)})
    samples: list[Maker] = [
        lambda i: {"input": {"prompt": "a dog", "image": f"styles/{i}.png"}}, lambda i: {"input": {"prompt": "a dog"}, "output": {"image": f"styles/{i}.png"}},
        lambda i: {"input": {"prompt": "a dog", "style_images": [f"styles/{i}.png"] * 2}},
    ]  # fmt: skip
    rows.sample = samples[number % 3]
    return rows


def _begun(number: int) -> Rows:
    """Clips made from a picture and a prompt; in the wrong ones white follows black."""
    rows = _alone(number)
    rows.files.update({f"images/{i}.png": png(clip(i)[0]) for i in range(COUNT)})
    rows.files["bright/0.npz"] = npz(frames=np.stack([np.full((8, 8, 3), value, np.uint8) for value in (0, 255)]))
    key = ["image", "image_file"][number % 2]
    rows.sample = lambda i: {"input": {"prompt": f"picture {i}", key: f"images/{i}.png"}, **({"output": {}} if number % 3 else {})}
    return rows


MAKERS: dict[str, Callable[[int], Rows]] = {
    "miou_video": _masks, "m_viou": _tubes, "success_auc": _tracks, "abs_rel": _depths, "epe": _flows, "s_measure": _maps, "psnr": _restored, "fvd": _generated,
    **{name: _shown(name) for name in ("object_class", "multiple_objects", "spatial_relationship")}, "color": _coloured,
    **{name: _alone for name in ("aesthetic_quality", "imaging_quality", "musiq")},
    **{name: _steady for name in ("subject_consistency", "background_consistency", "temporal_flickering")},
    "appearance_style": _worded(lambda i: {"input": {"prompt": f"a dog, picture {i}", "auxiliary_info": {"appearance_style": f"picture {i}"}}}),
    **{name: _worded(lambda i: {"input": {"prompt": f"picture {i}"}}) for name in ("temporal_style", "overall_consistency")}, "dynamic_degree": _alone,
    "human_action": _worded(lambda i: {"input": {"prompt": f"A person is {ACTIONS[i]}."}}), "i2v_composite": _begun,
    "frame_accuracy": _worded(lambda i: {"input": {"source_prompt": "a dog", "target_prompt": f"picture {i}"}}), "clip_style_similarity": _styled,
}  # fmt: skip


def write_videos(root: Path, task: Task, number: int, right: int) -> Path:
    """A folder of the task of which the first `right` samples are answered rightly; `number` turns the spellings."""
    return write_rows(root, task, number, right, "video", MAKERS[task.metric_id](number))
