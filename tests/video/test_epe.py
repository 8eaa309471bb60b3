"""End-point error against plain float64 arithmetic and closed forms."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genlevel_evaluator.engine import RawSample, Scorer, Value
from genlevel_video.app import EVALUATOR
from tests.video.generators import saved


def value_of(pairs: list[tuple[np.ndarray, np.ndarray, np.ndarray | None]], **parameters: object) -> Value:
    scorer = Scorer.of(EVALUATOR, "epe", parameters)
    samples = []
    for index, (guess, truth, valid) in enumerate(pairs):
        reference = saved("b.npz", flow=truth) if valid is None else saved("b.npz", flow=truth, valid=valid)
        samples.append(RawSample(str(index), saved("a.npz", flow=guess), (reference,)))
    rows, issues = scorer.observe(samples)
    assert not issues
    return scorer.finalize(rows)


def _pair(seed: int, height: int = 30, width: int = 40, size: float = 20.0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    truth = (size * random.normal(size=(height, width, 2))).astype(np.float32)
    guess = truth + random.standard_t(2, size=truth.shape).astype(np.float32)
    return guess, truth, random.random((height, width)) < 0.6


def test_equals_the_evaluation_of_raft_in_float64() -> None:
    pairs = [_pair(1), _pair(2, 20, 10), _pair(3, 50, 60, 100.0)]
    per_pair, per_pixel, outliers = [], [], []
    for guess, truth, valid in pairs:
        error = ((guess.astype(np.float64) - truth.astype(np.float64)) ** 2).sum(axis=2) ** 0.5
        length = (truth.astype(np.float64) ** 2).sum(axis=2) ** 0.5
        bad = (error > 3.0) & (error / length > 0.05)
        per_pair.append(error[valid].mean())
        per_pixel.append(error[valid])
        outliers.append(bad[valid])
    pixels = np.concatenate(per_pixel)
    value = value_of(pairs)
    assert value.value == pytest.approx(np.mean(per_pair), rel=1e-12)
    assert value.companions["epe_pixels"] == pytest.approx(pixels.mean(), rel=1e-12)
    assert value.companions["fl_all"] == pytest.approx(100 * np.concatenate(outliers).mean(), rel=1e-12)
    assert value.companions["outliers_1px"] == pytest.approx(100 * (pixels > 1).mean(), rel=1e-12)
    assert value.companions["outliers_3px"] == pytest.approx(100 * (pixels > 3).mean(), rel=1e-12)
    assert value.companions["valid_pixels"] == len(pixels)
    assert value.companions["fl_all"] < value.companions["outliers_3px"]
    assert value.interval is not None
    assert min(per_pair) <= value.interval.low <= value.interval.high <= max(per_pair)


def test_a_shift_is_its_own_length() -> None:
    truth = np.zeros((4, 5, 2), np.float32)
    assert value_of([(truth + np.float32([3, 4]), truth, None)]).value == 5.0
    assert value_of([(truth, truth, None)]).value == 0.0


def test_pairs_count_alike_whatever_their_size() -> None:
    small, large = np.zeros((1, 1, 2), np.float32), np.zeros((10, 10, 2), np.float32)
    value = value_of([(small + np.float32([2, 0]), small, None), (large, large, None)])
    assert value.value == 1.0
    assert value.companions["epe_pixels"] == pytest.approx(2 / 101)


def test_a_panorama_goes_the_shorter_way_round() -> None:
    truth = np.zeros((1, 100, 2), np.float32)
    truth[..., 0] = 49.0
    guess = np.zeros((1, 100, 2), np.float32)
    guess[..., 0] = -49.0
    assert value_of([(guess, truth, None)]).value == 98.0
    assert value_of([(guess, truth, None)], panorama=True).value == pytest.approx(2.0)
    guess[..., 0] = 49.0 + 300.0
    assert value_of([(guess, truth, None)], panorama=True).value == pytest.approx(0.0)


@settings(max_examples=40)
@given(st.integers(0, 10**6), st.floats(-60, 60), st.integers(-3, 3))
def test_panorama_laws(seed: int, shift: float, turns: int) -> None:
    guess, truth, valid = _pair(seed, 3, 16)
    valid[0, 0] = True
    moved = guess.astype(np.float64)
    moved[..., 0] += turns * 16
    plain = value_of([(guess, truth, valid)]).value
    wrapped = value_of([(guess, truth, valid)], panorama=True).value
    assert wrapped <= plain + 1e-9
    assert value_of([(moved.astype(np.float32), truth, valid)], panorama=True).value == pytest.approx(wrapped, rel=1e-4, abs=1e-4)
    both = (guess + np.float32(shift), truth + np.float32(shift), valid)
    assert value_of([both]).value == pytest.approx(plain, rel=1e-3, abs=1e-3)


def test_without_a_valid_pixel_there_is_no_value() -> None:
    guess, truth, valid = _pair(4)
    nothing = (guess, truth, np.zeros_like(valid))
    value = value_of([nothing])
    assert value.value is None
    assert value.reason == "no_valid_pixel"
    some = value_of([nothing, (guess, truth, valid)])
    assert some.value == value_of([(guess, truth, valid)]).value
    assert "pair_without_valid_pixel" in some.warnings


@pytest.mark.parametrize(("case", "code"), [("size", "SIZE_MISMATCH"), ("gap", "FLOW_INCOMPLETE"), ("nan", "FLOW_INCOMPLETE")])
def test_predictions_that_do_not_fit_are_refused(case: str, code: str) -> None:
    guess, truth, valid = _pair(5)
    prediction = saved("a.npz", flow=guess[:-1]) if case == "size" else saved("a.npz", flow=guess)
    if case == "gap":
        prediction = saved("a.npz", flow=guess, valid=np.zeros_like(valid))
    if case == "nan":
        guess[valid.nonzero()[0][0], valid.nonzero()[1][0], 0] = np.nan
        prediction = saved("a.npz", flow=guess)
    scorer = Scorer.of(EVALUATOR, "epe", {})
    rows, issues = scorer.observe([RawSample("1", prediction, (saved("b.npz", flow=truth, valid=valid),))])
    value = scorer.finalize(rows)
    assert value.value is None
    assert (value.expected, value.present) == (1, 0)
    assert (issues[0].code, issues[0].severity) == (code, "prediction")
    assert issues[0].remedy


def test_a_gap_where_the_reference_knows_nothing_is_fine() -> None:
    guess, truth, valid = _pair(6)
    hidden = guess.copy()
    hidden[~valid] = np.nan
    assert value_of([(hidden, truth, valid)]).value == value_of([(guess, truth, valid)]).value
