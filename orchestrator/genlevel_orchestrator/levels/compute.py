"""From task results to levels 2 to 5.

For one modality with C comprehension and G generation tasks, every mean running over all tasks, supported or not:

* level 2 = (mean of C + mean of G) / 2
* level 3 = (winning mean of C + winning mean of G) / 2, where a task that misses the SoTA counts as 0
* level 4 = harmonic mean of the two winning means, 0 when either is 0

Levels 2 to 4 of a model are the plain means over the four modalities; level 5 = level 4 times the winning mean of the
language tasks as a fraction.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence

from genlevel_orchestrator.levels.model import (
    LEVEL_MODALITIES,
    UNSUPPORTED,
    Group,
    Invalid,
    Levels,
    LevelsError,
    LevelTask,
    ModalityLevels,
    Outcome,
    Policy,
    Result,
    Status,
)
from genlevel_orchestrator.levels.paper import PaperScorer
from genlevel_orchestrator.levels.upstream import UpstreamScorer

Total = Callable[[Iterable[float]], float]
Scorer = PaperScorer | UpstreamScorer


def harmonic_mean(comprehension: float, generation: float, epsilon: float = 0.0) -> float:
    """Return 2cg/(c+g), or 0 when either is 0.

    >>> harmonic_mean(10.0, 10.0), harmonic_mean(0.0, 50.0)
    (10.0, 0.0)
    """
    if comprehension == 0.0 or generation == 0.0:
        return 0.0
    mean = 2.0 * comprehension * generation / (comprehension + generation + epsilon)
    if epsilon == 0.0:
        # Rounding must not lift the harmonic mean over the arithmetic one.
        mean = min(mean, (comprehension + generation) / 2.0)
    return mean


class LevelCalculator:
    """Computes the levels of any number of models over one list of tasks.

    Args:
        tasks: All tasks of the benchmark; their number is every denominator. Order matters to ``upstream`` only.
        policy: ``paper`` or ``upstream``.
    """

    def __init__(self, tasks: Sequence[LevelTask], policy: Policy = "paper") -> None:
        self.policy: Policy = policy
        self.tasks = tuple(tasks)
        first_rmse = next((t for t in self.tasks if t.modality == "language" and t.label == "RMSE"), None)
        self._scorers: list[tuple[str, Scorer]] = [
            (
                task.task_id,
                UpstreamScorer(task, task is first_rmse) if policy == "upstream" else PaperScorer(task),
            )
            for task in self.tasks
        ]
        self._ids = {task.task_id for task in self.tasks}
        if len(self._ids) != len(self.tasks):
            raise ValueError("task ids must be unique")

    def faults(self, results: Mapping[str, Result]) -> list[Invalid]:
        """Return every result that this policy cannot score, and every result of an unknown task."""
        faults = [Invalid(task_id, "no such task") for task_id in results if task_id not in self._ids]
        for task_id, scorer in self._scorers:
            fault = scorer.fault(results.get(task_id, UNSUPPORTED))
            if fault is not None:
                faults.append(fault)
        return faults

    def outcomes(self, results: Mapping[str, Result]) -> list[Outcome]:
        """Return the outcome of every task; a task without a result is unsupported.

        Raises:
            LevelsError: With every faulty result.
        """
        faults = self.faults(results)
        if faults:
            raise LevelsError(faults)
        return [scorer.score(results.get(task_id, UNSUPPORTED)) for task_id, scorer in self._scorers]

    def levels(self, results: Mapping[str, Result]) -> Levels:
        """Return the levels of one model.

        Raises:
            LevelsError: With every faulty result.
        """
        outcomes = self.outcomes(results)
        # The public scorer adds left to right; correctly rounded sums make ours independent of the order.
        total: Total = sum if self.policy == "upstream" else math.fsum
        groups = _groups(outcomes, total)
        epsilon = 1e-6 if self.policy == "upstream" else 0.0
        modalities = {name: _modality(groups, name, epsilon) for name in LEVEL_MODALITIES}
        if self.policy == "upstream":
            present = [modalities[name] for name in LEVEL_MODALITIES if _has_tasks(modalities[name])]
        else:
            present = list(modalities.values())
        language = groups.get(("language", "language"), _EMPTY)
        level_2 = _mean([m.level_2 for m in present], total)
        level_3 = _mean([m.level_3 for m in present], total)
        level_4 = _mean([m.level_4 for m in present], total)
        weight = language.winning_mean / 100.0
        level_5 = level_4 * weight
        scores = (level_2, level_3, level_4, level_5)
        return Levels(
            policy=self.policy,
            level_2=level_2,
            level_3=level_3,
            level_4=level_4,
            level_5=level_5,
            language_weight=weight,
            highest=max((number for number, score in enumerate(scores, start=2) if score != 0.0), default=1),
            status=_status([*(m.comprehension for m in present), *(m.generation for m in present), language]),
            modalities=modalities,
            language=language,
            outcomes=outcomes,
        )


def compute_levels(
    tasks: Sequence[LevelTask], results: Mapping[str, Result], policy: Policy = "paper"
) -> Levels:
    """Return the levels of one model; see ``LevelCalculator`` for many."""
    return LevelCalculator(tasks, policy).levels(results)


_EMPTY = Group(0, 0, 0, 0, 0, 0.0, 0.0)


def _groups(outcomes: Iterable[Outcome], total: Total) -> dict[tuple[str, str], Group]:
    members: dict[tuple[str, str], list[Outcome]] = {}
    for outcome in outcomes:
        members.setdefault((outcome.modality, outcome.paradigm), []).append(outcome)
    return {key: _group(group, total) for key, group in members.items()}


def _group(outcomes: list[Outcome], total: Total) -> Group:
    count = len(outcomes)
    scored = [outcome for outcome in outcomes if outcome.score is not None]
    wins = [outcome for outcome in scored if outcome.won]
    return Group(
        tasks=count,
        supported=sum(1 for outcome in outcomes if outcome.state == "scored"),
        failed=sum(1 for outcome in outcomes if outcome.state == "failed"),
        wins=len(wins),
        not_comparable=sum(1 for outcome in scored if not outcome.comparable),
        mean=total(o.score for o in scored if o.score is not None) / count,
        winning_mean=total(o.score for o in wins if o.score is not None) / count,
    )


def _modality(groups: Mapping[tuple[str, str], Group], name: str, epsilon: float) -> ModalityLevels:
    comprehension = groups.get((name, "comprehension"), _EMPTY)
    generation = groups.get((name, "generation"), _EMPTY)
    return ModalityLevels(
        level_2=(comprehension.mean + generation.mean) / 2.0,
        level_3=(comprehension.winning_mean + generation.winning_mean) / 2.0,
        level_4=harmonic_mean(comprehension.winning_mean, generation.winning_mean, epsilon),
        comprehension=comprehension,
        generation=generation,
        status=_status([comprehension, generation]),
    )


def _has_tasks(modality: ModalityLevels) -> bool:
    return modality.comprehension.tasks + modality.generation.tasks > 0


def _mean(values: list[float], total: Total) -> float:
    return total(values) / len(values) if values else 0.0


def _status(groups: Sequence[Group]) -> Status:
    if any(group.failed for group in groups):
        return "provisional"
    if any(group.not_comparable for group in groups):
        return "not_comparable"
    if any(group.supported < group.tasks for group in groups):
        return "partial"
    return "complete"
