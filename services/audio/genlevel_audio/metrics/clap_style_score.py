"""CLAP style score: how well generated music fits the description of the style it was to take on.

    clap_style_score = mean over recordings of 100 cos(v(recording), v(description)), v as in clap_score

    Direction     higher is better
    Range         [-100, 100]
    Unit          cosine x100
    Pooling       sample: the mean over recordings; a missing one is 0
    Sample        prediction: a recording; references: descriptions of the style, {"source": file} the music whose style was changed,
                  {"audio": file} a true recording in that style
    State         rows (score, ceiling, content, score of the source, a unit vector of each side), keyed by sample
    Undefined     no sample has a description: no_reference
    Source        Li et al. 2024 (MusicTI: style fit); Wu et al. 2023, arXiv 2211.06687
    Checked with  as clap_score
    Differs from  clap_score in its row of the table only. Published values are read as style fit with the general checkpoint; those of music
                  are of another architecture (HTSAT-base)

Beside it, what clap_score has. content_preservation belongs to it: whoever answers with a clip in the style, and none of the source, fits
the description best.

    >>> METRIC.id, METRIC.unit
    ('clap_style_score', 'cosine x100')
"""

from __future__ import annotations

from dataclasses import replace

from genlevel_audio.metrics.clap_score import METRIC as CLAP

METRIC = replace(CLAP, id="clap_style_score")
