"""``genlevel levels``: levels 2 to 5 from a file of per-task scores."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from genlevel_orchestrator.catalogue import Catalogue
from genlevel_orchestrator.catalogue.level_tasks import level_tasks
from genlevel_orchestrator.cli.output import print_json, print_notes, print_table
from genlevel_orchestrator.errors import UserError
from genlevel_orchestrator.levels import (
    POLICIES,
    Drift,
    Group,
    LevelCalculator,
    Levels,
    LevelsError,
    LevelTask,
    Policy,
    Result,
    drift,
)
from genlevel_orchestrator.results_io import (
    drift_document,
    fraction_warnings,
    levels_document,
    read_results,
    read_sota,
)

PolicyOption = Annotated[
    str, typer.Option("--policy", help="paper, or upstream (the public scorer, faults included).")
]
SotaOption = Annotated[str, typer.Option("--sota", help="workbook, paper, or a file laid out like results.")]


def register(app: typer.Typer) -> None:
    """Add the command ``levels``."""
    app.command("levels")(levels)


def levels(
    results: Annotated[Path, typer.Argument(help="A nine-sheet .xlsx, or .csv or .json in long form.")],
    model: Annotated[str, typer.Option(help="The model's column or name in the file.")],
    policy: PolicyOption = "paper",
    sota: SotaOption = "workbook",
    zero_is_unsupported: Annotated[
        bool,
        typer.Option("--zero-is-unsupported", help="Read a score of 0 as: the model does not do this task."),
    ] = False,
    show_drift: Annotated[
        bool, typer.Option("--drift", help="List the tasks on which the two policies part, and why.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Compute levels 2 to 5 from a file of scores."""
    catalogue = Catalogue.load()
    chosen = policy_of(policy)
    tasks = sota_tasks(catalogue, sota)
    scores = read_results(results, catalogue, model, zero_is_unsupported)
    computed = compute_or_explain(LevelCalculator(tasks, chosen), scores, catalogue)
    warnings = fraction_warnings(catalogue, scores)
    comparison = drift(tasks, scores) if show_drift else None
    if as_json:
        document: dict[str, Any] = levels_document(computed, catalogue, sota)
        document["model"] = model
        document["warnings"] = warnings
        if comparison is not None:
            document["drift"] = drift_document(comparison)
        print_json(document)
        return
    print_levels(computed)
    if comparison is not None:
        print_drift(comparison)
    print_notes(f"warning: {line}" for line in warnings)


def policy_of(name: str) -> Policy:
    """Return the policy of a name.

    Raises:
        UserError: When there is none.
    """
    for policy in POLICIES:
        if name == policy:
            return policy
    raise UserError(f"unknown policy {name!r}", f"Write one of {', '.join(POLICIES)}.")


def sota_tasks(catalogue: Catalogue, sota: str) -> list[LevelTask]:
    """Return the tasks with the SoTA that ``--sota`` names: a table of the catalogue, or a file."""
    if sota in ("workbook", "paper"):
        return level_tasks(catalogue, sota)
    path = Path(sota)
    if not path.is_file():
        raise UserError(
            f"no SoTA table {sota!r}", "Write workbook, paper or the path of a file laid out like results."
        )
    return level_tasks(catalogue, "workbook", read_sota(path, catalogue))


def compute_or_explain(
    calculator: LevelCalculator, results: dict[str, Result], catalogue: Catalogue
) -> Levels:
    """Return the levels; impossible results become one error that names each task and a remedy.

    Raises:
        UserError: When a result is impossible.
    """
    try:
        return calculator.levels(results)
    except LevelsError as error:
        faults = [fault._asdict() for fault in error.faults]
        lines = "\n".join(f"  {f.task_id} ({_unit(catalogue, f.task_id)}): {f.problem}" for f in error.faults)
        remedy = "Correct the scores, or leave the cells of unsupported tasks empty"
        remedy += " (tables that write them as 0: --zero-is-unsupported)."
        raise UserError(f"{len(faults)} score(s) cannot be used:\n{lines}", remedy, details=faults) from None


def _unit(catalogue: Catalogue, task_id: str) -> str:
    metric = catalogue.metric_of(catalogue.tasks[task_id])
    return f"{metric.metric_id} in {metric.unit}"


def print_levels(levels: Levels) -> None:
    """Print the levels by modality and overall."""
    rows: list[tuple[Any, ...]] = []
    for name, modality in levels.modalities.items():
        counts = (_counts(modality.comprehension), _counts(modality.generation))
        scores = (f"{modality.level_2:.2f}", f"{modality.level_3:.2f}", f"{modality.level_4:.2f}", "")
        rows.append((name, *scores, *counts, modality.status))
    rows.append(
        ("language", "", "", "", "", _counts(levels.language), "", f"weight {levels.language_weight:.4f}")
    )
    overall = (levels.level_2, levels.level_3, levels.level_4, levels.level_5)
    rows.append(("all", *(f"{score:.2f}" for score in overall), "", "", levels.status))
    columns = (
        "modality",
        "level 2",
        "level 3",
        "level 4",
        "level 5",
        "comprehension",
        "generation",
        "status",
    )
    print_table(columns, rows, f"policy {levels.policy}; counts are wins/supported/tasks")


def _counts(group: Group) -> str:
    return f"{group.wins}/{group.supported}/{group.tasks}"


def print_drift(comparison: Drift) -> None:
    """Print the tasks on which the policies part."""
    rows = []
    for difference in comparison.differences:
        sides = [None if side is None else side.score for side in (difference.paper, difference.upstream)]
        wins = [None if side is None else side.won for side in (difference.paper, difference.upstream)]
        rows.append((difference.task_id, *sides, *wins, "; ".join(difference.reasons)))
    columns = ("task", "paper", "upstream", "won: paper", "won: upstream", "why")
    print_table(columns, rows, f"{len(rows)} tasks on which the policies part")
