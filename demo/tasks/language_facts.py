"""Language: questions about countries and about a table of passengers."""

from __future__ import annotations

import json
import re

import numpy as np

from demo import sources
from demo.bundle import Recipe, Task
from demo.tasks.base import Builder, question
from demo.tasks.image_pages import passengers

COLUMNS = ("Name", "Sex", "Age", "Pclass", "Fare", "Ticket")
# Each question: column asked for, its wording, and a comparison when the row is to be found by one.
ASKED = (
    ("Age", "How old was {who}?"),
    ("Fare", "What fare did {who} pay?"),
    ("Pclass", "In which class did {who} travel?"),
    ("Ticket", "What is the ticket number of {who}?"),
    ("Sex", "Was {who} male or female?"),
)
SUPERLATIVES = (
    ("Age", "Who was the oldest passenger?", max),
    ("Age", "Who was the youngest passenger?", min),
    ("Fare", "Which passenger paid the highest fare?", max),
)


def _countries() -> list[tuple[str, str]]:
    found = []
    for member in sources.members("countryinfo", "countryinfo/data/", ".json"):
        facts = json.loads(sources.read("countryinfo", member))
        if facts.get("capital") and facts.get("population", 0) > 3_000_000:
            found.append((facts["name"], facts["capital"]))
    return found


def _bigrams(text: str) -> set[str]:
    letters = re.sub(r"[^a-z]", "", text.lower())
    return {letters[k : k + 2] for k in range(len(letters) - 1)}


def _likeness(country: str, city: str) -> float:
    first, second = _bigrams(country), _bigrams(city)
    return len(first & second) / (len(first | second) or 1)


def fill_countries(task: Task) -> None:
    """A reader who knows no geography picks the city whose spelling is most like the country's."""
    generator = np.random.default_rng(31)
    countries = _countries()
    for index in generator.permutation(len(countries))[:40]:
        country, capital = countries[index]
        others = [countries[k][1] for k in generator.permutation(len(countries)) if countries[k][1] != capital][:3]
        options = [*others, capital]
        options = [options[k] for k in generator.permutation(4)]
        guess = max(options, key=lambda city: (_likeness(country, city), city))
        task.add(question(f"What is the capital of {country}?", options), {"text": capital}, guess)


def _words(text: str) -> set[str]:
    return set(re.findall(r"[a-z0-9]+", text.lower()))


HINTS = {
    "Age": {"old", "age", "oldest", "youngest"},
    "Fare": {"fare", "pay", "paid", "cost"},
    "Pclass": {"class"},
    "Ticket": {"ticket", "number"},
    "Sex": {"male", "female", "sex"},
    "Name": {"who", "which", "passenger", "name"},
}


def _look_up(asked: str, table: list[dict[str, str]]) -> str:
    """The row whose name shares most words with the question, the column whose hints do."""
    words = _words(asked)
    row = max(table, key=lambda r: len(words & _words(r["Name"])))
    named = words & _words(row["Name"])
    columns = [c for c in COLUMNS if c != "Name"] if named else ["Name"]
    column = max(columns, key=lambda c: len(words & HINTS[c]))
    return row[column]


def fill_table(task: Task) -> None:
    """Word overlap finds row and column; it cannot compare, so superlatives are missed."""
    generator = np.random.default_rng(32)
    people = [p for p in passengers() if p["Age"] and "(" not in p["Name"] and '"' not in p["Name"]]
    for number in range(40):
        rows = [people[k] for k in generator.choice(len(people), 6, replace=False)]
        if len({row["Name"].split(",")[0] for row in rows}) < len(rows):
            continue
        table = [{column: row[column] for column in COLUMNS} for row in rows]
        if number % 4 == 3:
            column, asked, pick = SUPERLATIVES[number // 4 % len(SUPERLATIVES)]
            value = pick(float(row[column]) for row in rows)
            winners = [row["Name"] for row in rows if float(row[column]) == value]
            if len(winners) > 1:
                continue
            answer = winners[0]
        else:
            column, wording = ASKED[number % len(ASKED)]
            chosen = rows[int(generator.integers(0, 6))]
            asked, answer = wording.format(who=chosen["Name"].split(",")[0]), chosen[column]
        task.add({"question": asked, "table": table}, {"text": answer}, _look_up(asked, table))


BUILDERS = (
    Builder(
        Recipe(
            "Earth Question Answering",
            "language",
            "language",
            "MultipleChoiceQA",
            ("countryinfo",),
            "the capital that the country table names",
            "spelling likeness of country and city",
        ),
        fill_countries,
    ),
    Builder(
        Recipe(
            "Table Question Answering",
            "language",
            "language",
            "OpenQA",
            ("gradio",),
            "the cell of the table",
            "word overlap with names and column hints",
        ),
        fill_table,
    ),
)
