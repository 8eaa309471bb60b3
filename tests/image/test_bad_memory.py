"""Large pictures are not held together: a chunk is scored in parts as soon as its media take too many bytes."""

from __future__ import annotations

import numpy as np
import pytest

from genlevel_evaluator import raw
from genlevel_evaluator.engine import Scorer
from genlevel_evaluator.metric import Sample
from genlevel_image.app import EVALUATOR
from tests.image.files import encoded, file_of, photo, sample

PICTURES = [encoded(photo(np.random.default_rng(place), 40, 30)) for place in range(6)]
SAMPLES = [sample(str(place), file_of(PICTURES[place - 1]), file_of(data)) for place, data in enumerate(PICTURES)]


@pytest.mark.parametrize("limit", [1, 3 * 2 * 40 * 30 * 3, 1 << 30])
def test_parts_change_no_value(limit: int, monkeypatch: pytest.MonkeyPatch) -> None:
    scorer = Scorer.of(EVALUATOR, "psnr")
    expected = scorer.finalize(scorer.observe(SAMPLES)[0])
    monkeypatch.setattr(raw, "HELD_BYTES", limit)
    rows, issues = scorer.observe(SAMPLES)
    assert (scorer.finalize(rows), issues) == (expected, [])


def test_no_more_is_held_than_the_limit_and_one_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(raw, "HELD_BYTES", 100)
    held = Sample("1", prediction=None, references=(EVALUATOR.kinds["image"].read(file_of(PICTURES[0]), "reference", {}),))
    small = Sample("2", prediction="text", references=())
    assert [len(part) for part in raw.parts([(small, 0), (held, 0), (held, 0), (small, 0), (small, 0)])] == [2, 1, 2]
