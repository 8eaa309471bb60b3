"""What the language evaluator reads, and how it refuses the rest."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from language_texts import evaluate

from genlevel_evaluator import formats, media
from genlevel_evaluator.engine import RawSample, Scorer
from genlevel_evaluator.errors import Issue, SampleError
from genlevel_evaluator.evaluator import load
from genlevel_evaluator.kinds import Content
from genlevel_language import decode

plain = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.text(max_size=8))
json_values = st.recursive(
    plain, lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=3), inner, max_size=2))
)


typed = st.fixed_dictionaries(
    {},
    optional={
        "type": st.text(max_size=3),
        "text": st.text(max_size=3),
        "trigger": st.text(max_size=3),
        "start": st.integers(-1, 3),
        "end": st.sampled_from([3, 4.0, 4.5, True, "4"]),
        "arguments": st.lists(st.sampled_from([{"role": "r", "text": "t"}, {"role": "r"}, "t"]), max_size=2),
    },
)
IN_WORDS = {
    "spans": ("BAD_TUPLE", "BAD_JSON", "WRONG_TYPE"),
    "events": ("BAD_TUPLE", "BAD_JSON", "WRONG_TYPE"),
    "count": ("NO_COUNT",),
    "series": ("NO_SERIES",),
}
JUDGED = {"gpt_score", "mos", "user_preference"}
"""What people or a judge say of an answer is no text and has tests of its own."""
IN_TEXT = [metric for metric in load("language").metric_ids if metric not in JUDGED]
PARAMETERS = {"codebleu": {"default_language": "python"}}
CODE = "def area(width, height):\n    result = width * height\n    return result\n#"
RIGHT = {"entity_f1": "a => b", "event_f1": "a => b", "bleu_4": "a b c d", "mae": "3", "rmse": "3", "codebleu": CODE}
"""A text that is a good answer to itself; `a` for the other metrics."""
BEST = {"cider": 0.0, "mae": 0.0, "rmse": 0.0}
"""What one such sample scores; 100 for the other metrics. CIDEr weighs words by what tells samples apart."""


@settings(max_examples=150)
@given(st.lists(typed, max_size=2), st.sampled_from(["spans", "events"]))
def test_lists_of_objects_are_read_as_the_schema_allows(value: Any, kind: str) -> None:
    allowed = jsonschema.Draft202012Validator(formats.schema(kind, "prediction")).is_valid(value)
    code = read_code(kind, "prediction", value)
    assert code in ("", "BAD_SPAN") if allowed else code  # a schema cannot compare start and end


@settings(max_examples=150)
@given(json_values, st.sampled_from(sorted(decode.KINDS)), st.sampled_from(["prediction", "reference"]))
def test_the_decoder_reads_exactly_what_the_schema_allows(value: Any, kind: str, side: formats.Side) -> None:
    allowed = jsonschema.Draft202012Validator(formats.schema(kind, side)).is_valid(value)
    code = read_code(kind, side, value)
    if isinstance(value, str) and allowed:
        assert code in ("", *IN_WORDS.get(kind, ()))  # what a text must hold is no matter of its schema
    else:
        assert bool(code) != allowed


def read_code(kind: str, side: str, value: Any) -> str:
    """Code of the refusal, empty when the value is read."""
    try:
        found = decode.KINDS[kind].read(Content(json=value), side, {})
    except SampleError as error:
        return error.code
    return found.code if isinstance(found, SampleError) else ""  # a verdict that cannot be read is no fault of the answer


def issues_of(metric: str, prediction: Content) -> list[Issue]:
    scorer = Scorer.of(load("language"), metric, PARAMETERS.get(metric))
    _, issues = scorer.observe([RawSample("7", prediction, (Content(text=RIGHT.get(metric, "a") + " secret"),))])
    return issues


@pytest.mark.parametrize("metric", IN_TEXT)
def test_bad_text_is_an_issue_of_its_sample(metric: str, tmp_path: Path) -> None:
    large = tmp_path / "large.txt"
    large.write_bytes(b"a" * (4 * decode.MAX_CHARACTERS + 1))
    for content, code in (
        (Content(media=media.from_bytes(b"caf\xe9", "answer.txt")), "NOT_UTF8"),
        (Content(json={"text": "a"}), "WRONG_TYPE"),
        (Content(text="a" * (decode.MAX_CHARACTERS + 1)), "TEXT_TOO_LONG"),
        (Content(media=media.from_path(large)), "TEXT_TOO_LONG"),
    ):
        (issue,) = issues_of(metric, content)
        assert (issue.sample_id, issue.code, issue.severity) == ("7", code, "prediction")
        assert issue.remedy
        assert "secret" not in issue.message + issue.remedy


@pytest.mark.parametrize("metric", ["token_f1", "accuracy", "bleu_1", "rouge_1_f", "rouge_l_f"])
def test_text_in_a_file_is_read(metric: str) -> None:
    scorer = Scorer.of(load("language"), metric)
    content = Content(media=media.from_bytes("ein Größenvergleich".encode(), "a.txt"))
    rows, issues = scorer.observe([RawSample("1", content, (Content(text="ein Größenvergleich"),))])
    assert issues == []
    assert scorer.finalize(rows).value == pytest.approx(100.0, abs=1e-6)


@pytest.mark.parametrize("metric", IN_TEXT)
def test_half_a_surrogate_pair_is_scored(metric: str) -> None:
    """JSON can carry it; it must not bring a shard down."""
    text = RIGHT.get(metric, "a") + " \ud800"
    result, issues = evaluate(metric, [(text, [text])], **PARAMETERS.get(metric, {}))
    assert issues == []
    assert result.value is not None


@pytest.mark.parametrize("metric", IN_TEXT)
def test_a_sample_without_reference_is_an_issue(metric: str) -> None:
    text = RIGHT.get(metric, "a")
    result, issues = evaluate(metric, [(text, []), (text, [text])], **PARAMETERS.get(metric, {}))
    assert [(issue.sample_id, issue.code) for issue in issues] == [("0", "NO_REFERENCE")]
    assert result.excluded == 1
    assert result.value == pytest.approx(BEST.get(metric, 100.0), abs=1e-6)


@pytest.mark.parametrize(
    "text",
    ["A " * 100_000, "1" * 100_000, "'" * 100_000, "answer " * 15_000, "\\boxed{" * 15_000, "1," * 50_000, "twenty " * 15_000],
)
def test_hostile_text_takes_no_time(text: str) -> None:
    import time

    for extractor in ("option_letter", "public_option_letter", "yes_no", "integer", "label", "final_answer"):
        start = time.process_time()
        _, issues = evaluate("accuracy", [(text, ["a"])], {"labels": ["a", "b"]}, extractor=extractor)
        assert issues == []
        assert time.process_time() - start < 5.0, extractor


def test_importing_metrics_and_kinds_imports_no_nltk() -> None:
    import subprocess
    import sys

    program = (
        "import sys; from genlevel_evaluator.evaluator import load; e = load('language'); [e.metric(m) for m in e.metric_ids]; e.kinds;"
        "sys.exit(any(name in sys.modules for name in ('nltk', 'torch', 'sklearn', 'rouge_score')))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
