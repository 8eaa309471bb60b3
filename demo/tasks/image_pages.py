"""Image comprehension: tables on pages set from real text."""

from __future__ import annotations

import csv
import io
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow
from PIL import ImageDraw, ImageFont

from demo import sources
from demo.bundle import Recipe, Task
from demo.tasks.base import Builder, png

Grey = NDArray[np.uint8]


def passengers() -> list[dict[str, str]]:
    """Return the rows of the passenger list."""
    text = sources.read("gradio", "gradio/media_assets/data/titanic.csv").decode()
    return list(csv.DictReader(io.StringIO(text)))


class _Page:
    """A page of text on which tables are drawn; remembers where they are."""

    def __init__(self, generator: np.random.Generator) -> None:
        self.generator = generator
        self.image = Pillow.new("L", (360, 480), 255)
        self.draw = ImageDraw.Draw(self.image)
        self.font = ImageFont.load_default(9)
        self.y = 14
        self.boxes: list[list[int]] = []

    def text(self, lines: list[str]) -> None:
        for line in lines:
            self.draw.text((20, self.y), line, fill=20, font=self.font)
            self.y += 12
        self.y += 8

    def table(self, rows: list[list[str]], ruled: bool) -> None:
        left = int(self.generator.integers(20, 60))
        widths = [8 + max(int(self.draw.textlength(row[c], font=self.font)) for row in rows) for c in range(len(rows[0]))]
        width, height = sum(widths), 14 * len(rows)
        for number, row in enumerate(rows):
            x = left
            for column, cell in enumerate(row):
                self.draw.text((x + 4, self.y + 14 * number + 2), cell, fill=20, font=self.font)
                if ruled:
                    box = (x, self.y + 14 * number, x + widths[column], self.y + 14 * (number + 1))
                    self.draw.rectangle(box, outline=60)
                x += widths[column]
        self.boxes.append([left, self.y, left + width, self.y + height])
        self.y += height + 14


def _detect_tables(page: Grey) -> list[dict[str, Any]]:
    """Boxes around crossings of long straight lines; the score is how well lines fill the box."""
    dark = (page < 160).astype(np.uint8)
    across = cv2.morphologyEx(dark, cv2.MORPH_OPEN, np.ones((1, 25), np.uint8))
    down = cv2.morphologyEx(dark, cv2.MORPH_OPEN, np.ones((11, 1), np.uint8))
    grid = cv2.dilate(across | down, np.ones((3, 3), np.uint8))
    count, _labels, statistics, _ = cv2.connectedComponentsWithStats(grid, connectivity=8)
    found = []
    for label in range(1, count):
        x, y, width, height, area = (int(v) for v in statistics[label])
        if width > 30 and height > 20:
            score = min(1.0, area / (width * height))
            box = [x + 1, y + 1, x + width - 1, y + height - 1]
            found.append({"label": "table", "box": box, "score": round(score, 4)})
    return found


def fill_tables(task: Task) -> None:
    """Pages set from real text and the passenger list; every fourth table has no rules, so line finding misses it."""
    generator = np.random.default_rng(24)
    prose = [line for line in sources.read("django", "django/contrib/admin/locale/en/LC_MESSAGES/django.po").decode().split("\n")]
    lines = [line[7:-1][:64] for line in prose if line.startswith('msgid "') and len(line) > 24]
    people, cursor = passengers(), 0
    for number in range(20):
        page = _Page(generator)
        for part in range(2):
            start = int(generator.integers(0, len(lines) - 12))
            page.text(lines[start : start + int(generator.integers(4, 9))])
            rows = [[p["Name"][:18], p["Sex"], p["Age"] or "-", p["Fare"][:6]] for p in people[cursor : cursor + 5]]
            cursor += 5
            if part == 0 or number % 3:
                page.table([["Name", "Sex", "Age", "Fare"], *rows], ruled=(number + part) % 4 != 3)
        grey = np.asarray(page.image, dtype=np.uint8)
        truth = [{"label": "table", "box": box} for box in page.boxes]
        task.add({"image": png(grey), "prompt": "Find every table."}, {"boxes": truth}, _detect_tables(grey))


BUILDERS = (
    Builder(
        Recipe(
            "tabular data detection",
            "image",
            "comprehension",
            "detection",
            ("gradio", "django"),
            "where the page maker put the tables",
            "morphological line finding",
            {"bbox_format": "xyxy", "classes": ["table"]},
        ),
        fill_tables,
    ),
)
