"""``genlevel compare``: two runs, level by level and task by task."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from genlevel_orchestrator.cli.output import print_json, print_notes, print_table

if TYPE_CHECKING:
    from genlevel_orchestrator.report import Comparison

_VERDICTS = {"only_first": "only A", "only_second": "only B", "refused": "not compared"}


def register(app: typer.Typer) -> None:
    """Add the command ``compare``."""
    app.command("compare")(compare)


def compare(
    first: Annotated[str, typer.Argument(metavar="A", help="A run's name, or a report.json or its folder.")],
    second: Annotated[str, typer.Argument(metavar="B", help="The other one; differences are B minus A.")],
    all_tasks: Annotated[bool, typer.Option("--all", help="Show tasks whose values are equal too.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Compare two runs task by task.

    Values whose signatures differ were made in different ways: they are shown, but no difference is given. Where both runs scored the
    same samples, intervals and tests are paired.
    """
    from genlevel_orchestrator.catalogue import Catalogue
    from genlevel_orchestrator.cli.report import report_document
    from genlevel_orchestrator.report import compare as compare_reports

    (one, one_samples), (other, other_samples) = report_document(first), report_document(second)
    comparison = compare_reports(one, other, one_samples, other_samples, Catalogue.load())
    if as_json:
        print_json(comparison.to_dict())
        return
    _print_levels(comparison)
    _print_tasks(comparison, all_tasks)
    counts = ", ".join(f"{count} {_word(verdict)}" for verdict, count in comparison.counts.items() if count)
    print_notes([f"B against A: {counts or 'no task is scored in either'}"])
    print_notes(f"warning: {line}" for line in comparison.warnings)


def _print_levels(comparison: Comparison) -> None:
    rows = [
        (row["policy"], row["level"], f"{row['first']:.2f}", f"{row['second']:.2f}", f"{row['difference']:+.2f}", _span(row, ".2f"))
        for row in comparison.levels
    ]
    title = f"A: {comparison.first['model']} ({comparison.first['run']})   B: {comparison.second['model']} ({comparison.second['run']})"
    print_table(("policy", "level", "A", "B", "B - A", "interval"), rows, title)


def _print_tasks(comparison: Comparison, all_tasks: bool) -> None:
    rows = [_row(row) for row in comparison.tasks if all_tasks or row["verdict"] != "equal"]
    columns = ("task", "metric", "A", "B", "B - A", "interval", "p", "p (Holm)", "test", "score", "verdict", "why")
    if rows:
        print_table(columns, rows, "tasks")


def _row(row: dict[str, Any]) -> tuple[Any, ...]:
    test = row["test"]
    told = (f"{test['p']:.3g}", f"{test['p_holm']:.3g}", test["method"]) if test else (None, None, None)
    values = (row["first"]["value"], row["second"]["value"], row["difference"], _span(row, ".4g"), *told, row["score_difference"])
    why = "; ".join(filter(None, (row["reason"], row["unpaired_reason"] and f"not paired: {row['unpaired_reason']}")))
    return (row["task_id"], f"{row['metric']} ({row['unit']})", *values, _word(row["verdict"]), why or None)


def _span(row: dict[str, Any], digits: str) -> str | None:
    interval = row["difference_interval"]
    return f"{interval['low']:+{digits}} to {interval['high']:+{digits}}" if interval else None


def _word(verdict: str) -> str:
    return _VERDICTS.get(verdict, verdict)
