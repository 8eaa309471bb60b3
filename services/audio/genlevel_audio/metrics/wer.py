"""Word error rate: edits that turn the reference transcript into what was said, per reference word.

    wer = 100 * sum(S + D + I) / sum(N)

S, D and I are the substitutions, deletions and insertions of a shortest edit script over normalised words, N the words of the
reference. Recordings are first turned into text by a recogniser (Whisper tiny.en, a stand-in for larger ones, so the value is not
comparable with published ones); supplied transcripts are taken as they are. With `source=transcript` only those are, and no
network has a part in the value.

Words come from the normaliser of the sample's attribute `language` (BCP 47, default en): Whisper's for English, single characters
for Chinese and Japanese, NFKC without case and punctuation for all others. The parameter `normaliser` sets one for all.

    >>> from genlevel_evaluator.statistics.edit_distance import edits
    >>> from genlevel_audio.text.normalisers import tokens
    >>> edits(tokens("The cat sat.", "english"), tokens("the cat sat down", "english")).total
    1

    Direction       lower is better
    Range           [0, inf); more words than were to be said give more than 100
    Unit            percent
    Pooling         corpus: one ratio of sums; `utterance_mean`: mean of the ratios of utterances
    Sample          prediction: a recording, or a transcript {"text": ...}; references: transcripts, the nearest one counts, and the true
                    recording as {"audio": file}, of which only companions are made
    State           rows (S, D, I, N, edits of characters, of the true recording, likeness of voices, transcript supplied), keyed by sample
    Undefined when  no reference has a word: no_reference
    Source          Levenshtein 1966; Radford et al. 2022 (normaliser)
    Checked with    jiwer 4.0.0 on the tokens, S, D and I apart; whisper-normalizer 0.1.15 without its four additions
    Warns           transcripts_supplied, where under `source=auto` some were
    Differs from    jiwer: percent instead of a fraction. The public scorer: it neither normalises nor pools (`normaliser=basic` and
                    `pooling=utterance_mean` come nearest)

An empty reference adds its insertions and no words, so it can only raise the corpus value; in `utterance_mean` it counts as one
word. A missing prediction counts as if nothing had been said: N deletions, 100 percent, and one error where the reference is
empty. The recogniser's own errors are in the
value: wer_of_true_recordings is that floor. cer is the same over characters. With `voice`, speaker_similarity is the mean of 100 cos of
Resemblyzer's vectors (Wan et al. 2018) of prediction and true recording. Mongolian and Chinese speech need transcripts.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from genlevel_audio import transcripts
from genlevel_audio.text.normalisers import Normaliser
from genlevel_audio.transcripts import Transcript
from genlevel_evaluator import alignment
from genlevel_evaluator.metric import Metric, Sample, Score
from genlevel_evaluator.parameters import Parameters
from genlevel_evaluator.states import Column, Row, Rows
from genlevel_evaluator.statistics.edit_distance import Edits, edits
from genlevel_evaluator.statistics.intervals import Interval, bootstrap, bootstrap_mean


@dataclass(frozen=True)
class WerParameters(Parameters):
    """Parameters of WER.

    Attributes:
        source: `audio`, which a recogniser reads, `transcript`, supplied, or `auto`, whichever each sample gives.
        normaliser: `english` (Whisper's), `basic` (NFKC, lower case, no punctuation), `character` (for unspaced writing), or `auto`,
            by the sample's attribute `language`.
        pooling: `corpus` or `utterance_mean`.
        voice: whether the voice of the prediction is compared with that of the true recording, for conversion of voices.
    """

    source: transcripts.SourceName = "auto"
    normaliser: transcripts.NormaliserName = "auto"
    voice: bool = False
    pooling: Literal["corpus", "utterance_mean"] = "corpus"


SPEAKER = "resemblyzer"
MAX_CHARACTERS = 20_000
_NOTHING_BESIDE = {"heard_edits": 0, "heard_words": 0, "voice": math.nan}


def observe(sample: Sample, parameters: WerParameters) -> Row:
    """Edits against the nearest reference: fewest per word, then the first."""
    normaliser = transcripts.normaliser(sample, parameters.normaliser)
    hypothesis = transcripts.words(transcripts.said(sample, parameters.source), normaliser, "prediction")
    row = _nearest(hypothesis, sample, normaliser)
    return {**row, **_beside(sample, parameters, normaliser), "supplied": int(isinstance(sample.prediction, Transcript))}


def _nearest(hypothesis: list[str], sample: Sample, normaliser: Normaliser) -> dict[str, float]:
    rows = []
    for position, text in enumerate(transcripts.texts(sample)):
        words = transcripts.words(text, normaliser, "reference")
        found = edits(words, hypothesis)
        rows.append((found.total / max(len(words), 1), position, found, words))
    _, _, found, words = min(rows, key=lambda row: row[:2])
    return {**_counts(found, len(words)), **_characters(words, hypothesis, normaliser)}


def _counts(found: Edits, words: int) -> dict[str, float]:
    return {"substitutions": found.substitutions, "deletions": found.deletions, "insertions": found.insertions, "words": words}


def _characters(words: list[str], hypothesis: list[str], normaliser: Normaliser) -> dict[str, float]:
    """Edits of characters, spaces between words included; none of texts too long for it."""
    between = "" if normaliser == "character" else " "
    reference, prediction = between.join(words), between.join(hypothesis)
    if max(len(reference), len(prediction)) > MAX_CHARACTERS:
        return {"character_edits": 0, "characters": 0}
    return {"character_edits": edits(list(reference), list(prediction)).total, "characters": len(reference)}


def _beside(sample: Sample, parameters: WerParameters, normaliser: Normaliser) -> dict[str, float]:
    """What the recogniser makes of the true recording, and how alike its voice is to the prediction's."""
    true, found = "true recording", {**_NOTHING_BESIDE}
    if parameters.source != "transcript" and (transcripts.RECOGNISER, true) in sample.features:
        heard = transcripts.words(str(sample.features[transcripts.RECOGNISER, true]), normaliser, "reference")
        row = _nearest(heard, sample, normaliser)
        found |= {"heard_edits": row["substitutions"] + row["deletions"] + row["insertions"], "heard_words": row["words"]}
    voices = [sample.features.get((SPEAKER, side)) for side in ("prediction", true)]
    if voices[0] is not None and voices[1] is not None:
        found["voice"] = 100.0 * float(alignment.unit(voices[0]) @ alignment.unit(voices[1]))
    return found


def missing(sample: Sample, parameters: WerParameters) -> Row:
    """Nothing was said, which is an error even where nothing was to be said."""
    normaliser = transcripts.normaliser(sample, parameters.normaliser)
    words = transcripts.words(transcripts.texts(sample)[0], normaliser, "reference")
    silence = Edits(0, len(words), int(not words))
    return {**_counts(silence, len(words)), **_characters(words, [], normaliser), **_NOTHING_BESIDE, "supplied": 0}


def _table(rows: Rows) -> NDArray[np.float64]:
    names = ("substitutions", "deletions", "insertions", "words")
    return np.column_stack([rows.column(name) for name in names]).astype(np.float64)


def score(rows: Rows, parameters: WerParameters) -> Score:
    """Percent, with the three kinds of edits per 100 reference words beside it."""
    table = _table(rows)
    substitutions, deletions, insertions, words = (int(total) for total in table.sum(axis=0))
    errors = substitutions + deletions + insertions
    companions: dict[str, float] = {
        "substitutions": substitutions, "deletions": deletions, "insertions": insertions, "reference_words": words,
        "empty_references": int(np.sum(table[:, 3] == 0)), "supplied_transcripts": int(rows.column("supplied").sum()),
    }
    warnings = ("transcripts_supplied",) if parameters.source == "auto" and companions["supplied_transcripts"] else ()
    ratios = _ratios(table)
    means = 100.0 * math.fsum(ratios) / len(rows)
    if not words:
        return Score(None, "no_reference", companions, warnings)
    companions |= _shown(rows)
    companions["sentence_error_rate"] = 100.0 * float(np.mean(table[:, :3].sum(axis=1) > 0))
    if parameters.pooling == "utterance_mean":
        return Score(means, companions={**companions, "corpus": 100.0 * errors / words}, warnings=warnings)
    return Score(100.0 * errors / words, companions={**companions, "utterance_mean": means}, warnings=warnings)


def _shown(rows: Rows) -> dict[str, float]:
    """Character error rate, the recogniser's own errors on true recordings, and how alike the voices are."""
    sums = {name: float(rows.column(name).sum()) for name in ("character_edits", "characters", "heard_edits", "heard_words")}
    found = {"cer": 100.0 * sums["character_edits"] / sums["characters"]} if sums["characters"] else {}
    if sums["heard_words"]:
        found["wer_of_true_recordings"] = 100.0 * sums["heard_edits"] / sums["heard_words"]
    voices = rows.column("voice")[~np.isnan(rows.column("voice"))]
    return found | ({"speaker_similarity": math.fsum(voices) / len(voices)} if len(voices) else {})


def _ratios(table: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(table[:, :3].sum(axis=1) / np.maximum(table[:, 3], 1.0))


def interval(rows: Rows, parameters: WerParameters) -> Interval | None:
    """Bootstrap over utterances."""
    table = _table(rows)
    if parameters.pooling == "utterance_mean":
        return bootstrap_mean(rows.keys, _ratios(table), scale=100.0)
    contributions = np.column_stack([table[:, :3].sum(axis=1), table[:, 3]])
    return bootstrap(rows.keys, contributions, lambda totals: 100.0 * totals[:, 0] / totals[:, 1])


METRIC = Metric(
    id="wer", version=1, input_kind="speech", unit="percent", higher_is_better=False, value_range=(0.0, math.inf),
    pooling="corpus", parameters=WerParameters,
    columns={
        **{name: Column("i8") for name in ("substitutions", "deletions", "insertions", "words", "character_edits", "characters", "heard_edits", "heard_words")},
        "voice": Column("f8"), "supplied": Column("u1"),
    },
    observe=observe, score=score, missing=missing, interval=interval, samples=lambda rows, _: 100.0 * _ratios(_table(rows)),
    backbones=lambda parameters: (transcripts.RECOGNISER,) if parameters.source != "transcript" else (),
    companion_backbones=lambda parameters: (SPEAKER,) if parameters.source != "transcript" and parameters.voice else (), sides=transcripts.sides,
)
