"""Which frames of a clip a network or a metric looks at.

>>> Sampling("middle", 4).places(10, 25.0)
[0, 3, 5, 8]
>>> Sampling("every", 8).places(7, 25.0)
[0, 3, 6]
>>> str(Sampling("first", 16)), Sampling("first", 3).places(2, 0.0)
('first 16', [0, 1, 1])
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from genlevel_evaluator.errors import SampleError

_WORDS = {
    "all": "all frames",
    "first": "frames 0..{last}, last repeated",
    "middle": "{count} frames, floor of the middle of as many even intervals, last repeated",
    "every": "{count} frames a second, every round(fps / {count})-th",
}


@dataclass(frozen=True)
class Sampling:
    """Frames of a clip, in presentation order. `str` of it is short and stable: it is part of signatures.

    Attributes:
        rule: `all`; the `first` `count`; the `middle` of `count` even intervals of whole frames; `every` so many that there are about
            `count` a second. Where `first` and `middle` find fewer frames, the last is repeated.
        count: see `rule`.
    """

    rule: Literal["all", "first", "middle", "every"]
    count: int = 0

    def __post_init__(self) -> None:
        if (self.rule == "all") != (self.count == 0) or self.count < 0:
            raise ValueError(f"sampling {self.rule} with a count of {self.count}: `all` takes none, every other rule at least 1")

    def __str__(self) -> str:
        return f"{self.rule} {self.count}" if self.count else self.rule

    @property
    def text(self) -> str:
        """The rule in words, for `Backbone.preprocessing`."""
        return _WORDS[self.rule].format(count=self.count, last=self.count - 1)

    def places(self, frames: int, fps: float) -> list[int]:
        """Indices of the frames, rising; of a clip with at least one.

        Raises:
            SampleError: NO_FRAME_RATE, where the rule needs one.
        """
        if self.rule == "all":
            return list(range(frames))
        if self.rule == "every":
            return list(range(0, frames, self.step(fps)))
        parts = min(self.count, frames)
        found = list(range(parts))
        if self.rule == "middle":
            edges = [part * frames // parts for part in range(parts + 1)]
            found = [(start + end - 1) // 2 for start, end in pairwise(edges)]
        return found + [found[-1]] * (self.count - parts)

    def step(self, fps: float) -> int:
        """Frames from one of `every` to the next."""
        if not fps > 0:
            raise SampleError(
                "NO_FRAME_RATE", f"the clip has no frame rate, and {self.text} needs one", remedy="give the attribute fps, or a file that says it"
            )
        return max(1, round(fps / self.count))
