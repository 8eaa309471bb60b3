"""What stands beside BLEU and its like: sacreBLEU's corpus BLEU of the same texts, and chrF where they are not Latin.

sacreBLEU: nrefs:var|case:mixed|eff:no|tok:13a|smooth:exp. chrF2: characters of order 1 to 6, white space left out, the best reference.
Both equal sacrebleu 2 to the last digits; an empty reference is taken as one, while sacrebleu drops it.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence

from genlevel_evaluator.states import Column, Row, Rows
from genlevel_evaluator.statistics import ngrams, ngrams_bleu

COLUMNS = {"sacre": Column("i8", (10,)), "chrf": Column("i8", (18,)), "not_latin": Column("u1")}
"""Matches and totals of orders 1 to 4 and both lengths; n-grams of output, reference and both for each of 6 orders; whether chrF counts."""

_ORDERS = 6
_BETA_SQUARED = 4.0
_NOT_LATIN = re.compile(
    "[\u0370-\u1dff\u1f00-\u1fff\u2c00-\u2c5f\u2c80-\u2dff\u3040-\ud7ff\uf900-\ufaff\ufb1d-\ufefe\U00010000-\U0001efff\U00020000-\U0003ffff]"
)
_13A = (
    (re.compile(r"([\{-\~\[-\` -\&\(-\+\:-\@\/])"), r" \1 "),
    (re.compile(r"([^0-9])([\.,])"), r"\1 \2 "),
    (re.compile(r"([\.,])([^0-9])"), r" \1 \2"),
    (re.compile(r"([0-9])(-)"), r"\1 \2 "),
)
_ENTITIES = (("&quot;", '"'), ("&amp;", "&"), ("&lt;", "<"), ("&gt;", ">"))


def observe(prediction: str, references: Sequence[str]) -> Row:
    """The columns of one sample."""
    counts = ngrams_bleu.counts(words_13a(prediction), [words_13a(reference) for reference in references])
    not_latin = any(_NOT_LATIN.search(reference) for reference in references)
    return {
        "sacre": [*counts.matches, *counts.totals, counts.hypothesis_length, counts.reference_length],
        "chrf": _chrf_counts(prediction, references) if not_latin else [0] * (3 * _ORDERS),
        "not_latin": int(not_latin),
    }


def companions(rows: Rows) -> dict[str, float]:
    """sacreBLEU of all samples; chrF of those whose references are not Latin, if there are any."""
    totals = rows.column("sacre").sum(axis=0).tolist()
    found = {"sacrebleu": smoothed(totals[:4], totals[4:8], totals[8], totals[9])}
    chosen = rows.column("not_latin") > 0
    if chosen.any():
        found["chrf_not_latin"] = chrf(rows.column("chrf")[chosen].sum(axis=0).tolist())
    return found


def words_13a(text: str) -> list[str]:
    """Words as mteval-v13a cuts them.

    >>> words_13a("It's 3.5%, (he said).")
    ["It's", '3.5', '%', ',', '(', 'he', 'said', ')', '.']
    """
    text = text.rstrip().replace("<skipped>", "").replace("-\n", "").replace("\n", " ")
    if "&" in text:
        for entity, character in _ENTITIES:
            text = text.replace(entity, character)
    text = f" {text} "
    for pattern, replacement in _13A:
        text = pattern.sub(replacement, text)
    return text.split()


def smoothed(matches: Sequence[int], totals: Sequence[int], hypothesis_length: int, reference_length: int) -> float:
    """BLEU in percent with sacreBLEU's default smoothing: the k-th order without a match counts as 1 / 2^k matches."""
    if not any(matches):
        return 0.0
    logarithms, factor = [], 1.0
    for match, total in zip(matches, totals, strict=True):
        if not total:
            return 0.0  # an order that no output is long enough for: without effective order there is no score
        factor *= 1.0 if match else 2.0
        logarithms.append(math.log(match / total if match else 1.0 / (factor * total)))
    return 100.0 * math.exp(math.fsum(logarithms) / len(logarithms)) * ngrams.brevity_penalty(hypothesis_length, reference_length)


def _chrf_counts(prediction: str, references: Sequence[str]) -> list[int]:
    """Counts against the reference with the best chrF, the first of equals."""
    hypothesis = "".join(prediction.split())
    grams = [_grams(hypothesis, order) for order in range(1, _ORDERS + 1)]
    best, score = [0] * (3 * _ORDERS), -1.0
    for reference in references:
        counts = _against(grams, "".join(reference.split()))
        value = chrf(counts)
        if value > score:
            best, score = counts, value
    return best


def _against(grams: Sequence[Counter[str]], reference: str) -> list[int]:
    counts: list[int] = []
    for order, own in enumerate(grams, 1):
        other = _grams(reference, order)
        # Without n-grams in the reference those of the output are not held against it.
        counts += [own.total() if other else 0, other.total(), sum((own & other).values())]
    return counts


def _grams(text: str, order: int) -> Counter[str]:
    return Counter(text[place : place + order] for place in range(len(text) - order + 1))


def chrf(counts: Sequence[int]) -> float:
    """chrF2 in percent, from the counts of `observe` or their sums."""
    precision = recall = 0.0
    orders = 0
    for place in range(0, len(counts), 3):
        own, other, both = counts[place : place + 3]
        if own and other:
            precision, recall, orders = precision + both / own, recall + both / other, orders + 1
    if not precision or not recall:
        return 0.0
    precision, recall = precision / orders, recall / orders
    return 100.0 * (1.0 + _BETA_SQUARED) * precision * recall / (_BETA_SQUARED * precision + recall)
