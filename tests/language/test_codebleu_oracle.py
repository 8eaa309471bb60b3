"""CodeBLEU against package codebleu 0.7.0: with the grammars of its time, and its arithmetic on the trees of our grammars."""

from __future__ import annotations

import ast
import json
import os
import random
import subprocess
import sys
import sysconfig
from collections.abc import Sequence
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
from code_snippets import SNIPPETS, changed

from genlevel_evaluator import states
from genlevel_evaluator.metric import Sample, Score
from genlevel_language.code.keywords import KEYWORDS
from genlevel_language.code.languages import LANGUAGES
from genlevel_language.metrics import codebleu

HERE = Path(__file__).resolve().parent
VENV = HERE.parents[1] / ".oracles" / "codebleu"
PARTS = ("ngram_match", "weighted_ngram_match", "syntax_match", "dataflow_match")
Case = dict[str, Any]


def oracle(cases: Sequence[Case], *options: str, old_grammars: bool = False) -> list[dict[str, Any]]:
    """What the package says of all cases, in one process."""
    python = VENV / "bin" / "python"
    assert python.exists(), f"{python} is not there: run `make oracles`"
    packages = next(VENV.glob("lib/python3.*/site-packages"))
    command = [python] if old_grammars else [sys.executable]
    command += [HERE / "oracle_codebleu.py", *options, *([] if old_grammars else ["--grammars", packages])]
    environment = {**os.environ, "PYTHONHASHSEED": "0"}
    done = subprocess.run(
        command, input=json.dumps(cases), capture_output=True, text=True, timeout=300, check=False, env=environment
    )
    assert done.returncode == 0, done.stderr
    scores: list[dict[str, Any]] = json.loads(done.stdout)["scores"]
    return scores


def ours(case: Case) -> Score:
    """Our value, as the package computes it."""
    weights = dict(
        zip(
            (f"{name}_weight" for name in ("ngram", "weighted_ngram", "syntax", "dataflow")),
            case.get("weights", ()),
            strict=False,
        )
    )
    parameters = codebleu.CodebleuParameters(language=case["language"], variant="codebleu_0_7", **weights)
    pairs = zip(case["predictions"], case["references"], strict=True)
    rows = [
        (str(place), codebleu.observe(Sample(str(place), left, tuple(right)), parameters))
        for place, (left, right) in enumerate(pairs)
    ]
    return codebleu.score(states.build(codebleu.METRIC.columns, rows), parameters)


def assert_equal(cases: Sequence[Case], answers: Sequence[dict[str, Any]]) -> None:
    for case, answer in zip(cases, answers, strict=True):
        assert "error" not in answer, (answer, case)
        found = ours(case)
        assert found.value == pytest.approx(100.0 * answer["codebleu"], abs=1e-9), case
        for name in PARTS:
            assert found.companions.get(name, 0.0) == pytest.approx(100.0 * answer[f"{name}_score"], abs=1e-9), (name, case)


def pairs(language: str, texts: Sequence[str], count: int, seed: int) -> list[Case]:
    """One sample a case: texts that were changed against what they were, or against others; some have two references."""
    source = random.Random(seed)
    cases = []
    for _ in range(count):
        reference = source.choice(texts)
        prediction = changed(source, reference) if source.random() < 0.8 else source.choice([*texts, ""])
        references = [reference] if source.random() < 0.8 else [reference, changed(source, reference)]
        cases.append({"language": language, "predictions": [prediction], "references": [references]})
    return cases


@cache
def library() -> list[str]:
    """Functions and classes of Python's library."""
    found = []
    for path in sorted(Path(sysconfig.get_paths()["stdlib"]).glob("*.py"))[:40]:
        text = path.read_text(encoding="utf-8")
        lines = text.split("\n")
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.end_lineno and node.end_lineno - node.lineno < 60:
                found.append("\n".join(lines[node.lineno - 1 : node.end_lineno]))
    return found


def test_the_oracle_is_the_package() -> None:
    found = {
        one.metadata["Name"]: one.version
        for one in metadata.distributions(path=[str(next(VENV.glob("lib/python3.*/site-packages")))])
    }
    assert (found["codebleu"], found["tree-sitter"][:4], found["tree-sitter-python"][:4]) == ("0.7.0", "0.22", "0.21")


def test_keywords_are_the_packages() -> None:
    folder = next(VENV.glob("lib/python3.*/site-packages/codebleu/keywords"))
    assert {path.stem: frozenset(path.read_text(encoding="utf-8").split()) for path in folder.glob("*.txt")} == KEYWORDS


def test_changed_texts_in_every_language() -> None:
    cases = [case for language in LANGUAGES for case in pairs(language, SNIPPETS[language], 120, 1)]
    assert_equal(cases, oracle(cases, "--first-come"))


def test_real_python() -> None:
    cases = pairs("python", library(), 150, 2)
    assert_equal(cases, oracle(cases, "--first-come"))


def test_corpora_and_weights() -> None:
    source, cases = random.Random(3), []
    for language in LANGUAGES:
        single = pairs(language, SNIPPETS[language], 12, 4)
        weights = [source.random() for _ in range(4)] if source.random() < 0.5 else [0.25] * 4
        cases.append(
            {
                "language": language,
                "weights": weights,
                **{side: [one[side][0] for one in single] for side in ("predictions", "references")},
            }
        )
    assert_equal(cases, oracle(cases, "--first-come"))


@pytest.fixture(scope="module")
def old() -> tuple[list[Case], list[dict[str, Any]]]:
    """Whole snippets against one another, and what the package says as it comes, with the grammars of its time."""
    cases = [
        {"language": language, "predictions": [left], "references": [[right]]}
        for language in LANGUAGES
        for left in SNIPPETS[language]
        for right in SNIPPETS[language]
    ]
    return cases, oracle(cases, old_grammars=True)


# Largest difference in points, of one sample, that the other grammars make.
GAPS = {"java": 2.0, "javascript": 0.5, "php": 0.5, "c": 4.0, "go": 1.0, "rust": 0.5}


def test_grammars_of_the_packages_time_give_nearly_the_same(old: tuple[list[Case], list[dict[str, Any]]]) -> None:
    for case, answer in zip(*old, strict=True):
        assert ours(case).value == pytest.approx(100.0 * answer["codebleu"], abs=GAPS.get(case["language"], 1e-9)), case
