"""CLAP score: how well a recording fits the text it was made from.

    clap_score = mean over recordings of 100 cos(v(recording), v(text)), v the projected vector of LAION-CLAP

A recording is heard at 48 kHz, mono, through 16 bits, in windows of 10 s: a shorter one is repeated while it fits whole and filled up
with zeros, of a longer one the unit vectors of all windows are averaged, the last window ending where the recording ends.

    Direction     higher is better
    Range         [-100, 100]
    Unit          cosine x100
    Pooling       sample: the mean over recordings; a missing one is 0
    Sample        prediction: a recording; references: texts, of which the mean counts, or the best with captions=best; {"audio": file} is a
                  true recording, {"source": file} the one that was edited, and only companions are made of either
    State         rows (score, ceiling, content, score of the source, a unit vector of each side), keyed by sample
    Undefined     no sample has a text: no_reference
    Source        Wu et al. 2023, arXiv 2211.06687 (CLAP, checkpoint 630k-audioset-best, unfused); the stand-in follows ConSE, Norouzi et al.
                  2013, arXiv 1312.5650
    Checked with  transformers 5.23 ClapModel with the same weights, its ClapFeatureExtractor and RobertaTokenizer
    Differs from  laion_clap, which cuts 10 s out of a longer recording at random. The default network hears through examples: aiSFX finds
                  the few known sounds a recording is nearest to, MiniLM their names. It is a stand-in of real weights that can be had
                  offline: not CLAP, on another scale, deaf to what is like no example. `backbone=clap` is the one of the literature.

Beside it: shuffled_pairs, the mean score of every recording with the texts of all other samples; reference_pairs, that of the true
recordings with their own texts; content_preservation, 100 cos(v(recording), v(source)); source_text, what the source itself would score.

    >>> from genlevel_audio.clap_scores import heard
    >>> round(100.0 * float(heard([[3.0, 4.0]]) @ heard([[4.0, 3.0]])), 9)
    96.0
"""

from __future__ import annotations

from genlevel_audio import clap_scores
from genlevel_audio.clap_scores import ClapParameters, interval, missing, observe, score, sides
from genlevel_evaluator.metric import Metric

METRIC = Metric(
    id="clap_score", version=1, input_kind="audio_text", unit="cosine x100", higher_is_better=True, value_range=(-100.0, 100.0), pooling="sample",
    parameters=ClapParameters, columns=clap_scores.COLUMNS, observe=observe, score=score, missing=missing, interval=interval,
    samples=lambda rows, _: rows.column("score"), backbones=lambda parameters: (parameters.backbone,), sides=sides, reads=("reference",),
)
