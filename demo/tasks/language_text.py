"""Language: topics, summaries and explanations of documented code, spelling, translation."""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict

import numpy as np

from demo import sources, texts
from demo.bundle import Recipe, Task
from demo.tasks.base import Builder

TOPICS = {
    "bipartite": "bipartite graphs",
    "centrality": "centrality",
    "coloring": "coloring",
    "community": "communities",
    "connectivity": "connectivity",
    "flow": "network flow",
    "isomorphism": "isomorphism",
    "shortest_paths": "shortest paths",
    "traversal": "traversal",
    "tree": "trees",
}


def _tokens(text: str) -> list[str]:
    return re.findall(r"[a-z]{3,}", text.lower())


def _topic_of(module: str) -> str | None:
    parts = module.split("/")
    return TOPICS.get(parts[2]) if len(parts) > 3 and parts[1] == "algorithms" else None


class _NaiveBayes:
    """Multinomial naive Bayes with add-one smoothing."""

    def __init__(self, examples: list[tuple[str, str]]) -> None:
        self.words: dict[str, Counter[str]] = defaultdict(Counter)
        self.classes = Counter(label for _, label in examples)
        for text, label in examples:
            self.words[label].update(_tokens(text))
        self.vocabulary = len(set().union(*self.words.values()))

    def predict(self, text: str) -> str:
        def score(label: str) -> float:
            counts = self.words[label]
            total = sum(counts.values()) + self.vocabulary
            likelihood = sum(math.log((counts[word] + 1) / total) for word in _tokens(text))
            return likelihood + math.log(self.classes[label])

        return max(sorted(self.classes), key=score)


def fill_topics(task: Task) -> None:
    """Naive Bayes fitted on the other half of the functions."""
    generator = np.random.default_rng(41)
    labelled = [(f"{f.summary} {f.description}", _topic_of(f.module)) for f in texts.functions()]
    known = [(text, label) for text, label in labelled if label is not None]
    order = generator.permutation(len(known))
    model = _NaiveBayes([known[k] for k in order[: len(order) // 2]])
    for index in order[len(order) // 2 :][:50]:
        text, label = known[index]
        prompt = f"Which topic is the text about? Topics: {', '.join(TOPICS.values())}."
        task.add({"raw_text": text[:600], "prompt": prompt}, {"text": label}, model.predict(text[:600]))


def _first_sentence(text: str) -> str:
    return re.split(r"(?<=[.!?])\s", text.strip(), maxsplit=1)[0]


def fill_summaries(task: Task) -> None:
    """The lead: the first sentence of the document is offered as its summary."""
    long = [f for f in texts.functions() if len(f.description.split()) >= 40 and 5 <= len(f.summary.split()) <= 30]
    generator = np.random.default_rng(42)
    for index in sorted(generator.choice(len(long), 40, replace=False)):
        function = long[index]
        task.add({"document": function.description}, {"text": function.summary}, _first_sentence(function.description))


def _explain(code: str, name: str) -> str:
    words = name.replace("_", " ")
    given = re.search(r"def \w+\((.*?)\)", code)
    subject = "graph" if given and re.match(r"\s*G\b", given.group(1)) else "input"
    verb = "Yields" if "yield" in code else "Returns"
    if name.startswith(("is_", "has_")):
        return f"Returns True if the {subject} {words}."
    return f"{verb} the {words} of the {subject}."


def fill_explanations(task: Task) -> None:
    """A template filled with the words of the function's name."""
    short = [f for f in texts.functions() if len(f.code) < 900 and 4 <= len(f.summary.split()) <= 20]
    generator = np.random.default_rng(43)
    for index in sorted(generator.choice(len(short), 40, replace=False)):
        function = short[index]
        given = {"code": function.code, "prompt": "Explain in one sentence what the function does."}
        task.add(given, {"text": function.summary}, _explain(function.code, function.name))


def _edits(word: str) -> set[str]:
    letters = "abcdefghijklmnopqrstuvwxyz"
    splits = [(word[:k], word[k:]) for k in range(len(word) + 1)]
    removed = {a + b[1:] for a, b in splits if b}
    swapped = {a + b[1] + b[0] + b[2:] for a, b in splits if len(b) > 1}
    replaced = {a + c + b[1:] for a, b in splits if b for c in letters}
    inserted = {a + c + b for a, b in splits for c in letters}
    return removed | swapped | replaced | inserted


def _correct(word: str) -> str:
    """The most frequent known word one edit away, if the word itself is not known."""
    counts = texts.word_counts()
    plain = word.lower()
    if not plain.isalpha() or plain in counts or len(plain) < 4:
        return word
    candidates = [c for c in _edits(plain) if c in counts]
    if not candidates:
        return word
    best = max(sorted(candidates), key=lambda c: counts[c])
    return best.capitalize() if word[0].isupper() else best


def fill_grammar(task: Task) -> None:
    """Spelling by edit distance one against words of another package; real words in the wrong place stay."""
    generator = np.random.default_rng(44)
    table = texts.misspellings()
    for sentence in texts.english_sentences():
        words = re.findall(r"\w+|\W+", sentence)
        weak = [k for k, word in enumerate(words) if word.lower() in table]
        if not weak or len(sentence.split()) < 6:
            continue
        for index in generator.permutation(weak)[:2]:
            choices = table[words[index].lower()]
            wrong = choices[int(generator.integers(0, len(choices)))]
            words[index] = wrong.capitalize() if words[index][0].isupper() else wrong
        given = {"Ungrammatical Statement": "".join(words), "Error Type": "Spelling"}
        task.add(given, {"text": sentence}, "".join(_correct(word) for word in words))
        if task.count == 50:
            return


Split = list[tuple[list[str], list[str]]]
Table = dict[str, dict[str, float]]


def _reestimate(split: Split, table: Table) -> None:
    """One round of expectation maximisation of IBM model 1, in place."""
    counts: Table = defaultdict(lambda: defaultdict(float))
    totals: dict[str, float] = defaultdict(float)
    for english, french in split:
        for f in french:
            norm = sum(table[f][e] for e in english)
            for e in english:
                share = table[f][e] / norm
                counts[f][e] += share
                totals[e] += share
    for f, row in table.items():
        for e in row:
            row[e] = counts[f][e] / totals[e]


def _lexicon(pairs: list[tuple[str, str]]) -> dict[str, str]:
    """The best French word for each English one, by IBM model 1 after ten rounds."""
    split = [(_french_tokens(e), _french_tokens(f)) for e, f in pairs]
    table: Table = defaultdict(dict)
    for english, french in split:
        for f in french:
            table[f].update(dict.fromkeys(english, 1.0))
    for _ in range(10):
        _reestimate(split, table)
    best: dict[str, tuple[float, str]] = {}
    for f in sorted(table):
        for e, probability in table[f].items():
            if probability > best.get(e, (0.0, ""))[0]:
                best[e] = (probability, f)
    return {e: f for e, (_, f) in best.items()}


def _french_tokens(text: str) -> list[str]:
    return re.findall(r"\w+|[^\w\s]", text.lower())


def fill_translation(task: Task) -> None:
    """Word by word with a lexicon learnt from the messages of the other applications."""
    held_out = "django/conf/locale/fr/LC_MESSAGES/django.po"
    training: list[tuple[str, str]] = []
    for member in sources.members("django", "django/", "locale/fr/LC_MESSAGES/django.po"):
        if member != held_out:
            training += [pair for pair in texts.catalogue_pairs(member) if texts.is_sentence(pair[0], 1, 30)]
    lexicon = _lexicon(training)
    seen = {english for english, _ in training}
    tests = [p for p in texts.catalogue_pairs(held_out) if texts.is_sentence(p[0], 4, 30) and p[0] not in seen]
    for english, french in tests[:50]:
        words = [lexicon.get(token, token) for token in _french_tokens(english)]
        guess = re.sub(r"\s+([.,])", r"\1", " ".join(words)).capitalize()
        task.add({"in": "English", "out": "French", "input": english}, {"text": french}, guess)


def _recipe(name: str, kind: str, used: tuple[str, ...], truth: str, baseline: str) -> Recipe:
    return Recipe(name, "language", "language", kind, used, truth, baseline)


BUILDERS = (
    Builder(
        _recipe(
            "Topic Classification",
            "classification",
            ("networkx",),
            "the subject under which the library files the function",
            "naive Bayes on the other half",
        ),
        fill_topics,
    ),
    Builder(
        _recipe(
            "Abstractive Summarization",
            "Summarization",
            ("networkx",),
            "the summary line the authors wrote",
            "first sentence of the document",
        ),
        fill_summaries,
    ),
    Builder(
        _recipe(
            "Code Explanation",
            "Code Explanation",
            ("networkx",),
            "the summary line the authors wrote",
            "template around the function's name",
        ),
        fill_explanations,
    ),
    Builder(
        _recipe(
            "Grammar Correction",
            "Grammar Correction",
            ("django", "codespell", "networkx"),
            "the sentence before misspelling",
            "edit distance one against word counts",
        ),
        fill_grammar,
    ),
    Builder(
        _recipe(
            "English-French Translation",
            "Translation",
            ("django",),
            "the translation its project ships",
            "IBM model 1, word by word",
        ),
        fill_translation,
    ),
)
