"""Forms of masks, tubes and folders of clips in General-Bench's files."""

from __future__ import annotations

from typing import Any

import pytest

from genlevel_orchestrator.bundle.adapters import adapt
from genlevel_orchestrator.bundle.fields import form_of, predicted, referenced
from genlevel_orchestrator.bundle.violations import Fault

MASK = {"size": [2, 2], "counts": [0, 4]}
BOX = [1, 2, 3, 4]
CORNERS = [1, 2, 4, 6]


@pytest.mark.parametrize(
    "value", [{"a_0": {"mask": MASK}, "a_1": {"mask": None}}, [MASK, None], [{"mask": MASK}, None], [{"mask": MASK}, {"mask": None}], {"objects": {"1": [MASK, None]}}]
)
def test_masks_of_one_object(value: Any) -> None:
    assert adapt(value, "video_masks") == {"objects": {"1": [MASK, None]}}


@pytest.mark.parametrize("value", [["0.png", "1.png"], [], {}, [None, None], {"a": 1}, "masks", {"a": {"mask": "0.png"}}])
def test_other_forms_of_masks_stay_as_they_are(value: Any) -> None:
    assert adapt(value, "video_masks") == value


@pytest.mark.parametrize("output", [{"0": {"mask": MASK}}, {"0": {"mask": MASK}, "1": {"mask": MASK}}, {"text": {"mask": MASK}}])
def test_a_map_of_masks_is_the_reference_however_many_it_has(output: dict[str, Any]) -> None:
    assert referenced({"output": output}, form_of("video_masks")) == ("/output", [output])
    assert predicted({"output": output}, form_of("video_masks")) == ("/output", output)


def test_tubes_of_lists_count_from_one_and_those_of_maps_from_zero() -> None:
    limits = {"tube_start_frame": 3, "tube_end_frame": 5}
    assert adapt({"trajectory": [BOX, [0, 0, 0, 0]], **limits}, "tubes") == {"start": 2, "boxes": [CORNERS, [0, 0, 0, 0]]}
    boxes = {str(frame): {"bbox": BOX} for frame in (1, 4, 5)}
    assert adapt({"trajectory": boxes, **limits}, "tubes") == {"start": 3, "boxes": [None, CORNERS]}
    assert adapt({"trajectory": {"3": BOX, "4": BOX}, **limits}, "tubes", "xywh") == {"start": 3, "boxes": [BOX, BOX]}


@pytest.mark.parametrize("value", [[BOX, None], {"start": 1, "boxes": [BOX]}, "[[1, 2, 3, 4]]", {"trajectory": "t.txt", "tube_start_frame": 1, "tube_end_frame": 2}])
def test_other_forms_of_tubes_stay_as_they_are(value: Any) -> None:
    assert adapt(value, "tubes") == value


@pytest.mark.parametrize(
    "value",
    [
        {"trajectory": [BOX], "tube_start_frame": 1, "tube_end_frame": 3}, {"trajectory": [BOX], "tube_start_frame": 3, "tube_end_frame": 1},
        {"trajectory": [BOX], "tube_start_frame": "1", "tube_end_frame": 2}, {"trajectory": {}, "tube_start_frame": -1, "tube_end_frame": 2}, {"trajectory": [BOX]},
    ],
)  # fmt: skip
def test_tubes_that_contradict_themselves_are_refused(value: dict[str, Any]) -> None:
    with pytest.raises(Fault) as fault:
        adapt(value, "tubes")
    assert fault.value.code == "BAD_TUBE"
    assert fault.value.remedy


def test_the_parts_of_a_tube_may_stand_on_the_sample() -> None:
    parts = {"trajectory": [BOX], "tube_start_frame": 1, "tube_end_frame": 2, "caption": "a man"}
    place, (value,) = referenced({"original_video_id": "v", **parts}, form_of("tubes"))
    assert (place, adapt(value, "tubes")) == ("", {"start": 0, "boxes": [CORNERS]})
    place, (value,) = referenced({"id": "v", "output": parts}, form_of("tubes"))
    assert (place, adapt(value, "tubes")) == ("/output", {"start": 0, "boxes": [CORNERS]})


@pytest.mark.parametrize("kind", ["video", "frames"])
@pytest.mark.parametrize("output", [{}, None, ""])
def test_the_reference_may_be_a_folder_under_input(kind: str, output: Any) -> None:
    sample = {"id": 1, "input": {"pred_dir": "p", "gt_dir": "t"}, "output": output}
    assert referenced(sample, form_of(kind)) == ("/input/gt_dir", ["t"])
    assert referenced({**sample, "output": {"gt_dir": "other"}}, form_of(kind)) == ("/output/gt_dir", ["other"])
    assert predicted({"id": 1, "pred_dir": "p"}, form_of(kind)) == ("/pred_dir", "p")


def test_without_a_reference_there_is_none() -> None:
    assert referenced({"id": 1, "input": {"pred_dir": "p"}, "output": {}}, form_of("video"))[1] == []
