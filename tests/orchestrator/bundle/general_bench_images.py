"""What General-Bench's image tasks look like that the image evaluator scores: media, fields, references, right and wrong answers."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from general_bench import _FOLDERS, _IDS, _MODALITIES
from general_bench_media import SIDE, colour, flat, halves, npy, png
from general_bench_rows import COUNT
from numpy.typing import NDArray
from PIL import Image

from genlevel_orchestrator.catalogue import Task

Maker = Callable[[int], Any]
_NOTES = {"annotation.json": "prediction.json", "json/annotation.json": "prediction.json", "json/annotation_v2.json": "json/prediction.json", "{folder}.json": "predictions.json"}


@dataclass
class Rows:
    """Samples of one task.

    Attributes:
        output: what an annotated sample has under `output`, by number.
        right: right predictions, by number; likewise `wrong`.
        files: media of the task by path below its folder.
        given: further entries of `input`, by number.
        envelope: further entries beside `data`.
    """

    output: Maker
    right: Maker
    wrong: Maker
    files: dict[str, bytes] = field(default_factory=dict)
    given: Maker = field(default=lambda i: {})
    envelope: dict[str, Any] = field(default_factory=dict)


def rows_of(task: Task) -> Rows:
    """The samples of a task, in the layout its group has in public bundles."""
    makers: dict[str, Callable[[int], Rows]] = {
        "ap_50_box": _boxes, "ap_75_box": _boxes, "dice": _boxes, "ap_10": _grounded, "ap_50_mask": _instances, "ap_50_keypoint": _people,
        "miou": _labels, "pq": _panoptic, "recall_at_50": _triples, "ap_anomaly": _maps, "roc_auc": _maps, "depth_rms": _depths,
        "sad": _mattes, "mse": _mattes, "psnr": _restored, "ms_ssim": _flat_colours, "rmse_shadow": _flat_colours, "fid": _generated,
        "clip_score_image": _edited, "clip_score_text": _prompted, "psnr_or_clip_score": _restored_or_prompted,
    }  # fmt: skip
    return makers[task.metric_id](task.number)


# Detection


def _box(i: int, wide: bool) -> list[float]:
    return [10.0 + i, 5.0, 30.0, 40.0] if wide else [10.0 + i, 5.0, 40.0 + i, 45.0]


def _boxes(number: int) -> Rows:
    names, wide = ["bird", "plane"], number % 2 == 0
    envelope: dict[str, Any] = {"others": {"bbox_format": "(x_min,y_min,width,height)"}} if wide else {}
    outputs: list[Maker] = [
        lambda i: {"text": {names[i % 2]: [_box(i, wide)]}},
        lambda i: {"bbox": [{names[i % 2]: _box(i, wide)}]},
        lambda i: {"boxes": [{"label": names[i % 2], "box": _box(i, wide)}]},
        lambda i: {"objects": [{"category_id": i % 2, "bbox": _box(i, True), "iscrowd": 0, "area": 1200.0, "id": i + 1}]},
        lambda i: {"text": json.dumps([{"label": names[i % 2], "box": _box(i, wide)}])},
        lambda i: [{"class": names[i % 2], "bbox": _box(i, wide)}],
    ]
    form = number % len(outputs)
    name: Maker = (lambda i: i % 2) if form == 3 else (lambda i: names[i % 2])
    keys = [("label", "box", "score"), ("label", "box", "score"), ("category", "bbox", "confidence"), ("category_id", "bbox", "score")]
    label, box, score = keys[3] if form == 3 else keys[number % 3]

    def answer(i: int, where: list[float], sure: float) -> list[dict[str, Any]]:
        return [{label: name(i), box: where, score: sure}]

    def right(i: int) -> Any:
        return answer(i, _box(i, wide or form == 3), 0.9)

    def wrong(i: int) -> Any:
        if number % 3:
            return []
        return answer(i, [100.0, 100.0, 20.0, 20.0] if wide or form == 3 else [100.0, 100.0, 120.0, 120.0], 0.1)

    return Rows(outputs[form], right, wrong, envelope=envelope)


def _grounded(number: int) -> Rows:
    wide = number % 2 == 0
    envelope: dict[str, Any] = {"parameters": {"bbox_format": "xywh"}} if wide else {}
    return Rows(
        lambda i: {"bbox": _box(i, wide)} if i % 2 else {"answer": [_box(i, wide)]},
        lambda i: [_box(i, wide), {"box": _box(i, wide)}, json.dumps(_box(i, wide)), [{"box": _box(i, wide), "score": 0.5}]][i],
        lambda i: [0.0, 90.0, 5.0, 95.0] if i % 2 else [],
        given=lambda i: {"prompt": "the red one"}, envelope=envelope,
    )  # fmt: skip


def _counts(left: bool) -> dict[str, Any]:
    half = SIDE * SIDE // 2
    return {"size": [SIDE, SIDE], "counts": [0, half, half] if left else [half, half]}


def _instances(number: int) -> Rows:
    outline = [[0, 0, SIDE // 2, 0, SIDE // 2, SIDE, 0, SIDE]]
    files = {"masks/left.png": png(halves(255, 0)), "masks/right.png": png(halves(0, 255))}
    if number % 2:
        coco = {"category_id": 1, "segmentation": outline, "iscrowd": 0, "area": 32.0, "bbox": [0, 0, 4, 8], "id": 1}
        return Rows(
            lambda i: {"annotations": [coco]}, lambda i: [{"category_id": 1, "segmentation": _counts(True), "score": 0.9}],
            lambda i: [{"category_id": 1, "segmentation": _counts(False), "score": 0.2}], given=lambda i: {"width": SIDE, "height": SIDE},
        )  # fmt: skip
    return Rows(
        lambda i: {"instances": [{"label": "person", "mask": "masks/left.png"}]}, lambda i: [{"label": "person", "mask": _counts(True), "score": 0.9}],
        lambda i: [{"label": "person", "mask": "masks/right.png", "score": 0.2}], files,
    )  # fmt: skip


def _people(number: int) -> Rows:
    points = [value for point in range(17) for value in (20 + 3 * point, 30 + point, 2)]
    far = [value + 500 if place % 3 < 2 else value for place, value in enumerate(points)]
    return Rows(
        lambda i: {"keypoints": [{"category_id": 1, "keypoints": points, "num_keypoints": 17, "area": 900.0, "iscrowd": 0, "bbox": [10, 20, 60, 40]}]},
        lambda i: [{"category_id": 1, "keypoints": points, "score": 0.8}], lambda i: [{"category_id": 1, "keypoints": far, "score": 0.1}],
    )  # fmt: skip


def _triples(number: int) -> Rows:
    outputs: list[Maker] = [
        lambda i: {"triples": [{"subject": "man", "predicate": "rides", "object": f"horse {i}"}]},
        lambda i: {"subject": "man", "predicate": "rides", "object": f"horse {i}"},
        lambda i: {"relations": [["man", "rides", f"horse {i}"]]},
        lambda i: {"text": f"man => rides => horse {i}"},
    ]
    return Rows(
        outputs[number % 4], lambda i: [f"(Man, rides, horse {i})", [["man", "rides", f"Horse {i}"]], {"subject": "man", "predicate": "rides", "object": f"horse {i}"}][i % 3],
        lambda i: [] if i % 2 else [["man", "feeds", f"horse {i}"]],
    )  # fmt: skip


# Segmentation and maps


def _labels(number: int) -> Rows:
    """The left half is the foreground; wrong answers find nothing."""
    form = number % 6
    mask, nothing = halves(255, 0), flat(0)
    palette = Image.fromarray(halves(1, 0))
    palette.putpalette([0, 0, 0, 200, 30, 30])
    file = io.BytesIO()
    palette.save(file, "PNG")
    references = [
        png(mask), png(mask > 0), file.getvalue(), png(np.repeat(mask[:, :, None], 3, axis=2)),
        png(np.kron(mask, np.ones((8, 8), np.uint8)), "JPEG", quality=95), npy(halves(1, 0)),
    ]  # fmt: skip
    ending = ["png", "png", "png", "png", "jpg", "npy"][form]
    key = ["mask_file", "mask", "segmentation", "image_file", "mask_path", "mask"][form]
    if form == 4:
        mask, nothing = np.kron(mask, np.ones((8, 8), np.uint8)), flat(0, side=64)
    files = {f"masks/truth.{ending}": references[form], "found/right.png": png(mask), "found/none.png": png(nothing)}
    if number % 4 == 1 and form != 4:
        return Rows(lambda i: _counts(True) if i % 2 else {"mask": _counts(True)}, lambda i: _counts(True), lambda i: "found/none.png", files)
    paths = [f"masks/truth.{ending}", f"truth.{ending}", f"./data/comprehension/x/{{folder}}/masks/truth.{ending}"]
    return Rows(lambda i: {key: paths[i % 3]}, lambda i: "found/right.png", lambda i: "found/none.png", files)


def _panoptic(number: int) -> Rows:
    ids = np.zeros((SIDE, SIDE, 3), np.uint8)
    ids[:, : SIDE // 2] = [7, 1, 0]  # 7 + 256
    ids[:, SIDE // 2 :] = [9, 0, 0]
    files = {"panoptic/1.png": png(ids), "found/1.png": png(halves(1, 2)), "found/0.png": png(flat(1))}
    listed = [{"id": 263, "category_id": 1, "isthing": 1, "iscrowd": 0, "area": 32, "bbox": [0, 0, 4, 8]}, {"id": 9, "category_id": 2, "isthing": 0, "iscrowd": 0}]
    return Rows(
        lambda i: {"file_name": "panoptic/1.png", "segments_info": listed},
        lambda i: {"image": "found/1.png", "segments": [{"id": 1, "label": 1, "thing": True}, {"id": 2, "label": "2", "thing": False}]},
        lambda i: {"image": "found/0.png", "segments": [{"id": 1, "label": 3, "thing": True}]}, files,
    )  # fmt: skip


def _maps(number: int) -> Rows:
    """Whole pictures are anomalous or normal by turns; wrong maps are turned round."""
    files = {f"masks/{name}.png": png(flat(value)) for name, value in (("broken", 255), ("good", 0))}
    files |= {"maps/1.npy": npy(flat(1, np.float32)), "maps/0.png": png(flat(0, np.uint16)), "maps/1.png": png(flat(255)), "maps/0.npy": npy(flat(0, np.float32))}
    ending = ["npy", "png"][number % 2]
    return Rows(
        lambda i: {["mask_file", "mask", "image_file"][number % 3]: f"masks/{['broken', 'good'][i % 2]}.png"},
        lambda i: f"maps/{1 - i % 2}.{ending}", lambda i: f"maps/{i % 2}.{ending}", files,
    )  # fmt: skip


def _depths(number: int) -> Rows:
    files = {"depth/t.png": png(flat(2000, np.uint16)), "found/a.png": png(flat(2000, np.uint16)), "found/b.npy": npy(flat(0, np.float32) + 2.5)}
    return Rows(lambda i: {"depth_file": ["depth/t.png", "t.png"][i % 2]}, lambda i: "found/a.png", lambda i: "found/b.npy", files)


def _mattes(number: int) -> Rows:
    files = {"alpha/t.png": png(halves(255, 0)), "found/a.png": png(halves(65535, 0, np.uint16)), "found/b.npy": npy(halves(0, 0, np.float32))}
    return Rows(lambda i: {["alpha", "matte_file", "mask_file"][number % 3]: "alpha/t.png"}, lambda i: "found/a.png", lambda i: "found/b.npy", files)


# Generation


def _pictures(make: Callable[[int], NDArray[Any]], form: str = "png") -> dict[str, bytes]:
    return {f"images/{i}.{form}": png(make(i), "PNG" if form == "png" else form.upper()) for i in range(COUNT)}


def _restored(number: int) -> Rows:
    """Wrong answers are brighter by 10 throughout."""
    files = _pictures(colour) | {f"restored/{i}.bmp": png(colour(i), "BMP") for i in range(COUNT)} | {f"bright/{i}.png": png(colour(i, 10)) for i in range(COUNT)}
    return Rows(
        lambda i: {["image_file", "image", "image_path"][number % 3]: [f"images/{i}.png", f"{i}.png"][i % 2]},
        lambda i: f"restored/{i}.bmp", lambda i: f"bright/{i}.png", files,
    )  # fmt: skip


def _flat_colours(number: int) -> Rows:
    files = {"images/white.png": png(flat(255)), "found/black.png": png(flat(0))}
    return Rows(lambda i: {"image_file": "images/white.png"}, lambda i: "images/white.png", lambda i: "found/black.png", files)


def _generated(number: int) -> Rows:
    """The real set is two pictures by turns; where answers are wrong the generated one is the other of the two."""
    files = {"images/0.png": png(colour(0)), "images/1.png": png(colour(1))}
    return Rows(
        lambda i: {"image_file": f"images/{i % 2}.png", "text": "a scene"}, lambda i: f"images/{i % 2}.png", lambda i: "images/0.png", files,
        given=lambda i: {"prompt": "a scene"},
    )  # fmt: skip


def _edited(number: int) -> Rows:
    files = _pictures(colour) | {"images/other.png": png(flat(255))}
    return Rows(
        lambda i: {["image_file", "image"][number % 2]: f"images/{i}.png"}, lambda i: f"images/{i}.png", lambda i: "images/other.png", files,
        given=lambda i: {"prompt": "make it blue", "image_file": [f"images/{i}.png", "images/other.png"]},
    )  # fmt: skip


def _prompted(number: int) -> Rows:
    """What was asked for is the reference; the picture under `output` is none."""
    files = _pictures(colour) | {"images/other.png": png(flat(255))}
    return Rows(
        lambda i: {"image_file": f"images/{i}.png"} if number % 2 else {"text": f"picture {i}", "image_file": f"images/{i}.png"},
        lambda i: f"images/{i}.png", lambda i: "images/other.png", files, given=lambda i: {"prompt": f"picture {i}"},
    )  # fmt: skip


def _restored_or_prompted(number: int) -> Rows:
    rows = _restored(number)
    rows.given = lambda i: {"prompt": f"picture {i}"}
    return rows


def write_images(root: Path, task: Task, number: int, right: int) -> Path:
    """A folder of the task of which the first `right` samples are answered rightly; `number` turns the spellings."""
    rows = rows_of(task)
    spelled = _FOLDERS[number % len(_FOLDERS)](task.name).replace("/", "-")
    folder = root / _MODALITIES["image"][number % 2] / task.paradigm / spelled
    for name, data in rows.files.items():
        place = folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)
    ids = [_IDS[number % len(_IDS)](i) for i in range(COUNT)]
    output = [json.loads(json.dumps(rows.output(i)).replace("{folder}", spelled)) for i in range(COUNT)]
    data = [{"id": ids[i], "input": {"image_file": f"images/{i}.png", "question": "q", **rows.given(i)}, "output": output[i]} for i in range(COUNT)]
    answers = [{"id": ids[i], "prediction": _in_place((rows.right if i < right else rows.wrong)(i), rows.files, number + i)} for i in range(COUNT)]
    annotation, predictions = list(_NOTES.items())[number % len(_NOTES)]
    head = {"task": [task.name, task.name.lower().replace(" ", "_")][number % 2], "type": ["comprehension", "image generation"][task.paradigm == "generation"], **rows.envelope}
    _write(folder / annotation.format(folder=spelled), {**head, "data_source": "x", "set_type": "openset", "data": data[::-1]})
    _write(folder / predictions, answers if number % 3 else {"task": task.name, "skill": "s", "type": "t", "data": answers})
    return folder


def _in_place(answer: Any, files: dict[str, bytes], number: int) -> Any:
    """Every fifth file of an answer is given in place instead of by its path."""
    if not isinstance(answer, str) or answer not in files or number % 5:
        return answer
    return {"name": answer.rsplit("/", 1)[-1], "base64": base64.b64encode(files[answer]).decode()}


def _write(path: Path, value: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value), encoding="utf-8")
