"""Entity F1: strict micro F1 over entities, each its text (or place) with its type.

    F1 = 100 * 2 TP / (2 TP + FP + FN)

An entity is right where both its text and its type are; an entity that is named twice must be found twice.

    by=text   the entity's text after NFKC and trimming, case kept
    by=place  start and end, as in tagging: what seqeval's strict mode counts

Types are compared after NFKC, trimmed and case folded.

    Direction     higher is better
    Range         [0, 100]
    Unit          percent
    Pooling       corpus
    Sample        prediction and references, typed spans; of several references the one with the best F1 counts, among equals the one
                  with the fewest errors
    State         rows (tp, fp, fn, and tp, fp, fn of the texts or places without types), keyed by sample
    Undefined     neither side has an entity in any sample: no_reference
    Source        Tjong Kim Sang and De Meulder (2003); the SoTA of the multimodal task is UMT on Twitter-2017, strict micro F1
    Checked with  seqeval.metrics.f1_score(mode="strict", scheme=IOB2) by place, a derivation by text
    Differs from  conlleval, which repairs ill-formed tag sequences. A missing prediction misses all entities, and counts one error
                  where there are none to miss

>>> entities = lambda *pairs: tuple(Span(kind, text, None) for text, kind in pairs)
>>> one = Sample("1", entities(("Paris", "LOC"), ("Ann", "org")), (entities(("Paris", "loc"), ("Ann", "PER")),))
>>> row = observe(one, EntityF1Parameters())
>>> [row[name] for name in ("tp", "fp", "fn", "untyped_tp")]
[1, 1, 1, 2]
"""

from __future__ import annotations

import unicodedata
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Literal

from genlevel_evaluator.errors import SampleError
from genlevel_evaluator.metric import Metric, Sample, Score
from genlevel_evaluator.parameters import Parameters
from genlevel_evaluator.states import Column, Row, Rows
from genlevel_evaluator.statistics.intervals import Interval
from genlevel_language import pooled
from genlevel_language.spans import Span


@dataclass(frozen=True)
class EntityF1Parameters(Parameters):
    """Parameters of entity F1."""

    by: Literal["text", "place"] = "text"


Entity = tuple[Hashable, str]


def _entities(spans: tuple[Span, ...], parameters: EntityF1Parameters, side: str) -> list[Entity]:
    found: list[Entity] = []
    for number, span in enumerate(spans):
        what: Hashable = span.place if parameters.by == "place" or span.text is None else _plain(span.text)
        if what is None or (span.text is None and parameters.by == "text"):
            message, remedy = f"an entity has no {parameters.by}", "give text, or start and end with by=place"
            raise SampleError("NO_SPAN", message, remedy=remedy, side=side, pointer=f"/{number}")
        found.append((what, _plain(span.type).casefold()))
    return found


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text).strip()


def _row(typed: pooled.Counts, untyped: pooled.Counts) -> Row:
    return {**typed.row, "untyped_tp": untyped.hits, "untyped_fp": untyped.surplus, "untyped_fn": untyped.missed}


def observe(sample: Sample, parameters: EntityF1Parameters) -> Row:
    """One sample."""
    references = [_entities(reference, parameters, "reference") for reference in sample.references]
    predicted = _entities(sample.prediction, parameters, "prediction")
    candidates = [pooled.compare(predicted, reference) for reference in references]
    place = pooled.best(candidates)
    return _row(candidates[place], pooled.compare([what for what, _ in predicted], [what for what, _ in references[place]]))


def missing(sample: Sample, parameters: EntityF1Parameters) -> Row:
    """Every entity of the shortest reference is missed; where there is none, one error is counted."""
    counts = pooled.missing(len(_entities(reference, parameters, "reference")) for reference in sample.references)
    return _row(counts, counts)


def score(rows: Rows, parameters: EntityF1Parameters) -> Score:
    """One F1 of all counts, with precision, recall, and the F1 that leaves types out."""
    del parameters
    found = pooled.score(rows)
    return Score(found.value, found.reason, {**found.companions, "untyped_f1": pooled.f1(rows, "untyped_")})


def interval(rows: Rows, parameters: EntityF1Parameters) -> Interval | None:
    """Bootstrap over samples of the pooled F1."""
    del parameters
    return pooled.interval(rows)


METRIC = Metric(
    id="entity_f1",
    version=1,
    input_kind="spans",
    unit="percent",
    higher_is_better=True,
    value_range=(0.0, 100.0),
    pooling="corpus",
    parameters=EntityF1Parameters,
    columns={**pooled.COLUMNS, **{f"untyped_{name}": Column("i8") for name in ("tp", "fp", "fn")}},
    observe=observe,
    score=score,
    missing=missing,
    interval=interval,
    samples=pooled.samples,
)
