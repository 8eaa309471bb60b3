"""Boundary F against SciPy 1.17's erosion and exact distances, and near the measure of DAVIS, whose boundary is drawn half a pixel aside."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import binary_dilation, distance_transform_edt
from skimage import data
from skimage.filters import threshold_otsu
from skimage.morphology import disk

from genlevel_evaluator.engine import RawSample
from genlevel_evaluator.errors import EvaluatorError
from genlevel_image.pixels import boundaries
from tests.image.files import encoded, file_of, sample
from tests.image.scoring import value_of


def outline(labels: np.ndarray, label: int, kept: np.ndarray) -> np.ndarray:
    """Pixels of a class with a neighbour of another, where both are kept."""
    cross = np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]], bool)
    return (labels == label) & kept & binary_dilation((labels != label) & kept, cross)


def counts(truth: np.ndarray, guess: np.ndarray, ignore: int | None, tolerance: float) -> list[list[int]]:
    radius, kept = tolerance * math.hypot(*truth.shape), np.ones(truth.shape, bool) if ignore is None else truth != ignore
    rows = []
    for label in range(6):
        sides = [outline(side, label, kept) for side in (truth, guess)]
        far = [distance_transform_edt(~side) if side.any() else np.full(side.shape, np.inf) for side in sides]
        found = [int((far[1 - place][side] <= radius + 1e-9).sum()) for place, side in enumerate(sides)]
        if sides[0].any() or sides[1].any():
            rows.append([label, found[0], int(sides[0].sum()), found[1], int(sides[1].sum())])
    return rows


@pytest.mark.parametrize("patience", [0, 16])
@settings(max_examples=60)
@given(st.integers(1, 25), st.integers(1, 25), st.sampled_from([None, 3]), st.sampled_from([0.001, 0.05, 0.1, 0.3]), st.integers(0, 2**32 - 1))
def test_counts_by_scipy(patience: int, height: int, width: int, ignore: int | None, tolerance: float, seed: int) -> None:
    random = np.random.default_rng(seed)
    truth = random.integers(0, 4, (height, width)).astype(np.int32)
    guess = np.where(random.random(truth.shape) < 0.7, truth, random.integers(0, 6, truth.shape)).astype(np.int32)
    with pytest.MonkeyPatch.context() as patch:
        if not patience:  # maps of distances at once
            patch.setattr(boundaries, "_PATIENCE", 0)
            patch.setattr(boundaries, "_DISTANCE_COST", 0)
        assert boundaries.boundary_counts(truth, guess, ignore, tolerance).tolist() == counts(truth, guess, ignore, tolerance)


def files(pairs: list[tuple[np.ndarray, np.ndarray]]) -> list[RawSample]:
    return [sample(str(i), file_of(encoded(g.astype(np.uint8))), file_of(encoded(t.astype(np.uint8)))) for i, (g, t) in enumerate(pairs)]


def mean_f(rows: list[list[int]]) -> float:
    shares = [(a / b if b else 0.0, c / d if d else 0.0) for _, a, b, c, d in rows]
    return float(np.mean([2 * r * p / (r + p) if r + p else 0.0 for r, p in shares]))


def test_classes_pictures_and_missing_answers() -> None:
    random = np.random.default_rng(3)
    truths = [np.kron(random.integers(0, 3, (4, 4)), np.ones((10, 12), int)) for _ in range(3)]
    guesses = [np.roll(truth, 2, 1) for truth in truths]
    found, _ = value_of("miou", files(list(zip(guesses, truths, strict=True))), boundary=0.02)
    by_class: dict[int, list[float]] = {}
    for guess, truth in zip(guesses, truths, strict=True):
        for row in counts(truth, guess, None, 0.02):
            by_class.setdefault(row[0], []).append(mean_f([row]))
    assert found.companions["boundary_f"] == pytest.approx(100 * np.mean([np.mean(each) for each in by_class.values()]), rel=1e-12)
    lost = sample("0", None, file_of(encoded(truths[0].astype(np.uint8))))
    less, _ = value_of("miou", [lost, *files(list(zip(guesses, truths, strict=True)))[1:]], boundary=0.02)
    without = {label: [0.0, *each[1:]] for label, each in by_class.items()}
    assert less.companions["boundary_f"] == pytest.approx(100 * np.mean([np.mean(each) for each in without.values()]), rel=1e-12)
    assert "boundary_f" not in value_of("miou", files([(guesses[0], truths[0])]), boundary=0)[0].companions


@pytest.mark.parametrize(("ours", "theirs"), [((0, 1), (0, 1)), ((0, 255), (0, 1)), ((0, 3, 5), (0, 255)), ((0, 0), (0, 7))])
def test_one_foreground_of_any_value(ours: tuple[int, ...], theirs: tuple[int, ...]) -> None:
    random = np.random.default_rng(8)
    pairs = [(np.kron(random.choice(ours, (5, 5)), np.ones((6, 6), int)), np.kron(random.choice(theirs, (5, 5)), np.ones((6, 6), int))) for _ in range(3)]
    expected = np.mean([mean_f([row for row in counts((t > 0).astype(int), (g > 0).astype(int), None, 0.0075) if row[0] == 1]) for g, t in pairs])
    for foreground in ("auto", "yes"):
        found, _ = value_of("miou", files(pairs), foreground=foreground)
        assert found.companions["boundary_f"] == pytest.approx(100 * expected, rel=1e-12)


def davis(truth: np.ndarray, guess: np.ndarray, radius: int) -> float:
    """The measure of DAVIS 2016: a pixel is on the boundary where it differs from the next to the right, below or both."""
    def drawn(mask: np.ndarray) -> np.ndarray:
        right, below, both = (np.pad(mask, ((0, dy), (0, dx)), mode="edge")[dy:, dx:] for dy, dx in ((0, 1), (1, 0), (1, 1)))
        return (mask ^ right) | (mask ^ below) | (mask ^ both)

    sides = [drawn(side) for side in (truth, guess)]
    near = [binary_dilation(side, disk(radius)) for side in sides]
    recall, precision = (sides[0] & near[1]).sum() / sides[0].sum(), (sides[1] & near[0]).sum() / sides[1].sum()
    return float(2 * precision * recall / (precision + recall))


def test_photographs_come_near_davis() -> None:
    for picture in (data.coins(), data.camera()):
        truth = picture > threshold_otsu(picture)
        guess = np.roll(picture > threshold_otsu(picture) + 8, 3, 0)
        radius = math.ceil(0.008 * math.hypot(*truth.shape))
        found, _ = value_of("miou", files([(guess, truth)]), boundary=radius / math.hypot(*truth.shape) * (1 + 1e-12))
        assert found.companions["boundary_f"] == pytest.approx(100 * davis(truth, guess, radius), abs=1.0)


@pytest.mark.parametrize("value", [-0.1, 0.06])
def test_tolerances_out_of_range(value: float) -> None:
    with pytest.raises(EvaluatorError, match="boundary"):
        value_of("miou", [], boundary=value)
