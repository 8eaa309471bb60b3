"""CIDEr of speech: consensus of what was said with descriptions of what was to be said about, as in image-to-speech.

    weight of an n-gram = count in the text * (log samples - log samples that have it in a reference)
    CIDEr of a sample   = 10 * mean over orders 1 to 4 and references of the cosine of the weights
    value               = 100 * mean over samples: 1000 is perfect

Recordings are first turned into text by a recogniser (Whisper tiny.en, a stand-in for larger ones); supplied transcripts are taken as they
are. Words come from the normaliser of the sample's language, as in wer. `variant=d` is CIDEr-D (weights clipped to the reference's in the
product, length penalty exp(-d^2 / 72), d the difference in bigrams), `variant=plain` is without both.

    Direction       higher is better
    Range           [0, 1000]
    Unit            CIDEr x100
    Pooling         sample, after a pass over the whole set: the weights come from all references, so a part of a set scores otherwise
    Sample          prediction: a recording, or a transcript {"text": ...}; references: descriptions
    State           rows (words of the output and of the references as 64-bit digests, lengths, transcript supplied), keyed by sample
    Undefined when  no sample has a reference: no_reference. One sample alone is 0
    Source          Vedantam, Zitnick and Parikh (2015)
    Checked with    pycocoevalcap.cider.cider.Cider, which is CIDEr-D, on the same words
    Warns           transcripts_supplied, where under `source=auto` some were
    Differs from    cider of the language evaluator in the words: a recogniser's spelling of numbers and titles is no error here. The public
                    scorer transcribes the first 30 s only, exchanges hypothesis and reference, and does not run

    >>> from genlevel_audio.transcripts import Transcript
    >>> row = observe(Sample("1", Transcript("Two dogs!"), (Transcript("2 dogs"),)), SpeechCiderParameters(source="transcript"))
    >>> row["hypothesis"] == row["references"]
    True
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from genlevel_audio import transcripts
from genlevel_audio.transcripts import Transcript
from genlevel_evaluator.digests import word_digest
from genlevel_evaluator.metric import Metric, Sample, Score
from genlevel_evaluator.parameters import Parameters
from genlevel_evaluator.states import Column, Row, Rows
from genlevel_evaluator.statistics import ngrams, ngrams_cider, ngrams_cider_replicates
from genlevel_evaluator.statistics.intervals import Interval, bootstrap_centred

REPLICATES = 200


@dataclass(frozen=True)
class SpeechCiderParameters(Parameters):
    """Parameters of CIDEr of speech.

    Attributes:
        variant: `d` is CIDEr-D, `plain` without clipping and penalty.
        source: as in wer.
        normaliser: as in wer.
    """

    variant: Literal["d", "plain"] = "d"
    source: transcripts.SourceName = "auto"
    normaliser: transcripts.NormaliserName = "auto"


def _row(hypothesis: Sequence[str], sample: Sample, parameters: SpeechCiderParameters, supplied: bool) -> Row:
    how = transcripts.normaliser(sample, parameters.normaliser)
    others = [transcripts.words(text, how, "reference") for text in transcripts.texts(sample)]
    return {
        "hypothesis": list(map(word_digest, hypothesis)), "references": [word_digest(word) for words in others for word in words],
        "reference_lengths": list(map(len, others)), "supplied": int(supplied),
    }


def observe(sample: Sample, parameters: SpeechCiderParameters) -> Row:
    """One sample."""
    how = transcripts.normaliser(sample, parameters.normaliser)
    hypothesis = transcripts.words(transcripts.said(sample, parameters.source), how, "prediction")
    return _row(hypothesis, sample, parameters, isinstance(sample.prediction, Transcript))


def missing(sample: Sample, parameters: SpeechCiderParameters) -> Row:
    """Nothing was said: it scores 0, and its references still weigh the n-grams."""
    return _row([], sample, parameters, supplied=False)


def _texts(rows: Rows) -> tuple[ngrams_cider.Texts, ngrams_cider.Texts]:
    hypotheses = ngrams_cider.Texts(rows.values["hypothesis"], rows.lengths["hypothesis"], np.arange(len(rows)))
    owner = np.repeat(np.arange(len(rows)), rows.lengths["reference_lengths"])
    return hypotheses, ngrams_cider.Texts(rows.values["references"], rows.values["reference_lengths"], owner)


def _each(rows: Rows, variant: str) -> NDArray[np.float64]:
    return np.minimum(10.0, ngrams_cider.cider(*_texts(rows), clipped=variant == "d"))  # rounding may pass 10 by its last digit


def score(rows: Rows, parameters: SpeechCiderParameters) -> Score:
    """Mean over samples; the other variant and the length ratio beside."""
    means = {variant: 100.0 * math.fsum(_each(rows, variant)) / len(rows) for variant in ("d", "plain")}
    other = "plain" if parameters.variant == "d" else "d"
    shares = np.repeat(1.0 / rows.lengths["reference_lengths"], rows.lengths["reference_lengths"])
    expected = math.fsum(rows.values["reference_lengths"] * shares)
    supplied = float(rows.column("supplied").sum())
    companions = {
        f"cider_{other}": means[other], "length_ratio": ngrams.ratio(float(rows.lengths["hypothesis"].sum()), expected),
        "supplied_transcripts": supplied,
    }
    warnings = (*(("small_sample",) if len(rows) == 1 else ()), *(("transcripts_supplied",) if parameters.source == "auto" and supplied else ()))
    return Score(means[parameters.variant], companions=companions, warnings=warnings)


def interval(rows: Rows, parameters: SpeechCiderParameters) -> Interval | None:
    """Bootstrap over samples with the weights of n-grams that each replicate has, moved up to the value."""
    each = _each(rows, parameters.variant)
    made = ngrams_cider_replicates.Replicates(*_texts(rows), clipped=parameters.variant == "d")
    found = bootstrap_centred(rows.keys, 100.0 * float(each.mean()), lambda weights: 100.0 * made.means(weights), REPLICATES)
    return found and replace(found, low=max(0.0, found.low), high=min(1000.0, found.high))


METRIC = Metric(
    id="cider", version=1, input_kind="speech", unit="CIDEr x100", higher_is_better=True, value_range=(0.0, 1000.0), pooling="sample",
    parameters=SpeechCiderParameters,
    columns={**{name: Column("i8", ragged=True) for name in ("hypothesis", "references", "reference_lengths")}, "supplied": Column("u1")},
    observe=observe, score=score, missing=missing, interval=interval, samples=lambda rows, parameters: 100.0 * _each(rows, parameters.variant),
    backbones=lambda parameters: (transcripts.RECOGNISER,) if parameters.source != "transcript" else (), sides=lambda sample: {"prediction": transcripts.sides(sample)["prediction"]},  # nothing is made of true recordings
)
