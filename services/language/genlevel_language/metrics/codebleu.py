"""CodeBLEU: the mean of n-gram match, keyword-weighted n-gram match, syntax match and data-flow match of program text.

    CodeBLEU = 100 * sum over languages of samples / all samples * sum of weight * part / sum of weights

Each part is a ratio over all samples of one programming language:

    n-gram      BLEU of words between white space, orders 1 to 4; an order without a match counts as one of 0.1
    weighted    the same as a share of the reference's n-grams, keywords weighing five times as much as other words
    syntax      subtrees of the references that occur in the output too / all of them; comments are left out
    data flow   flows of values between variables found in the output / all of the references, whatever the variables are called

A language whose references have no data flow goes without that part, and the other weights count for it.

    language=sample           the attribute `language` of each sample (Python3, C++17, C# ...), `default_language` where there is none
    extractor=none            the output as it is
    extractor=code_block      what stands in its first block between ``` fences, all where there is none
    variant=own               as above
    variant=codebleu_0_7      package codebleu 0.7.0: full marks for a data flow that matches nothing, or is not there; weights not
                              divided by their sum; and its readings of words after other characters than ASCII, of statements it has
                              no rule for, and of PHP without an opening tag. With language=python as the public scorer does it

Text that is not of its language is an issue with its line, and is scored by what matches. Text that is too long, too deeply looped or
takes too long to parse is an issue too; such an output counts as missing.

    Direction     higher is better
    Range         [0, 100]
    Unit          percent
    Pooling       corpus per language, then mean over samples
    Sample        prediction and references, all text
    State         rows (language, 22 counts, two flags), keyed by sample
    Undefined     no sample has a reference in a known language: no_reference
    Source        Ren et al. (2020); the keywords and rules of the program published with it
    Checked with  package codebleu 0.7.0, on the trees of its own grammars and of ours
    Differs from  Ren et al., where the weighted part is a precision: as in the published program it is a recall, and its brevity penalty
                  starts below two words a text. Package codebleu puts names into sets and so gives other values in another process;
                  we take them in the order of their occurrence

>>> row = observe(Sample("1", "int a = b;", ("int c = d;",), attributes={"language": "Java"}), CodebleuParameters())
>>> row["language"], row["counts"][:4], row["counts"][-4:]
(1, [2, 0, 0, 0], [4, 4, 2, 2])

Three words that are equal give 76 and not 100: they have no 4-gram, which counts as a match of 0.1. From five words on it is 100.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from genlevel_evaluator.errors import SampleError
from genlevel_evaluator.metric import Metric, Sample, Score
from genlevel_evaluator.parameters import Parameters
from genlevel_evaluator.states import Column, Row, Rows
from genlevel_evaluator.statistics.intervals import Interval, bootstrap
from genlevel_language.code import blocks, compare, parts
from genlevel_language.code.languages import LANGUAGES, canonical
from genlevel_language.code.limits import MAX_CHARACTERS, TooComplex


@dataclass(frozen=True)
class CodebleuParameters(Parameters):
    """Parameters of CodeBLEU."""

    language: Literal["sample", "python", "java", "javascript", "c_sharp", "php", "c", "cpp", "go", "ruby", "rust"] = "sample"
    default_language: Literal["none", "python", "java", "javascript", "c_sharp", "php", "c", "cpp", "go", "ruby", "rust"] = "none"
    extractor: Literal["none", "code_block"] = "none"
    variant: Literal["own", "codebleu_0_7"] = "own"
    ngram_weight: float = 0.25
    weighted_ngram_weight: float = 0.25
    syntax_weight: float = 0.25
    dataflow_weight: float = 0.25

    def __post_init__(self) -> None:
        if not all(0.0 <= weight < float("inf") for weight in self.weights) or not any(self.weights[:3]):
            raise ValueError(
                "weights are finite and not negative, and one of ngram_weight, weighted_ngram_weight, syntax_weight is above 0"
            )

    @property
    def weights(self) -> tuple[float, ...]:
        """Of the four parts."""
        return self.ngram_weight, self.weighted_ngram_weight, self.syntax_weight, self.dataflow_weight


def _language(sample: Sample, parameters: CodebleuParameters) -> str:
    if parameters.language != "sample":
        return parameters.language
    given = sample.attributes.get("language")
    if given is None and parameters.default_language != "none":
        return parameters.default_language
    known = f"known are {', '.join(LANGUAGES)}"
    if given is None:
        remedy = f"give the attribute language, or the parameter default_language; {known}"
        raise SampleError("NO_LANGUAGE", "the sample names no programming language", remedy=remedy, side="reference")
    found = canonical(given) if isinstance(given, str) else None
    if found is None:
        message = f"{str(given)[:40]!r} is no programming language that is known"
        raise SampleError("UNKNOWN_LANGUAGE", message, remedy=known, side="reference", pointer="/language")
    return found


def _program(text: str, reading: compare.Reading, side: str) -> compare.Program:
    """A text that can be read within the limits."""
    try:
        if len(text) > MAX_CHARACTERS:
            raise TooComplex(f"has {len(text)} characters, more than {MAX_CHARACTERS}")
        program = reading.program(text)
        _ = program.stripped.tree, program.stripped.flows
        return program
    except TooComplex as error:
        raise SampleError("CODE_TOO_COMPLEX", f"the code {error}", remedy="shorten or simplify it", side=side) from None


def _row(prediction: str, sample: Sample, parameters: CodebleuParameters) -> Row:
    reading = compare.Reading(_language(sample, parameters), parameters.variant == "codebleu_0_7")
    references = [_program(text.strip(), reading, "reference") for text in sample.references]
    program = _program(prediction.strip(), reading, "prediction")
    try:
        trees = compare.tree_counts(program, references)
    except TooComplex as error:  # comments taken out again for the second reference may show another program
        raise SampleError("CODE_TOO_COMPLEX", f"the code {error}", remedy="shorten or simplify it", side="prediction") from None
    words = compare.word_counts(program.text, [reference.text for reference in references], reading.language)
    return {
        "language": LANGUAGES.index(reading.language),
        "counts": [*words, *trees],
        "faulty": [program.stripped.tree.fault_line or 0, max(one.stripped.tree.fault_line or 0 for one in references)],
    }


def observe(sample: Sample, parameters: CodebleuParameters) -> Row:
    """One sample."""
    text = blocks.first(sample.prediction) if parameters.extractor == "code_block" else sample.prediction
    return _row(text, sample, parameters)


def missing(sample: Sample, parameters: CodebleuParameters) -> Row:
    """A missing prediction is an empty one, except that it does not match an empty reference either."""
    row = _row("", sample, parameters)
    return {**row, "counts": [0 if place in parts.FOUND else count for place, count in enumerate(row["counts"])]}


def remarks(sample: Sample, row: Row, parameters: CodebleuParameters) -> Sequence[SampleError]:
    """Texts that are not of their language. They are scored all the same."""
    del parameters
    name = LANGUAGES[row["language"]]
    found = []
    for side, line in zip(("prediction", "reference"), row["faulty"], strict=True):
        if line and not (side == "prediction" and sample.prediction is None):
            message = (
                f"the {side} is not valid {name}: line {line}, without its comments, could not be parsed; scored by what matches"
            )
            remedy = "write code only, or set the extractor" if side == "prediction" else "check the sample's language"
            found.append(SampleError("SYNTAX_ERROR", message, remedy=remedy, side=side))
    return found


def score(rows: Rows, parameters: CodebleuParameters) -> Score:
    """Mean over languages; the parts, each language, and the shares of texts with syntax errors beside."""
    present, totals = _by_language(rows)
    samples = totals[:, -1]
    each = parts.values(totals)
    values = parts.combined(each, parameters.weights, parameters.variant == "codebleu_0_7")
    companions = {f"codebleu_{LANGUAGES[place]}": 100.0 * value for place, value in zip(present, values.tolist(), strict=True)}
    for name, part in zip(("ngram_match", "weighted_ngram_match", "syntax_match", "dataflow_match"), each.T, strict=True):
        there = ~np.isnan(part)
        if there.any():
            companions[name] = 100.0 * math.fsum(part[there] * samples[there]) / math.fsum(samples[there])
    for place, side in enumerate(("predictions", "references")):
        companions[f"{side}_with_syntax_errors"] = 100.0 * float(np.mean(rows.column("faulty")[:, place] > 0))
    warnings = ("no_data_flow",) if bool(np.isnan(each[:, 3]).any()) else ()
    return Score(100.0 * math.fsum(values * samples) / len(rows), companions=companions, warnings=warnings)


def _by_language(rows: Rows) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The languages there are, and the sums of their counts, whole numbers, with the number of their samples."""
    present = np.unique(rows.column("language"))
    counts = np.column_stack([rows.column("counts"), np.ones(len(rows), dtype=np.int64)])
    return present, np.array([counts[rows.column("language") == place].sum(axis=0) for place in present], dtype=np.float64)


def samples(rows: Rows, parameters: CodebleuParameters) -> NDArray[np.float64]:
    """CodeBLEU of each sample alone."""
    counts = np.column_stack([rows.column("counts"), np.ones(len(rows))]).astype(np.float64)
    return 100.0 * parts.combined(parts.values(counts), parameters.weights, parameters.variant == "codebleu_0_7")


def interval(rows: Rows, parameters: CodebleuParameters) -> Interval | None:
    """Bootstrap over samples."""
    language = rows.column("language")
    present = np.unique(language)
    counts = np.column_stack([rows.column("counts"), np.ones(len(rows))]).astype(np.float64)
    each = np.hstack([np.where((language == place)[:, None], counts, 0.0) for place in present])

    def value(totals: NDArray[np.float64]) -> NDArray[np.float64]:
        groups = totals.reshape(len(totals), len(present), -1)
        samples = groups[:, :, -1]
        values = parts.combined(parts.values(groups), parameters.weights, parameters.variant == "codebleu_0_7")
        return np.asarray(100.0 * np.sum(np.where(samples > 0, values * samples, 0.0), axis=1) / samples.sum(axis=1))

    return bootstrap(rows.keys, each, value)


METRIC = Metric(
    id="codebleu",
    version=1,
    input_kind="text",
    unit="percent",
    higher_is_better=True,
    value_range=(0.0, 100.0),
    pooling="corpus",
    parameters=CodebleuParameters,
    columns={"language": Column("i8"), "counts": Column("i8", (22,)), "faulty": Column("i8", (2,))},
    observe=observe,
    score=score,
    missing=missing,
    interval=interval,
    samples=samples,
    remarks=remarks,
)
