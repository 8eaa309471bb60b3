"""The page: self-contained, well-formed, hostile text stays text, stand-ins are shown as such."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import pytest

from genlevel_orchestrator.catalogue import Catalogue
from genlevel_orchestrator.report import build_report, render
from genlevel_orchestrator.report.bars import Part, score_bar, stacked_bar
from genlevel_orchestrator.report.markup import element, escape
from genlevel_orchestrator.report.page import render_page
from genlevel_orchestrator.runs.results import RunResult

VOID = {"meta", "br", "input"}
SVG = "svg title defs pattern rect line"
HTML = (
    "html head title meta style body header main footer section h1 h2 h3 h4 p div span small strong em code a dl dt dd ul li table "
    "thead tbody tr th td details summary input script"
)


class Reader(HTMLParser):
    """Collects elements and checks that they nest."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"</{tag}> closes something else"

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def read(page: str) -> Reader:
    reader = Reader()
    reader.feed(page)
    reader.close()
    assert reader.open == []
    return reader


@pytest.fixture(scope="module")
def page(result: RunResult, catalogue: Catalogue) -> str:
    return render(result, catalogue, "html").content.decode()


@pytest.fixture(scope="module")
def reader(page: str) -> Reader:
    return read(page)


def test_only_our_own_elements(reader: Reader) -> None:
    assert {tag for tag, _ in reader.elements} <= set(f"{HTML} {SVG}".split())


def test_nothing_is_loaded_from_anywhere(page: str, reader: Reader) -> None:
    for tag, attributes in reader.elements:
        assert not {"src", "href", "srcset", "action", "data", "xlink:href"} & set(attributes), tag
        assert not [name for name in attributes if name.startswith("on")], tag
    style = page.split("<style>")[1].split("</style>")[0]
    assert re.findall(r"url\(([^)]*)\)", style) == ["#hatch"]
    assert "@import" not in style
    assert "http" not in style


def test_policy_allows_exactly_our_script_and_style(page: str, reader: Reader) -> None:
    policy = next(a["content"] for tag, a in reader.elements if tag == "meta" and "content-security-policy" in str(a.get("http-equiv")).lower())
    assert policy is not None
    assert policy.startswith("default-src 'none'")
    for tag in ("script", "style"):
        (content,) = re.findall(rf"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy
    assert not [tag for tag, attributes in reader.elements if "style" in attributes]


def test_hostile_text_stays_text(reader: Reader, synthetic: Any, page: str) -> None:
    assert synthetic.HOSTILE not in page
    assert any(synthetic.HOSTILE in text for text in reader.text), "shown as it was written"
    assert sum(tag == "script" for tag, _ in reader.elements) == 1
    assert any(text == "A <b>model</b>" for text in reader.text)


def test_names_that_no_encoding_takes_do_not_end_the_report(result: RunResult, catalogue: Catalogue) -> None:
    odd = replace(result, model="lone \ud800 zero \x00 turned \u202e end", name="../../odd name")
    rendered = render(odd, catalogue, "html")
    assert "lone \ufffd zero \ufffd turned \ufffd end" in rendered.content.decode()
    assert rendered.file_name == "odd-name.html"


def test_levels_and_counts_are_said(reader: Reader, result: RunResult) -> None:
    words = " ".join(reader.text)
    paper = result.levels["paper"]
    for score in (paper.level_2, paper.level_3, paper.level_4, paper.level_5):
        assert f"{score:.2f}" in words
    assert "103 of 699 tasks scored" in words or f"{sum(t.normalised is not None for t in result.tasks)} of 699 tasks scored" in words


def test_stand_ins_are_hatched_and_said(reader: Reader) -> None:
    kinds = [attributes.get("class") for tag, attributes in reader.elements if tag == "rect"]
    assert "bar stand-in" in kinds
    assert "not comparable" in reader.text
    assert "Stand-in network" in reader.text


def test_every_submitted_task_has_a_row(reader: Reader, result: RunResult) -> None:
    rows = [attributes for tag, attributes in reader.elements if tag == "tr" and "data-search" in attributes]
    assert len(rows) == sum(task.status != "not_submitted" for task in result.tasks)


def test_the_worst_samples_of_a_task_are_listed(reader: Reader) -> None:
    assert "Worst samples" in reader.text
    assert any(text.startswith("17 (0.000), ") and text.endswith("(∞)") for text in reader.text)


def test_empty_run_is_a_page_too(result: RunResult, catalogue: Catalogue) -> None:
    bare = replace(result, levels={}, violations=(), violation_count=0, evaluators={})
    report = build_report(bare, catalogue)
    report["tasks"] = [task for task in report["tasks"] if task["status"] == "not_submitted"]
    report["groups"] = [{**group, "scored": 0} for group in report["groups"]]
    report["skills"] = []
    words = " ".join(read(render_page(report)).text)
    assert "No task was submitted." in words
    assert "before levels could be computed" in words


def test_bars_have_the_width_of_their_score() -> None:
    assert 'width="62.500%"' in score_bar(62.5)
    assert 'width="100.000%"' in score_bar(250.0)
    assert 'x="40.000%"' in score_bar(None, 40.0)
    assert "bar model" not in score_bar(0.0)


def test_parts_of_a_bar_follow_one_another() -> None:
    bar = stacked_bar([Part("win", 1, "a"), Part("model", 0, "b"), Part("failed", 3, "c")], 4)
    assert re.findall(r'x="([\d.]+)%" width="([\d.]+)%"', bar) == [("0.000", "25.000"), ("25.000", "75.000")]


def test_attributes_are_escaped() -> None:
    assert element("p", "x", title='"><script>') == '<p title="&quot;&gt;&lt;script&gt;">x</p>'
    assert element("input", hidden=True, size=None, checked=False) == "<input hidden>"
    assert escape("'&") == "&#x27;&amp;"
