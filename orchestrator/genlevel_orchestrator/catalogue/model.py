"""What the catalogue holds: tasks, metrics, skills and the 58 metrics of the paper."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Metric:
    """One canonical metric.

    ``unit`` is what an evaluator emits, ``sota_unit`` what the published SoTA cells are written in. ``mapping`` and
    ``mapping_scale`` name the function to a score in [0, 100]. ``missing`` says how missing predictions count:
    ``worst`` (they score the worst value), ``coverage`` (the score is multiplied by the share that is present) or ``none``.
    """

    metric_id: str
    title: str
    paper_numbers: tuple[int, ...]
    evaluators: tuple[str, ...]
    direction: str
    unit: str
    sota_unit: str
    mapping: str
    mapping_scale: float | None
    lower: float | None
    upper: float | None
    missing: str
    definition: str

    @property
    def higher_is_better(self) -> bool:
        """Whether a larger raw value is the better one."""
        return self.direction == "higher"


@dataclass(frozen=True)
class Skill:
    """One of the 145 skills; a skill belongs to one modality and paradigm."""

    skill_id: str
    modality: str
    paradigm: str
    name: str
    sota_average_paper: float | None


@dataclass(frozen=True)
class PaperMetric:
    """One row of the paper's table of 58 metrics and the canonical ids that stand for it."""

    number: int
    name: str
    group: str
    direction: str
    lower: float | None
    upper: float | None
    mapping: str
    mapping_scale: float | None
    metric_ids: tuple[str, ...]
    definition: str


@dataclass(frozen=True)
class Task:
    """One task of General-Bench.

    ``sota_raw`` is the SoTA in the metric's unit, ``sota_workbook`` the cell as published, ``sota_paper`` the paper's value
    where it differs. ``parameters`` are the metric parameters that deviate from the metric's defaults. ``folder`` is the
    public scorer's name of the task's folder.
    """

    task_id: str
    modality: str
    paradigm: str
    number: int
    name: str
    name_raw: str
    short_name: str
    skill_id: str
    metric_label: str
    metric_id: str
    evaluator: str
    sota_raw: float
    sota_workbook: float
    sota_paper: float | None
    sota_protocol: str
    sota_backbone: str | None
    parameters: Mapping[str, Any]
    folder: str | None
    aliases: tuple[str, ...]
    flag: str | None

    @property
    def group(self) -> str:
        """The workbook sheet the task belongs to, as ``image.comprehension`` or ``language``."""
        return "language" if self.modality == "language" else f"{self.modality}.{self.paradigm}"

    @property
    def win_decidable(self) -> bool:
        """Whether a value of ours may be held against the SoTA: not where its protocol is unknown."""
        return self.sota_protocol != "unknown"
