"""The table of classes that some values carry beside them, as companions `class/<name>/<number>`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from genlevel_orchestrator.report.markup import Markup, element
from genlevel_orchestrator.report.numbers import shown

CLASS = "class/"
_NUMBERS = ("n", "precision", "recall", "f1")


def class_table(companions: Mapping[str, Any]) -> Markup | None:
    """The classes, the largest first; nothing where the value has none."""
    classes: dict[str, dict[str, Any]] = {}
    for key, value in companions.items():
        if key.startswith(CLASS):
            name, number = key.removeprefix(CLASS).rsplit("/", 1)
            classes.setdefault(name, {})[number] = value
    if not classes:
        return None
    ranked = sorted(classes.items(), key=lambda one: (-float(one[1].get("n", 0.0)), one[0]))
    head = element("tr", element("th", "class"), *(element("th", number) for number in _NUMBERS))
    rows = [element("tr", element("td", name), *(_cell(number, numbers.get(number)) for number in _NUMBERS)) for name, numbers in ranked]
    return element("table", element("thead", head), element("tbody", *rows), class_="classes")


def _cell(number: str, value: Any) -> Markup:
    words = "" if value is None else f"{float(value):.0f}" if number == "n" else shown(value)
    return element("td", words, class_="number")
