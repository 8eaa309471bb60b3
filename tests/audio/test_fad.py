"""Fréchet audio distance."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from audio_speech import encode, spoken_file
from numpy.typing import NDArray
from pytorch_fid.fid_score import calculate_frechet_distance

from genlevel_audio.app import EVALUATOR
from genlevel_audio.metrics import fad
from genlevel_audio.metrics.fad import FadParameters
from genlevel_evaluator import media, states
from genlevel_evaluator.engine import RawSample, Scorer
from genlevel_evaluator.errors import EvaluatorError
from genlevel_evaluator.kinds import Content
from genlevel_evaluator.metric import Presence, Sample, Score
from genlevel_evaluator.states import Rows

VGGISH = FadParameters(backbone="vggish")


def rows_of(generated: NDArray[np.float64], real: NDArray[np.float64], files: int = 10, backbone: str = "vggish") -> Rows:
    """A state of embeddings that are already there."""
    parameters = FadParameters(backbone=backbone)  # type: ignore[arg-type]
    parts = zip(np.array_split(generated, files), np.array_split(real, files), strict=True)
    return states.build(fad.METRIC.columns, [
        (str(i), fad.observe(Sample(str(i), features={(backbone, "prediction"): a, (backbone, "reference"): b}), parameters))
        for i, (a, b) in enumerate(parts)
    ])


def scored(generated: NDArray[np.float64], real: NDArray[np.float64], **options: object) -> Score:
    backbone = str(options.get("backbone", "vggish"))
    return fad.score(rows_of(generated, real, **options), FadParameters(backbone=backbone))  # type: ignore[arg-type]


def _sets(n: int, m: int, d: int = 128, seed: int = 3) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    source = np.random.default_rng(seed)
    mixing = source.normal(size=(d, d)) / np.sqrt(d)
    return source.normal(size=(n, d)) @ mixing + 0.2, source.normal(size=(m, d))


@pytest.mark.parametrize(("n", "m", "backbone"), [(300, 400, "vggish"), (140, 700, "vggish")])
def test_equal_embeddings_give_the_value_of_the_packages(n: int, m: int, backbone: str) -> None:
    generated, real = _sets(n, m, fad.DIMENSIONS[backbone])
    single = [side.astype(np.float32).astype(np.float64) for side in (generated, real)]
    theirs = calculate_frechet_distance(*(part for side in single for part in (side.mean(axis=0), np.cov(side, rowvar=False))))
    assert scored(generated, real, backbone=backbone).value == pytest.approx(theirs, rel=1e-6)


def test_identical_sets_are_zero_apart_and_files_do_not_matter() -> None:
    generated, real = _sets(60, 80)
    assert scored(generated, generated).value == pytest.approx(0.0, abs=1e-9)
    assert scored(generated, real, files=2).value == pytest.approx(scored(generated, real, files=20).value, rel=1e-12)


def test_a_shift_is_its_squared_length() -> None:
    generated, _ = _sets(200, 2)
    assert scored(generated + 0.5, generated).value == pytest.approx(128 * 0.25, rel=1e-5)


def test_counts_and_warnings() -> None:
    generated, real = _sets(60, 80)
    found = scored(generated, real, files=4)
    assert found.warnings == ("small_sample", "rank_deficient")
    names = ("prediction_windows", "reference_windows", "prediction_files", "reference_files")
    assert [found.companions[name] for name in names] == [60, 80, 4, 4]
    assert "kad" in found.companions
    assert "fad_infinity" not in found.companions


def test_infinity_takes_off_the_bias_of_the_generated_side() -> None:
    source = np.random.default_rng(8)
    generated, real = source.normal(size=(800, 128)), source.normal(size=(4000, 128))
    found = scored(generated, real)
    assert found.value is not None
    corrected, error = found.companions["fad_infinity"], found.companions["fad_infinity_standard_error"]
    at_infinity = fad.score(rows_of(source.normal(size=(4090, 128)), real), VGGISH).value
    assert at_infinity is not None
    assert abs(corrected - at_infinity) < 0.35 * (found.value - at_infinity)
    assert 0 < error < 0.2 * found.value


def test_aisfx_has_its_own_width() -> None:
    source = np.random.default_rng(8)
    generated = source.normal(size=(40, 512))
    assert scored(generated + 0.5, generated, backbone="aisfx").value == pytest.approx(512 * 0.25, rel=1e-5)


def test_many_windows_keep_their_companions() -> None:
    generated, real = _sets(4500, 4200)
    single = [side.astype(np.float32).astype(np.float64) for side in (generated, real)]
    theirs = calculate_frechet_distance(*(part for side in single for part in (side.mean(axis=0), np.cov(side, rowvar=False))))
    found = scored(generated, real)
    assert found.value == pytest.approx(theirs, rel=1e-6)
    assert found.companions["prediction_windows"] == 4500
    assert {"kad", "precision", "recall", "authenticity", "fad_infinity"} < set(found.companions)
    assert found.warnings == ()


def _content(data: bytes) -> Content:
    return Content(media=media.from_bytes(data, "a.wav"))


@pytest.mark.weights
def test_sides_may_come_alone_and_distance_grows_with_noise() -> None:
    texts = ("Good morning to all of you.", "Where did the children go?", "Nobody has seen the cat.", "It rained all day long.")
    source = np.random.default_rng(2)
    real = [spoken_file(text) for text in texts]
    alike = [spoken_file(text, speed=165) for text in texts]
    noise = [encode(source.normal(size=40000) * 0.1) for _ in texts]
    scorer = Scorer.of(EVALUATOR, "fad")

    def distance(files: list[bytes]) -> float:
        samples = [RawSample(f"g{i}", _content(data), presence=Presence.PREDICTION_ONLY) for i, data in enumerate(files)]
        samples += [RawSample(f"r{i}", None, (_content(data),), Presence.REFERENCE_ONLY) for i, data in enumerate(real)]
        rows, issues = scorer.observe(samples)
        assert not issues
        value = scorer.finalize(rows)
        assert value.value is not None
        assert not value.signature.comparable
        return value.value

    near, far, same = distance(alike), distance(noise), distance(real)
    assert same == pytest.approx(0.0, abs=1e-6)
    assert near < 0.5 * far


@pytest.mark.weights
def test_one_window_is_too_few_and_no_reference_is_said() -> None:
    scorer = Scorer.of(EVALUATOR, "fad")
    data = _content(spoken_file("Too short."))
    rows, _ = scorer.observe([RawSample("1", data, (data,))])
    assert scorer.finalize(rows).reason == "too_few_samples"
    rows, _ = scorer.observe([RawSample("1", data, presence=Presence.PREDICTION_ONLY)])
    assert scorer.finalize(rows).reason == "no_reference"


def test_the_reference_network_is_never_replaced_silently(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GENLEVEL_CACHE_DIR", str(tmp_path))
    scorer = Scorer.of(EVALUATOR, "fad", {"backbone": "vggish"})
    assert scorer.signature().comparable
    data = _content(encode(np.sin(np.arange(40000.0))))
    with pytest.raises((EvaluatorError, RuntimeError, OSError), match="vggish"):
        scorer.observe([RawSample("1", data, (data,))])


def test_single_files_are_held_against_all_that_is_real() -> None:
    generated, real = _sets(20, 140, 128)
    generated = generated.astype(np.float32).astype(np.float64)
    found = scored(generated, real, files=4)
    baseline = real.astype(np.float32).astype(np.float64)
    theirs = [
        calculate_frechet_distance(part.mean(axis=0), np.cov(part, rowvar=False), baseline.mean(axis=0), np.cov(baseline, rowvar=False))
        for part in np.array_split(generated, 4)
    ]
    assert found.companions["per_song_files"] == 4
    assert found.companions["per_song_mean"] == pytest.approx(float(np.mean(theirs)), rel=1e-4)
    assert found.companions["per_song_worst"] == pytest.approx(float(np.max(theirs)), rel=1e-4)
    assert "per_song_mean" not in scored(generated, real, files=20).companions


def test_clap_is_a_backbone_by_parameter() -> None:
    generated, real = _sets(40, 60, 512)
    assert scored(generated, real, backbone="clap").value == pytest.approx(scored(generated, real, backbone="aisfx").value)
    assert fad.METRIC.backbones(FadParameters(backbone="clap")) == ("clap",)
