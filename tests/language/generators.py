"""Small random samples of each metric of the language evaluator, for the common laws."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from numpy.random import Generator

from genlevel_evaluator.engine import RawSample
from genlevel_evaluator.kinds import Content
from genlevel_evaluator.metric import Presence

WORDS = ["the", "cat", "sat", "on", "a", "mat.", "The", "dog,", "isn't", "naïve", "猫", "ran", "away!", "3.5", "running", "runs"]
ANSWERS = ["yes", "Yes.", "no", "on the left", "B", "(B)", "42", ""]
LABELS = ["joy", "fear", "trust", "Joy", "a, b"]


def _sample(index: int, prediction: Content | None, references: list[Content]) -> RawSample:
    presence = Presence.PREDICTION_MISSING if prediction is None else Presence.BOTH
    return RawSample(str(index), prediction, tuple(references), presence)


def texts(random: Generator, count: int) -> list[RawSample]:
    """Sentences with one to three references; some are equal, empty, or missing."""

    def sentence() -> Content:
        return Content(text=" ".join(random.choice(WORDS, size=int(random.integers(0, 12)))))

    samples = []
    for index in range(count):
        references = [sentence() for _ in range(int(random.integers(1, 4)))]
        prediction = references[-1] if index % 5 == 1 else Content(text="") if index % 5 == 4 else sentence()
        samples.append(_sample(index, None if index % 7 == 3 else prediction, references))
    return samples


def answers(random: Generator, count: int) -> list[RawSample]:
    """Short answers; some are missing."""

    def answer() -> Content:
        return Content(text=str(random.choice(ANSWERS)))

    return [
        _sample(index, None if index % 7 == 3 else answer(), [answer() for _ in range(int(random.integers(1, 4)))])
        for index in range(count)
    ]


def labels(random: Generator, count: int) -> list[RawSample]:
    """Label sets as lists and as text, empty ones on either side, missing predictions."""

    def chosen() -> list[str]:
        return [str(label) for label in random.choice(LABELS, size=int(random.integers(0, 4)), replace=False)]

    samples = []
    for index in range(count):
        reference = Content(json=["joy"] if index == 0 else chosen())
        prediction = Content(text="<p>".join(chosen())) if index % 2 else Content(json=chosen())
        samples.append(_sample(index, None if index % 7 == 3 else prediction, [reference]))
    return samples


def verdicts(random: Generator, count: int) -> list[RawSample]:
    """Verdicts of two judges with a second opinion now and then; blank and missing answers, which nobody is asked about."""

    def verdict(judge: str) -> dict[str, object]:
        return {"verdict": int(random.integers(0, 2)), "judge": judge}

    samples = []
    for index in range(count):
        given = verdict("one" if index % 3 else "two") | ({"others": [verdict("three")]} if index % 2 else {})
        prediction = Content(text=" ") if index % 6 == 5 else Content(json=given)
        samples.append(_sample(index, None if index % 7 == 3 else prediction, [Content(text="a dog")]))
    return samples


CLASSES = ["causes", "Enables", "reaction", "no relation", "猫"]


def classes(random: Generator, count: int) -> list[RawSample]:
    """One label a sample, some by three annotators, answers in other case, with several labels, with none, or missing."""

    def name() -> str:
        return str(random.choice(CLASSES))

    samples = []
    for index in range(count):
        label = CLASSES[index % 2] if index < 2 else name()
        reference = Content(json=[label, label, name()]) if index % 3 else Content(text=label)
        given = label.upper() + "." if index % 2 else name()
        prediction = Content(json=[label, name()]) if index % 5 == 4 else Content(text="" if index % 11 == 6 else given)
        samples.append(_sample(index, None if index % 7 == 3 else prediction, [reference]))
    return samples


def entities(random: Generator, count: int) -> list[RawSample]:
    """Typed texts, some repeated, none on either side, as text, several references, missing predictions."""

    def chosen() -> list[dict[str, str]]:
        size = int(random.integers(0, 4))
        return [{"text": str(random.choice(WORDS[:4])), "type": str(random.choice(["PER", "per", "LOC"]))} for _ in range(size)]

    samples = []
    for index in range(count):
        references = [Content(json=chosen()) for _ in range(int(random.integers(1, 3)))]
        in_words = Content(text="<p>".join(f"{one['text']} => {one['type']}" for one in chosen()))
        prediction = references[0] if index == 0 else in_words if index % 2 else Content(json=chosen())
        references = [Content(json=[{"text": "cat", "type": "PER"}])] if index == 0 else references
        samples.append(_sample(index, None if index % 7 == 3 else prediction, references))
    return samples


def events(random: Generator, count: int) -> list[RawSample]:
    """Events with and without arguments, some repeated, none on either side, missing predictions."""

    def argument() -> dict[str, str]:
        return {"role": str(random.choice(["Target", "Place"])), "text": str(random.choice(WORDS))}

    def chosen() -> list[dict[str, object]]:
        return [
            {
                "type": str(random.choice(["Attack", "attack", "Die"])),
                "trigger": str(random.choice(WORDS[:4])),
                "arguments": [argument() for _ in range(int(random.integers(0, 3)))],
            }
            for _ in range(int(random.integers(0, 4)))
        ]

    samples = []
    for index in range(count):
        reference = Content(json=[{"type": "Die", "trigger": "fell"}, *chosen()] if index == 0 else chosen())
        prediction = Content(text="Die => fell<p>Attack => cat") if index == 0 else Content(json=chosen())
        samples.append(_sample(index, None if index % 7 == 3 else prediction, [reference]))
    return samples


def relations(random: Generator, count: int) -> list[RawSample]:
    """One relation label a sample, often the null one."""

    def name() -> str:
        return str(random.choice(["none", "None", "/per/org/member_of", "/per/per/peer", "no_relation"]))

    samples = []
    for index in range(count):
        label = "/per/per/peer" if index == 0 else name()
        prediction = Content(text=label if index % 2 == 0 else name())
        samples.append(_sample(index, None if index % 7 == 3 else prediction, [Content(text=label)]))
    return samples


def counts(random: Generator, count: int) -> list[RawSample]:
    """Numbers as such and in words, answers without one, several references, missing predictions."""
    answers = ["I see 12 birds.", "twenty-one", "none that I can see", "about 2.5"]

    def number() -> Content:
        return Content(json=int(random.integers(0, 40)))

    samples = []
    for index in range(count):
        prediction = number() if index % 2 == 0 else Content(text=str(random.choice(answers)))
        references = [number() for _ in range(int(random.integers(1, 3)))]
        samples.append(_sample(index, None if index % 7 == 3 else prediction, references))
    return samples


def series(random: Generator, count: int) -> list[RawSample]:
    """Lists, lists in text, single numbers, a forecast of another length, missing predictions."""
    samples = []
    for index in range(count):
        size = int(random.integers(1, 6))
        true, guess = (random.normal(size=size).round(3).tolist() for _ in range(2))
        prediction = Content(text=f"Forecast: {guess}") if index % 2 else Content(json=guess if size > 1 else guess[0])
        prediction = Content(json=[*guess, 1.0]) if index % 5 == 4 else prediction
        samples.append(_sample(index, None if index % 7 == 3 else prediction, [Content(json=true)]))
    return samples


def _judged(index: int, entries: list[dict[str, object]]) -> RawSample:
    if index % 7 == 3:  # nobody judged it
        return RawSample(str(index), presence=Presence.PREDICTION_MISSING)
    return RawSample(str(index), Content(json=entries), presence=Presence.PREDICTION_ONLY)


def ratings(random: Generator, count: int) -> list[RawSample]:
    """Ratings by some of five people, whole and half steps, items with one rating, a scale that was not kept, unrated items."""
    samples = []
    for index in range(count):
        raters = random.permutation(5)[: 3 if index < 2 else int(random.integers(1, 6))]
        entries: list[dict[str, object]] = [{"rater": f"r{rater}", "score": float(random.integers(2, 11)) / 2} for rater in raters]
        samples.append(_judged(index, [*entries, {"rater": "r9", "score": 70}] if index == 6 else entries))
    return samples


def votes(random: Generator, count: int) -> list[RawSample]:
    """Votes between two and between three systems, ties, votes that do not offer the system, unknown choices, items without votes."""
    samples = []
    for index in range(count):
        entries: list[dict[str, object]] = []
        for rater in range(2 if index < 2 else int(random.integers(1, 5))):
            options = ["ours", "猫", "base"] if random.integers(3) == 0 else ["base", "ours"]
            choice = None if random.integers(4) == 0 else str(random.choice(options))
            entries.append({"rater": rater, "options": options, "choice": "nobody" if index == 6 else choice})
        entries.append({"rater": "r9", "options": ["猫", "base"], "choice": "base"})
        samples.append(_judged(index, entries))
    return samples


PROGRAMS = {
    "python": ["def add(a, b):\n    total = a + b\n    return total", "for i in range(3):\n    x = i\n    print(x)", "x = (1,"],
    "Java": ["int f(int a) { int b = a; return b + 1; }", "for (int i = 0; i < 3; i++) { s += i; }", "class {"],
    "C++": ["int main() { int n = 3; while (n > 0) { n = n - 1; } return n; }", "return a ? b : c;", "été = '猫';"],
    "Go": ["func f(a int) int { b := a; if b > 1 { b = 2 } else { b = 3 }; return b }", ""],
}


def programs(random: Generator, count: int) -> list[RawSample]:
    """Program texts of several languages, with syntax errors, empty and missing ones."""
    samples = []
    for index in range(count):
        language = str(random.choice(list(PROGRAMS)))
        prediction, *references = (Content(text=str(random.choice(PROGRAMS[language]))) for _ in range(int(random.integers(2, 4))))
        sample = _sample(index, None if index % 7 == 3 else prediction, references)
        samples.append(replace(sample, attributes={"language": language}))
    return samples


GENERATORS: dict[str, Callable[[Generator, int], list[RawSample]]] = {
    "accuracy": answers,
    "exact_match_1": answers,
    "token_f1": texts,
    "micro_f1": labels,
    "macro_accuracy": classes,
    "f1": classes,
    "event_f1": events,
    "entity_f1": entities,
    "relation_f1": relations,
    "bleu_1": texts,
    "bleu_4": texts,
    "cider": texts,
    "codebleu": programs,
    "anls": answers,
    "mae": counts,
    "rmse": series,
    "rouge_1_f": texts,
    "rouge_l_f": texts,
    "gpt_score": verdicts,
    "user_preference": votes,
    "mos": ratings,
}
