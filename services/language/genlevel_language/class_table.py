"""The class table beside a value: precision, recall, F1 and size of each class, and what guessing would give.

A metric whose labels may or may not be a closed set (accuracy, micro_f1) keeps the labels of a sample as bytes, one after another:
whether it was hit, missed or too much, the length of its name, its name in UTF-8. Whether there are classes at all is seen from the
whole task: names that two samples or more expect, and that make up half of what is expected. A text of its own in every
sample is no class, and is never shown.

>>> bytes(cell(hits=["b"], missed=["a"]))
b'\\x01\\x01b\\x02\\x01a'
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from genlevel_evaluator.states import Column, Rows
from genlevel_evaluator.statistics.ngrams import ratio

COLUMNS = {"labels": Column("u1", ragged=True)}
PREFIX = "class/"
MAX_CLASSES = 50
"""Most classes that are listed."""
MAX_NAME = 40
"""Longest name of a class, in bytes."""
MAX_LABELS = 8
"""Most labels of a sample that are looked at."""
_HIT, _MISSED, _SURPLUS = 1, 2, 3
_OPEN = [0]
_BLOCK = 1 << 14  # samples whose labels are looked at together


def cell(hits: Iterable[str] = (), missed: Iterable[str] = (), surplus: Iterable[str] = ()) -> list[int]:
    """Labels of one sample for the column `labels`; a mark where they are too many or too long to be classes."""
    found: list[int] = []
    labels = [(kind, name) for kind, names in ((_HIT, hits), (_MISSED, missed), (_SURPLUS, surplus)) for name in sorted(names)]
    if len(labels) > MAX_LABELS:
        return _OPEN
    for kind, label in labels:
        name = label.encode("utf-8", "replace")
        if kind != _SURPLUS and not 0 < len(name) <= MAX_NAME:
            return _OPEN
        name = name if len(name) <= MAX_NAME else b""  # whatever it is, it is no class
        found += (kind, len(name), *name)
    return found


@dataclass
class _Counts:
    """How often each name was hit, missed, too much; samples with classes; samples whose answer names none of them."""

    hit: Counter[str] = field(default_factory=Counter)
    missed: Counter[str] = field(default_factory=Counter)
    surplus: Counter[str] = field(default_factory=Counter)
    samples: int = 0

    def add(self, labels: Iterable[tuple[int, str]], times: int) -> None:
        self.samples += times
        for kind, name in labels:
            (self.hit if kind == _HIT else self.missed if kind == _MISSED else self.surplus)[name] += times


def companions(rows: Rows) -> dict[str, float]:
    """The table of the classes, the values of guessing and the share of answers that name no class; nothing without classes."""
    cells = Counter(_cells(rows))
    counts = _Counts()
    for labels, times in cells.items():
        if labels != b"\0":
            counts.add(_labels(labels), times)
    expected = counts.hit + counts.missed
    repeated = {name: size for name, size in expected.items() if size > 1}
    if 2 * counts.samples < len(rows) or not repeated or 2 * sum(repeated.values()) < expected.total():
        return {}
    lost = sum(times for labels, times in cells.items() if labels not in (b"", b"\0") and not _names_one(labels, expected))
    given = counts.hit + counts.surplus
    return {
        "classes": float(len(expected)),
        "majority_baseline": _guessing(max(expected.values()), counts.samples, expected.total()),
        "chance": _guessing(expected.total() / len(expected), counts.samples, expected.total()),
        "no_known_class": 100.0 * lost / counts.samples,
        **listed([(name, counts.hit[name], size, given[name]) for name, size in repeated.items()], len(expected)),
    }


def _guessing(hits: float, samples: int, expected: int) -> float:
    """Micro F1, with one label each the accuracy, of one guessed label a sample."""
    return 100.0 * ratio(2 * hits, samples + expected)


def _cells(rows: Rows) -> Iterator[bytes]:
    values, lengths = rows.values["labels"], rows.lengths["labels"]
    begin = 0
    for first in range(0, len(lengths), _BLOCK):
        sizes = lengths[first : first + _BLOCK].tolist()
        data, start = values[begin : begin + sum(sizes)].tobytes(), 0
        for size in sizes:
            yield data[start : start + size]
            start += size
        begin += start


def _labels(labels: bytes) -> Iterator[tuple[int, str]]:
    place = 0
    while place < len(labels):
        kind, size = labels[place], labels[place + 1]
        yield kind, labels[place + 2 : place + 2 + size].decode("utf-8", "replace")
        place += 2 + size


def _names_one(labels: bytes, classes: Mapping[str, int]) -> bool:
    return any(kind != _MISSED and name in classes for kind, name in _labels(labels))


def listed(classes: Sequence[tuple[str, float, float, float]], total: int) -> dict[str, float]:
    """Entries `class/<name>/<number>` of the largest classes, given as (name, hits, expected, given).

    >>> listed([("cat", 1, 2, 2)], 1)
    {'class/cat/precision': 50.0, 'class/cat/recall': 50.0, 'class/cat/f1': 50.0, 'class/cat/n': 2.0}
    """
    shown = sorted(classes, key=lambda one: (-one[2], one[0]))[:MAX_CLASSES]
    found: dict[str, float] = {}
    for name, hits, expected, given in shown:
        found |= {
            f"{PREFIX}{name}/precision": 100.0 * ratio(hits, given),
            f"{PREFIX}{name}/recall": 100.0 * ratio(hits, expected),
            f"{PREFIX}{name}/f1": 100.0 * ratio(2 * hits, expected + given),
            f"{PREFIX}{name}/n": float(expected),
        }
    if len(shown) < total:
        found["classes_not_listed"] = float(total - len(shown))
    return found
