"""Tokenizers against the program that each is named after: NLTK, sacreBLEU, uniseg (UAX #29), Python's own tokenizer."""

from __future__ import annotations

import ast
import inspect
import io
import random
import re
import tokenize
import unicodedata
from collections.abc import Callable
from importlib import metadata

import pytest
import regex
import uniseg.wordbreak
from hypothesis import given, settings
from hypothesis import strategies as st
from language_texts import RANDOM, texts, value
from nltk.tokenize.destructive import NLTKWordTokenizer
from sacrebleu.tokenizers.tokenizer_13a import Tokenizer13a
from sacrebleu.tokenizers.tokenizer_char import TokenizerChar
from sacrebleu.tokenizers.tokenizer_intl import TokenizerV14International
from sacrebleu.tokenizers.tokenizer_zh import TokenizerZh

from genlevel_evaluator.errors import EvaluatorError
from genlevel_language import ptb, segment, tokenizers, treebank, word_cache

NLTK = NLTKWordTokenizer().tokenize
# What the rules of each tokenizer look at, and what may stand around it.
TREEBANK_WORDS = (
    "a can not cannot Gonna wanna gımme d'ye 'tis 'twas more'n it is n't 's 'S 'll 've s t word x1 3 3.5 1,000 . .. ... ? ! , : ; @ # $ % & * "
    "-- - – — ( ) [ ] { } < > \" '' ' ` `` « » “ ” ‘ ’ „ é ſ İ 猫 ़ ٣ ² _ / \\ 😀"
)
TREEBANK = [*TREEBANK_WORDS.split(" "), " ", " ", " ", " ", "  ", "\n", "\t", "\x1c", "\u3000", "\x85", "\xa0", "\0", "\u2028", "."]
TRANSLATION = [
    *"abZ019.,-'\"!?()[]{}&;:<>/\\|~`^_=+*#$%@ \t\n\xa0\u3000猫，。！—–…‘’“”€½²٣é한カひ\u2001\u2028\x1c\ufe10\u2a6d\u2f81",
    "&quot;", "&amp;", "&lt;", "&amp;lt;", "<skipped>", "-\n", " ", " ", "𠀀", "😀", "3.5", "1,0",
]  # fmt: skip
WORDS = [
    *"aZéñßсайнمرحباאבג3٣.,:;'\"’·_-—!?()猫坐カタアーひら한국กขาสวัดี🇨🇳🇫👨👩😀🏽½²$€%&#@/\\अकी्〆々Ⓜ \t",
    "\u064e", "\u0640", "\u1820", "\u1821", "\u180e", "\u180b", "\u200d", "\u200c", "\u200b", "\xad", "\u0301", "\u2640", "\ufe0f", "\u2019",
    "\u05f4", "\u05f3", "\ufb01", "\uff0e", "\uff07", "\u202f",
]  # fmt: skip
MARKS = r"[\p{WB=Extend}\p{WB=Format}\p{WB=ZWJ}]*"
KATAKANA = regex.compile(rf"\p{{WB=Katakana}}{MARKS}(?:(?<=\u200d)\p{{Extended_Pictographic}}{MARKS})*|(?:(?!\p{{WB=Katakana}})(?s:.))+")


def strings(pool: list[str], count: int, seed: int, longest: int = 14) -> list[str]:
    """Seeded strings, each of few different pieces, so that rare neighbours meet."""
    source = random.Random(seed)
    found = []
    for _ in range(count):
        pieces = source.sample(pool, source.choice([3, 8, 30]))
        found.append("".join(source.choices(pieces, k=source.randint(0, longest))))
    return found


def prose() -> list[str]:
    """Lines and sentences of package descriptions."""
    found: list[str] = []
    for name in ("rich", "nltk", "sacrebleu", "jiwer", "hypothesis", "typer", "torchmetrics", "scikit-learn"):
        body = metadata.metadata(name).get_payload()
        assert isinstance(body, str)
        found += [*re.split(r"(?<=[.!?])\s+|\n\n", body), *body.split("\n")]
    return found


def uax_29(text: str) -> list[str]:
    """Words of package uniseg without white space; each Katakana letter alone, as we have it."""
    parts = [part for word in uniseg.wordbreak.words(text) for part in KATAKANA.findall(word)]
    return [word for word in map(str.strip, parts) if word]


def test_nltk_is_nltk() -> None:
    """More than twenty thousand strings of quotation marks, brackets, stops, contractions, scripts and odd white space."""
    given_texts = [*strings(TREEBANK, 17000, seed=1, longest=20), *prose(), *(left for left, _ in RANDOM)]
    assert len(given_texts) > 20_000
    different = [text for text in given_texts if treebank.words(text) != NLTK(text)]
    assert different == []


@pytest.mark.parametrize("text", ["a.\x1c", "sat. a. \x1f ", "a.\n\x1d", "a.\u3000", "a.\x85"])
def test_nltk_sees_no_end_before_a_separator(text: str) -> None:
    """U+001C to U+001F are white space to Python and none to NLTK's rules, so a full stop before one stays on its word."""
    assert treebank.words(text) == NLTK(text)


@settings(max_examples=300)
@given(st.one_of(st.text(max_size=30), texts))
def test_nltk_is_nltk_on_any_text(text: str) -> None:
    assert treebank.words(text) == NLTK(text)


ORACLES: dict[str, Callable[[str], list[str]]] = {
    # sacreBLEU takes white space off the end of a line before it calls its tokenizer.
    "13a": lambda text: Tokenizer13a()(text.rstrip()).split(),
    "zh": lambda text: TokenizerZh()(text.rstrip()).split(),
    "intl": lambda text: TokenizerV14International()(text.rstrip()).split(),
    "char": lambda text: TokenizerChar()(text.rstrip()).split(),
}


@pytest.mark.parametrize("name", sorted(ORACLES))
def test_tokenizers_of_sacrebleu(name: str) -> None:
    given_texts = [*strings(TRANSLATION, 8000, seed=2), *prose()[:600], *(left for left, _ in RANDOM)]
    assert [text for text in given_texts if tokenizers.cut(text, name) != ORACLES[name](text)] == []


@settings(max_examples=300)
@given(st.text(max_size=20))
def test_tokenizers_of_sacrebleu_on_any_text(text: str) -> None:
    for name, oracle in ORACLES.items():
        assert tokenizers.cut(text, name) == oracle(text)


def test_every_character_of_the_basic_plane_is_cut_as_sacrebleu_cuts_it() -> None:
    characters = [chr(code) for code in range(1, 0x10000) if not 0xD800 <= code < 0xE000]
    for name in ("zh", "intl"):
        oracle = ORACLES[name]
        for start in range(0, len(characters), 256):
            text = " ".join(f"a{one}b" for one in characters[start : start + 256])
            assert tokenizers.cut(text, name) == oracle(text)


def test_unicode_words_are_those_of_uax_29() -> None:
    given_texts = [*strings(WORDS, 8000, seed=3, longest=12), *prose()[:600]]
    assert [text for text in given_texts if segment.unicode_words(text) != uax_29(text)] == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("مرحبا بالعالم، كيف حالك؟", "مرحبا|بالعالم|،|كيف|حالك|؟"),
        ("Сайн байна уу, дэлхий!", "Сайн|байна|уу|,|дэлхий|!"),
        ("ᠮᠣᠩᠭᠣᠯ ᠬᠡᠯᠡ", "ᠮᠣᠩᠭᠣᠯ|ᠬᠡᠯᠡ"),
        ("ᠮᠣᠩᠭᠣᠯ\u202fᠤᠨ ᠬᠡᠯᠡ", "ᠮᠣᠩᠭᠣᠯ\u202fᠤᠨ|ᠬᠡᠯᠡ"),
        ("彼はビールを3.5杯", "彼|は|ビ|ー|ル|を|3.5|杯"),
        ("สวัดี", "ส|วั|ดี"),
        ("नमस्ते दुनिया", "नमस्ते|दुनिया"),
        ("안녕하세요 세계", "안녕하세요|세계"),
        ("don't stop: 1,000.5%", "don't|stop|:|1,000.5|%"),
    ],
)
def test_scripts(text: str, expected: str) -> None:
    assert segment.unicode_words(text) == expected.split("|")


def test_arabic_takes_off_vowel_signs_and_strokes() -> None:
    """Against the names of the characters: every sign that is a vowel, a tanwin, a shadda, a sukun or a mark of recitation."""
    for code in [*range(0x600, 0x700)]:
        name = unicodedata.name(chr(code), "")
        text = f"ب{chr(code)}ب"
        dropped = unicodedata.category(chr(code)) == "Mn" or name == "ARABIC TATWEEL"
        assert (segment.arabic(text) == "بب") == dropped, name
    assert segment.arabic("ﷲ") == segment.arabic("اللّٰه") == "الله"
    assert segment.arabic("كِتَـــابٌ") == "كتاب"


def test_normalisation_is_a_parameter() -> None:
    pair = [("كتاب جديد", ["كِتَابٌ جَدِيدٌ"])]
    assert value("bleu_1", pair, tokenizer="unicode") == 0.0
    assert value("bleu_1", pair, tokenizer="unicode", normalisation="arabic") == 100.0
    assert value("rouge_1_f", pair, tokenizer="unicode", normalisation="arabic") == 100.0
    assert value("rouge_l_f", pair, normalisation="arabic") == pytest.approx(100.0)
    assert value("bleu_1", [("ｶﾞ", ["ガ"])], tokenizer="char", normalisation="nfkc") == 100.0


def test_code_is_cut_as_python_cuts_it() -> None:
    """Names, numbers, operators and strings of this repository's modules and of the standard library."""
    lines = 0
    for module in (ast, inspect, random, tokenize, treebank, segment, ptb):
        source = inspect.getsource(module)
        for found in tokenize.generate_tokens(io.StringIO(source).readline):
            if found.type in (tokenize.NAME, tokenize.NUMBER, tokenize.OP) or (found.type == tokenize.STRING and _short(found.string)):
                assert segment.code_tokens(found.string) == [found.string]
        for line in source.split("\n"):
            expected = python_tokens(line)
            if expected is not None:
                assert segment.code_tokens(line) == expected
                lines += 1
    assert lines > 1500


def _short(text: str) -> bool:
    return len(text) < segment.MAX_STRING and '"""' not in text and "'''" not in text and "\n" not in text


def python_tokens(line: str) -> list[str] | None:
    """None for a line that is none by itself, or has a comment."""
    try:
        ast.parse(line.strip())
        found = list(tokenize.generate_tokens(io.StringIO(line.strip() + "\n").readline))
    except (SyntaxError, tokenize.TokenError):
        return None
    if "::" in line or any(one.type == tokenize.COMMENT for one in found) or not all(_short(one.string) for one in found if one.type == tokenize.STRING):
        return None
    return [one.string for one in found if one.string.strip() and one.type != tokenize.ENDMARKER]


def test_code_of_other_languages() -> None:
    assert segment.code_tokens("SELECT a.b FROM t WHERE n >= 'it is' AND x <> 3;") == [
        "SELECT", "a", ".", "b", "FROM", "t", "WHERE", "n", ">=", "'it is'", "AND", "x", "<", ">", "3", ";",
    ]  # fmt: skip
    assert segment.code_tokens(r"\sum_{i=1}^{n} x_i") == [r"\sum", "_", "{", "i", "=", "1", "}", "^", "{", "n", "}", "x_i"]
    assert segment.code_tokens('p->q != 0xFF && s == "a\\"b"') == ["p", "->", "q", "!=", "0xFF", "&&", "s", "==", '"a\\"b"']


def test_words_are_forgotten_when_there_are_too_many() -> None:
    cut: list[str] = []
    known = word_cache.WordCache(lambda word: (cut.append(word), [word])[1])
    for number in range(word_cache.MAX_WORDS + 10):
        known.tokens([str(number), "again"])
    assert len(known) <= word_cache.MAX_WORDS
    assert cut.count("again") == 2
    long = "x" * (word_cache.MAX_LETTERS + 1)
    assert known.tokens([long, long]) == [long, long]
    assert long not in known


@pytest.mark.parametrize("tokenizer", ["nltk", "whitespace", "char", "ptb", "13a", "zh", "intl", "unicode", "code"])
def test_every_metric_of_words_knows_every_tokenizer(tokenizer: str) -> None:
    """One name means the same everywhere; a text against itself is perfect."""
    pair = [("the cat sat on 3.5 mats 猫坐在", ["the cat sat on 3.5 mats 猫坐在"])]
    for metric in ("bleu_1", "bleu_4", "rouge_1_f"):
        assert value(metric, pair, tokenizer=tokenizer) == pytest.approx(100.0)
    assert value("rouge_l_f", pair, impl="rouge_score", tokenizer=tokenizer) == pytest.approx(100.0)
    assert value("cider", [*pair, ("a dog", ["a dog"])], tokenizer=tokenizer) > 0


def test_an_unknown_tokenizer_is_named() -> None:
    with pytest.raises(EvaluatorError, match="'jieba' is not one of"):
        value("bleu_1", [("a", ["a"])], tokenizer="jieba")


@pytest.mark.parametrize("tokenizer", ["nltk", "char", "ptb", "13a", "zh", "intl", "unicode", "code"])
@pytest.mark.parametrize("piece", ['"', "'", ".", "-", "a.", "\\\"", "«", "\u0301", "🇨", "猫", " '", "b'a", "``", "<a"])
def test_time_is_linear(tokenizer: str, piece: str) -> None:
    """A hundred thousand of the same: a rule that looks again and again would take minutes."""
    assert tokenizers.cut(piece * 100_000, tokenizer) is not None
