"""Confusion counts against scikit-learn 1.8."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import confusion_matrix

from genlevel_evaluator.statistics.confusion import class_counts, confusion_triples, foreground, mean_iou


def dense(triples: np.ndarray, labels: list[int]) -> np.ndarray:
    matrix = np.zeros((len(labels), len(labels)), dtype=np.int64)
    for true, guess, count in triples.tolist():
        matrix[labels.index(true), labels.index(guess)] += count
    return matrix


@settings(max_examples=60)
@given(seed=st.integers(0, 2**32 - 1), size=st.integers(1, 300), labels=st.lists(st.integers(0, 100_000), min_size=1, max_size=6, unique=True))
def test_equals_scikit_learn(seed: int, size: int, labels: list[int]) -> None:
    random = np.random.default_rng(seed)
    true, guess = random.choice(labels, size), random.choice(labels, size)
    found = confusion_triples(true, guess)
    assert (dense(found, labels) == confusion_matrix(true, guess, labels=labels)).all()
    assert (found[:, 2] > 0).all()


@settings(max_examples=150)
@given(
    seed=st.integers(0, 2**32 - 1), size=st.integers(0, 80), low=st.sampled_from([0, -3]), high=st.sampled_from([2, 255, 3000, 2**31 - 1]),
    dtype=st.sampled_from([np.uint8, np.int16, np.int32, np.int64]), missing=st.booleans(), ignore=st.sampled_from([None, 0, 1, 255, 60_000]),
)
def test_equals_a_counter(seed: int, size: int, low: int, high: int, dtype: type, missing: bool, ignore: int | None) -> None:
    random, limits = np.random.default_rng(seed), np.iinfo(dtype)
    true, guess = random.integers(max(low, limits.min), min(high, limits.max), (2, size), endpoint=True).astype(dtype)
    true[random.random(size) < 0.2] = min(255, limits.max)
    pairs = zip(true.tolist(), [-1] * size if missing else guess.tolist(), strict=True)
    expected = Counter(pair for pair in pairs if pair[0] != ignore)
    assert confusion_triples(true, None if missing else guess, ignore).tolist() == [[*pair, expected[pair]] for pair in sorted(expected)]


def test_large_pictures_are_counted_strip_by_strip() -> None:
    true, guess = np.random.default_rng(4).integers(0, 7, (2, 300, 1000), dtype=np.uint8)
    assert (dense(confusion_triples(true, guess), list(range(7))) == confusion_matrix(true.ravel(), guess.ravel())).all()


def test_ignored_elements_are_left_out_on_the_reference_side_only() -> None:
    true, guess = np.array([[255, 0], [1, 1]]), np.array([[0, 255], [255, 1]])
    assert confusion_triples(true, guess, ignore_label=255).tolist() == [[0, 255, 1], [1, 1, 1], [1, 255, 1]]
    assert confusion_triples(np.full(3, 9), np.zeros(3), ignore_label=9).shape == (0, 3)


def test_a_missing_prediction_agrees_with_no_label() -> None:
    found = confusion_triples(np.array([0, 0, 2]), None)
    assert found.tolist() == [[0, -1, 2], [2, -1, 1]]
    assert (found[:, 0] != found[:, 1]).all()


def test_class_counts_by_sample() -> None:
    triples = np.array([[0, 0, 3], [0, 1, 1], [1, 1, 4], [1, 7, 2]])
    counts = class_counts(triples, np.array([0, 0, 1, 1]), 2, np.array([0, 1]))
    assert counts.intersection.tolist() == [[3, 0], [0, 4]]
    assert counts.union.tolist() == [[4, 1], [0, 6]]
    assert mean_iou(counts.intersection.sum(axis=0), counts.union.sum(axis=0)) == pytest.approx((3 / 4 + 4 / 7) / 2)


def test_counts_of_nothing_are_numbers_too() -> None:
    counts = class_counts(np.zeros((0, 3), np.int64), np.zeros(0, np.int64), 2, np.array([1]))
    assert counts.union.tolist() == [[0.0], [0.0]]
    assert np.isnan(mean_iou(counts.intersection.sum(axis=0), counts.union.sum(axis=0)))


def test_foreground_reads_any_positive_label() -> None:
    assert foreground(np.array([[0, 255, 2], [3, -1, 5]])).tolist() == [[0, 1, 2], [1, 0, 5]]
