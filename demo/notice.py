"""The NOTICE of the bundle: what it is made of, under which licence, and what made the predictions."""

from __future__ import annotations

from pathlib import Path

from demo import sources
from demo.bundle import Recipe

INSTALLED = {
    "skimage": ("scikit-image", "BSD-3-Clause (package); photos public domain or CC0, see its data/README.txt"),
    "sklearn": ("scikit-learn", "BSD-3-Clause (package); china.jpg and flower.jpg CC BY 2.0; digits from UCI"),
}


def write(path: Path, recipes: list[Recipe]) -> None:
    """Write the notice for the tasks that were built."""
    used = {name for recipe in recipes for name in recipe.sources}
    lines = [
        "# GenLevel demo bundle",
        "",
        "Built by `python -m demo.build` from the packages below; media are scaled, cut or degraded copies.",
        "Predictions come from simple baselines, never from the references.",
        "The samples are not General-Bench's: a score here cannot be compared with a specialist's.",
        "",
        "| Package | Version | Used for | Licence |",
        "|---|---|---|---|",
    ]
    for name, entry in sources.entries().items():
        if name in used:
            lines.append(f"| {name} | {entry.source.version} | {entry.role} | {entry.licence} |")
    for name, (title, licence) in INSTALLED.items():
        if name in used:
            lines.append(f"| {title} | as installed, files pinned | photos | {licence} |")
    lines += ["", "| Task | Why the references are true | Baseline |", "|---|---|---|"]
    lines += [f"| {recipe.name} | {recipe.truth} | {recipe.baseline} |" for recipe in recipes]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
