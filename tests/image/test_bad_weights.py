"""Weights of networks that are missing or others: the call fails, and says which command fetches them. No network is loaded."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from genlevel_evaluator import features, weights
from genlevel_evaluator.engine import Scorer
from genlevel_evaluator.errors import Code, EvaluatorError
from genlevel_evaluator.evaluator import Evaluator
from genlevel_image.app import EVALUATOR
from tests.image.files import encoded, file_of, photo, sample

NETWORKS = [
    ("fid", {}, "inception-v3-nsfwjs"), ("fid", {"backbone": "inception-2015"}, "pt-inception-2015-12-05"),
    ("clip_score_image", {}, "efficientnet-lite0"), ("clip_score_image", {"backbone": "clip-vit-b-32"}, "clip-vit-b-32"),
]  # fmt: skip
PICTURE = file_of(encoded(photo(np.random.default_rng(1), 12, 9)))


@pytest.fixture(autouse=True)
def _empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No weights are here, and nothing is remembered that they made."""
    monkeypatch.setenv("GENLEVEL_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(features, "CACHE", features.FeatureCache())


def scorer(metric: str, parameters: dict[str, str]) -> Scorer:
    fresh: Evaluator = replace(EVALUATOR, _extractors={})
    return Scorer.of(fresh, metric, parameters)


def failure(metric: str, parameters: dict[str, str], **attributes: str) -> EvaluatorError:
    with pytest.raises(EvaluatorError) as caught:
        scorer(metric, parameters).observe([replace(sample("1", PICTURE, PICTURE), attributes=attributes)])
    return caught.value


@pytest.mark.parametrize(("metric", "parameters", "entry"), NETWORKS)
def test_missing_weights_name_the_command_that_fetches_them(metric: str, parameters: dict[str, str], entry: str) -> None:
    error = failure(metric, parameters)
    assert (error.code, error.reason) == (Code.FAILED_PRECONDITION, "WEIGHTS_MISSING")
    assert f"genlevel weights fetch {entry}" in error.remedy


@pytest.mark.parametrize(("metric", "parameters", "entry"), NETWORKS[:3])
def test_other_weights_are_refused_by_their_digest(metric: str, parameters: dict[str, str], entry: str) -> None:
    known = weights.entry(entry)
    for file in known.files:
        place = weights.weights_root() / weights.digest(entry) / file.name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(b"other weights")
    error = failure(metric, parameters)
    assert (error.code, error.reason) == (Code.FAILED_PRECONDITION, "WEIGHTS_DIGEST_MISMATCH")
    assert str(known.files[0].sha256) in error.message
    assert f"genlevel weights fetch {entry}" in error.remedy


def test_a_companion_needs_its_weights_only_where_there_is_a_caption() -> None:
    error = failure("psnr_or_clip_score", {}, prompt="a red kite")
    assert (error.code, error.reason) == (Code.FAILED_PRECONDITION, "WEIGHTS_MISSING")
    without = scorer("psnr_or_clip_score", {})
    rows, issues = without.observe([sample("1", PICTURE, PICTURE)])
    assert (without.finalize(rows).value, issues) == (float("inf"), [])
