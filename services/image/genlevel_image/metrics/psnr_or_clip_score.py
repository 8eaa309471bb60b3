"""PSNR of pictures made from a text, as the table of results labels it, with the score of picture and caption beside it.

    psnr_or_clip_score = mean over pictures of 10 log10(peak² / MSE) against the reference, to whose size the picture is brought

    Direction   higher is better
    Range       [0, inf]
    Unit        dB
    Pooling     sample: the mean over pictures; a missing picture is 0 dB
    Sample      prediction and reference, pictures of any size and bit depth; of several references the best counts; attribute `caption`
                or `prompt`: the text or texts that the picture was made from
    State       rows (decibels, perfect, resized, score of picture and caption), keyed by sample
    Undefined   no sample has a reference: no_reference
    Source      the usual definition; published values of 27.9 to 32.6 beside models of 7.6 to 26.8 fit PSNR, as cosines do not fall to 7
    Checked with  skimage.metrics.peak_signal_noise_ratio 0.26 on pictures resized by Pillow
    Differs from  psnr refuses pictures of another size; here they are resized, bicubic with antialiasing, rounded to the bit depth of the
                reference, and counted (companion `resized`). A perfect picture counts as 100 dB; the value is infinite only where all are perfect.

Beside it: clip_score of the pictures that have a caption, or conse_score under the default network, which is not CLIP (see clip_score_text).
The network of this companion does not decide the value, so it is not in the signature; with `beside=none` no network is needed.

    >>> from genlevel_evaluator.statistics.psnr import decibels
    >>> round(decibels(650.25, 255.0), 6)
    20.0
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from genlevel_evaluator import alignment
from genlevel_evaluator.captions import Caption
from genlevel_evaluator.metric import Metric, Sample, Score
from genlevel_evaluator.parameters import Parameters
from genlevel_evaluator.states import Column, Row, Rows
from genlevel_evaluator.statistics.intervals import Interval, bootstrap_mean
from genlevel_evaluator.statistics.psnr import decibels, mean_decibels, squared_error
from genlevel_image.media import Picture
from genlevel_image.pixels import resampling

_COMPANIONS = {"conse-lite0-minilm": "conse_score", "clip-vit-b-32": "clip_score"}


@dataclass(frozen=True)
class PsnrOrClipParameters(Parameters):
    """Parameters of PSNR of pictures made from a text.

    Attributes:
        beside: the network of the companion, as `backbone` of clip_score_text; none leaves it out.
    """

    beside: Literal["conse-lite0-minilm", "clip-vit-b-32", "none"] = "conse-lite0-minilm"


def networks(parameters: PsnrOrClipParameters) -> tuple[str, ...]:
    """Name of the network of the companion with its preprocessing."""
    return () if parameters.beside == "none" else (f"{parameters.beside}.pil",)


def captions(sample: Sample) -> list[Caption]:
    """The texts that a picture was made from."""
    given = sample.attributes.get("caption") or sample.attributes.get("prompt") or []
    texts = given if isinstance(given, list) else [given]
    return [Caption(text) for text in texts if isinstance(text, str) and text.strip()]


def sides(sample: Sample) -> Mapping[str, Any]:
    """What the network looks at: nothing where there is no caption."""
    found = captions(sample)
    return {"prediction": sample.prediction, **{f"caption {place}": caption for place, caption in enumerate(found)}} if found else {}


def observe(sample: Sample, parameters: PsnrOrClipParameters) -> Row:
    """The best PSNR against the references, and the mean score with the captions."""
    (value, perfect), resized = max((_pair(sample.prediction, reference), sample.prediction.size != reference.size) for reference in sample.references)
    return {"decibels": value, "perfect": perfect, "resized": int(resized), "alignment": _alignment(sample, parameters)}


def missing(sample: Sample, parameters: PsnrOrClipParameters) -> Row:
    """No picture is no signal, and fits no caption."""
    score = 0.0 if captions(sample) and parameters.beside != "none" else math.nan
    return {"decibels": 0.0, "perfect": 0, "resized": 0, "alignment": score}


def score(rows: Rows, parameters: PsnrOrClipParameters) -> Score:
    """Mean over pictures."""
    values, perfect = rows.column("decibels"), rows.column("perfect")
    companions = {"perfect_pictures": float(perfect.sum()), "resized": float(rows.column("resized").sum()), "worst": float(values.min())}
    known = rows.column("alignment")
    known = known[~np.isnan(known)]
    if len(known):
        companions |= {_COMPANIONS[parameters.beside]: math.fsum(known) / len(known), "captioned": float(len(known))}
    return Score(mean_decibels(values.tolist(), [1] * len(rows), perfect.tolist()), companions=companions)


def interval(rows: Rows, parameters: PsnrOrClipParameters) -> Interval | None:
    """Bootstrap over pictures; none where the value is infinite."""
    del parameters
    if bool(np.all(rows.column("perfect"))):
        return None
    return bootstrap_mean(rows.keys, rows.column("decibels"))


def _alignment(sample: Sample, parameters: PsnrOrClipParameters) -> float:
    """100 times the mean cosine of the picture and its captions; NaN where there are none."""
    found = captions(sample)
    if not found or parameters.beside == "none":
        return math.nan
    name = networks(parameters)[0]
    picture = alignment.unit(sample.features[name, "prediction"])
    cosines = [float(picture @ alignment.unit(sample.features[name, f"caption {place}"])) for place in range(len(found))]
    return 100.0 * math.fsum(cosines) / len(cosines)


def _pair(prediction: Picture, reference: Picture) -> tuple[float, int]:
    """PSNR, and whether it is perfect."""
    error = squared_error(_like(prediction, reference), reference.pixels)
    return decibels(error, reference.peak), int(error == 0.0)


def _like(picture: Picture, reference: Picture) -> NDArray[Any]:
    """The pixels in the size and bit depth of the reference."""
    if picture.size == reference.size and picture.peak == reference.peak:
        return picture.pixels
    planes = [resampling.bicubic(picture.pixels[:, :, channel] / np.float32(picture.peak), reference.size) for channel in range(3)]
    return np.round(np.stack(planes, axis=2) * reference.peak).astype(reference.pixels.dtype)


METRIC = Metric(
    id="psnr_or_clip_score", version=1, input_kind="image", unit="dB", higher_is_better=True, value_range=(0.0, float("inf")), pooling="sample",
    parameters=PsnrOrClipParameters,
    columns={"decibels": Column("f8"), "perfect": Column("u1"), "resized": Column("u1"), "alignment": Column("f8")},
    observe=observe, score=score, missing=missing, interval=interval, samples=lambda rows, _: rows.column("decibels"),
    companion_backbones=networks, sides=sides,
)
