"""From CSV files to tasks, metrics and skills: every row is read, every fault is kept."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from genlevel_orchestrator.catalogue.checks import check_references
from genlevel_orchestrator.catalogue.model import Metric, PaperMetric, Skill, Task
from genlevel_orchestrator.catalogue.names import MODALITIES, PARADIGMS, name_key
from genlevel_orchestrator.catalogue.tables import CatalogueError, Fault, Row, read_rows, unique

DATA = Path(__file__).parent / "data"
EVALUATORS = ("language", "image", "video", "audio", "three_d")
DIRECTIONS = ("higher", "lower")
MAPPINGS = ("identity", "saturating", "tanh", "complement", "signed_fraction", "rating")
PROTOCOLS = ("known", "assumed", "unknown")

_METRIC_COLUMNS = (
    *("metric_id", "title", "paper_numbers", "evaluators", "direction", "unit", "sota_unit"),
    *("mapping", "mapping_scale", "lower", "upper", "missing", "definition"),
)
_PAPER_COLUMNS = (
    *("number", "name", "group", "direction", "lower", "upper"),
    *("mapping", "mapping_scale", "metric_ids", "definition"),
)
_SKILL_COLUMNS = ("skill_id", "modality", "paradigm", "name", "sota_average_paper")
_LABEL_COLUMNS = ("label", "metric_id")
_TASK_COLUMNS = (
    *("task_id", "modality", "paradigm", "number", "name", "name_raw", "short_name", "skill_id"),
    *("metric_label", "metric_id", "evaluator", "sota_raw", "sota_workbook", "sota_paper"),
    *("sota_protocol", "sota_backbone", "parameters", "folder", "aliases", "flag"),
)


@dataclass(frozen=True)
class Tables:
    """Everything the data files hold, checked."""

    tasks: dict[str, Task]
    metrics: dict[str, Metric]
    skills: dict[str, Skill]
    labels: dict[str, tuple[str, ...]]
    paper_metrics: dict[int, PaperMetric]


def load_tables(folder: Path | None = None) -> Tables:
    """Read the five tables of a folder.

    Raises:
        CatalogueError: With every fault of every file.
    """
    folder = DATA if folder is None else folder
    faults: list[Fault] = []
    metrics = [(row, _metric(row)) for row in read_rows(folder / "metrics.csv", _METRIC_COLUMNS, faults)]
    papers = [(row, _paper(row)) for row in read_rows(folder / "paper_metrics.csv", _PAPER_COLUMNS, faults)]
    skills = [(row, _skill(row)) for row in read_rows(folder / "skills.csv", _SKILL_COLUMNS, faults)]
    labels = [(row, _label(row)) for row in read_rows(folder / "labels.csv", _LABEL_COLUMNS, faults)]
    tasks = [(row, _task(row)) for row in read_rows(folder / "tasks.csv", _TASK_COLUMNS, faults)]
    metric_index = unique(metrics, "metric_id", lambda metric: metric.metric_id)
    skill_index = unique(skills, "skill_id", lambda skill: skill.skill_id)
    task_index = unique(tasks, "task_id", lambda task: task.task_id)
    unique(tasks, "name", lambda task: f"{task.group}/{name_key(task.name)}")
    unique(labels, "metric_id", lambda pair: f"{pair[0]} -> {pair[1]}")
    paper_index = unique(papers, "number", lambda paper: str(paper.number))
    check_references(tasks, metrics, labels, papers, skill_index, metric_index)
    if faults:
        faults.sort(key=lambda fault: (fault.file, fault.row or 0, fault.column or ""))
        raise CatalogueError(faults)
    label_index: dict[str, tuple[str, ...]] = {}
    for _, (label, metric_id) in labels:
        label_index[label] = (*label_index.get(label, ()), metric_id)
    paper_metrics = {paper.number: paper for paper in paper_index.values()}
    return Tables(task_index, metric_index, skill_index, label_index, paper_metrics)


def _metric(row: Row) -> Metric:
    return Metric(
        metric_id=row.text("metric_id"),
        title=row.text("title"),
        paper_numbers=_paper_numbers(row),
        evaluators=_evaluators(row),
        direction=row.choice("direction", DIRECTIONS),
        unit=row.text("unit"),
        sota_unit=row.text("sota_unit"),
        mapping=row.choice("mapping", MAPPINGS),
        mapping_scale=row.number_or_none("mapping_scale"),
        lower=row.number_or_none("lower"),
        upper=row.number_or_none("upper"),
        missing=row.choice("missing", ("worst", "coverage", "none")),
        definition=row.text("definition"),
    )


def _paper_numbers(row: Row) -> tuple[int, ...]:
    numbers = []
    for word in row.words("paper_numbers", ";"):
        if not word.isdigit():
            row.fault("paper_numbers", f"{word!r} is not a number", "write numbers of the paper's table")
            continue
        numbers.append(int(word))
    return tuple(numbers)


def _evaluators(row: Row) -> tuple[str, ...]:
    words = row.words("evaluators", ";")
    if not words:
        row.fault("evaluators", "no evaluator is named", f"write one or more of {', '.join(EVALUATORS)}")
    for word in words:
        if word not in EVALUATORS:
            row.fault("evaluators", f"{word!r} is no evaluator", f"write one of {', '.join(EVALUATORS)}")
    return words


def _paper(row: Row) -> PaperMetric:
    return PaperMetric(
        number=row.integer("number"),
        name=row.text("name"),
        group=row.text("group"),
        direction=row.choice("direction", DIRECTIONS),
        lower=row.number_or_none("lower"),
        upper=row.number_or_none("upper"),
        mapping=row.choice("mapping", MAPPINGS),
        mapping_scale=row.number_or_none("mapping_scale"),
        metric_ids=row.words("metric_ids", ";"),
        definition=row.text("definition"),
    )


def _skill(row: Row) -> Skill:
    return Skill(
        skill_id=row.text("skill_id"),
        modality=row.choice("modality", MODALITIES),
        paradigm=row.choice("paradigm", PARADIGMS),
        name=row.text("name"),
        sota_average_paper=row.number_or_none("sota_average_paper"),
    )


def _label(row: Row) -> tuple[str, str]:
    return row.text("label"), row.text("metric_id")


def _task(row: Row) -> Task:
    name = row.text("name")
    return Task(
        task_id=row.text("task_id"),
        modality=row.choice("modality", MODALITIES),
        paradigm=row.choice("paradigm", PARADIGMS),
        number=row.integer("number"),
        name=name,
        name_raw=row.optional("name_raw") or name,
        short_name=row.text("short_name"),
        skill_id=row.text("skill_id"),
        metric_label=row.text("metric_label"),
        metric_id=row.text("metric_id"),
        evaluator=row.choice("evaluator", EVALUATORS),
        sota_raw=row.required_number("sota_raw"),
        sota_workbook=row.required_number("sota_workbook"),
        sota_paper=row.number_or_none("sota_paper"),
        sota_protocol=row.choice("sota_protocol", PROTOCOLS),
        sota_backbone=row.optional("sota_backbone"),
        parameters=row.json_object("parameters"),
        folder=row.optional("folder"),
        aliases=row.words("aliases", "|"),
        flag=row.optional("flag"),
    )
