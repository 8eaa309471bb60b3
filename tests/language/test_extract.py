"""What is taken for the answer in the forms that models write, and what is not: nothing is guessed."""

from __future__ import annotations

import random
import time
from typing import Any, get_args, get_type_hints

import pytest
from language_texts import evaluate, value

from genlevel_language.extract import EXTRACTORS
from genlevel_language.letters import of_reference, one, options, several
from genlevel_language.metrics.accuracy import AccuracyParameters
from genlevel_language.reading import reading

CITIES = ("Paris", "London", "Rome", "Berlin")
ONE = [
    ("The answer is (B) because ...", (), "B"),
    ("B. Paris", (), "B"),
    ("**B**", (), "B"),
    ("\\boxed{B}", (), "B"),
    ("$\\boxed{\\text{B}}$", (), "B"),
    ("Option B", (), "B"),
    ("London", CITIES, "B"),
    ("A or B", (), None),
    ("I think it's C", (), "C"),
    ("(A) and (C)", (), None),
    ("None", (), None),
    ("b", (), "B"),
    ("b) London", (), "B"),
    ("Ｂ", (), "B"),
    ("（Ｂ）", (), "B"),
    ("答案是B", (), "B"),
    ("答案：B。", (), "B"),
    ("选B", (), "B"),
    ("正确答案为（C）", (), "C"),
    ("正确选项是 D", (), "D"),
    ("I'm sorry, but I can't help with that.", CITIES, None),
    ("I cannot answer this. A better question is needed.", CITIES, None),
    ("The answer is C because All others fail", (), "C"),
    ("A cat and a dog", (), None),
    ("The answer is A", (), "A"),
    ("The answer is A.", (), "A"),
    ("Answer: polar bear", ("dog", "Polar bear"), "B"),
    ("", (), None),
    ("A. Because B is wrong", (), "A"),
    ("The answer is not B.", (), None),
    ("It is not B but D.", (), "D"),
    ("Vitamin C", ("Vitamin A", "Vitamin C"), "B"),
    ("The answer is A dog", ("a cat", "a dog"), "B"),
    ("The answer is a dog", (), None),
    ("The correct answer is:\n\n**(D) Berlin**", CITIES, "D"),
    ("<think>Maybe A. The answer is A?</think>\nFinal answer: B", CITIES, "B"),
    ("The answer is A? No, the answer is B.", CITIES, "B"),
    ("E", CITIES, None),
    ("Answer: E", ("1", "2", "3", "4", "5"), "E"),
    ("It is Paris, not London.", CITIES, "A"),
    ("It is Paris or London.", CITIES, None),
    ("I choose option b.", CITIES, "B"),
    ("The best choice is D: Berlin", CITIES, "D"),
    ("A is correct.", (), "A"),
    ("A", (), "A"),
    ("I", (), "I"),
    ("I", CITIES, None),
    ("La respuesta es B.", (), "B"),
    ("La réponse est (C)", (), "C"),
    ("答えはBです", (), "B"),
    ("A: Paris", CITIES, "A"),
    ("A) Paris", CITIES, "A"),
    ("A Paris", CITIES, "A"),
    ("Answer\nB", CITIES, "B"),
    ("[B]", (), "B"),
    ("{B}", (), "B"),
    ("<B>", (), "B"),
    ("B<|im_end|>", (), "B"),
    ("The answer is B, C would be wrong.", CITIES, "B"),
    ("(B) and not (C)", CITIES, "B"),
    ("The answer to the question is B", CITIES, "B"),
    ("The capital of France is Paris, so the answer is A.", CITIES, "A"),
    ("answer is b", (), "B"),
    ("the answer is i.e. nothing", (), None),
    ("C#", ("C#", "Java"), "A"),
    ("Yes", ("Yes", "No"), "A"),
    ("No, it is not.", ("Yes", "No"), "B"),
    ("A, B", (), None),
    ("Both A and B", (), None),
    ("The correct answer is option (B).", (), "B"),
    ("My answer: B) London.", CITIES, "B"),
    ("10", ("10", "100"), "A"),
    ("100", ("10", "100"), "B"),
    ("The value is 100", ("10", "100"), "B"),
    ("It's D!", (), "D"),
    ("The answer is: A, because...", (), "A"),
    ("None of the above", ("x1", "None of the above"), "B"),
    ("A and B are wrong, C is right", (), None),
    ("I would go with C.", (), "C"),
    ("(A)", (), "A"),
    ("选项C正确", (), "C"),
    ("答案是 A 和 C", (), None),
    ("#### B", (), "B"),
    ("Choice: B", (), "B"),
    ("A or maybe C", (), None),
    ("Final Answer: **D**", (), "D"),
    ("Let's analyze each option:\nA. Paris - in France\nB. London - correct\n\nThus B is right.", CITIES, None),
    ("A. Paris is in France.\nB. London is right.", CITIES, None),
    ("B. London\n\nA. Paris is in France.", CITIES, "B"),
    ("Option B is correct. Option A is wrong.", (), "B"),
    ("It's A, since B is wrong", (), "A"),
    ("The answer is likely A, because", (), "A"),
    ("B, C and D are wrong, so A", (), None),
    ("A is wrong, B is wrong, so C", (), "C"),
    ("The answer is B, and C is false", (), "B"),
    ("The answer cannot be B", (), None),
    ("Image A is clearer than Image B", (), None),
    ("A错误，B正确", (), "B"),
    ("选A还是B？", (), None),
    ("Answer: _B_", (), "B"),
    ("Yes. There is no cat.", ("Yes", "No"), "A"),
    ("True or false?", ("True", "False"), None),
    ("x = 4", ("2", "4", "8"), "B"),
    ("The answer is $10.", ("$10", "$20"), "A"),
    ("It costs $10.", ("$10", "$20"), "A"),
    ("The result is 10.5", ("10", "20"), None),
    ("x is -10", ("10", "20"), None),
    ("the value is -4", ("-4", "4"), "A"),
]
SEVERAL = [
    ("(A) and (C)", (), "A, C"),
    ("A, C", (), "A, C"),
    ("AC", CITIES, "A, C"),
    ("The correct answers are A and C.", CITIES, "A, C"),
    ("Paris, Rome", CITIES, "A, C"),
    ("A. Paris\nC. Rome", CITIES, "A, C"),
    ("A", CITIES, "A"),
    ("A<p>C", CITIES, "A, C"),
    ("none", CITIES, None),
    ("答案是A、C", CITIES, "A, C"),
    ("Answer: A, B and D", CITIES, "A, B, D"),
    ("\\boxed{A,C}", CITIES, "A, C"),
    ("I pick A; C.", CITIES, "A, C"),
    ("ACE", CITIES, None),
    ("The answer is AC.", CITIES, "A, C"),
]


@pytest.mark.parametrize(("text", "texts", "expected"), ONE)
def test_one_option(text: str, texts: tuple[str, ...], expected: str | None) -> None:
    assert one(text, texts) == expected


@pytest.mark.parametrize(("text", "texts", "expected"), SEVERAL)
def test_several_options(text: str, texts: tuple[str, ...], expected: str | None) -> None:
    assert several(text, texts) == expected


@pytest.mark.parametrize(
    ("reference", "texts", "expected"),
    [
        ("B", (), "B"), ("b", (), "B"), ("(B)", (), "B"), ("B.", (), "B"), ("Option B", (), "B"), ("A, C", (), "A, C"),
        ("B. London", CITIES, "B"), ("london", CITIES, "B"), ("B. Paris", CITIES, None), ("AC", CITIES, "A, C"), ("AC", (), None),
        ("Vitamin C", (), None), ("A dog", (), None), ("E", CITIES, None), ("", CITIES, None), ("I think B", CITIES, None),
    ],
)  # fmt: skip
def test_a_reference_is_read_strictly(reference: str, texts: tuple[str, ...], expected: str | None) -> None:
    assert of_reference(reference, texts) == expected


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (["A. cat", "B. dog"], ("cat", "dog")),
        (["(A) cat", "(B) dog"], ("cat", "dog")),
        (["A cat", "B. dog"], ("A cat", "B. dog")),
        ({"A": "cat", "B": "dog"}, ("cat", "dog")),
        ([1.0, 2.5, 10], ("1", "2.5", "10")),
        ([], ()),
    ],
)
def test_options_as_bundles_write_them(given: Any, expected: tuple[str, ...]) -> None:
    assert options({"options": given}) == expected


@pytest.mark.parametrize(
    ("references", "attributes", "extractor"),
    [
        (["B"], {}, "option_letter"),
        (["B"], {"options": [*CITIES]}, "option_letter"),
        (["london"], {"options": [*CITIES]}, "option_letter"),
        (["A", "Paris"], {"options": [*CITIES]}, "option_letter"),
        (["A, C"], {"options": [*CITIES]}, "option_letters"),
        (["Yes"], {}, "yes_no"),
        (["False."], {}, "yes_no"),
        (["No", "nothing"], {}, "final_answer"),
        (["12"], {}, "single_number"),
        (["-3.50"], {}, "single_number"),
        (["12 cats"], {}, "final_answer"),
        (["12"], {"options": ["10", "12"]}, "option_letter"),
        (["Dog"], {"labels": ["cat", "dog"]}, "label"),
        (["wolf"], {"labels": ["cat", "dog"]}, "final_answer"),
        (["a red car"], {}, "final_answer"),
        ([""], {}, "final_answer"),
    ],
)
def test_the_references_decide(references: list[str], attributes: dict[str, Any], extractor: str) -> None:
    assert reading("by_reference", references, attributes).extractor == extractor


@pytest.mark.parametrize(
    ("prediction", "references", "attributes", "correct"),
    [
        ("The answer is (B) because it is.", ["B"], {}, True),
        ("B. London", ["London"], {"options": [*CITIES]}, True),
        ("London", ["B"], {"options": [*CITIES]}, True),
        ("Paris", ["B"], {"options": [*CITIES]}, False),
        ("(A) and (C)", ["A, C"], {"options": [*CITIES]}, True),
        ("(A)", ["A, C"], {"options": [*CITIES]}, False),
        ("A, B and C", ["AC"], {"options": [*CITIES]}, False),
        ("No, there is none.", ["no"], {}, True),
        ("There is no doubt: yes", ["yes"], {}, True),
        ("3 + 4 = 7", ["3"], {}, False),
        ("3 + 4, so the answer is 7", ["7"], {}, True),
        ("There are 12.", ["1"], {}, False),
        ("7.0", ["7"], {}, True),
        (r"\boxed{\frac{1}{2}}", [r"\frac{1}{2}"], {}, True),
        ("The answer is Paris.", ["Paris"], {}, True),
        ("Not in Paris", ["Paris"], {}, False),
        ("This is a cat.", ["cat"], {"labels": ["cat", "dog"]}, True),
        ("a cat or a dog", ["cat"], {"labels": ["cat", "dog"]}, False),
        ("Solution B", ["Solution B"], {}, True),
        ("No defect", ["0"], {}, False),
    ],
)
def test_by_reference(prediction: str, references: list[str], attributes: dict[str, Any], correct: bool) -> None:
    assert value("accuracy", [(prediction, references)], attributes, extractor="by_reference") == 100.0 * correct


@pytest.mark.parametrize(
    ("extractor", "text", "expected"),
    [
        ("defect", "no defect", "0"), ("defect", "There is no obvious vulnerability here", "0"), ("defect", "defect-free", "0"),
        ("defect", "The code is secure.", "0"), ("defect", "not secure", "1"), ("defect", "It contains a defect", "1"), ("defect", "insecure", "1"),
        ("defect", "0", "0"), ("defect", "No.", "0"), ("defect", "maybe", None), ("defect", "", None),
        ("defect", "The first function has no defect, the second is vulnerable", None),
        ("public_defect", "Maybe", "1"), ("public_defect", "It has No Defect", "0"),
        ("public_choice", "b", "b"), ("public_choice", "xyz", "xyz"), ("public_before_tag", "red car<eos>", "red car"),
        ("yes_no", "Answer: no", "no"), ("yes_no", "**Yes**", "yes"), ("yes_no", "it isn't", None), ("yes_no", "It is not false", "yes"),
        ("yes_no", "The answer is yes. There is no other.", "yes"), ("yes_no", "是", "yes"), ("yes_no", "It is yes or maybe no", None),
        ("final_answer", "<think>Answer: 3</think>4", "4"), ("final_answer", "<answer>Paris</answer>", "Paris"), ("final_answer", "答案是巴黎", "巴黎"),
        ("final_answer", "**Answer:** Paris", "** Paris"),
        ("yes_no", "No idea.", None), ("yes_no", "There is no image provided.", None), ("yes_no", "The answer is not yes", None), ("yes_no", "是的", "yes"),
        ("yes_no", "不是", "no"), ("yes_no", "Yes No", None), ("yes_no", "There is no dog", "no"),
        ("defect", "The code does not appear to contain a defect.", "0"), ("defect", "It doesn't have any vulnerabilities", "0"),
        ("defect", "no apparent defects", "0"), ("defect", "Defect: No", "0"), ("defect", "Label: 1", "1"),
        ("defect", "It has no tests but contains a bug", "1"), ("defect", "It does not check its input, a vulnerability", "1"),
    ],
)  # fmt: skip
def test_extractors(extractor: str, text: str, expected: str | None) -> None:
    assert EXTRACTORS[extractor](text, {}) == expected


def test_an_option_letter_task_with_answers_in_words_compares_the_words() -> None:
    samples = [("answer 3", ["answer 3"]), ("C", ["answer 4"]), ("The answer is Rome.", ["Rome"])]
    result, issues = evaluate("accuracy", samples, extractor="option_letter")
    assert (result.value, result.companions["unparsed"], issues) == (pytest.approx(200 / 3), 0.0, [])


def test_the_extractor_is_part_of_the_signature() -> None:
    texts = {evaluate("accuracy", [("B", ["B"])], extractor=name)[0].signature.text for name in ("none", "by_reference", "option_letter")}
    assert len(texts) == 3


@pytest.mark.parametrize("name", sorted(EXTRACTORS))
@pytest.mark.parametrize(
    "text",
    ["A" + ", " * 50_000, "answer is " * 10_000, "(" * 100_000, "B " * 50_000, "\\boxed{" * 14_000, "not " * 25_000, "1," * 50_000, "a" * (1 << 17),
     "option " * 15_000, "no any " * 15_000, "*" * 100_000, " " * 100_000, "</think" * 15_000,
     "one hundred and " * 6000, "#### \n" * 20_000, "A, B and " * 10_000, "not any " * 15_000, "A. x " * 20_000, "_" * 100_000],
    ids=range(19),
)  # fmt: skip
def test_long_texts_take_no_long_time(name: str, text: str) -> None:
    begun = time.perf_counter()
    EXTRACTORS[name](text, {"options": [*CITIES], "labels": [*CITIES]})
    assert time.perf_counter() - begun < 2, "far more than in proportion to its length"


def test_no_text_of_odd_characters_is_more_than_no_answer() -> None:
    source = random.Random(7)
    alphabet = "AaBbI ()[]{}<>.,:;/\\\n\0\x1b\ud800是选answerboxednot01-é猫"
    for _ in range(3000):
        text = "".join(source.choice(alphabet) for _ in range(source.randrange(40)))
        for extract in EXTRACTORS.values():
            found = extract(text, {"options": [*CITIES], "labels": [*CITIES]})
            assert found is None or isinstance(found, str)


def test_accuracy_offers_every_extractor() -> None:
    offered = get_args(get_type_hints(AccuracyParameters)["extractor"])
    assert set(offered) == {*EXTRACTORS, "by_reference"}
