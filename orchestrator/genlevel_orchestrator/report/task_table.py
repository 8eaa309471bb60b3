"""The lower half of the page: every task with its value and how it was made, and what was wrong in the bundle."""

from __future__ import annotations

from typing import Any

from genlevel_orchestrator.report.bars import score_bar
from genlevel_orchestrator.report.class_table import CLASS, class_table
from genlevel_orchestrator.report.markup import Markup, element, join
from genlevel_orchestrator.report.numbers import shown
from genlevel_orchestrator.report.words import STATUSES, group_name, plural, task_kind

COLUMNS = ("Task", "Metric", "Value", "SoTA", "Score", "Status")


def tasks_section(report: dict[str, Any]) -> Markup:
    """Return the tasks that were submitted as rows, and the others folded away by group."""
    submitted = [task for task in report["tasks"] if task["status"] != "not_submitted"]
    absent = [task for task in report["tasks"] if task["status"] == "not_submitted"]
    head = element("thead", element("tr", *(element("th", name, scope="col") for name in COLUMNS)))
    body = element("tbody", *(_row(task) for task in submitted))
    finder = element("input", type="search", id="find", placeholder="Find a task, metric or status", aria_label="Find a task")
    table = element("table", head, body, class_="tasks", id="tasks-table") if submitted else None
    return element(
        "section",
        element("h2", "Tasks"),
        element("div", finder, element("span", id="found", role="status"), class_="finder", hidden=True),
        table or element("p", "No task was submitted."),
        _absent(absent),
        id="tasks",
    )


def _row(task: dict[str, Any]) -> Markup:
    kind = task_kind(task)
    words = STATUSES[task["status"]]
    mark = _marks(task).get(kind, words)
    bar = score_bar(task["normalised"], task["sota_normalised"], kind, f"score {shown(task['normalised'])}")
    score = join(element("span", shown(task["normalised"])), bar) if task["normalised"] is not None else "–"
    badges = [element("span", mark, class_=f"badge task-{kind}")]
    if task["provisional"]:
        badges.append(element("span", "provisional", class_="badge task-failed"))
    cells = (
        ("Task", join(element("strong", task["name"]), element("small", _place(task)), _details(task))),
        ("Metric", element("span", task["metric_label"], title=task["metric"])),
        ("Value", join(shown(task["value"], task["unit"]), _interval(task))),
        ("SoTA", shown(task["sota"], task["unit"])),
        ("Score", score),
        ("Status", join(*badges, element("small", task["reason"]) if task["reason"] else None)),
    )
    search = " ".join((task["task_id"], task["name"], task["metric"], task["metric_label"], task["skill"], mark, words))
    return element("tr", *(_cell(name, content) for name, content in cells), data_search=search.casefold())


def _marks(task: dict[str, Any]) -> dict[str, str]:
    # Where nobody knows how the SoTA was measured, a value is neither above nor below it.
    below = "below SoTA" if task["sota_protocol"] != "unknown" else "SoTA unknown"
    return {"win": "reaches SoTA", "model": below, "stand-in": "not comparable"}


def _cell(name: str, content: Markup | str) -> Markup:
    kind = "number" if name in ("Value", "SoTA") else name.lower()
    return element("td", content, data_name=name, class_=kind)


def _place(task: dict[str, Any]) -> str:
    return f"{group_name(task['modality'], task['paradigm'])} · {task['skill']}"


def _interval(task: dict[str, Any]) -> Markup | None:
    interval = task["interval"]
    if interval is None:
        return None
    words = f"{shown(interval['low'])} to {shown(interval['high'])}"
    return element("small", words, title=f"{interval['level']:.0%} interval, {interval['method']}")


def _details(task: dict[str, Any]) -> Markup | None:
    facts = [*_value_facts(task), *_sample_facts(task), ("Task id", task["task_id"])]
    rows = [join(element("dt", name), element("dd", value)) for name, value in facts]
    return element("details", element("summary", "how it was made"), element("dl", *rows), class_table(task["companions"]), _issues(task))


def _value_facts(task: dict[str, Any]) -> list[tuple[str, Markup | str]]:
    facts: list[tuple[str, Markup | str]] = []
    signature = task["signature"]
    if signature is not None:
        facts.append(("Signature", element("code", signature["text"])))
        facts.append(("Digest", element("code", signature["digest"][:16])))
        facts += [(_role(backbone), join(backbone["name"], " ", element("code", backbone["sha256"][:16]))) for backbone in signature["backbones"]]
    if task["interval"] is not None:
        facts.append(("Interval", f"{task['interval']['level']:.0%}, {task['interval']['method']}"))
    beside = ", ".join(f"{name} {shown(value)}" for name, value in task["companions"].items() if not name.startswith(CLASS))
    if beside:
        facts.append(("Beside it", beside))
    if task["worst"]:
        facts.append(("Worst samples", ", ".join(f"{item['sample_id']} ({shown(item['value'])})" for item in task["worst"])))
    if task["warnings"]:
        facts.append(("Warnings", ", ".join(task["warnings"])))
    if task["flag"]:
        facts.append(("Catalogue", task["flag"]))
    return facts


def _role(backbone: dict[str, Any]) -> str:
    return "Reference network" if backbone["reference"] else "Stand-in network"


def _sample_facts(task: dict[str, Any]) -> list[tuple[str, Markup | str]]:
    facts: list[tuple[str, Markup | str]] = []
    if task["expected"] is not None:
        left_out = f", {task['excluded']} left out" if task["excluded"] else ""
        facts.append(("Samples", f"{task['present']} of {task['expected']} predictions used{left_out}"))
    if task["shards"]:
        reused = f" ({task['shards_reused']} from the journal)" if task["shards_reused"] else ""
        facts.append(("Work", f"{plural(task['shards'], 'shard')}{reused}, {shown(task['seconds'])} s, evaluator {task['evaluator']}"))
    return facts


def _issues(task: dict[str, Any]) -> Markup | None:
    if not task["issues"]:
        return None
    counts = ", ".join(f"{code} {count}" for code, count in task["issue_counts"].items())
    items = [element("li", _issue(issue)) for issue in task["issues"]]
    return join(element("p", f"Issues: {counts}" if counts else "Issues"), element("ul", *items, class_="issues"))


def _issue(issue: dict[str, Any]) -> Markup:
    place = " ".join(part for part in (issue["file"], issue["pointer"], issue["sample_id"] and f"sample {issue['sample_id']}") if part)
    remedy = join(" ", element("em", issue["remedy"])) if issue["remedy"] else None
    return join(element("code", issue["code"]), f" {place}: " if place else " ", issue["message"], remedy)


def _absent(tasks: list[dict[str, Any]]) -> Markup | None:
    if not tasks:
        return None
    groups: dict[str, list[str]] = {}
    for task in tasks:
        groups.setdefault(group_name(task["modality"], task["paradigm"]), []).append(task["name"])
    lists = [join(element("h4", f"{name} ({len(names)})"), element("p", "; ".join(names))) for name, names in groups.items()]
    return element("details", element("summary", f"{plural(len(tasks), 'task')} not submitted"), *lists, class_="absent")


def violations_section(report: dict[str, Any]) -> Markup | None:
    """Return what was wrong in the bundle."""
    violations = report["violations"]
    if not report["violation_count"]:
        return None
    rest = report["violation_count"] - len(violations)
    items = [element("li", _violation(violation)) for violation in violations]
    more = element("p", f"{rest} more: genlevel validate lists them all.", class_="note") if rest > 0 else None
    said = f"{plural(report['violation_count'], 'violation')}, each with its file and place."
    listing = element("details", element("summary", said), element("ul", *items, class_="issues"), open=len(items) <= 20)
    return element("section", element("h2", "The bundle"), listing, more, id="violations")


def _violation(violation: dict[str, Any]) -> Markup:
    remedy = join(" ", element("em", violation["remedy"])) if violation["remedy"] else None
    place = f"{violation['file']}{violation['pointer']}"
    return join(
        element("span", violation["severity"], class_=f"badge severity-{violation['severity']}"), " ",
        element("code", violation["code"]), f" {place}: ", violation["message"], remedy,
    )  # fmt: skip
