"""Event F1: micro F1 over events, each its type with its trigger.

    F1 = 100 * 2 TP / (2 TP + FP + FN)

Type and trigger are compared after NFKC, with outer space and punctuation off and case folded. An event that is named twice must be
found twice. The rule behind the SoTA is not published, so the other common ones stand beside the value: the F1 of types alone, of
triggers alone, and of arguments, where an argument is right when event type, role and text are (`with_arguments`).

    Direction     higher is better
    Range         [0, 100]
    Unit          percent
    Pooling       corpus
    Sample        prediction and references, events; of several references the one with the best F1 counts, among equals the one with
                  the fewest errors
    State         rows (tp, fp, fn, and tp, fp, fn of types, triggers and arguments), keyed by sample
    Undefined     neither side has an event in any sample: no_reference
    Source        Li, Ji and Huang (2013): trigger classification; SpeechEE for the task
    Checked with  a derivation, and sklearn.metrics.f1_score(average="micro") where no event repeats
    Differs from  text event extraction, which matches triggers by place: speech has none. A missing prediction misses all events, and
                  counts one error where there are none to miss

>>> row = observe(Sample("1", (Event("attack", "Bombed", ()),), ((Event("Attack", "bombed", (("Target", "bridge"),)),),)), EventF1Parameters())
>>> [row[name] for name in ("tp", "fp", "fn", "argument_fn")]
[1, 0, 0, 1]
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass

from genlevel_evaluator.metric import Metric, Sample, Score
from genlevel_evaluator.parameters import Parameters
from genlevel_evaluator.states import Column, Row, Rows
from genlevel_evaluator.statistics.intervals import Interval
from genlevel_language import normalise, pooled
from genlevel_language.spans import Event

_BESIDE = ("type", "trigger", "argument")


@dataclass(frozen=True)
class EventF1Parameters(Parameters):
    """Event F1 has no parameters."""


def _parts(events: tuple[Event, ...]) -> dict[str, list[Hashable]]:
    kinds = [normalise.answer(event.type) for event in events]
    triggers = [normalise.answer(event.trigger) for event in events]
    arguments: list[Hashable] = [
        (kind, normalise.answer(role), normalise.answer(text))
        for kind, event in zip(kinds, events, strict=True)
        for role, text in event.arguments
    ]
    return {"": list(zip(kinds, triggers, strict=True)), "type": list(kinds), "trigger": list(triggers), "argument": arguments}


def _row(events: pooled.Counts, beside: dict[str, pooled.Counts]) -> Row:
    row = dict(events.row)
    for name, counts in beside.items():
        row |= {f"{name}_tp": counts.hits, f"{name}_fp": counts.surplus, f"{name}_fn": counts.missed}
    return row


def observe(sample: Sample, parameters: EventF1Parameters) -> Row:
    """One sample."""
    del parameters
    predicted, references = _parts(sample.prediction), [_parts(reference) for reference in sample.references]
    candidates = [pooled.compare(predicted[""], reference[""]) for reference in references]
    place = pooled.best(candidates)
    return _row(candidates[place], {name: pooled.compare(predicted[name], references[place][name]) for name in _BESIDE})


def missing(sample: Sample, parameters: EventF1Parameters) -> Row:
    """Every event of the shortest reference is missed; where there is none, one error is counted."""
    del parameters
    shortest = min(sample.references, key=len)
    counts, parts = pooled.missing([len(shortest)]), _parts(shortest)
    return _row(counts, {name: pooled.Counts(0, 0, len(parts[name])) for name in _BESIDE})


def score(rows: Rows, parameters: EventF1Parameters) -> Score:
    """One F1 of all counts, with precision, recall and the F1 under the other rules."""
    del parameters
    found = pooled.score(rows)
    beside = {f"{name}_f1": pooled.f1(rows, f"{name}_") for name in ("type", "trigger")}
    return Score(found.value, found.reason, {**found.companions, **beside, "with_arguments": pooled.f1(rows, "argument_")})


def interval(rows: Rows, parameters: EventF1Parameters) -> Interval | None:
    """Bootstrap over samples of the pooled F1."""
    del parameters
    return pooled.interval(rows)


METRIC = Metric(
    id="event_f1",
    version=1,
    input_kind="events",
    unit="percent",
    higher_is_better=True,
    value_range=(0.0, 100.0),
    pooling="corpus",
    parameters=EventF1Parameters,
    columns={**pooled.COLUMNS, **{f"{beside}_{name}": Column("i8") for beside in _BESIDE for name in ("tp", "fp", "fn")}},
    observe=observe,
    score=score,
    missing=missing,
    interval=interval,
    samples=pooled.samples,
)
