"""Event accuracy of an orchestration: which instruments play which pitches, at every event of the true orchestra.

    e_accuracy = 100 * mean over events of TP / (TP + FP + FN)

An event is an onset of the reference; TP, FP and FN count cells (instrument, pitch) that sound there, on both sides, in the prediction
only and in the reference only. Of MIDI files, a cell sounds from its start up to, not including, its end, and a track is an instrument by
its name, or by its program where it has none; in a file of type 0 a channel is one by its program.

    Direction       higher is better
    Range           [0, 100]
    Unit            percent
    Pooling         corpus: the mean over all events of all pieces
    Sample          prediction and reference, both a MIDI file or both lists of events of one length
    State           rows (sum, events, cells on both sides, in either), keyed by sample
    Undefined when  no event of the reference has a cell: no_reference
    Source          Crestel and Esling 2017 (event-level accuracy, binary activity). That this is the measure behind the published value is
                    our reading of it, and flagged so in the catalogue
    Checked with    scikit-learn 1.9 (Jaccard score by samples), loops over cells
    Differs from    a public program in which FN is the sum of 1 - prediction * truth, silent cells included: its values are near 0. Accuracy by
                    frames rewards repeating the last event

An event without a cell on either side is left out; one where the prediction alone has cells counts 0.

    >>> agreement([frozenset({("flute", 72)})], [frozenset({("flute", 72), ("oboe", 60)})])
    (0.5, 1, 1, 2)
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from genlevel_audio.music.forms import Events, named
from genlevel_audio.music.pieces import Piece
from genlevel_evaluator.errors import SampleError
from genlevel_evaluator.metric import Metric, Sample, Score
from genlevel_evaluator.parameters import Parameters
from genlevel_evaluator.states import Column, Row, Rows
from genlevel_evaluator.statistics.intervals import Interval, bootstrap

Cells = frozenset[tuple[str, int]]
MAX_CELLS = 5_000_000


@dataclass(frozen=True)
class EventAccuracyParameters(Parameters):
    """Parameters of event accuracy.

    Attributes:
        instruments: what tells instruments apart: their `name`, or nothing (`none`), so that a pitch counts whoever plays it.
    """

    instruments: Literal["name", "none"] = "name"


def agreement(prediction: Sequence[Cells], reference: Sequence[Cells]) -> tuple[float, int, int, int]:
    """Sum over events, events with a cell, cells on both sides, cells on either."""
    pairs = [(len(ours & theirs), len(ours | theirs)) for ours, theirs in zip(prediction, reference, strict=True)]
    counted = [(both, either) for both, either in pairs if either]
    ratios = math.fsum(both / either for both, either in counted)
    return ratios, len(counted), sum(both for both, _ in counted), sum(either for _, either in counted)


def _at(piece: Piece, times: NDArray[np.float64]) -> list[Cells]:
    """The cells that sound at each of ascending times."""
    found: list[set[tuple[str, int]]] = [set() for _ in times]
    first, last = np.searchsorted(times, piece.starts, "left"), np.searchsorted(times, piece.ends, "left")
    if int((last - first).sum()) > MAX_CELLS:
        raise SampleError("TOO_LARGE", f"more than {MAX_CELLS} cells sound at the events", remedy="cut the piece")
    for note in range(len(piece.pitches)):
        cell = (named(piece.instruments[note]), int(piece.pitches[note]))
        for place in range(first[note], last[note]):
            found[place].add(cell)
    return [frozenset(cells) for cells in found]


def _sides(prediction: Any, reference: Any) -> tuple[Sequence[Cells], Sequence[Cells]]:
    if isinstance(reference, Piece) and isinstance(prediction, Piece):
        times = np.unique(reference.starts)
        return _at(prediction, times), _at(reference, times)
    if isinstance(reference, Events) and isinstance(prediction, Events):
        if len(prediction.cells) != len(reference.cells):
            raise SampleError(
                "EVENT_COUNT", f"the prediction has {len(prediction.cells)} events, the reference {len(reference.cells)}",
                remedy="give one list of cells for each event of the reference",
            )
        return prediction.cells, reference.cells
    raise SampleError("MIXED_FORMS", "one side is a MIDI file, the other a list of events", remedy="give both in one form")


def _row(prediction: Sequence[Cells], reference: Sequence[Cells], parameters: EventAccuracyParameters) -> Row:
    if parameters.instruments == "none":
        prediction, reference = ([frozenset(("", pitch) for _, pitch in cells) for cells in side] for side in (prediction, reference))
    total, events, both, either = agreement(prediction, reference)
    return {"sum": total, "events": events, "both": both, "either": either}


def observe(sample: Sample, parameters: EventAccuracyParameters) -> Row:
    """One piece against the first reference."""
    return _row(*_sides(sample.prediction, sample.reference), parameters)


def missing(sample: Sample, parameters: EventAccuracyParameters) -> Row:
    """Nobody plays."""
    reference = sample.reference
    cells = reference.cells if isinstance(reference, Events) else _at(reference, np.unique(reference.starts))
    return _row([frozenset()] * len(cells), cells, parameters)


def score(rows: Rows, parameters: EventAccuracyParameters) -> Score:
    """Mean over events; beside it the ratio of all cells, and the mean over pieces."""
    events = int(rows.column("events").sum())
    companions = {"events": float(events)}
    if not events:
        return Score(None, "no_reference", companions)
    each = _each(rows)
    known = each[~np.isnan(each)]
    companions |= {
        "cell_accuracy": 100.0 * float(rows.column("both").sum()) / float(rows.column("either").sum()),
        "piece_mean": math.fsum(known) / len(known),
    }
    return Score(100.0 * math.fsum(rows.column("sum")) / events, companions=companions)


def _each(rows: Rows) -> NDArray[np.float64]:
    events = rows.column("events")
    return np.asarray(np.where(events > 0, 100.0 * rows.column("sum") / np.maximum(events, 1), np.nan))


def interval(rows: Rows, parameters: EventAccuracyParameters) -> Interval | None:
    """Bootstrap over pieces."""
    del parameters
    contributions = np.column_stack([rows.column("sum"), rows.column("events").astype(np.float64)])
    return bootstrap(rows.keys, contributions, lambda totals: 100.0 * totals[:, 0] / totals[:, 1])


METRIC = Metric(
    id="e_accuracy", version=1, input_kind="orchestration", unit="percent", higher_is_better=True, value_range=(0.0, 100.0), pooling="corpus",
    parameters=EventAccuracyParameters, columns={"sum": Column("f8"), "events": Column("i8"), "both": Column("i8"), "either": Column("i8")},
    observe=observe, score=score, missing=missing, interval=interval, samples=lambda rows, _: _each(rows),
)
