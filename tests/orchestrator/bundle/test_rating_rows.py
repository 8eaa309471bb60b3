"""Files of ratings as rows: what programs write is read back, and nothing else gets through as something it is not."""

from __future__ import annotations

import csv
import io
import tempfile
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from genlevel_orchestrator.bundle.rating_rows import read_rows
from genlevel_orchestrator.bundle.ratings import SHEETS
from genlevel_orchestrator.bundle.violations import Fault

CELLS = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1, max_size=8).filter(lambda text: text.strip() == text)


@given(st.lists(st.tuples(CELLS, CELLS, st.integers(2, 10)), max_size=20), st.booleans(), st.sampled_from(["\n", "\r\n"]))
def test_what_a_table_program_writes_is_read_back(rows: list[tuple[str, str, int]], mark: bool, ending: str) -> None:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator=ending, quoting=csv.QUOTE_ALL)
    writer.writerow(("score", "item", "rater"))
    writer.writerows((half / 2, item, rater) for item, rater, half in rows)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "ratings.csv")
        path.write_bytes(text.getvalue().encode("utf-8-sig" if mark else "utf-8"))
        found = list(read_rows(path, SHEETS["mos"]))
    assert [(row.item, row.entry, row.fault) for row in found] == [
        (item, {"rater": rater, "score": half / 2}, None) for item, rater, half in rows
    ]


@given(st.sampled_from([".csv", ".json", ".jsonl"]), st.binary(max_size=200), st.booleans())
def test_any_bytes_are_rows_or_a_fault(ending: str, data: bytes, headed: bool) -> None:
    start = {".csv": b"item,rater,score\n", ".json": b"[", ".jsonl": b'{"item": 1}\n'}[ending] if headed else b""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "ratings" + ending)
        path.write_bytes(start + data)
        try:
            rows, message = list(read_rows(path, SHEETS["mos"])), ""
        except Fault as fault:
            rows, message = [], fault.message + fault.remedy
    assert message or all(row.line or row.pointer for row in rows)
