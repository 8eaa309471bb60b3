"""What is said of detections and captions that stand in place of a clip and are not what the parameters say."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from genlevel_evaluator.errors import SampleError
from genlevel_video.objects import supplied


@dataclass(frozen=True)
class Wanted:
    """Parameters of a metric."""

    supplied_by: str = "grit-b"
    frames: int = 2


@pytest.mark.parametrize(
    ("maker", "name", "count", "code", "pointer", "remedy"),
    [
        (supplied.DETECTOR, "yolo-9", 2, "OTHER_DETECTOR", "/detector", "use one detector for a task and name it in supplied_by"),
        (supplied.CAPTIONER, "yolo-9", 2, "OTHER_CAPTIONER", "/captioner", "use one captioner for a task and name it in supplied_by"),
        (supplied.DETECTOR, "GRiT B", 3, "WRONG_FRAME_COUNT", "/frames", "detect in 2 middle frames and repeat the last where the clip is shorter, or set frames"),
        (supplied.CAPTIONER, "GRiT B", 0, "WRONG_FRAME_COUNT", "/captions", "caption 2 middle frames, or set frames"),
    ],
)
def test_what_is_not_as_the_parameters_say_is_named(maker: supplied.Maker, name: str, count: int, code: str, pointer: str, remedy: str) -> None:
    with pytest.raises(SampleError) as caught:
        supplied.check(maker, name, [()] * count, Wanted())
    assert (caught.value.code, caught.value.side, caught.value.pointer, caught.value.remedy) == (code, "prediction", pointer, remedy)
    assert maker.made in str(caught.value)


def test_names_are_compared_by_letters_and_digits_and_frames_only_where_asked() -> None:
    supplied.check(supplied.DETECTOR, "GRIT_B", [()] * 2, Wanted())
    supplied.check(supplied.DETECTOR, "grit b", [()] * 9, Wanted(frames=0))
