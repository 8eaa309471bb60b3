"""Mel-cepstral distortion against pymcd."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from audio_speech import encode, say

from genlevel_audio import mel_cepstrum
from genlevel_audio.app import EVALUATOR
from genlevel_audio.audio import decode
from genlevel_evaluator import media
from genlevel_evaluator.engine import RawSample, Scorer, Value
from genlevel_evaluator.errors import Issue
from genlevel_evaluator.kinds import Content
from genlevel_evaluator.metric import Presence

TEXT = "The birch canoe slid on the smooth planks."


def content(data: bytes) -> Content:
    return Content(media=media.from_bytes(data, "a.wav"))


def compared(prediction: bytes, reference: bytes, **parameters: object) -> tuple[Value, list[Issue]]:
    scorer = Scorer.of(EVALUATOR, "mcd", {"beside": "none", **parameters})
    rows, issues = scorer.observe([RawSample("1", content(prediction), (content(reference),))])
    return scorer.finalize(rows), issues


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory, arctic: bytes) -> dict[str, Path]:
    """Synthetic and real speech; two rates, one and two channels."""
    folder = tmp_path_factory.mktemp("mcd")
    slow, fast = say(TEXT, "en-gb-x-rp", 130), say(TEXT, "en-us", 170)
    padded = np.concatenate([np.zeros(3000, np.int16), fast, np.zeros(4000, np.int16)])
    contents = {
        "slow": encode(slow), "fast": encode(fast), "padded": encode(padded), "arctic": arctic,
        "stereo": encode(np.column_stack([slow, np.roll(slow, 40)]), 44100, subtype="PCM_24"),
    }
    paths = {}
    for name, data in contents.items():
        paths[name] = folder / f"{name}.wav"
        paths[name].write_bytes(data)
    return paths


PAIRS = (("slow", "fast"), ("padded", "slow"), ("arctic", "slow"), ("stereo", "slow"), ("fast", "fast"))


MODES = ("plain", "dtw", "dtw_sl")


@pytest.fixture(scope="module")
def theirs(files: dict[str, Path], oracle: Callable[[str, Any], Any]) -> list[Any]:
    """All answers of one run of the oracle, which takes long to start."""
    requests = [{"what": mode, "prediction": str(files[a]), "reference": str(files[b])} for a, b in PAIRS for mode in MODES]
    requests += [{"what": "exact", "prediction": str(files["fast"]), "reference": str(files["slow"]), "first": first} for first in (0, 1)]
    requests += [{"what": what, "file": str(files["arctic"])} for what in ("cepstra", "power_cepstra")]
    answers: list[Any] = oracle("mcd", requests)
    return answers


def test_every_mode_of_pymcd(files: dict[str, Path], theirs: list[Any]) -> None:
    answers = iter(theirs)
    for prediction, reference in PAIRS:
        for mode in MODES:
            value, issues = compared(files[prediction].read_bytes(), files[reference].read_bytes(), mode=mode)
            assert not issues
            assert value.value == pytest.approx(next(answers)["value"], abs=1e-6), (prediction, reference, mode)


def test_exact_alignment_and_the_form_without_the_level(files: dict[str, Path], theirs: list[Any]) -> None:
    with_level, without = theirs[-4:-2]
    data = [files[name].read_bytes() for name in ("fast", "slow")]
    assert compared(*data, mode="exact")[0].value == pytest.approx(with_level, abs=1e-6)
    assert compared(*data, mode="exact", include_c0=False)[0].value == pytest.approx(without, abs=1e-6)


def test_mel_cepstra_are_pysptks(files: dict[str, Path], theirs: list[Any]) -> None:
    samples = decode(media.from_path(files["arctic"])).at(mel_cepstrum.RATE, "HQ")
    for envelope, expected in zip(("pymcd", "power"), theirs[-2:], strict=True):
        np.testing.assert_allclose(mel_cepstrum.mel_cepstra(samples, envelope)[0], expected, atol=1e-9)  # type: ignore[arg-type]


def test_level_counts_only_with_coefficient_zero() -> None:
    speech = say(TEXT) / 32768.0
    quiet, loud = encode(speech * 0.25, subtype="FLOAT"), encode(speech, subtype="FLOAT")
    with_level, without = (
        compared(quiet, loud, mode="plain", envelope="power", include_c0=flag)[0].value for flag in (True, False)
    )
    assert with_level is not None
    assert without is not None
    assert with_level > without + 5


def test_identical_recordings_are_zero_apart() -> None:
    data = encode(say(TEXT))
    for mode in ("dtw", "plain", "dtw_sl", "exact"):
        assert compared(data, data, mode=mode)[0].value == 0.0


@pytest.mark.parametrize("silence", [np.zeros(22050), np.full(22050, 0.3)])
def test_silence_is_an_issue_on_its_side(silence: Any) -> None:
    speech, silent = encode(say(TEXT)), encode(silence, subtype="FLOAT")
    value, issues = compared(silent, speech)
    assert [(issue.code, issue.severity) for issue in issues] == [("SILENT", "prediction")]
    assert (value.value, value.reason, value.present) == (None, "no_reference", 0)
    _, issues = compared(speech, silent)
    assert [(issue.code, issue.severity) for issue in issues] == [("SILENT", "reference")]


def test_a_click_is_too_short() -> None:
    _, issues = compared(encode(np.sin(np.arange(300.0))), encode(say(TEXT)))
    assert [issue.code for issue in issues] == ["TOO_SHORT"]


def test_missing_predictions_lower_the_coverage() -> None:
    scorer = Scorer.of(EVALUATOR, "mcd")
    speech = encode(say(TEXT))
    samples = [
        RawSample("1", content(speech), (content(speech),)),
        RawSample("2", None, (content(speech),), Presence.PREDICTION_MISSING),
    ]
    value = scorer.finalize(scorer.observe(samples)[0])
    assert (value.value, value.expected, value.present, value.missing_scored_as_worst) == (0.0, 2, 1, False)


def test_the_mean_is_over_pairs_whatever_their_length() -> None:
    scorer = Scorer.of(EVALUATOR, "mcd")
    long, short = say(TEXT), say("No.")
    other = say(TEXT, "en-gb-x-rp")
    pairs = [(encode(long), encode(other)), (encode(short), encode(short))]
    rows, _ = scorer.observe([RawSample(str(i), content(a), (content(b),)) for i, (a, b) in enumerate(pairs)])
    value = scorer.finalize(rows)
    assert value.value == pytest.approx(np.mean(rows.column("value")))
    assert value.companions["frame_mean"] > value.value


@pytest.mark.weights
def test_pitch_and_voices_stand_beside(arctic: bytes) -> None:
    times = np.arange(22_050) / 22_050

    def buzz(pitch: float) -> bytes:
        return encode(0.2 * np.asarray(sum(np.sin(2 * np.pi * pitch * k * times) / k for k in range(1, 20))), 22_050)

    found, issues = compared(buzz(220.0), buzz(200.0), beside="voice", mode="plain")
    assert not issues
    assert found.companions["f0_rmse_hertz"] == pytest.approx(20.0, abs=0.5)
    assert found.companions["f0_rmse_cents"] == pytest.approx(1200 * np.log2(1.1), abs=5.0)
    assert found.companions["voicing_error"] < 5.0
    same, _ = compared(arctic, arctic, beside="voice")
    assert same.value == 0.0
    assert same.companions["speaker_similarity"] == pytest.approx(100.0, abs=1e-3)
    assert (same.companions["f0_rmse_cents"], same.companions["voicing_error"]) == (0.0, 0.0)
    assert same.companions["predicted_mos"] == same.companions["predicted_mos_of_references"]
    assert same.signature.digest == compared(arctic, arctic, beside="voice")[0].signature.digest
    silent, _ = compared(encode(np.random.default_rng(1).normal(size=22_050) * 0.1), buzz(200.0))
    assert silent.companions["voicing_error"] > 50.0
