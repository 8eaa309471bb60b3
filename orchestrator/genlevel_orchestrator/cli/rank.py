"""``genlevel rank published``: levels of the published models, computed from their published per-task scores."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from genlevel_orchestrator.catalogue import Catalogue
from genlevel_orchestrator.cli.levels import (
    PolicyOption,
    SotaOption,
    compute_or_explain,
    policy_of,
    sota_tasks,
)
from genlevel_orchestrator.cli.output import print_json, print_table
from genlevel_orchestrator.levels import LevelCalculator, Levels
from genlevel_orchestrator.results_io.document import level_numbers
from genlevel_orchestrator.results_io.published import PublishedModel, published_models

Ranked = tuple[PublishedModel, Levels]


def register(app: typer.Typer) -> None:
    """Add the group ``rank``."""
    group = typer.Typer(help="Rank models.", no_args_is_help=True)
    group.callback()(lambda: None)
    group.command("published")(published)
    app.add_typer(group, name="rank")


def published(
    policy: PolicyOption = "paper",
    sota: SotaOption = "workbook",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Rank the published models: highest level first, then by the score of that level and those below it.

    Not every group of a model has published per-task scores; the others count as unsupported, so the printed board can be
    higher. The column "groups" says which ones there are.
    """
    catalogue = Catalogue.load()
    ranked = rank_published(catalogue, LevelCalculator(sota_tasks(catalogue, sota), policy_of(policy)))
    if as_json:
        entries = [_entry(rank, model, levels) for rank, (model, levels) in enumerate(ranked, start=1)]
        print_json({"policy": policy, "sota": sota, "models": entries})
        return
    rows = [_row(rank, model, levels) for rank, (model, levels) in enumerate(ranked, start=1)]
    columns = ("rank", "model", "level", "level 2", "level 3", "level 4", "level 5", "board L2", "groups")
    print_table(columns, rows, f"published models, policy {policy}, SoTA {sota}")


def rank_published(catalogue: Catalogue, calculator: LevelCalculator) -> list[Ranked]:
    """Return the published models with their levels, best first; equal scores keep the order of names."""
    models = sorted(published_models().values(), key=lambda model: model.name.casefold())
    ranked = [
        (model, compute_or_explain(calculator, model.results(catalogue), catalogue)) for model in models
    ]
    ranked.sort(key=lambda pair: _sort_key(pair[1]), reverse=True)
    return ranked


def _sort_key(levels: Levels) -> tuple[float, ...]:
    return (levels.highest, levels.level_5, levels.level_4, levels.level_3, levels.level_2)


def _entry(rank: int, model: PublishedModel, levels: Levels) -> dict[str, Any]:
    return {
        "rank": rank,
        "model": model.name,
        "highest_level": levels.highest,
        "levels": level_numbers(levels),
        "status": levels.status,
        "modalities": {name: {"levels": level_numbers(m)} for name, m in levels.modalities.items()},
        "language_weight": levels.language_weight,
        "groups": list(model.groups),
        "published": dict(model.levels),
    }


def _row(rank: int, model: PublishedModel, levels: Levels) -> tuple[Any, ...]:
    scores = [f"{score:.2f}" for score in (levels.level_2, levels.level_3, levels.level_4)]
    board = model.levels.get("2", {}).get("overall")
    groups = " ".join(
        group.replace(".comprehension", "-C").replace(".generation", "-G") for group in model.groups
    )
    return (rank, model.name, levels.highest, *scores, f"{levels.level_5:.4f}", board, groups)
