"""Plots as inline SVG: horizontal bars whose widths are shares of the page, with their words beside them as text.

Lengths are percentages, so a bar fits a phone and a sheet of paper, and no lettering shrinks with the picture.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from genlevel_orchestrator.report.markup import Markup, element, join

HEIGHT = 16


class Part(NamedTuple):
    """A piece of a stacked bar: its kind (a class of the style sheet), its size and its words."""

    kind: str
    size: float
    words: str


def score_bar(score: float | None, sota: float | None = None, kind: str = "model", words: str = "") -> Markup:
    """Return a bar for a score in 0 to 100, with a mark where the SoTA stands."""
    shapes = [element("rect", class_="track", width="100%", height=HEIGHT, rx=3)]
    if score is not None and score > 0:
        shapes.append(element("rect", class_=f"bar {kind}", width=f"{_share(score):.3f}%", height=HEIGHT, rx=3))
    if sota is not None:
        # A mark at 100 would lie half outside the picture.
        place = f"{min(_share(sota), 99.6):.3f}%"
        shapes.append(element("rect", class_="sota", x=place, y=-2, width=3, height=HEIGHT + 4))
    return _svg(shapes, words)


def stacked_bar(parts: Sequence[Part], total: float, words: str = "") -> Markup:
    """Return one bar cut into parts whose sizes add up to ``total``."""
    shapes, start = [], 0.0
    for part in parts:
        width = 100.0 * part.size / total if total else 0.0
        if width > 0:
            title = element("title", part.words)
            shapes.append(
                element("rect", title, class_=f"bar {part.kind}", x=f"{start:.3f}%", width=f"{width:.3f}%", height=HEIGHT)
            )
        start += width
    return _svg(shapes, words)


def bar_row(label: Markup | str, bar: Markup, value: Markup | str, note: str = "") -> Markup:
    """Return a row of a plot: words, bar, number."""
    return element(
        "div",
        element("div", label, class_="bar-label"),
        element("div", bar, class_="bar-plot"),
        element("div", value, element("small", note) if note else None, class_="bar-value"),
        class_="bar-row",
    )


def hatch_patterns() -> Markup:
    """Return the fill of bars that must not be compared; every plot of the page refers to it."""
    line = element("line", x1=0, y1=0, x2=0, y2=6, class_="hatch-line")
    ground = element("rect", width=6, height=6, class_="hatch-ground")
    pattern = element(
        "pattern", ground, line, id="hatch", width=6, height=6, patternUnits="userSpaceOnUse", patternTransform="rotate(45)"
    )
    return element("svg", element("defs", pattern), width=0, height=0, class_="defs", aria_hidden="true")


def _svg(shapes: Sequence[Markup], words: str) -> Markup:
    title = element("title", words) if words else None
    return element(
        "svg", title, join(*shapes), width="100%", height=HEIGHT, role="img", aria_label=words or None, class_="bar-svg"
    )


def _share(score: float) -> float:
    return max(0.0, min(100.0, score))
