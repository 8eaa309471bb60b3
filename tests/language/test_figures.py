"""Which number a text commits itself to, in digits and in words."""

from __future__ import annotations

import pytest

from genlevel_language.figures import first, single, whole


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1,234.50", "1234.5"), ("-0", "0"), ("007", "7"), ("no idea", None), ("\\boxed{42}, not 41", "42"), ("Answer: 3 of 5", "3"),
        ("9" * 5000, "9" * 5000),
        ("The answer is 2 + 2 = 4.", "4"), ("Answer: x = -5", "-5"), ("Answer: 12 (since 3*4 = 12)", "12"), ("The answer is five, as 2+3=5", "5"),
        ("The answer is 3 or 5", None), ("The answer is between 3 and 5", None), ("answer is in the range 3-5", None), ("答案是5或6", None),
        ("Answer: 5, 6", None), ("Answer: 5kg", "5"), ("5th", "5"), ("5 cm²", "5"), ("5 out of 10", None), ("It is not 5.", None),
        (r"\boxed{\frac{3}{4}}", None), (r"The answer is 2\sqrt{3}", None), ("The answer is 10^3", None), ("3 1/2", None), ("5.0.1", None),
        ("1.5e3", None), ("2:30", None), ("COVID-19", None), (".5", "0.5"), ("50%", "50"), ("1990s", None), ("-5", "-5"), ("5-3", None), ("1,23", None),
        ("3 + 4 = 7\n#### 7", "7"), ("one hundred and five", "105"), ("答案: 3只", "3"),
    ],
)  # fmt: skip
def test_the_number_a_text_commits_itself_to(text: str, expected: str | None) -> None:
    assert single(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("two hundred of them", "200"), ("one hundred of 200", "100"), ("a hundred", "100"), ("twenty-one", "21"), ("2.5", None),
        ("nine thousand, five hundred and two", "9502"), ("two million", "2000000"), ("a dozen", None), ("hundreds", None), ("none of 3", "3"),
        ("one " + "hundred " * 5000, "1" + "0" * 16),
    ],
)  # fmt: skip
def test_the_first_whole_number(text: str, expected: str | None) -> None:
    assert whole(text) == expected


def test_the_first_number_keeps_its_fraction() -> None:
    assert first("about 1,200.50 of 3") == "1200.50"
