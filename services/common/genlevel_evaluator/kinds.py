"""Input kinds: how a prediction or a reference is read. Their JSON forms are fixed in docs/formats.md."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from genlevel_evaluator import formats
from genlevel_evaluator.errors import SampleError
from genlevel_evaluator.media import Blob


@dataclass(frozen=True)
class Content:
    """One prediction or reference as it came: exactly one of the three is set."""

    text: str | None = None
    json: Any = None
    media: Blob | None = None


FILE_FORMS = frozenset({"uri", "base64", "blob"})
"""Keys that make an object inside JSON a file."""

Decoder = Callable[[Content, Mapping[str, Any]], Any]
"""From content and the sample's attributes to the decoded value; raises SampleError."""


@dataclass(frozen=True)
class InputKind:
    """An input kind.

    Attributes:
        name: as metrics name it.
        strings_are_paths: a string in a bundle is the path of a file, not the answer itself.
        reference_strings_are_paths: the same for references, where it differs.
        media_pointers: places inside a list or object that hold a file; those of docs/formats.md by default. Decoders find a Blob there.
        decode: reads a prediction.
        decode_reference: reads a reference, where its form differs.
        schema: JSON Schema of the JSON form.
    """

    name: str
    strings_are_paths: bool
    decode: Decoder
    decode_reference: Decoder | None = None
    schema: Mapping[str, Any] = field(default_factory=dict)
    reference_strings_are_paths: bool | None = None
    media_pointers: tuple[str, ...] | None = None

    @property
    def files_at(self) -> tuple[str, ...]:
        """Places inside a list or object that hold a file, as JSON pointers in which `*` is any index."""
        if self.media_pointers is not None:
            return self.media_pointers
        try:
            return formats.media_pointers(self.name)
        except KeyError:  # a kind that is not in the document
            return ()

    def takes_paths(self, side: str) -> bool:
        """Whether a string on that side is a path."""
        if side == "reference" and self.reference_strings_are_paths is not None:
            return self.reference_strings_are_paths
        return self.strings_are_paths

    def read(self, content: Content, side: str, attributes: Mapping[str, Any]) -> Any:
        """Decodes one side of a sample."""
        reader = self.decode_reference if side == "reference" and self.decode_reference else self.decode
        return reader(content, attributes)


def decode_text(content: Content, attributes: Mapping[str, Any]) -> str:
    """Text: a string; numbers and truth values are taken as they are written in JSON."""
    del attributes
    if content.text is not None:
        return content.text
    if content.media is not None:
        try:
            return content.media.read().decode("utf-8")
        except UnicodeDecodeError as error:
            raise SampleError("NOT_UTF8", f"text is not UTF-8 at byte {error.start}", remedy="save it as UTF-8") from None
    if isinstance(content.json, bool | int | float | str):
        return content.json if isinstance(content.json, str) else json.dumps(content.json)
    raise SampleError("WRONG_TYPE", f"expected text, got {json_type(content.json)}", remedy="give a string")


def decode_json(content: Content, attributes: Mapping[str, Any]) -> Any:
    """Any JSON value; text is parsed."""
    del attributes
    if content.media is not None:
        return parse_json(content.media.read())
    return parse_json(content.text) if content.text is not None else content.json


def _refuse(word: str) -> Any:
    raise SampleError("BAD_JSON", f"{word} is not JSON", remedy="use null and leave the sample out")


_DECODER = json.JSONDecoder(parse_constant=_refuse)


def parse_json(text: str | bytes) -> Any:
    """JSON text without NaN and infinity.

    Raises:
        SampleError: BAD_JSON with the position.
    """
    try:
        # What json.loads does with a text; it would make a decoder each time.
        return _DECODER.decode(text) if isinstance(text, str) and not text.startswith("\ufeff") else json.loads(text, parse_constant=_refuse)
    except UnicodeDecodeError as error:
        raise SampleError("NOT_UTF8", f"JSON is not UTF-8 at byte {error.start}", remedy="save it as UTF-8") from None
    except RecursionError:
        raise SampleError("BAD_JSON", "JSON is nested too deeply", remedy="see docs/formats.md") from None
    except json.JSONDecodeError as error:
        raise SampleError("BAD_JSON", f"{error.msg} at line {error.lineno} column {error.colno}", remedy="write valid JSON") from None
    except ValueError:  # Python reads no whole number of more than 4,300 digits
        raise SampleError("BAD_JSON", "a number has too many digits", remedy="give finite numbers") from None


def with_files(value: Any, pointers: Sequence[str], read: Callable[[Any], Any], strings: bool = False) -> Any:
    """The value with every object at `pointers` that names a file replaced by what `read` makes of it; a string there, too, where
    it may be a path (never on the wire).

    >>> with_files([{"mask": {"name": "a.png", "blob": "1f"}, "label": "dog"}], ["/*/mask"], lambda file: file["name"])
    [{'mask': 'a.png', 'label': 'dog'}]
    """
    for pointer in pointers:
        value = _with_files(value, pointer.split("/")[1:], "", read, strings)
    return value


def _with_files(value: Any, path: Sequence[str], here: str, read: Callable[[Any], Any], strings: bool) -> Any:
    if not path:
        if not (isinstance(value, Mapping) and FILE_FORMS & value.keys()) and not (strings and isinstance(value, str)):
            return value  # another form, or none: the decoder says so
        try:
            return read(value)
        except SampleError as error:
            error.pointer = here
            raise
    head, rest = path[0], path[1:]
    if head == "*" and isinstance(value, list):
        return [_with_files(item, rest, f"{here}/{index}", read, strings) for index, item in enumerate(value)]
    if isinstance(value, Mapping) and head in value:
        return {**value, head: _with_files(value[head], rest, f"{here}/{head}", read, strings)}
    return value


def json_type(value: Any) -> str:
    """The JSON type of a value, for messages."""
    names = {type(None): "null", bool: "a truth value", str: "a string", list: "a list", dict: "an object"}
    return names.get(type(value), "a number")

