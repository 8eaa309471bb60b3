"""Mel-cepstral distortion: how far the spectral envelopes of two utterances are apart, frame by frame.

    mcd = 10 sqrt(2) / ln 10 * mean over aligned frames of |c - c'|

c and c' are mel-cepstra of order 13 (WORLD envelope of 512 points every 5 ms at 22,050 Hz, all-pass 0.65). Frames are aligned by
`mode`: `dtw` FastDTW of radius 1 on coefficients 1 to 13; `exact` the same without the approximation; `dtw_sl` `dtw` times the
ratio of lengths, longer over shorter; `plain` frame by frame, the shorter recording padded with silence.

    >>> import numpy as np
    >>> still, moved = np.zeros((4, 14)), np.ones((4, 14))
    >>> round(distortion(still, moved, aligned(still, moved, "plain"), McdParameters(mode="plain", include_c0=False)), 5)
    22.14476
    >>> round(10 * math.sqrt(2) / math.log(10) * math.sqrt(13), 5)
    22.14476

    Direction       lower is better
    Range           [0, inf)
    Unit            dB
    Pooling         sample: the mean over pairs
    Sample          prediction and reference, both a recording
    State           rows (value, aligned frames, sums of errors of pitch, likeness of voices, predicted opinions), keyed by sample
    Undefined when  no pair could be compared: no_reference
    Source          Kubichek 1993; Battenberg et al. 2020 (dtw); Chen et al. 2022 (dtw_sl)
    Checked with    pymcd 0.2.1 (plain, dtw, dtw_sl to 1e-6), fastdtw 0.3.4 (exact), pysptk 1.0.1 (envelope=power)
    Differs from    pymcd nowhere by default. It aligns on coefficients 1 to 13 but measures with coefficient 0, so loudness
                    counts: `include_c0=False` is the form of the literature. It reads WORLD's power envelope as an amplitude
                    envelope, with a floor of 1e-8: `envelope=power` reads it as power, for about half the value

Beside it, along the same alignment: f0_rmse_hertz and f0_rmse_cents over frames voiced on both sides (DIO and StoneMask), voicing_error, the
percent of frames where one side alone is voiced; speaker_similarity, 100 cos of Resemblyzer's vectors (Wan et al. 2018); predicted_mos of
both sides (see mos). None of them counts for a level.

A recording in which nothing is heard has no envelope and is an issue: SILENT. A missing prediction lowers the coverage.
"""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Literal

import numpy as np

from genlevel_audio import alignment
from genlevel_audio.alignment import Path
from genlevel_audio.audio import Audio, Samples
from genlevel_audio.mel_cepstrum import FFT_SIZE, RATE, Envelope, Matrix, mel_cepstra
from genlevel_evaluator import alignment as cosines
from genlevel_evaluator.errors import SampleError
from genlevel_evaluator.metric import Metric, Sample, Score
from genlevel_evaluator.parameters import Parameters
from genlevel_evaluator.states import Column, Row, Rows
from genlevel_evaluator.statistics.intervals import Interval, bootstrap_mean

DECIBELS = 10.0 * math.sqrt(2.0) / math.log(10.0)
MAX_SECONDS = 600


@dataclass(frozen=True)
class McdParameters(Parameters):
    """Parameters of MCD.

    Attributes:
        mode: alignment of the frames.
        include_c0: whether coefficient 0, the level, is part of the distance (never of the alignment).
        envelope: `pymcd` or `power`, see the module.
        beside: whether networks compare the voices and predict what listeners would say; neither is part of the value.
    """

    mode: Literal["dtw", "plain", "dtw_sl", "exact"] = "dtw"
    include_c0: bool = True
    envelope: Envelope = "pymcd"
    beside: Literal["voice", "none"] = "voice"


SPEAKER, LISTENER, OVERALL = "resemblyzer", "dnsmos", 2


def _samples(audio: Audio, side: str) -> Samples:
    if audio.silent:
        raise SampleError("SILENT", f"{audio.name or side}: nothing is heard", remedy="leave the sample out, or give a recording with sound", side=side)
    if audio.seconds > MAX_SECONDS:
        raise SampleError("TOO_LONG", f"{audio.name or side} lasts {audio.seconds:.0f} s, at most {MAX_SECONDS} are compared", remedy="cut it", side=side)
    samples = audio.at(RATE, "HQ")  # the resampler of librosa, which pymcd loads files with
    if len(samples) < FFT_SIZE:
        raise SampleError("TOO_SHORT", f"{audio.name or side} has {len(samples)} samples at {RATE} Hz, fewer than {FFT_SIZE}", remedy="leave it out", side=side)
    return samples


def aligned(reference: Matrix, prediction: Matrix, mode: str) -> Path:
    """Pairs of frames of mel-cepstra (frames, 14)."""
    if mode == "plain":
        count = min(len(reference), len(prediction))
        return np.column_stack([np.arange(count)] * 2)
    if mode == "exact":
        return alignment.exact_path(reference[:, 1:], prediction[:, 1:])
    return alignment.fast_path(reference[:, 1:], prediction[:, 1:])


def distortion(reference: Matrix, prediction: Matrix, path: Path, parameters: McdParameters) -> float:
    """Distortion in dB over a path."""
    first = 0 if parameters.include_c0 else 1
    apart = (reference[path[:, 0]] - prediction[path[:, 1]])[:, first:]
    value = DECIBELS * float(np.sqrt((apart * apart).sum(axis=1)).mean())
    if parameters.mode == "dtw_sl":
        value *= max(len(reference), len(prediction)) / min(len(reference), len(prediction))
    return value


def _pitch(reference: Matrix, prediction: Matrix, path: Path) -> dict[str, float]:
    """Errors of pitch over the frames that are voiced on both sides, and frames where only one is."""
    one, other = reference[path[:, 0]], prediction[path[:, 1]]
    both = (one > 0) & (other > 0)
    hertz, cents = other[both] - one[both], 1200.0 * np.log2(other[both] / one[both])
    return {
        "voiced": int(both.sum()), "voicing_errors": int(((one > 0) != (other > 0)).sum()),
        "hertz": math.fsum(hertz * hertz), "cents": math.fsum(cents * cents),
    }


def _heard(sample: Sample) -> dict[str, float]:
    """How alike the voices are, and what listeners would say of both sides."""
    voices = [sample.features.get((SPEAKER, side)) for side in ("prediction", "reference")]
    alike = 100.0 * float(cosines.unit(voices[0]) @ cosines.unit(voices[1])) if voices[0] is not None and voices[1] is not None else math.nan
    rated = {side: sample.features.get((LISTENER, side)) for side in ("prediction", "reference")}
    return {"voice": alike, **{f"{side}_mos": math.nan if found is None else float(np.mean(found[:, OVERALL])) for side, found in rated.items()}}


def observe(sample: Sample, parameters: McdParameters) -> Row:
    """Distortion of one pair."""
    reference, prediction = _samples(sample.reference, "reference"), _samples(sample.prediction, "prediction")
    if parameters.mode == "plain":
        longest = max(len(reference), len(prediction))
        reference, prediction = (np.pad(side, (0, longest - len(side))) for side in (reference, prediction))
    with ThreadPoolExecutor(1) as other:  # WORLD runs outside the interpreter's lock
        waiting = other.submit(mel_cepstra, prediction, parameters.envelope)
        (first, pitch), (second, other_pitch) = mel_cepstra(reference, parameters.envelope), waiting.result()
    if parameters.mode == "exact" and len(first) * len(second) > alignment.MAX_CELLS:
        raise SampleError(
            "TOO_LONG", f"exact alignment of {len(first)} x {len(second)} frames is too large", remedy="use mode=dtw", side="prediction"
        )
    path = aligned(first, second, parameters.mode)
    value = distortion(first, second, path, parameters)
    return {"value": value, "frames": len(path), **_pitch(pitch, other_pitch, path), **_heard(sample)}


def score(rows: Rows, parameters: McdParameters) -> Score:
    """Mean over pairs; beside it the mean over all aligned frames, and pitch and voice."""
    values, frames = rows.column("value"), rows.column("frames").astype(np.float64)
    return Score(
        math.fsum(values) / len(rows),
        companions={
            "frame_mean": math.fsum(values * frames) / float(frames.sum()), "aligned_frames": float(frames.sum()),
            "worst": float(values.max()), **_companions(rows),
        },
    )


def _companions(rows: Rows) -> dict[str, float]:
    voiced, found = float(rows.column("voiced").sum()), {"voicing_error": 100.0 * float(rows.column("voicing_errors").sum() / rows.column("frames").sum())}
    if voiced:
        found |= {f"f0_rmse_{unit}": math.sqrt(math.fsum(rows.column(unit)) / voiced) for unit in ("hertz", "cents")}
    names = {"voice": "speaker_similarity", "prediction_mos": "predicted_mos", "reference_mos": "predicted_mos_of_references"}
    for column, name in names.items():
        known = rows.column(column)[~np.isnan(rows.column(column))]
        found |= {name: math.fsum(known) / len(known)} if len(known) else {}
    return found


def interval(rows: Rows, parameters: McdParameters) -> Interval | None:
    """Bootstrap over pairs."""
    return bootstrap_mean(rows.keys, rows.column("value"))


METRIC = Metric(
    id="mcd", version=1, input_kind="audio", unit="dB", higher_is_better=False, value_range=(0.0, math.inf),
    pooling="sample", parameters=McdParameters, columns={
        **{name: Column("f8") for name in ("value", "hertz", "cents", "voice", "prediction_mos", "reference_mos")},
        **{name: Column("i8") for name in ("frames", "voiced", "voicing_errors")},
    },
    observe=observe, score=score, interval=interval, samples=lambda rows, _: rows.column("value"),
    companion_backbones=lambda parameters: (SPEAKER, LISTENER) if parameters.beside == "voice" else (),
)
