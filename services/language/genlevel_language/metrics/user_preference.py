"""User preference rate: the share of votes people gave to a system, ties shared out.

    user_preference = 100 * (votes for the system + ties / options) / votes

A vote is a choice among two or more systems, or a tie; a tie between k options counts 1/k for each, a half between two. Votes that do not
offer the system count only for the strengths. Votes with different numbers of options go into one ratio, with the warning `mixed_options`.

Beside the value stand the numbers of items, raters and counted votes, `ties` (percent), `chance` (what a system no better than the others
would get: 100/k, the mean over votes), `sign_test_p` where every vote is between two systems (exact, two-sided, ties left out, votes taken as
independent), Krippendorff's alpha of the choices (nominal, items with the same options), and `strength.<system>`, what each system would
get were all of them offered at once (Bradley and Terry, Luce), in percent.

    Direction     higher is better
    Range         [0, 100]
    Unit          percent
    Pooling       corpus: one ratio over all votes
    Sample        votes on one item, each with its rater, its options and its choice; there are no references. systems=A|B closes the
                  list of systems a vote may name
    State         rows (raters, choices, options, names), keyed by item
    Undefined     no item has votes that can be used: no_reference
    Source        metric-decisions, section 3
    Checked with  scipy.stats.binomtest, the packages krippendorff and choix, and counts
    Differs from  a mean over items, which weighs an item with one vote like one with ten. An item without usable votes lowers the coverage

The interval draws raters and items anew; it is Wilson's below 30 votes, and where all votes are the same there is nothing to draw, so
Wilson's with as many trials as there are raters or items, whichever are fewer. With one rater there is none (`single_rater`), and below five
it is too narrow (`few_raters`).

>>> votes = (Vote("a", ("ours", "other"), "ours"), Vote("b", ("ours", "other"), None))
>>> observe(Sample("1", votes), UserPreferenceParameters())["choice"]
[1, -1]
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, replace
from itertools import chain
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from genlevel_evaluator.digests import word_digest
from genlevel_evaluator.errors import SampleError
from genlevel_evaluator.metric import Metric, Sample, Score
from genlevel_evaluator.parameters import Parameters
from genlevel_evaluator.states import Column, Row, Rows
from genlevel_evaluator.statistics.agreement import krippendorff_alpha
from genlevel_evaluator.statistics.intervals import Interval, bootstrap_two_way, wilson
from genlevel_evaluator.statistics.preference import sign_test, strengths
from genlevel_language.judgements import Vote, name_of, rater_warnings, unknown

MOST_SYSTEMS = 64
"""Systems whose strengths are given."""
TIE = -1


@dataclass(frozen=True)
class UserPreferenceParameters(Parameters):
    """Parameters of user preference."""

    system: str = "ours"
    systems: str | None = None

    def __post_init__(self) -> None:
        if not name_of(self.system):
            raise ValueError("system: give the name of the system whose share is wanted")
        if self.closed and name_of(self.system) not in self.closed:
            raise ValueError(f"system: {self.system!r} is not among systems ({self.systems})")

    @property
    def closed(self) -> tuple[str, ...]:
        """The systems a vote may name; any without."""
        return tuple(name_of(name) for name in (self.systems or "").split("|") if name.strip())


def observe(sample: Sample, parameters: UserPreferenceParameters) -> Row:
    """One item."""
    votes: tuple[Vote, ...] = sample.prediction
    names = sorted({name for vote in votes for name in vote.options})
    system = name_of(parameters.system)
    for vote in votes:
        for name in vote.options:
            if parameters.closed and name not in parameters.closed:
                raise unknown(name, vote.rater, parameters.closed)
    if system not in names:
        shown = ", ".join(map(repr, names[:5])) + (" and others" if len(names) > 5 else "")
        raise SampleError(
            "SYSTEM_NOT_OFFERED", f"no vote offers system {system!r}; they offer {shown}",
            remedy="name the system with the parameter `system`", side="prediction",
        )  # fmt: skip
    place = {name: index for index, name in enumerate(names)}
    return {
        "rater": [word_digest(vote.rater) for vote in votes],
        "choice": [TIE if vote.choice is None else place[vote.choice] for vote in votes],
        "options": [len(vote.options) for vote in votes],
        "offered": list(chain.from_iterable([place[name] for name in vote.options] for vote in votes)),
        "names": np.frombuffer(json.dumps(names, ensure_ascii=False).encode(), dtype=np.uint8),
    }


class _Votes(NamedTuple):
    """All votes, item by item: systems are places in ``names``, ``offered`` holds the options of vote after vote."""

    names: list[str]
    item: NDArray[np.int64]
    rater: NDArray[np.int64]
    choice: NDArray[np.int64]
    options: NDArray[np.int64]
    offered: NDArray[np.int64]
    vote: NDArray[np.int64]


def _votes(rows: Rows) -> _Votes:
    own = [json.loads(names.tobytes()) for names in rows.ragged("names")]
    names = sorted(set(chain.from_iterable(own)))
    place = {name: index for index, name in enumerate(names)}
    table = np.array([place[name] for name in chain.from_iterable(own)], dtype=np.int64)
    counts = np.array([len(found) for found in own], dtype=np.int64)
    begin = np.cumsum(counts) - counts
    sizes, options, choice = rows.lengths["choice"], rows.values["options"], rows.values["choice"]
    item = np.repeat(np.arange(len(rows)), sizes)
    chosen = np.where(choice == TIE, TIE, table[begin[item] + np.maximum(choice, 0)])
    offered = table[np.repeat(begin, rows.lengths["offered"]) + rows.values["offered"]]
    return _Votes(names, item, rows.values["rater"], chosen, options, offered, np.repeat(np.arange(len(options)), options))


def _credits(votes: _Votes, system: str) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """What each vote gives the system, and whether it offers it."""
    wanted = votes.names.index(system)
    counted = np.bincount(votes.vote[votes.offered == wanted], minlength=len(votes.options)) > 0
    given = np.where(votes.choice == TIE, 1.0 / votes.options, votes.choice == wanted)
    return np.where(counted, given, 0.0), counted


def score(rows: Rows, parameters: UserPreferenceParameters) -> Score:
    """The share, with chance, ties, agreement and strengths beside."""
    votes = _votes(rows)
    given, counted = _credits(votes, name_of(parameters.system))
    total, options, ties = int(counted.sum()), votes.options[counted], votes.choice[counted] == TIE
    companions = {
        "items": float(len(rows)),
        "raters": float(len(np.unique(votes.rater[counted]))),
        "votes": float(total),
        "ties": 100.0 * math.fsum(ties) / total,
        "chance": 100.0 * math.fsum(1.0 / options) / total,
    }
    if np.all(options == 2):
        companions["sign_test_p"] = sign_test(int(np.sum(given[counted & (votes.choice != TIE)])), int(np.sum(~ties)))
    warnings = ["mixed_options"] if len(set(options.tolist())) > 1 else []
    warnings += rater_warnings(companions["raters"]) + _add_agreement_and_strengths(votes, companions)
    return Score(100.0 * math.fsum(given) / total, companions=companions, warnings=tuple(warnings))


def _add_agreement_and_strengths(votes: _Votes, companions: dict[str, float]) -> list[str]:
    """Add what can be said of all votes; a word for what cannot."""
    if len(votes.names) > MOST_SYSTEMS:
        return ["too_many_systems"]
    starts = np.cumsum(votes.options) - votes.options
    bits = np.bitwise_or.reduceat(np.uint64(1) << votes.offered.astype(np.uint64), starts)
    codes, which = np.unique(bits, return_inverse=True)
    sets = (codes[:, None] >> np.arange(len(votes.names), dtype=np.uint64) & np.uint64(1)) > 0
    agreement = krippendorff_alpha(votes.item * len(sets) + which, votes.choice, "nominal")
    if agreement is not None:
        companions["krippendorff_alpha"] = agreement
    chosen = np.zeros(sets.shape)
    decided = votes.choice != TIE
    np.add.at(chosen, (which[decided], votes.choice[decided]), 1.0)
    shared = np.bincount(which[~decided], minlength=len(sets)) / sets.sum(axis=1)
    found = strengths(sets, chosen + sets * shared[:, None])
    if found is None:
        return ["no_strengths"]
    companions.update({f"strength.{name}": 100.0 * value for name, value in zip(votes.names, found.tolist(), strict=True)})
    return []


def samples(rows: Rows, parameters: UserPreferenceParameters) -> NDArray[np.float64]:
    """The share of each item's votes."""
    votes = _votes(rows)
    given, counted = _credits(votes, name_of(parameters.system))
    total = np.bincount(votes.item[counted], minlength=len(rows))
    return np.asarray(100.0 * np.bincount(votes.item, weights=given, minlength=len(rows)) / total)


def interval(rows: Rows, parameters: UserPreferenceParameters) -> Interval | None:
    """Bootstrap over raters and items; Wilson below 30 votes and where all are the same."""
    votes = _votes(rows)
    given, counted = _credits(votes, name_of(parameters.system))
    raters, total = len(np.unique(votes.rater[counted])), int(counted.sum())
    if raters < 2:
        return None
    resampled = bootstrap_two_way(
        rows.keys, np.bincount(votes.item[counted], minlength=len(rows)), votes.rater[counted],
        np.column_stack([given[counted], np.ones(total)]), lambda sums: sums, lambda totals: 100.0 * totals[:, 0] / totals[:, 1],
    )  # fmt: skip
    alike = len(set(given[counted].tolist())) == 1
    if total >= 30 and not alike:
        return resampled
    trials = min(raters, len(rows)) if alike else total
    found = wilson(trials * math.fsum(given) / total, trials)
    return replace(found, replicates=resampled.replicates) if found is not None and resampled is not None else found


METRIC = Metric(
    id="user_preference",
    version=2,
    input_kind="votes",
    unit="percent",
    higher_is_better=True,
    value_range=(0.0, 100.0),
    pooling="corpus",
    parameters=UserPreferenceParameters,
    columns={
        **{name: Column("i8", ragged=True) for name in ("rater", "choice", "options", "offered")},
        "names": Column("u1", ragged=True),
    },
    observe=observe,
    score=score,
    interval=interval,
    samples=samples,
    reference_free=True,
)
