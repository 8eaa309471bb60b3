"""Mean tube IoU against the definition, frame by frame."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genlevel_evaluator.engine import Value
from genlevel_evaluator.kinds import Content
from tests.video.files import issue_of, result, sample, value_of

BOX = [0, 0, 10, 10]


def viou(guess: Any, truth: Any, **parameters: Any) -> Value:
    return value_of("m_viou", [(Content(json=guess), Content(json=truth))], **parameters)


def plain(guess: list[Any], truth: list[Any]) -> tuple[float, float]:
    """vIoU and tIoU of two whole tubes, box by box."""
    total, both, either = 0.0, 0, 0
    for ours, theirs in zip(guess, truth, strict=True):
        found, true = (box is not None and any(box) for box in (ours, theirs))
        either += found or true
        if not (found and true):
            continue
        both += 1
        width = min(ours[2], theirs[2]) - max(ours[0], theirs[0])
        height = min(ours[3], theirs[3]) - max(ours[1], theirs[1])
        if width > 0 and height > 0:
            areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (ours, theirs)]
            total += width * height / (sum(areas) - width * height)
    return total / either, both / either


def test_equals_the_definition_frame_by_frame() -> None:
    random = np.random.default_rng(3)
    pairs, expected = [], []
    for _ in range(6):
        corner = random.uniform(0, 20, (30, 2))
        true = np.hstack([corner, corner + random.uniform(5, 20, (30, 2))])
        guess = true + random.normal(0, 3, true.shape)
        ours, theirs = ([box.tolist() if 5 <= frame < 20 + 2 * side else [None, [0, 0, 0, 0]][frame % 2] for frame, box in enumerate(boxes)] for side, boxes in enumerate((guess, true)))
        pairs.append((Content(json=ours), Content(json=theirs)))
        expected.append(plain(ours, theirs))
    value = value_of("m_viou", pairs)
    scores = 100 * np.array([entry[0] for entry in expected])
    assert value.value == pytest.approx(scores.mean(), rel=1e-12)
    assert value.companions["temporal_iou"] == pytest.approx(100 * np.mean([entry[1] for entry in expected]), rel=1e-12)
    assert value.companions["viou_50"] == pytest.approx(100 * np.mean(scores > 50))
    assert value.companions["viou_30"] == pytest.approx(100 * np.mean(scores > 30))
    assert value.interval is not None
    assert value.interval.low <= (value.value or 0) <= value.interval.high


def test_known_answers() -> None:
    assert viou({"start": 2, "boxes": [BOX] * 3}, {"start": 2, "boxes": [BOX] * 3}).value == 100.0
    assert viou({"start": 2, "boxes": [BOX] * 3}, [None, None, BOX, BOX, BOX, None]).value == 100.0
    assert viou({"start": 0, "boxes": [BOX] * 2}, {"start": 2, "boxes": [BOX] * 2}).value == 0.0
    late = viou({"start": 3, "boxes": [BOX] * 3}, {"start": 2, "boxes": [BOX] * 3})
    assert late.value == 50.0 == late.companions["temporal_iou"]
    assert (late.companions["mean_iou_inside"], late.companions["viou_30"], late.companions["viou_50"]) == (100.0, 100.0, 0.0)
    assert value_of("m_viou", [(Content(text="[[0, 0, 10, 5]]"), Content(json=[BOX]))]).value == 50.0


def test_boxes_have_no_extra_pixel() -> None:
    assert viou([[0, 0, 5, 10]], [[5, 0, 10, 10]]).value == 0.0
    assert viou([[0, 0, 1, 1]], [[0, 0, 2, 1]]).value == 50.0


def test_corner_and_size() -> None:
    assert viou([[2, 3, 4, 5]], [[2, 3, 4, 10]], bbox_format="xywh").value == 50.0
    value, issues = result("m_viou", [sample("1", Content(json=[[2, 3, 4, 5]]), Content(json=[[2, 3, 4, 10]]), bbox_format="xywh")])
    assert (value.value, issues) == (50.0, [])


@pytest.mark.parametrize("flat", [[5, 5, 5, 5], [5, 5, 5, 9], [9, 9, 5, 5]])
def test_a_box_without_area_overlaps_nothing(flat: list[int]) -> None:
    value, issues = result("m_viou", [sample("1", Content(json=[flat, BOX]), Content(json=[flat, BOX]))])
    assert value.value == 50.0
    assert {issue.code for issue in issues} == {"BOX_WITHOUT_AREA"}
    assert {issue.severity for issue in issues} == {"warning"}


def test_a_video_without_any_box_has_no_value() -> None:
    nothing, empty = Content(json=[None, [0, 0, 0, 0]]), Content(json={"start": 0, "boxes": []})
    value = value_of("m_viou", [(empty, nothing)])
    assert (value.value, value.reason) == (None, "no_reference")
    some = value_of("m_viou", [(empty, nothing), (Content(json=[BOX]), Content(json=[BOX]))])
    assert some.value == 100.0
    assert "video_without_box" in some.warnings
    assert value_of("m_viou", [(Content(json=[BOX, None]), nothing)]).value == 0.0


def test_a_missing_tube_is_nothing() -> None:
    samples = [sample("1", None, Content(json=[BOX])), sample("2", Content(json=[BOX]), Content(json=[BOX]))]
    value, issues = result("m_viou", samples)
    assert (value.value, value.present, issues) == (50.0, 1, [])


@settings(max_examples=40)
@given(st.integers(0, 10**6), st.integers(0, 8), st.integers(0, 8))
def test_laws_of_tubes(seed: int, first: int, second: int) -> None:
    random = np.random.default_rng(seed)
    corner = random.integers(0, 20, (8, 2))
    boxes = np.hstack([corner, corner + random.integers(1, 20, (8, 2))]).tolist()
    ours, theirs = {"start": first, "boxes": boxes[: 1 + second]}, {"start": second, "boxes": boxes[first:] or boxes[:1]}
    value = viou(ours, theirs)
    assert value.value is not None
    assert 0 <= value.value <= value.companions["temporal_iou"] + 1e-9
    assert viou(theirs, ours).value == pytest.approx(value.value)
    lists = [[None] * side["start"] + side["boxes"] + [None] * (20 - side["start"] - len(side["boxes"])) for side in (ours, theirs)]
    assert viou(*lists).value == pytest.approx(value.value)
    assert viou(ours, ours).value == pytest.approx(100.0)


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"start": 9, "boxes": [BOX] * 2}, "TUBE_OUTSIDE_VIDEO"), ([BOX] * 9, "FRAME_COUNT_MISMATCH"), ({"start": -1, "boxes": [BOX]}, "BAD_TUBE"),
        ({"start": 1.5, "boxes": [BOX]}, "BAD_TUBE"), ({"start": True, "boxes": [BOX]}, "BAD_TUBE"), ({"start": 10**30, "boxes": [BOX]}, "BAD_TUBE"),
        ({"boxes": [BOX]}, "BAD_TUBE"), ({"start": 1}, "WRONG_TYPE"), ({"start": 0, "boxes": [[0, 0, 1]]}, "BAD_BOX"),
        ({"start": 0, "boxes": [[0, 0, 1, float("inf")]]}, "BAD_BOX"), ([], "NO_FRAMES"), (3, "WRONG_TYPE"), ("the man on the left", "BAD_JSON"),
    ],
)  # fmt: skip
def test_predictions_that_do_not_fit_are_refused(given: Any, code: str) -> None:
    content = Content(text=given) if isinstance(given, str) else Content(json=given)
    assert issue_of("m_viou", content, Content(json={"start": 2, "boxes": [BOX] * 3}), {"frame_count": 10}) == (code, "prediction")


def test_tubes_may_leave_what_holds_nothing() -> None:
    value, issues = result("m_viou", [sample("1", Content(json={"start": 2, "boxes": [BOX] + [None] * 20}), Content(json={"start": 2, "boxes": [BOX]}), frame_count=10)])
    assert (value.value, issues) == (100.0, [])


@pytest.mark.parametrize(
    ("truth", "attributes", "code"),
    [
        ({"start": 9, "boxes": [BOX] * 2}, {"frame_count": 10}, "TUBE_OUTSIDE_VIDEO"), ([BOX], {"frame_count": 2}, "FRAME_COUNT_MISMATCH"),
        ([BOX], {"frame_count": "many"}, "BAD_ATTRIBUTE"), ([BOX], {"frame_count": 0}, "BAD_ATTRIBUTE"), ([BOX], {"frame_count": True}, "BAD_ATTRIBUTE"),
    ],
)  # fmt: skip
def test_references_that_cannot_be_used_are_left_out(truth: Any, attributes: dict[str, Any], code: str) -> None:
    assert issue_of("m_viou", Content(json={"start": 0, "boxes": [BOX]}), Content(json=truth), attributes) == (code, "reference")


def test_lists_of_two_lengths() -> None:
    assert issue_of("m_viou", Content(json=[BOX]), Content(json=[BOX, BOX])) == ("FRAME_COUNT_MISMATCH", "prediction")
