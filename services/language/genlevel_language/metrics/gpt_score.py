"""GPT score: share of answers that a judge accepts, or mean of its marks.

    gpt_score = 100 * sum over samples of s / samples

s is the judge's verdict (`prompt=binary`: 0 or 1), or (x - 1) / 4 of its mark x from 1 to 5 (`prompt=rubric_1_5`). The judge is a
language model behind an OpenAI-compatible endpoint that the environment names (docs/settings.md); it is asked at temperature 0, with
the question, the accepted answers and the model's answer quoted as data, in the words of genlevel_language/judge/prompts. With
`repeats` (an odd number) each question is asked that often and the median counts. A sample may carry a verdict in place of an
answer: then nobody is asked.

    Direction     higher is better
    Range         [0, 100]
    Unit          percent
    Pooling       sample: the mean over samples
    Sample        prediction: the answer, or a verdict with its judge; references: accepted answers; attribute `question` or `prompt`
    State         rows (score, digest of judge and prompt, pairs of verdicts and how many agree, tokens), keyed by sample
    Undefined     no sample has a reference: no_reference
    Source        metric-decisions, section 1: the share a judge accepts; the prompts are ours, since the published one is not known
    Checked with  a server that speaks the protocol (tests/language/test_gpt_score.py) and a derivation
    Differs from  scorers that count a reply which cannot be read as 0: here it is asked for again, and then left out as a failure of
                  the judge, which makes the task provisional

A missing answer, and one that is blank, scores 0 without being judged. `judge` and `prompt_sha256` are filled in from the environment
and the prompt, and belong to the signature; verdicts of another judge, or made with another or an unknown prompt, make the value not
comparable. A task may fix both. Tokens and their price stand beside the value and are those of the requests that led to the verdicts,
whether they were made now or remembered.

>>> one = Sample("1", "It is a dog.", ("a dog",), answer=Judgement((1.0,), "judge-model", "ab"))
>>> observe(one, GptScoreParameters())["score"]
1.0
>>> Judgement((0.25, 0.75, 0.5), "judge-model", "ab").score
0.5
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any, Literal

from genlevel_evaluator.digests import digest
from genlevel_evaluator.errors import Code, EvaluatorError, SampleError
from genlevel_evaluator.metric import Metric, Sample, Score
from genlevel_evaluator.parameters import Parameters
from genlevel_evaluator.states import Column, Row, Rows
from genlevel_evaluator.statistics.intervals import Interval, proportion
from genlevel_language import means
from genlevel_language.judge import settings
from genlevel_language.judge.cache import total
from genlevel_language.judge.prompt import Prompt, messages, prompt
from genlevel_language.judge.reply import mark
from genlevel_language.verdicts import Verdict

MAX_JUDGED = 16_384
"""Most characters of a question, of the accepted answers together, and of an answer that is sent to a judge."""
MOST_REPEATS = 15
NOBODY = 0
"""Stands for the judge of samples that need none."""


@dataclass(frozen=True)
class GptScoreParameters(Parameters):
    """Parameters of the GPT score."""

    prompt: Literal["binary", "rubric_1_5"] = "binary"
    repeats: int = 1
    judge: str = ""
    prompt_sha256: str = ""

    def __post_init__(self) -> None:
        if not 1 <= self.repeats <= MOST_REPEATS or self.repeats % 2 == 0:
            raise ValueError(f"repeats: {self.repeats} is not an odd number from 1 to {MOST_REPEATS}")


@dataclass(frozen=True)
class Judgement:
    """What was said of one answer: shares from 0 to 1, the median of which counts unless `own_first`, where it is the first."""

    shares: tuple[float, ...]
    judge: str = ""
    prompt_sha256: str = ""
    tokens: tuple[int | None, int | None] = (0, 0)
    own_first: bool = False

    @property
    def score(self) -> float:
        """The share that counts."""
        return self.shares[0] if self.own_first else statistics.median(self.shares)


def settle(parameters: GptScoreParameters) -> GptScoreParameters:
    """The judge and the hash of the prompt, where the task does not fix them."""
    return replace(
        parameters,
        judge=parameters.judge or settings.configured_model(),
        prompt_sha256=parameters.prompt_sha256 or prompt(parameters.prompt).sha256,
    )


def consult(samples: Sequence[Sample], parameters: GptScoreParameters, check: Callable[[], None]) -> list[Judgement | SampleError]:
    """Judgements of samples with an answer: supplied ones, and the judge's of all others."""
    asked = prompt(parameters.prompt)
    found: dict[int, Judgement | SampleError] = {}
    pending: dict[int, list[dict[str, str]]] = {}
    for place, sample in enumerate(samples):
        try:
            known = _supplied(sample.prediction, parameters)
            if known is not None:
                found[place] = known
            else:
                pending[place] = _messages(sample, asked)
        except SampleError as error:
            found[place] = error
    if pending:
        found.update(zip(pending, _ask(list(pending.values()), asked, parameters, check), strict=True))
    return [found[place] for place in range(len(samples))]


def _supplied(given: Any, parameters: GptScoreParameters) -> Judgement | None:
    """The judgement of an answer that nobody need be asked about."""
    if isinstance(given, SampleError):
        raise given
    if isinstance(given, str):
        return None if given.strip() else Judgement((0.0,))
    asked = prompt(parameters.prompt)
    verdicts: tuple[Verdict, ...] = (given, *given.others)
    if any(item.rubric != (asked.highest > 1) for item in verdicts):
        message = f"the verdict is on another scale than prompt={parameters.prompt}"
        raise SampleError("WRONG_SCALE", message, remedy="set the parameter prompt to the scale of the verdicts", side="infrastructure")
    return Judgement(tuple(asked.share(item.mark) for item in verdicts), given.judge, given.prompt_sha256, own_first=True)


def _messages(sample: Sample, asked: Prompt) -> list[dict[str, str]]:
    names = ("question", "prompt")
    question = next((text for name in names if isinstance(text := sample.attributes.get(name), str) and text.strip()), None)
    if question is None:
        remedy = "give the question in the sample's attribute question or prompt"
        raise SampleError("NO_QUESTION", "the sample has no question to judge its answer by", remedy=remedy, side="reference")
    accepted = [reference for reference in sample.references if reference.strip()]
    if not accepted:
        raise SampleError("EMPTY_REFERENCE", "all accepted answers are blank", remedy="give one, or leave the sample out", side="reference")
    _bound(len(question), "question", "reference")
    _bound(sum(map(len, accepted)), "accepted answers", "reference")
    _bound(len(sample.prediction), "answer", "prediction")
    return messages(asked, question, accepted, sample.prediction)


def _bound(size: int, what: str, side: str) -> None:
    if size > MAX_JUDGED:
        message = f"{what}: {size} characters, at most {MAX_JUDGED} are sent to a judge"
        raise SampleError("TOO_LONG_TO_JUDGE", message, remedy="shorten the text", side=side)


def _ask(
    questions: Sequence[list[dict[str, str]]], asked: Prompt, parameters: GptScoreParameters, check: Callable[[], None]
) -> list[Judgement | SampleError]:
    judge = settings.judge_settings()
    if (parameters.judge, parameters.prompt_sha256) != (judge.model, asked.sha256):
        raise EvaluatorError(
            Code.FAILED_PRECONDITION, "JUDGE_OTHER",
            f"the task asks for judge {parameters.judge} and prompt {parameters.prompt_sha256[:12]}, here are {judge.model} and {asked.sha256[:12]}",
            f"set {settings.MODEL} to the task's judge, or leave judge and prompt_sha256 out of the task's parameters",
        )
    from genlevel_language.judge import client  # the network's libraries are needed here alone

    repeats = range(parameters.repeats)
    answers = client.ask(judge, [client.Question(asked, tuple(question), repeat) for question in questions for repeat in repeats], check)
    result: list[Judgement | SampleError] = []
    for start in range(0, len(answers), len(repeats)):
        of_one = answers[start : start + len(repeats)]
        failed = next((item for item in of_one if isinstance(item, SampleError)), None)
        given = [item for item in of_one if not isinstance(item, SampleError)]
        shares = tuple(asked.share(mark(item.reply, asked) or 0) for item in given)
        tokens = (total(item.tokens_in for item in given), total(item.tokens_out for item in given))
        result.append(failed or Judgement(shares, judge.model, asked.sha256, tokens))
    return result


def _who(judge: str, prompt_sha256: str) -> int:
    return digest(f"{judge}\n{prompt_sha256}") if judge else NOBODY


def observe(sample: Sample, parameters: GptScoreParameters) -> Row:
    """One sample that was judged."""
    del parameters
    judgement: Judgement = sample.answer
    pairs = list(combinations(judgement.shares, 2))
    return {
        "score": judgement.score, "judge": _who(judgement.judge, judgement.prompt_sha256),
        "pairs": len(pairs), "agreeing": sum(one == other for one, other in pairs),
        "tokens_in": judgement.tokens[0] or 0, "tokens_out": judgement.tokens[1] or 0, "uncounted": int(None in judgement.tokens),
    }  # fmt: skip


def missing(sample: Sample, parameters: GptScoreParameters) -> Row:
    """A missing answer is not accepted."""
    return observe(replace(sample, answer=Judgement((0.0,))), parameters)


def score(rows: Rows, parameters: GptScoreParameters) -> Score:
    """Mean, with tokens, their price, and the share of pairs of verdicts that agree."""
    tokens_in, tokens_out, pairs, agreeing, uncounted = (
        int(rows.column(name).sum()) for name in ("tokens_in", "tokens_out", "pairs", "agreeing", "uncounted")
    )
    companions: dict[str, float] = {"tokens_in": tokens_in, "tokens_out": tokens_out}
    if (price := settings.prices()) is not None:
        companions["cost"] = math.fsum((tokens_in * price[0], tokens_out * price[1])) / 1e6
    if pairs:
        companions["agreement"] = 100.0 * agreeing / pairs
    ours = {NOBODY, _who(parameters.judge, parameters.prompt_sha256)}
    warnings = ("not_comparable", "other_judge") if set(rows.column("judge").tolist()) - ours else ()
    return Score(means.percent(rows, "score"), companions=companions, warnings=(*warnings, *(["tokens_not_reported"] if uncounted else [])))


def interval(rows: Rows, parameters: GptScoreParameters) -> Interval | None:
    """Of a share: Wilson below 30 samples, else bootstrap. Of marks: bootstrap."""
    if prompt(parameters.prompt).highest > 1:
        return means.percent_interval(rows, "score")
    return proportion(rows.keys, rows.column("score"))


METRIC = Metric(
    id="gpt_score",
    version=1,
    input_kind="verdict",
    unit="percent",
    higher_is_better=True,
    value_range=(0.0, 100.0),
    pooling="sample",
    parameters=GptScoreParameters,
    columns={
        "score": Column("f8"),
        **{name: Column("i8") for name in ("judge", "pairs", "agreeing", "tokens_in", "tokens_out", "uncounted")},
    },
    observe=observe,
    score=score,
    missing=missing,
    interval=interval,
    samples=means.percents("score"),
    settle=settle,
    consult=consult,
)
