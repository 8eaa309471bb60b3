"""The classes of a value on the report page."""

from __future__ import annotations

import re

from genlevel_orchestrator.report.class_table import class_table


def entry(name: str, size: float, f1: float) -> dict[str, float]:
    return {f"class/{name}/n": size, f"class/{name}/precision": 50.0, f"class/{name}/recall": 25.0, f"class/{name}/f1": f1}


def test_largest_class_first_and_names_escaped() -> None:
    made = class_table({"chance": 20.0, **entry("b/c", 3.0, 40.0), **entry("<script>", 9.0, 12.345)})
    assert made is not None
    rows = re.findall(r"<tr>(.*?)</tr>", str(made))
    cells = [re.findall(r"<t[dh][^>]*>(.*?)</t[dh]>", row) for row in rows]
    assert cells == [["class", "n", "precision", "recall", "f1"], ["&lt;script&gt;", "9", "50.00", "25.00", "12.35"], ["b/c", "3", "50.00", "25.00", "40.00"]]
    assert "chance" not in str(made)


def test_an_entry_that_lacks_a_number() -> None:
    made = class_table({"class/a/n": 2.0})
    assert made is not None
    assert str(made).count('<td class="number"></td>') == 3


def test_no_classes() -> None:
    assert class_table({"precision": 1.0}) is None
