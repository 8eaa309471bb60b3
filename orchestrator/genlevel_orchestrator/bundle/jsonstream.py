"""JSON files of samples, read one element at a time in bounded memory, with the place of each element remembered.

A file is a list of objects, or an object whose ``data`` is such a list. Bytes are scanned as Latin-1, in which JSON's structure is
the same as in UTF-8 and positions are byte offsets; an element with other than ASCII bytes is then decoded as UTF-8.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from genlevel_orchestrator.bundle.strictjson import DECODER, decode, too_deep
from genlevel_orchestrator.bundle.violations import Fault, pointer

FILE_LIMIT = 512 << 20
"""Largest JSON file that is read, in bytes."""
ELEMENT_LIMIT = 24 << 20
"""Largest sample, in bytes: a message to an evaluator holds at most 64 MiB."""
_CHUNK = 1 << 18
_BLANK = re.compile(r"[ \t\n\r]*")
_BOM = b"\xef\xbb\xbf"


class Element(NamedTuple):
    """One element of the list: its number from 0, its bytes' place in the file, and its value."""

    number: int
    start: int
    stop: int
    value: Any


class SampleFile:
    """A JSON file of samples.

    Args:
        path: the file.
        limit: largest file that is read.

    Attributes:
        envelope: the other values of the object, known once ``scan`` has ended.
        prefix: pointer of the list, ``/data`` or nothing, known from the first element on.
    """

    def __init__(self, path: Path, limit: int = FILE_LIMIT) -> None:
        self.path = path
        self.envelope: dict[str, Any] = {}
        self.prefix = ""
        self._limit = limit

    def check(self) -> None:
        """Refuse what must not even be opened.

        Raises:
            Fault: FILE_MISSING, FILE_EMPTY or FILE_TOO_LARGE.
        """
        if self.path.is_symlink() or not self.path.is_file():
            raise Fault("FILE_MISSING", "not a regular file", "put the file there; links are not followed")
        size = self.path.stat().st_size
        if size == 0:
            raise Fault("FILE_EMPTY", "the file is empty", "write a list of samples")
        if size > self._limit:
            raise Fault(
                "FILE_TOO_LARGE", f"{size} bytes, at most {self._limit} are read",
                "keep media in files of their own, beside the JSON",
            )  # fmt: skip

    def scan(self) -> Iterator[Element]:
        """Yield the elements of the list.

        Raises:
            Fault: for a file that is not JSON of the right form.
        """
        self.check()
        try:
            with self.path.open("rb") as file:
                yield from self._scan(_Cursor(file))
        except OSError as error:
            raise Fault("FILE_UNREADABLE", str(error.strerror or error), "make the file readable") from None

    def _scan(self, cursor: _Cursor) -> Iterator[Element]:
        first = cursor.peek()
        if first == "[":
            yield from self._elements(cursor)
        elif first == "{":
            yield from self._object(cursor)
        else:
            raise Fault("WRONG_FORM", "neither a list nor an object", "write a list of samples, or an object with `data`")
        if cursor.peek():
            raise cursor.fault("BAD_JSON", "something follows the JSON value")

    def _object(self, cursor: _Cursor) -> Iterator[Element]:
        cursor.take("{")
        found = False
        while cursor.peek() != "}":
            key = cursor.value()
            if not isinstance(key, str):
                raise cursor.fault("BAD_JSON", "a key is not a string")
            cursor.take(":")
            if key == "data" and cursor.peek() == "[":
                if found:
                    raise Fault("WRONG_FORM", "`data` occurs twice", "keep one", pointer("data"))
                found, self.prefix = True, "/data"
                yield from self._elements(cursor)
            else:
                self.envelope[key] = cursor.value()
            if cursor.peek() != "}":
                cursor.take(",")
        cursor.take("}")
        if not found:
            raise Fault("WRONG_FORM", "the object has no list `data`", 'write {"data": [...]} or a bare list')

    def _elements(self, cursor: _Cursor) -> Iterator[Element]:
        cursor.take("[")
        index = 0
        while cursor.peek() != "]":
            if index:
                cursor.take(",")
                cursor.peek()
            start = cursor.offset
            try:
                value = cursor.value()
            except Fault as fault:
                fault.pointer = fault.pointer or self.prefix + pointer(index)
                raise
            yield Element(index, start, cursor.offset, value)
            index += 1
        cursor.take("]")

    def open(self) -> BinaryIO:
        """The file that ``read_from`` reads."""
        return self.path.open("rb")

    def read(self, start: int, stop: int) -> Any:
        """The element at a place that ``scan`` gave."""
        with self.open() as file:
            return self.read_from(file, start, stop)

    @staticmethod
    def read_from(file: BinaryIO, start: int, stop: int) -> Any:
        """The same with the file already open."""
        file.seek(start)
        data = file.read(stop - start)
        if len(data) != stop - start:
            raise Fault("FILE_CHANGED", "the file became shorter during the run", "do not change files while a run is on")
        return decode(data)


def read_envelope(path: Path, limit: int = FILE_LIMIT) -> dict[str, Any]:
    """The values of the object beside ``data``, as far as they stand before it; all of them when ``task`` stands behind."""
    file = SampleFile(path, limit)
    for _ in file.scan():
        if "task" in file.envelope or not file.prefix:
            break
    return file.envelope


class _Cursor:
    """A window on a file that decodes one JSON value after another."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._base = 0  # file offset of the window's first byte
        self._text = ""
        self._at = 0
        self._ended = False
        self._lines = 0  # line breaks before the window
        self._more(_CHUNK)
        if self._text.startswith(_BOM.decode("latin-1")):
            self._at = len(_BOM)

    @property
    def offset(self) -> int:
        """File offset of the next character."""
        return self._base + self._at

    def peek(self) -> str:
        """The next character that is not blank; empty at the end."""
        while True:
            match = _BLANK.match(self._text, self._at)
            self._at = match.end() if match else self._at
            if self._at < len(self._text) or self._ended:
                return self._text[self._at : self._at + 1]
            self._more(_CHUNK)

    def take(self, wanted: str) -> None:
        """Pass over one character."""
        if (found := self.peek()) != wanted:
            what = f"found {found!r}" if found else "the file ends"
            raise self.fault("BAD_JSON" if found else "TRUNCATED", f"expected {wanted!r}, {what}")
        self._at += 1

    def value(self) -> Any:
        """Decode one value."""
        self.peek()
        need = _CHUNK
        while True:
            try:
                value, end = DECODER.raw_decode(self._text, self._at)
            except json.JSONDecodeError as error:
                if self._final(error):
                    raise self._malformed(error) from None
            except RecursionError:
                raise too_deep() from None
            else:
                if self._ended or not self._may_go_on(end):
                    return self._passed(end, value)
            if len(self._text) - self._at > ELEMENT_LIMIT:
                raise self.fault("SAMPLE_TOO_LARGE", f"one value has more than {ELEMENT_LIMIT} bytes")
            self._more(need)
            need *= 2

    def _may_go_on(self, end: int) -> bool:
        """Whether a number may be cut off by the window's end: `1`, `1.`, `1e` and `1e+` decode as 1."""
        rest = self._text[end : end + 3]
        return not rest or (end + len(rest) == len(self._text) and rest[0] in ".eE")

    def _final(self, error: json.JSONDecodeError) -> bool:
        """Whether more text could not mend the error: it lies well before the window's end."""
        cut = error.msg.startswith("Unterminated string") or error.pos > len(self._text) - 16
        return self._ended or not cut

    def _malformed(self, error: json.JSONDecodeError) -> Fault:
        at_end = self._ended and error.pos >= len(self._text.rstrip()) - 1
        cut = at_end or error.msg.startswith("Unterminated string")
        self._at = min(error.pos, len(self._text))
        return self.fault("TRUNCATED" if cut else "BAD_JSON", error.msg)

    def _passed(self, end: int, value: Any) -> Any:
        piece = self._text[self._at : end]
        start, self._at = self._at, end
        if not piece.isascii():
            try:
                value = DECODER.decode(piece.encode("latin-1").decode("utf-8"))
            except UnicodeDecodeError as error:
                raise Fault(
                    "NOT_UTF8", f"not UTF-8 at byte {self._base + start + error.start}", "save the file as UTF-8"
                ) from None
        return value

    def _more(self, count: int) -> None:
        data = self._file.read(count)
        self._ended = len(data) < count
        self._lines += self._text.count("\n", 0, self._at)
        self._base += self._at
        self._text = self._text[self._at :] + data.decode("latin-1")
        self._at = 0

    def fault(self, code: str, message: str) -> Fault:
        """A fault at the present place."""
        before = self._text[: self._at]
        line = self._lines + before.count("\n") + 1
        remedies = {
            "TRUNCATED": "the file was cut off; copy or write it again",
            "SAMPLE_TOO_LARGE": "keep media in files of their own, beside the JSON",
        }
        return Fault(code, f"{message} (line {line}, byte {self.offset})", remedies.get(code, "write valid JSON"))
