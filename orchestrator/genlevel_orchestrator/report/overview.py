"""The upper half of the page: levels, coverage, modalities and skills against the SoTA."""

from __future__ import annotations

from typing import Any

from genlevel_orchestrator.report.bars import Part, bar_row, score_bar, stacked_bar
from genlevel_orchestrator.report.markup import Markup, element, join
from genlevel_orchestrator.report.numbers import shown
from genlevel_orchestrator.report.words import (
    LEVEL_MEANINGS,
    LEVEL_STATUSES,
    MODALITIES,
    RUN_STATES,
    group_name,
    plural,
)

# Kinds of a coverage bar: class, key of the counts, words of the legend.
COVERAGE = (
    ("win", "wins", "reaches the SoTA"),
    ("model", "below", "scored, no win"),
    ("stand-in", "not_comparable", "scored otherwise than the SoTA, not comparable"),
    ("undefined", "undefined", "undefined"),
    ("failed", "failed", "failed, not the model's fault"),
    ("not_scorable", "not_scorable", "no evaluator for its metric"),
    ("not_submitted", "not_submitted", "not submitted"),
)


def header(report: dict[str, Any]) -> Markup:
    """Return the head of the page: model, run, state."""
    run = report["run"]
    facts = [("Run", run["name"]), ("Bundle", run["bundle"]), ("References", run["references"]), ("Ended", run["ended"])]
    rows = [join(element("dt", name), element("dd", value)) for name, value in facts if value]
    message = element("p", run["message"], class_="note") if run["message"] else None
    state = RUN_STATES.get(run["state"], run["state"])
    return element(
        "header",
        element("p", "General-Level report", class_="kicker"),
        element("h1", run["model"]),
        element("p", element("span", run["state"], class_=f"badge state-{run['state']}"), " ", state, class_="state"),
        message,
        element("dl", *rows, class_="facts"),
    )


def levels_section(report: dict[str, Any]) -> Markup:
    """Return the level scores of the first policy as tiles and plots, and of the others as a table."""
    if not report["levels"]:
        return element("section", element("h2", "Levels"), element("p", "The run ended before levels could be computed."))
    first = next(iter(report["levels"].values()))
    status, meaning = LEVEL_STATUSES.get(first["status"], (first["status"], ""))
    about = element(
        "p", element("span", status, class_=f"badge level-{first['status']}"), " ", meaning, class_="state"
    )
    tiles = [_tile(number, score) for number, score in first["levels"].items()]
    notes = [element("p", note, class_="note") for note in first["notes"]]
    return element(
        "section",
        element("h2", "Levels"),
        about,
        element("div", *tiles, class_="tiles"),
        element("div", *_level_cards(first), class_="cards"),
        *notes,
        _policies(report["levels"]),
        id="levels",
    )


def _tile(number: str, score: Any) -> Markup:
    return element(
        "div",
        element("div", f"Level {number}", class_="tile-name"),
        element("div", _score(score), class_="tile-score"),
        element("div", LEVEL_MEANINGS[number], class_="tile-note"),
        class_="tile",
    )


def _level_cards(levels: dict[str, Any]) -> list[Markup]:
    cards = [_card("All modalities", levels["levels"], "mean of the four")]
    for name, modality in levels["modalities"].items():
        counts = f"{modality['scored']} of {plural(modality['tasks'], 'task')} scored, {plural(modality['wins'], 'win')}"
        cards.append(_card(MODALITIES.get(name, name), modality["levels"], counts))
    return cards


def _card(title: str, scores: dict[str, Any], note: str) -> Markup:
    rows = [
        bar_row(f"L{number}", score_bar(score, words=f"{title}, level {number}: {_score(score)}"), _score(score))
        for number, score in scores.items()
    ]
    return element("div", element("h3", title, element("small", note)), *rows, class_="card narrow")


def _policies(levels: dict[str, Any]) -> Markup | None:
    if len(levels) < 2:
        return None
    head = element("tr", *(element("th", name) for name in ("Policy", "SoTA", "L2", "L3", "L4", "L5", "Status")))
    rows = [
        element(
            "tr",
            element("th", entry["policy"], scope="row"),
            element("td", entry["sota"]),
            *(element("td", _score(score), class_="number") for score in entry["levels"].values()),
            element("td", LEVEL_STATUSES.get(entry["status"], (entry["status"], ""))[0]),
        )
        for entry in levels.values()
    ]
    explained = "paper: the paper's rules with units put right. upstream: what the public scorer would have said."
    table = element("div", element("table", element("thead", head), element("tbody", *rows)), class_="scroll")
    return element("div", element("h3", "By policy"), table, element("p", explained, class_="note"))


def coverage_section(report: dict[str, Any]) -> Markup:
    """Return how many tasks of each group ended in which way."""
    total = report["coverage"]
    rows = [_coverage_row("All tasks", total)]
    rows += [_coverage_row(group_name(g["modality"], g["paradigm"]), g) for g in report["groups"]]
    used = [(kind, words) for kind, key, words in COVERAGE if _count(total, key)]
    said = f"{total['scored']} of {plural(total['tasks'], 'task')} scored, {total['submitted']} submitted."
    return element(
        "section", element("h2", "Coverage"), element("p", said), legend(used), element("div", *rows, class_="card"), id="coverage"
    )


def _coverage_row(name: str, counts: dict[str, Any]) -> Markup:
    parts = [Part(kind, _count(counts, key), f"{words}: {_count(counts, key)}") for kind, key, words in COVERAGE]
    words = f"{name}: " + ", ".join(part.words for part in parts if part.size)
    return bar_row(name, stacked_bar(parts, counts["tasks"], words), f"{counts['scored']}/{counts['tasks']}")


def _count(counts: dict[str, Any], key: str) -> int:
    if key == "below":
        return int(counts["scored"] - counts["wins"] - counts["not_comparable"])
    return int(counts[key])


def modalities_section(report: dict[str, Any]) -> Markup:
    """Return the mean score of each group against the SoTA of the same tasks."""
    scored = [group for group in report["groups"] if group["scored"]]
    explained = "Mean score from 0 to 100 over the scored tasks of a group; the mark is the SoTA's mean over the same tasks."
    if not scored:
        return element("section", element("h2", "Modalities against the SoTA"), element("p", "No task has a score."))
    rows = [_mean_row(group_name(group["modality"], group["paradigm"]), group) for group in scored]
    return element(
        "section", element("h2", "Modalities against the SoTA"), element("p", explained), _mean_legend(scored),
        element("div", *rows, class_="card"), id="modalities",
    )  # fmt: skip


def skills_section(report: dict[str, Any]) -> Markup | None:
    """Return the mean score of each skill with a scored task, by modality."""
    scored = [skill for skill in report["skills"] if skill["scored"]]
    if not scored:
        return None
    said = f"{len(scored)} of {len(report['skills'])} skills have a scored task."
    cards = []
    for modality in dict.fromkeys(skill["modality"] for skill in scored):
        rows = [_mean_row(f"{s['name']}", s, s["skill_id"]) for s in scored if s["modality"] == modality]
        cards.append(element("div", element("h3", MODALITIES.get(modality, modality)), *rows, class_="card"))
    return element(
        "section", element("h2", "Skills against the SoTA"), element("p", said), _mean_legend(scored), *cards, id="skills"
    )


def _mean_row(name: str, summary: dict[str, Any], code: str = "") -> Markup:
    score, sota = summary["score_mean_scored"], summary["sota_mean_scored"]
    kind = _mean_kind(summary)
    words = f"{name}: {_score(score)}, SoTA {_score(sota)}"
    label = join(name, " ", element("small", code)) if code else name
    note = f"SoTA {_score(sota)} · {summary['scored']}/{summary['tasks']}"
    return bar_row(label, score_bar(score, sota, kind, words), _score(score), note)


def _mean_kind(summary: dict[str, Any]) -> str:
    if summary["not_comparable"]:
        return "stand-in"
    return "win" if summary["wins"] == summary["scored"] else "model"


def _mean_legend(summaries: list[dict[str, Any]]) -> Markup:
    kinds = {_mean_kind(summary) for summary in summaries}
    words = [
        ("model", "model"), ("win", "model, every scored task reaches the SoTA"),
        ("stand-in", "holds scores that are not comparable"),
    ]  # fmt: skip
    return legend([*(entry for entry in words if entry[0] in kinds), ("sota", "SoTA, same tasks")])


def legend(entries: list[tuple[str, str]]) -> Markup:
    """Return the words for the colours of a plot."""
    return element("ul", *(element("li", _swatch(kind), words) for kind, words in entries), class_="legend")


def _swatch(kind: str) -> Markup:
    shape = element("rect", class_="sota" if kind == "sota" else f"bar {kind}", width=3 if kind == "sota" else 14, height=14)
    return element("svg", shape, width=14, height=14, aria_hidden="true")


def _score(score: Any) -> str:
    return shown(score) if score is None or isinstance(score, str) else f"{score:.2f}"
