"""The report as one page: no file beside it, no request to anywhere, no text of the bundle taken as markup."""

from __future__ import annotations

import base64
import hashlib
from functools import lru_cache
from importlib.resources import files
from typing import Any

from genlevel_orchestrator.report.bars import hatch_patterns
from genlevel_orchestrator.report.markup import Markup, element, join
from genlevel_orchestrator.report.overview import (
    coverage_section,
    header,
    levels_section,
    modalities_section,
    skills_section,
)
from genlevel_orchestrator.report.task_table import tasks_section, violations_section


def render_page(report: dict[str, Any]) -> str:
    """Return the page of a report document."""
    title = f"{report['run']['model']} – General-Level report"
    body = join(
        hatch_patterns(),
        header(report),
        element(
            "main",
            levels_section(report),
            coverage_section(report),
            modalities_section(report),
            skills_section(report),
            tasks_section(report),
            violations_section(report),
        ),
        _footer(report),
        element("script", _static("page.js")),
    )
    head = element(
        "head",
        element("meta", charset="utf-8"),
        Markup(f'<meta http-equiv="Content-Security-Policy" content="{_policy()}">'),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("meta", name="referrer", content="no-referrer"),
        element("title", title),
        element("style", _static("page.css")),
    )
    return f"<!doctype html>\n{element('html', head, element('body', body), lang='en')}\n"


def _footer(report: dict[str, Any]) -> Markup:
    run = report["run"]
    versions = ", ".join(f"{name} {version}" for name, version in run["evaluators"].items())
    return element(
        "footer",
        element("p", f"GenLevel {run['genlevel_version']}. Evaluators: {versions or 'none'}. Created {run['created']}."),
        element(
            "p",
            "Scores are the paper's mapping of a value to 0..100; a task without a score counts as 0. A win is decided on raw values, "
            "in the metric's direction; none is decided where nobody knows how the SoTA was measured. Two values may be compared when their "
            "signature digests are equal.",
        ),
    )


@lru_cache(maxsize=2)
def _static(name: str) -> Markup:
    """Return a file of this package, which is markup by its origin."""
    return Markup(files(__package__).joinpath("static", name).read_text(encoding="utf-8"))


def _policy() -> str:
    """Return a content policy that lets exactly our style and script run, and nothing be loaded."""
    script, style = (_digest(_static(name)) for name in ("page.js", "page.css"))
    return f"default-src 'none'; script-src '{script}'; style-src '{style}'; base-uri 'none'; form-action 'none'"


def _digest(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
