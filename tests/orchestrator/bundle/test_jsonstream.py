"""Files of samples are read one element at a time, and every fault says where it is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genlevel_orchestrator.bundle import jsonstream, strictjson
from genlevel_orchestrator.bundle.jsonstream import SampleFile, read_envelope
from genlevel_orchestrator.bundle.violations import Fault

values: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=10,
)


@given(st.lists(values, max_size=6), st.integers(1, 40), st.booleans(), st.booleans())
def test_any_window_gives_the_same_elements(
    tmp_path_factory: pytest.TempPathFactory, elements: list[Any], window: int, wrapped: bool, escaped: bool
) -> None:
    path = tmp_path_factory.mktemp("json") / "a.json"
    document = {"task": "T", "data": elements, "after": [1, {"x": "ü"}]} if wrapped else elements
    path.write_text(json.dumps(document, ensure_ascii=escaped, indent=1), encoding="utf-8", errors="surrogatepass")
    if not escaped and "\\ud" in json.dumps(document):
        return  # a lone surrogate has no UTF-8 form
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(jsonstream, "_CHUNK", window)
        file = SampleFile(path)
        found = list(file.scan())
    assert [element.value for element in found] == elements
    assert [file.read(element.start, element.stop) for element in found] == elements
    assert file.envelope == ({"task": "T", "after": [1, {"x": "ü"}]} if wrapped else {})


@pytest.mark.parametrize(
    ("content", "code", "pointer"),
    [
        (b"", "FILE_EMPTY", ""),
        (b"  ", "WRONG_FORM", ""),
        (b'"text"', "WRONG_FORM", ""),
        (b'{"data": {}}', "WRONG_FORM", ""),
        (b'{"data": [], "data": []}', "WRONG_FORM", "/data"),
        (b'[{"id": 1}, {"id": NaN}]', "NOT_FINITE", "/1"),
        (b'{"data": [{"x": -Infinity}]}', "NOT_FINITE", "/data/0"),
        (b'[{"x": 1e999}]', "NOT_FINITE", "/0"),
        (b'[{"x": ' + b"9" * 400 + b"}]", "NOT_FINITE", "/0"),
        (b'[{"id": 1}, {"x": -' + b"9" * 5000 + b"}]", "NOT_FINITE", "/1"),
        (b'[{"id": 1}, {"id": 2', "TRUNCATED", "/1"),
        (b'[{"id": 1}', "TRUNCATED", ""),
        (b'[{"id": "ab', "TRUNCATED", "/0"),
        (b'[{"id": 1,}]', "BAD_JSON", "/0"),
        (b"[1] x", "BAD_JSON", ""),
        (b"[1 2]", "BAD_JSON", ""),
        (b'[{"x": "\xff\xfe"}]', "NOT_UTF8", "/0"),
        ('[{"x": "ä"}]'.encode("utf-16"), "WRONG_FORM", ""),
        (b"[" * 100_000, "BAD_JSON", "/0"),
    ],
)
def test_faults(tmp_path: Path, content: bytes, code: str, pointer: str) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(content)
    with pytest.raises(Fault) as caught:
        list(SampleFile(path).scan())
    assert (caught.value.code, caught.value.pointer) == (code, pointer)
    assert caught.value.remedy


def test_a_gigabyte_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    with path.open("wb") as file:
        file.truncate(1 << 30)
    with pytest.raises(Fault) as caught:
        list(SampleFile(path).scan())
    assert caught.value.code == "FILE_TOO_LARGE"


def test_a_sample_that_fits_no_message_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jsonstream, "ELEMENT_LIMIT", 1000)
    monkeypatch.setattr(jsonstream, "_CHUNK", 100)
    path = tmp_path / "a.json"
    path.write_text(json.dumps([{"id": 1, "x": "y" * 5000}]))
    with pytest.raises(Fault) as caught:
        list(SampleFile(path).scan())
    assert caught.value.code == "SAMPLE_TOO_LARGE"


def test_links_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "real.json").write_text("[]")
    (tmp_path / "a.json").symlink_to(tmp_path / "real.json")
    with pytest.raises(Fault, match="not a regular file"):
        list(SampleFile(tmp_path / "a.json").scan())


def test_a_byte_order_mark_is_no_fault(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(b"\xef\xbb\xbf[1]")
    assert [element.value for element in SampleFile(tmp_path / "a.json").scan()] == [1]


def test_the_envelope_is_found_before_and_behind_the_samples(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text('{"type": "x", "task": "T", "data": [1]}')
    assert read_envelope(path)["task"] == "T"
    path.write_text('{"data": [1, 2], "task": "T"}')
    assert read_envelope(path)["task"] == "T"


@pytest.mark.parametrize("text", [r'{"id": "\ud800"}', r'["a\uDFFFb"]', r'{"\ud83d": 1}'])
def test_half_a_character_is_refused(text: str) -> None:
    with pytest.raises(Fault, match="surrogate pair"):
        strictjson.decode(text.encode())


def test_whole_characters_may_be_escaped() -> None:
    assert strictjson.decode(rb'["\ud83d\ude00", "\\ud800"]') == ["\U0001f600", "\\ud800"]


def test_the_place_in_a_line_is_its_column() -> None:
    with pytest.raises(Fault, match="Unterminated string starting at column 8"):
        strictjson.decode(b'{"id": "a')
    with pytest.raises(Fault, match="at line 2 column 1"):
        strictjson.decode(b"[1,\nx]")
