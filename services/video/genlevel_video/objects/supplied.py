"""Detections and captions that stand in place of a clip: whether they are what the parameters say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from genlevel_evaluator.errors import SampleError


@dataclass(frozen=True)
class Maker:
    """How faults speak of who made them.

    Attributes:
        role: the parameter and the field of the file that name it.
        made: the things.
        field: of the file that holds those of each frame.
        remedy: for another number of frames, which stands where {} is.
    """

    role: str
    made: str
    field: str
    remedy: str


DETECTOR = Maker("detector", "detections", "frames", "detect in {} middle frames and repeat the last where the clip is shorter, or set frames")
CAPTIONER = Maker("captioner", "captions", "captions", "caption {} middle frames, or set frames")


class SuppliedParameters(Protocol):
    """Parameters that say who supplies them, and for how many frames; 0 for any number."""

    @property
    def supplied_by(self) -> str: ...

    @property
    def frames(self) -> int: ...


def check(maker: Maker, name: str, of_frames: Sequence[Any], parameters: SuppliedParameters) -> None:
    """Holds what a file says against the parameters.

    Raises:
        SampleError: OTHER_DETECTOR, OTHER_CAPTIONER or WRONG_FRAME_COUNT.
    """
    if not same_name(name, parameters.supplied_by):
        raise SampleError(
            f"OTHER_{maker.role.upper()}", f"the {maker.made} are of {name!r}, the parameter supplied_by says {parameters.supplied_by!r}",
            remedy=f"use one {maker.role} for a task and name it in supplied_by", side="prediction", pointer=f"/{maker.role}",
        )  # fmt: skip
    if parameters.frames and len(of_frames) != parameters.frames:
        raise SampleError(
            "WRONG_FRAME_COUNT", f"{maker.made} of {len(of_frames)} frames, the parameter frames says {parameters.frames}",
            remedy=maker.remedy.format(parameters.frames), side="prediction", pointer=f"/{maker.field}",
        )  # fmt: skip


def same_name(one: str, other: str) -> bool:
    """Whether two names are one, as far as letters and digits go."""
    return key(one) == key(other)


def key(name: str) -> str:
    """Letters and digits of a name, in one case."""
    return "".join(letter for letter in name.casefold() if letter.isalnum())
