"""How samples are put together for decoding, and metrics that observe many at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from genlevel_evaluator import media, states
from genlevel_evaluator.engine import RawSample, Scorer
from genlevel_evaluator.errors import SampleError
from genlevel_evaluator.evaluator import load
from genlevel_evaluator.kinds import Content
from genlevel_evaluator.metric import Metric, Parameters, Presence, Sample, Score
from genlevel_evaluator.raw import CHUNK, TEXT_CHARACTERS, TEXT_CHUNK, chunks
from genlevel_evaluator.states import Column, Row, Rows


def text(key: int, prediction: str = "a") -> RawSample:
    return RawSample(str(key), Content(text=prediction), (Content(text="a"),))


def file(key: int) -> RawSample:
    return RawSample(str(key), Content(media=media.from_bytes(b"x", "a.txt")), (Content(text="a"),))


@pytest.mark.parametrize(
    ("samples", "sizes"),
    [
        ([], []),
        ([text(i) for i in range(TEXT_CHUNK + 3)], [TEXT_CHUNK, 3]),
        ([file(i) for i in range(CHUNK + 3)], [CHUNK, 3]),
        ([*map(text, range(40)), *map(file, range(40, 80))], [40, CHUNK, 8]),
        ([text(0, "a" * TEXT_CHARACTERS), text(1), text(2)], [1, 2]),
        ([RawSample("0"), text(1)], [2]),
    ],
    ids=["none", "text", "media", "both", "long", "empty"],
)
def test_sizes(samples: list[RawSample], sizes: list[int]) -> None:
    found = list(chunks(samples))
    assert [len(chunk) for chunk in found] == sizes
    assert [sample for chunk in found for sample in chunk] == samples


def observe(sample: Sample, parameters: Parameters) -> Row:
    if sample.prediction == "refused":
        raise SampleError("REFUSED", "the prediction is of the wrong form", side="prediction")
    return {"length": float(len(sample.prediction)), "letters": [ord(letter) for letter in sample.prediction]}


def score(rows: Rows, parameters: Parameters) -> Score:
    return Score(float(rows.column("length").sum()))


METRIC = Metric(
    id="length", version=1, input_kind="text", unit="letters", higher_is_better=True, value_range=(0.0, float("inf")), pooling="sample",
    parameters=Parameters, columns={"length": Column("f8"), "letters": Column("i8", ragged=True)}, observe=observe, score=score,
    missing=lambda sample, parameters: {"length": 0.0, "letters": []},
)  # fmt: skip

SAMPLES = [text(i, "x" * (i % 7)) for i in range(50)]
MISSING = RawSample("m", None, (Content(text="a"),), Presence.PREDICTION_MISSING)


@pytest.mark.parametrize("extra", [[], [MISSING], [MISSING, text(100, "refused"), RawSample("n", Content(text="b"))]])
def test_many_at_once_give_the_state_and_issues_of_one_by_one(extra: list[RawSample]) -> None:
    seen: list[int] = []

    def many(samples: Sequence[Sample], parameters: Parameters) -> list[Row]:
        seen.append(len(samples))
        return [observe(sample, parameters) for sample in samples]

    alone = Scorer(load("language"), METRIC, Parameters()).observe([*SAMPLES, *extra])
    together = Scorer(load("language"), replace(METRIC, observe_many=many), Parameters()).observe([*SAMPLES, *extra])
    assert seen == [50 + any(sample.id == "100" for sample in extra)]
    assert together[1] == alone[1]
    assert together[0].keys == alone[0].keys
    for name in alone[0].values:
        assert together[0].values[name].tobytes() == alone[0].values[name].tobytes()


def test_rows_of_lists_and_of_arrays_build_the_same_state() -> None:
    import numpy as np

    schema = {"letters": Column("i8", ragged=True)}
    lists = states.build(schema, [("a", {"letters": [1, 2]}), ("b", None), ("c", {"letters": []})])
    arrays = states.build(schema, [("a", {"letters": np.array([1, 2])}), ("b", None), ("c", {"letters": np.zeros(0)})])
    assert lists.values["letters"].tobytes() == arrays.values["letters"].tobytes()
    assert lists.lengths["letters"].tolist() == arrays.lengths["letters"].tolist() == [2, 0, 0]
