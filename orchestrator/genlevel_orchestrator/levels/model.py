"""What the level arithmetic takes and gives: tasks, results, outcomes, levels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

Policy = Literal["paper", "upstream"]
State = Literal["scored", "unsupported", "failed"]
Status = Literal["complete", "partial", "provisional", "not_comparable"]

# Level scores are the plain mean of these four; language only weighs level 5.
LEVEL_MODALITIES = ("image", "video", "audio", "three_d")
POLICIES: tuple[Policy, ...] = ("paper", "upstream")


@dataclass(frozen=True)
class LevelTask:
    """A task as the levels see it.

    Attributes:
        task_id: Unique key of the task.
        modality: image, video, audio, three_d or language.
        paradigm: comprehension, generation or language.
        label: The metric label as the public workbook prints it (read by policy ``upstream`` only).
        higher_is_better: The direction of the raw value.
        mapping: Name of the function from raw value to score, see ``mappings``.
        scale: Its threshold T, where it has one.
        lower: Smallest possible raw value, if any.
        upper: Largest possible raw value, if any.
        sota: SoTA in the raw unit of the metric.
        sota_cell: SoTA as the public workbook holds it (``upstream`` only).
        scaled_by_coverage: Whether missing predictions multiply the score by the coverage instead of counting as worst.
    """

    task_id: str
    modality: str
    paradigm: str
    label: str
    higher_is_better: bool
    mapping: str
    scale: float
    lower: float | None
    upper: float | None
    sota: float
    sota_cell: float
    scaled_by_coverage: bool = False


class Result(NamedTuple):
    """The result of one task.

    Attributes:
        value: Raw value in the metric's unit; None unless the state is ``scored``.
        state: ``unsupported`` when the model gave nothing, ``failed`` when the fault is not the model's.
        coverage: Share of the expected predictions that are present.
        comparable: False for a value that must not be held against the SoTA, for example from a stand-in backbone.
    """

    value: float | None
    state: State = "scored"
    coverage: float = 1.0
    comparable: bool = True


UNSUPPORTED = Result(None, "unsupported")


class Outcome(NamedTuple):
    """One task under one policy. ``score`` is None when there is no value; it counts as 0 in every mean."""

    task_id: str
    modality: str
    paradigm: str
    state: State
    value: float | None
    score: float | None
    sota: float
    sota_score: float
    won: bool
    comparable: bool
    coverage: float


class Group(NamedTuple):
    """The tasks of one modality and paradigm together.

    ``mean`` is the mean score over all tasks, ``winning_mean`` the same with tasks that miss the SoTA as 0.
    """

    tasks: int
    supported: int
    failed: int
    wins: int
    not_comparable: int
    mean: float
    winning_mean: float


class ModalityLevels(NamedTuple):
    """Levels 2 to 4 of one modality."""

    level_2: float
    level_3: float
    level_4: float
    comprehension: Group
    generation: Group
    status: Status


@dataclass(frozen=True)
class Levels:
    """The levels of one model under one policy.

    Attributes:
        policy: ``paper`` or ``upstream``.
        level_2: Mean over the modalities; so are levels 3 and 4.
        level_5: Level 4 times the language weight.
        language_weight: Winning mean of the language tasks, as a fraction.
        highest: The highest level whose score is not 0; 1 when all are 0.
        status: How far the numbers can be trusted.
        modalities: By name, in the order of ``LEVEL_MODALITIES``.
        language: The language tasks.
        outcomes: One per task, in the order the tasks were given.
    """

    policy: Policy
    level_2: float
    level_3: float
    level_4: float
    level_5: float
    language_weight: float
    highest: int
    status: Status
    modalities: Mapping[str, ModalityLevels]
    language: Group
    outcomes: Sequence[Outcome]


class Invalid(NamedTuple):
    """A result that no policy may score: which task, and why."""

    task_id: str
    problem: str


class LevelsError(ValueError):
    """Results that cannot be scored; names every task at fault."""

    def __init__(self, faults: Sequence[Invalid]) -> None:
        self.faults = tuple(faults)
        lines = "; ".join(f"{fault.task_id}: {fault.problem}" for fault in self.faults)
        super().__init__(f"{len(self.faults)} result(s) cannot be scored: {lines}")
