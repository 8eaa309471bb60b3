"""gpt_score: verdicts that were made elsewhere, and samples that cannot be judged."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest
from judge_server import MODEL, JudgeServer

from genlevel_evaluator import Result, formats, score
from genlevel_language.judge.prompt import prompt


def samples(count: int, right: int = 0) -> list[dict[str, Any]]:
    """Questions, the first of them answered rightly."""
    return [
        {"id": place, "question": f"Question {place}?", "references": [f"answer {place}."], "prediction": f"answer {place}." if place < right else "no idea"}
        for place in range(count)
    ]


def scored(given: list[dict[str, Any]], **parameters: Any) -> Result:
    return score("gpt_score", given, parameters=parameters)


def verdict(value: Any = 1, judge: str = "second", **more: Any) -> dict[str, Any]:
    return {"verdict": value, "judge": judge, **more}


def test_supplied_verdicts_need_no_judge(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GENLEVEL_JUDGE_URL", raising=False)
    lines = [{"id": place, "reference": "a", "prediction": verdict(int(place < 3))} for place in range(4)]
    result = scored(lines)
    assert (result.value, result.issues) == (75.0, ())
    assert result.detail.warnings == ("not_comparable", "other_judge")
    for line in lines:
        line["prediction"]["prompt_sha256"] = "ab" * 32
    assert scored(lines, judge="second", prompt_sha256="ab" * 32).detail.warnings == ()
    assert scored(lines, judge="third", prompt_sha256="ab" * 32).detail.warnings == ("not_comparable", "other_judge")
    lines[0]["prediction"]["judge"] = "third"
    assert scored(lines, judge="second", prompt_sha256="ab" * 32).detail.warnings == ("not_comparable", "other_judge")


def test_supplied_verdicts_and_answers_mix(judge: JudgeServer) -> None:
    own = verdict(1, MODEL, prompt_sha256=prompt("binary").sha256)
    result = scored([{"id": "x", "reference": "a", "prediction": own}, *samples(3, right=1)])
    assert (result.value, len(judge.requests), result.detail.warnings) == (50.0, 3, ())


def test_further_verdicts_show_agreement_and_do_not_count() -> None:
    lines = [
        {"id": 1, "reference": "a", "prediction": verdict(1, others=[verdict(0), verdict(0)])},
        {"id": 2, "reference": "a", "prediction": verdict(0, others=[verdict(0)])},
    ]
    result = scored(lines)
    assert (result.value, result.detail.companions["agreement"]) == (50.0, 50.0)
    rubric = [{"id": 1, "reference": "a", "prediction": {"rubric": 3.5, "judge": "j"}}]
    assert scored(rubric, prompt="rubric_1_5").value == 62.5


BAD_VERDICTS: list[dict[str, Any]] = [
    verdict(2), verdict(True), verdict("1"), verdict(0.5), verdict(judge=" "), verdict(judge=7), verdict(prompt_sha256="AB"), verdict(more=1),
    {"judge": "j"}, {"verdict": 1}, {**verdict(), "rubric": 3}, verdict(others=verdict()), verdict(others=[verdict(others=[])]),
    verdict(others=[verdict(3)]), verdict(others=[1]), {"rubric": 0.5, "judge": "j"}, {"rubric": float("nan"), "judge": "j"}, {},
]  # fmt: skip


@pytest.mark.parametrize("bad", BAD_VERDICTS, ids=range(len(BAD_VERDICTS)))
def test_a_verdict_that_cannot_be_read_is_no_0(bad: dict[str, Any]) -> None:
    good = {"id": 1, "reference": "a", "prediction": verdict(1)}
    result = scored([good, {"id": 2, "reference": "a", "prediction": bad}])
    assert (result.value, result.detail.excluded) == (100.0, 1)
    (issue,) = result.issues
    assert (issue.sample_id, issue.code, issue.severity) == ("2", "BAD_VERDICT", "infrastructure")
    assert issue.remedy
    assert not jsonschema.Draft202012Validator(formats.schema("verdict", "prediction")).is_valid(bad) or bad.get("rubric") != bad.get("rubric")


def test_verdicts_on_another_scale_are_no_0() -> None:
    lines = [{"id": 1, "reference": "a", "prediction": {"rubric": 5, "judge": "j"}}, {"id": 2, "reference": "a", "prediction": verdict(1)}]
    assert [issue.code for issue in scored(lines).issues] == ["WRONG_SCALE"]
    assert scored(lines, prompt="rubric_1_5").value == 100.0


@pytest.mark.parametrize(
    ("sample", "code", "severity"),
    [
        ({"reference": "a", "prediction": "b"}, "NO_QUESTION", "reference"),
        ({"reference": " ", "prediction": "b", "question": "?"}, "EMPTY_REFERENCE", "reference"),
        ({"reference": "a", "prediction": "b" * 20_000, "question": "?"}, "TOO_LONG_TO_JUDGE", "prediction"),
        ({"reference": "a" * 20_000, "prediction": "b", "question": "?"}, "TOO_LONG_TO_JUDGE", "reference"),
        ({"reference": "a", "prediction": "b", "question": "?" * 20_000}, "TOO_LONG_TO_JUDGE", "reference"),
        ({"reference": "a", "prediction": ["b"], "question": "?"}, "WRONG_TYPE", "prediction"),
        ({"prediction": "b", "question": "?"}, "NO_REFERENCE", "reference"),
    ],
)
def test_what_cannot_be_judged_is_named(judge: JudgeServer, sample: dict[str, Any], code: str, severity: str) -> None:
    result = scored([{"id": 1, **sample}, *[{**item, "id": "good"} for item in samples(1, right=1)]])
    assert [(issue.code, issue.severity) for issue in result.issues] == [(code, severity)]
    assert len(judge.requests) == 1
    assert result.value == (50.0 if severity == "prediction" else 100.0)
