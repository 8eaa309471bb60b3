"""PQ against torchmetrics 1.9 and a direct transcription of the definition, segment by segment."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import numpy as np
import pytest
import torch
from torchmetrics.detection import PanopticQuality

from genlevel_evaluator import media
from genlevel_evaluator.engine import RawSample
from genlevel_evaluator.kinds import Content
from tests.image.files import encoded, sample
from tests.image.map_generators import panoptic_content, random_segments, segments_near
from tests.image.scoring import value_of

RANDOM = np.random.default_rng(12)
THINGS, STUFF = ("car", "man"), ("road", "sky")
LABELS = THINGS + STUFF
Panoptic = tuple[np.ndarray, list[dict[str, Any]]]


def content(given: Panoptic) -> Content:
    return panoptic_content(*given)


def raw(guess: Panoptic | None, truth: Panoptic, key: str = "1") -> RawSample:
    return sample(key, None if guess is None else content(guess), content(truth))


def by_definition(pairs: list[tuple[Panoptic, Panoptic]]) -> tuple[float, dict[str, list[float]]]:
    """One segment against one other, with sets of pixels."""
    sums: dict[str, list[float]] = defaultdict(lambda: [0.0, 0, 0, 0])
    for (guess, guessed), (truth, true) in pairs:
        void, free_truth, free_guess = truth == 0, {s["id"] for s in true if not s.get("crowd")}, {s["id"] for s in guessed}
        for t in true:
            for g in guessed:
                if t["label"] != g["label"] or t.get("crowd"):
                    continue
                a, b = truth == t["id"], guess == g["id"]
                iou = (a & b).sum() / ((a | b).sum() - (b & void).sum())
                if iou > 0.5:
                    sums[t["label"]][0] += iou
                    sums[t["label"]][1] += 1
                    free_truth.discard(t["id"])
                    free_guess.discard(g["id"])
        for t in true:
            sums[t["label"]][3] += t["id"] in free_truth
        for g in guessed:
            region = guess == g["id"]
            crowd = np.isin(truth, [t["id"] for t in true if t.get("crowd") and t["label"] == g["label"]])
            if g["id"] in free_guess and (region & (void | crowd)).sum() / region.sum() <= 0.5:
                sums[g["label"]][2] += 1
    seen = {label: row for label, row in sums.items() if sum(row[1:])}
    each = [iou / (tp + fp / 2 + fn / 2) for iou, tp, fp, fn in seen.values()]
    return 100 * float(np.mean(each)), seen


@pytest.mark.parametrize("seed", range(4))
def test_the_definition(seed: int) -> None:
    random = np.random.default_rng(seed)
    truths = [random_segments(random, crowds=True) for _ in range(8)]
    pairs = [(segments_near(random, truth), truth) for truth in truths]
    expected, seen = by_definition(pairs)
    found, issues = value_of("pq", [raw(g, t, str(i)) for i, (g, t) in enumerate(pairs)])
    assert issues == []
    assert found.value == pytest.approx(expected, rel=1e-12)
    assert found.companions["tp"] == sum(row[1] for row in seen.values())
    assert found.companions["fp"] == sum(row[2] for row in seen.values())
    assert found.companions["fn"] == sum(row[3] for row in seen.values())
    for name, labels in (("", LABELS), ("_things", THINGS), ("_stuff", STUFF)):
        rows = [row for label, row in seen.items() if label in labels]
        quality, recognition = ([part / (tp + fp / 2 + fn / 2) for part, tp, fp, fn in given] for given in (rows, [[row[1], *row[1:]] for row in rows]))
        segmentation = [iou / tp if tp else 0.0 for iou, tp, _, _ in rows]
        assert found.companions[f"sq{name}"] == pytest.approx(100 * np.mean(segmentation), rel=1e-12)
        assert found.companions[f"rq{name}"] == pytest.approx(100 * np.mean(recognition), rel=1e-12)
        assert found.companions.get(f"pq{name}", found.value) == pytest.approx(100 * np.mean(quality), rel=1e-12)
    assert found.interval is not None
    assert found.interval.low <= found.value <= found.interval.high


def as_tensor(given: Panoptic) -> torch.Tensor:
    """Category and instance of each pixel; the void is a category of its own."""
    ids, segments = given
    tensor = np.zeros((*ids.shape, 2), np.int64)
    tensor[..., 0] = 99
    for segment in segments:
        chosen = ids == segment["id"]
        label = LABELS.index(segment["label"])
        tensor[chosen] = label, segment["id"] if label < len(THINGS) else 0
    return torch.tensor(tensor)[None]


def without_void(given: Panoptic) -> Panoptic:
    """torchmetrics takes the void of a prediction out of the union too, which COCO's evaluation does not."""
    ids, segments = given
    sky = next((s["id"] for s in segments if s["label"] == "sky"), 9)
    return np.where(ids == 0, sky, ids), [*(s for s in segments if s["id"] != sky), {"id": sky, "label": "sky", "thing": False}]


def test_torchmetrics_without_crowds() -> None:
    random = np.random.default_rng(20)
    truths = [random_segments(random, crowds=False) for _ in range(6)]
    pairs = [(without_void(segments_near(random, truth)), truth) for truth in truths]
    judge = PanopticQuality(things={0, 1}, stuffs={2, 3}, allow_unknown_preds_category=True, return_per_class=True)
    for guess, truth in pairs:
        judge.update(as_tensor(guess), as_tensor(truth))
    _, seen = by_definition(pairs)
    each = judge.compute().numpy().ravel()
    expected = float(np.mean([each[LABELS.index(label)] for label in seen]))
    found, _ = value_of("pq", [raw(g, t, str(i)) for i, (g, t) in enumerate(pairs)])
    assert found.value == pytest.approx(100 * expected, rel=1e-6)
    things = [float(each[LABELS.index(label)]) for label in seen if label in THINGS]
    assert found.companions["pq_things"] == pytest.approx(100 * np.mean(things), rel=1e-6)


def row_of(ids: list[int], *segments: dict[str, Any]) -> Panoptic:
    return np.array([ids]), list(segments)


def test_half_is_no_match_and_void_leaves_the_union() -> None:
    truth = row_of([5, 5, 0, 0], {"id": 5, "label": "car"})
    assert value_of("pq", [raw(row_of([1, 0, 0, 0], {"id": 1, "label": "car"}), truth)])[0].value == 0.0
    assert value_of("pq", [raw(row_of([1, 1, 1, 0], {"id": 1, "label": "car"}), truth)])[0].value == 100.0


def test_predictions_on_void_or_crowd_are_ignored() -> None:
    truth = row_of([5, 5, 5, 5, 0, 0, 9, 9], {"id": 5, "label": "car"}, {"id": 9, "label": "car", "crowd": True})
    guess = row_of([1, 1, 1, 1, 2, 2, 3, 3], *({"id": i, "label": "car"} for i in (1, 2, 3)))
    assert value_of("pq", [raw(guess, truth)])[0].value == 100.0
    other = row_of([1, 1, 1, 1, 2, 2, 3, 3], *({"id": i, "label": "man" if i == 3 else "car"} for i in (1, 2, 3)))
    assert value_of("pq", [raw(other, truth)])[0].value == 50.0


def test_ids_of_three_bytes_and_both_kinds_of_labels() -> None:
    number = 3 + 256 * 7 + 65_536 * 200
    truth, guess = row_of([number, 0], {"id": number, "label": 4}), row_of([9, 9], {"id": 9, "label": "4"})
    assert value_of("pq", [raw(guess, truth)])[0].value == 100.0


def test_a_missing_picture_misses_every_segment() -> None:
    truth = row_of([1, 2], {"id": 1, "label": "car"}, {"id": 2, "label": "road"})
    assert value_of("pq", [raw(truth, truth, "1"), raw(None, truth, "2")])[0].value == pytest.approx(100 / 1.5)
    assert value_of("pq", [raw(None, truth)])[0].value == 0.0


def test_nothing_anywhere_is_undefined() -> None:
    found, _ = value_of("pq", [raw(row_of([0, 0]), row_of([0, 0]))])
    assert (found.value, found.reason) == (None, "no_valid_pixel")


def image(pixels: np.ndarray, form: str = "PNG") -> Any:
    return media.from_bytes(encoded(pixels, form), f"p.{form.lower()}")


ONE = [{"id": 1, "label": "car"}]
GREY = np.ones((1, 2), np.uint8)


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ([], "WRONG_TYPE"), ({"image": image(GREY)}, "WRONG_TYPE"), ({"image": "p.png", "segments": ONE}, "WRONG_TYPE"),
        ({"image": image(GREY), "segments": []}, "UNLISTED_SEGMENT"),
        ({"image": image(GREY), "segments": [*ONE, {"id": 2, "label": "car"}]}, "EMPTY_SEGMENT"),
        ({"image": image(GREY), "segments": ONE * 2}, "REPEATED_SEGMENT"),
        ({"image": image(GREY), "segments": [{"id": 0, "label": "car"}]}, "BAD_SEGMENT_ID"),
        ({"image": image(GREY), "segments": [{"id": 1}]}, "WRONG_TYPE"),
        ({"image": image(GREY), "segments": [{"id": 1, "label": "car", "thing": 1}]}, "WRONG_TYPE"),
        ({"image": image(GREY), "segments": [{"id": 1, "label": "car", "area": 2}]}, "UNKNOWN_KEY"),
        ({"image": image(np.ones((1, 2, 4), np.uint8)), "segments": ONE}, "WRONG_TYPE"),
        ({"image": image(GREY, "JPEG"), "segments": ONE}, "WRONG_TYPE"),
        ({"image": image(np.ones((2, 2), np.uint8)), "segments": ONE}, "SIZE_MISMATCH"),
        ({"image": media.from_bytes(encoded(RANDOM.integers(0, 9, (40, 40), dtype=np.uint8))[:-40], "p.png"), "segments": ONE}, "MEDIA_TRUNCATED"),
    ],
)
def test_bad_predictions_are_issues_and_score_0(value: Any, code: str) -> None:
    found, issues = value_of("pq", [sample("1", Content(json=value), content((GREY.astype(np.int64), ONE)))])
    assert [(issue.code, issue.severity) for issue in issues] == [(code, "prediction")]
    assert issues[0].remedy
    assert found.value == 0.0
