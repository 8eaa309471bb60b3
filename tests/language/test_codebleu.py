"""CodeBLEU: what the value is made of, languages, parameters, and bad input."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from code_snippets import SNIPPETS

from genlevel_evaluator.engine import RawSample, Scorer, Value
from genlevel_evaluator.errors import EvaluatorError, Issue
from genlevel_evaluator.evaluator import load
from genlevel_evaluator.kinds import Content
from genlevel_evaluator.metric import Presence
from genlevel_language.code import limits, trees
from genlevel_language.code.comments import without_comments
from genlevel_language.code.compare import Reading
from genlevel_language.code.languages import LANGUAGES
from genlevel_language.code.limits import MAX_CHARACTERS

Pair = tuple[str | None, str]
LONG = "def f(a):\n    b = a + 1\n    return b"
OTHER = "class Q: pass"


def scored(pairs: list[Pair], languages: list[Any] | None = None, **parameters: Any) -> tuple[Value, list[Issue]]:
    scorer = Scorer.of(load("language"), "codebleu", parameters)
    samples = []
    for place, (prediction, reference) in enumerate(pairs):
        content = None if prediction is None else Content(text=prediction)
        presence = Presence.PREDICTION_MISSING if prediction is None else Presence.BOTH
        attributes = {} if languages is None or languages[place] is None else {"language": languages[place]}
        samples.append(RawSample(str(place), content, (Content(text=reference),), presence, attributes))
    rows, issues = scorer.observe(samples)
    return scorer.finalize(rows), issues


def value(pairs: list[Pair], language: str = "python", **parameters: Any) -> float:
    found = scored(pairs, language=language, **parameters)[0].value
    assert found is not None
    return found


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("variant", ["own", "codebleu_0_7"])
def test_a_text_equals_itself(language: str, variant: str) -> None:
    assert value([(text, text) for text in SNIPPETS[language]], language, variant=variant) == pytest.approx(100.0, abs=1e-9)


@pytest.mark.parametrize("language", LANGUAGES)
def test_snippets_without_tricks_are_valid(language: str) -> None:
    assert Reading(language).program(SNIPPETS[language][0]).stripped.tree.fault_line is None


def test_three_equal_words_are_76() -> None:
    # No 4-gram counts as 0.1 of one; three words that are no keywords weigh 0.6, of at least 1.
    ngram, weighted = 0.1**0.25, (0.6 * 0.1) ** 0.25
    for variant in ("own", "codebleu_0_7"):
        assert value([("x = y", "x = y")], variant=variant) == pytest.approx(25 * (ngram + weighted + 2))
    assert value([("x = y", "x = y")]) == pytest.approx(76.4, abs=0.05)
    assert value([("1 + 2", "1 + 2")]) == pytest.approx(100 * (ngram + weighted + 1) / 3)  # no data flow
    assert value([("x = y + z", "x = y + z")]) == pytest.approx(100.0)


def test_wrong_code_is_a_true_zero_here_and_25_there() -> None:
    pairs: list[Pair] = [("import os", LONG)]
    assert value(pairs) == 0.0
    assert value(pairs, variant="codebleu_0_7") == 25.0


def test_a_language_without_data_flow_drops_that_part() -> None:
    result, _ = scored([("f ( x ) ; g", "f ( x ) ; h")], language="python")
    parts = [result.companions[name] for name in ("ngram_match", "weighted_ngram_match", "syntax_match")]
    assert "dataflow_match" not in result.companions
    assert result.warnings == ("no_data_flow",)
    assert result.value == pytest.approx(sum(parts) / 3)


def test_names_do_not_count_in_data_flow() -> None:
    renamed = LONG.replace("a", "alpha").replace("b", "beta")
    result, _ = scored([(renamed, LONG)], language="python")
    assert (result.companions["syntax_match"], result.companions["dataflow_match"]) == (100.0, 100.0)
    assert result.companions["ngram_match"] < 50.0


def test_keywords_weigh_five_times() -> None:
    """One word of four is found: `return` weighs 5 of 8, `x` 1 of 8; no longer n-gram is found."""
    for word, weight in (("return", 5), ("x", 1)):
        result, _ = scored([(word + " 1 2 3", "return x y z")], language="python")
        wanted = (weight / 8 * 0.1 / 3 * 0.1 / 2 * 0.1 / 1) ** 0.25
        assert result.companions["weighted_ngram_match"] == pytest.approx(100 * wanted)


def test_comments_count_as_words_but_not_in_trees() -> None:
    result, _ = scored([(LONG + "  # why", LONG)], language="python")
    assert (result.companions["syntax_match"], result.companions["dataflow_match"]) == (100.0, 100.0)
    assert result.companions["ngram_match"] < 100.0


def test_languages_are_weighed_by_their_samples() -> None:
    java: list[Pair] = [("int a = b;", "int a = c + b;")]
    python: list[Pair] = [(LONG, LONG), (LONG + "\nc = b", LONG), ("x = 1", "y = x")]
    both, issues = scored([*java, *python], ["Java", "python3", "Py", "Python"])
    assert not issues
    separate = value(java, "java"), value(python)
    assert both.value == pytest.approx((separate[0] + 3 * separate[1]) / 4)
    assert (both.companions["codebleu_java"], both.companions["codebleu_python"]) == pytest.approx(separate)
    # One corpus, not a mean of samples.
    assert separate[1] != pytest.approx(sum(value([pair]) for pair in python) / 3)
    assert both.interval is not None


def test_weights_are_relative() -> None:
    pairs: list[Pair] = [(LONG.replace("+", "-"), LONG)]
    result, _ = scored(
        pairs, language="python", ngram_weight=1.0, weighted_ngram_weight=0.0, syntax_weight=3.0, dataflow_weight=0.0
    )
    assert result.value == pytest.approx((result.companions["ngram_match"] + 3 * result.companions["syntax_match"]) / 4)
    for wrong in ({"ngram_weight": -1.0}, {"ngram_weight": 0.0, "weighted_ngram_weight": 0.0, "syntax_weight": 0.0}):
        with pytest.raises(EvaluatorError, match="weights are finite"):
            scored(pairs, language="python", **wrong)


def test_a_missing_prediction_finds_nothing_and_an_empty_one_what_is_empty() -> None:
    result, issues = scored([(None, LONG), (LONG, LONG)], language="python")
    assert (result.present, result.expected, result.missing_scored_as_worst) == (1, 2, True)
    assert not issues
    assert value([(None, LONG), (LONG, LONG)]) == value([("", LONG), (LONG, LONG)]) < 70
    assert value([(None, "")]) == 0.0
    assert value([("", "")]) > 0.0


def test_the_sample_names_its_language() -> None:
    _, issues = scored([(LONG, LONG)] * 4, ["COBOL", None, 7, "C++"])
    assert [(issue.code, issue.severity) for issue in issues if issue.code != "SYNTAX_ERROR"] == [
        ("UNKNOWN_LANGUAGE", "reference"), ("NO_LANGUAGE", "reference"), ("UNKNOWN_LANGUAGE", "reference"),
    ]  # fmt: skip
    assert "'COBOL'" in issues[0].message
    assert "rust" in issues[0].remedy
    result, issues = scored([(LONG, LONG)] * 2, [None, "python"], default_language="python")
    assert (result.value, issues) == (pytest.approx(100.0), [])
    result, _ = scored([(LONG, LONG)], ["COBOL"], default_language="python")
    assert (result.value, result.reason, result.excluded) == (None, "no_reference", 1)


@pytest.mark.parametrize(
    ("name", "language"),
    [("Python 3", "python"), ("GNU C++17", "cpp"), ("C#", "c_sharp"), ("csharp", "c_sharp"), ("js", "javascript"), ("ES6", "javascript"),
     ("Node.js", "javascript"), ("c11", "c"), ("PHP 7.4", "php"), ("Golang", "go"), ("rb", "ruby"), ("JAVA8", "java"), ("Rust 2021", "rust")],
)  # fmt: skip
def test_other_names_of_languages(name: str, language: str) -> None:
    result, _ = scored([("x", "x")], [name])
    assert f"codebleu_{language}" in result.companions


def test_syntax_errors_are_remarked_and_scored() -> None:
    result, issues = scored([("def f(a):\n    b = (a + 1\n    return b", LONG)], language="python")
    assert [(issue.code, issue.severity) for issue in issues] == [("SYNTAX_ERROR", "warning")]
    assert "prediction is not valid python: line 2" in issues[0].message
    assert result.value is not None
    assert 20.0 < result.value < 90.0
    assert (result.present, result.companions["predictions_with_syntax_errors"]) == (1, 100.0)
    _, issues = scored([(LONG, "int f(int a) { return a; }")], language="python")
    assert [(issue.severity, issue.message[:33]) for issue in issues] == [("warning", "the reference is not valid python")]


def test_code_blocks_are_taken_out_only_when_asked() -> None:
    answer = f"Here it is:\n```python\n{LONG}\n```\nIt adds one."
    assert value([(answer, LONG)], extractor="code_block") == pytest.approx(100.0)
    assert value([(LONG, LONG)], extractor="code_block") == pytest.approx(100.0)
    plain, issues = scored([(answer, LONG)], language="python")
    assert plain.value is not None
    assert plain.value < 90.0
    assert issues
    assert "extractor:none" in plain.signature.text


def test_what_the_package_reads_wrongly() -> None:
    """Words behind other letters, one statement without a rule, PHP without its tag."""
    accents = "né = 1\nx = né; y = x; z = y"
    shorter = "né = 1\nx = né; y = x; z = x"
    own, published = (scored([(shorter, accents)], language="python", variant=variant)[0] for variant in ("own", "codebleu_0_7"))
    assert own.companions["dataflow_match"] != published.companions["dataflow_match"]
    loop = "<?php foreach ($map as $key => $value) { $out = $value; $last = $out; }"
    own, published = (scored([(loop, loop)], language="php", variant=variant)[0] for variant in ("own", "codebleu_0_7"))
    assert own.companions["dataflow_match"] == 100.0
    assert "dataflow_match" not in published.companions
    own, published = (
        scored([("$a = 1; $b = $a;", "$c = 1; $d = $c;")], language="php", variant=variant)[0]
        for variant in ("own", "codebleu_0_7")
    )
    assert own.companions["syntax_match"] == own.companions["dataflow_match"] == 100.0
    assert published.companions["syntax_match"] == 100.0
    assert "dataflow_match" not in published.companions


HOSTILE = {
    "brackets": "(" * 30_000,
    "nested": "[" * 30_000 + "]" * 30_000,
    "strings": "'\\" * (MAX_CHARACTERS // 2),
    "comments": "/*" * (MAX_CHARACTERS // 2),
    "bytes": "".join(map(chr, range(1, 256))) * 50,
    "surrogates": "a\ud800 = 1\n" * 500,
    "loops": "".join(" " * depth + f"for i{depth} in x:\n" for depth in range(60)) + " " * 60 + "y = y + x\n",
}


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("language", ["python", "c"])
def test_hostile_text_ends(name: str, language: str) -> None:
    result, issues = scored([(HOSTILE[name], "x = 1;")], language=language)
    assert result.value is not None
    assert result.value < 50.0
    assert all(issue.code in ("SYNTAX_ERROR", "CODE_TOO_COMPLEX") for issue in issues)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (HOSTILE["loops"], "the code has a data flow that takes too long to follow"),
        (HOSTILE["strings"], "the code has too many strings that do not end"),
        ("x" * (MAX_CHARACTERS + 1), f"the code has {MAX_CHARACTERS + 1} characters, more than {MAX_CHARACTERS}"),
    ],
)
def test_too_much_is_an_issue_of_its_side(text: str, message: str) -> None:
    result, issues = scored([(text, LONG), (LONG, text)], language="python")
    assert [(issue.code, issue.severity, issue.message) for issue in issues] == [
        ("CODE_TOO_COMPLEX", "prediction", message), ("CODE_TOO_COMPLEX", "reference", message),
    ]  # fmt: skip
    assert (result.value, result.present, result.expected, result.excluded) == (0.0, 0, 1, 1)


def test_ten_megabytes_are_refused_before_they_are_read() -> None:
    result, issues = scored([("x = 1\n" * 1_700_000, LONG)], language="python")
    assert [(issue.code, issue.severity) for issue in issues] == [("TEXT_TOO_LONG", "prediction")]
    assert result.value == 0.0


@pytest.mark.parametrize(("limit", "value"), [("MAX_PARSER_STEPS", 3), ("MAX_PARSER_SECONDS", 0.0)])
def test_a_parser_that_takes_too_long_is_stopped(monkeypatch: pytest.MonkeyPatch, limit: str, value: float) -> None:
    scored([(LONG, LONG)], language="python")
    monkeypatch.setattr(limits, limit, value)
    _, issues = scored([(LONG * 300, "x = y")], language="python")
    assert [(issue.code, issue.severity, issue.message) for issue in issues] == [
        ("CODE_TOO_COMPLEX", "prediction", "the code takes too long to parse")
    ]


def test_a_grammar_that_is_not_there_is_no_bad_score(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tree_sitter_ruby", None)
    trees._grammar.cache_clear()
    result, issues = scored([("x = 1", "x = 1")], language="ruby")
    trees._grammar.cache_clear()
    assert result.value is None
    assert [(issue.code, issue.severity) for issue in issues] == [("NO_GRAMMAR", "infrastructure")]
    assert "tree_sitter_ruby" in issues[0].remedy


def test_no_parser_is_loaded_before_it_is_needed() -> None:
    program = (
        "import sys, genlevel_language.metrics.codebleu; print([name for name in sys.modules if name.startswith('tree_sitter')])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_comments_go_and_strings_stay() -> None:
    assert without_comments('char *u = "/* no */"; /* yes\n\n */ int b; // end', "c") == 'char *u = "/* no */";   int b;  '
    assert without_comments("x = '''a\n# b'''  # c\n\n'''d'''\n", "python") == "x = '''a\n# b'''  "
    assert without_comments("x = (1  # open", "python") == "x = (1  # open"
    assert without_comments("x # kept", "ruby") == "x # kept"
