"""Where the parts of a sample stand: the tables of ``data/`` and the look-ups over them."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any

from genlevel_orchestrator.catalogue.names import name_key

MISSING = object()
"""Stands for a value that is not there; None is JSON's null."""

_STRUCTURE = ("id", "input", "attributes", "presence", "reference", "references")


@dataclass(frozen=True)
class Form:
    """How an input kind writes its two sides.

    Attributes:
        kind: name of the input kind.
        prediction_paths: a string on the prediction side is the path of a file, not the answer itself; likewise ``reference_paths``.
        reference_lists: a list on the reference side is one answer, not several alternatives.
        media: places inside a list or object that hold a file, as JSON pointers in which ``*`` is any index.
        set_metric: samples may carry one side only.
        joined: a list of words, on either side, is one answer of several parts; they travel as one text, between them ``<p>``.
        box_format: how boxes are written, as the task's parameters say.
    """

    kind: str
    prediction_paths: bool = False
    reference_paths: bool = False
    reference_lists: bool = False
    media: tuple[str, ...] = ()
    set_metric: bool = False
    joined: bool = False
    box_format: str = "xyxy"

    @property
    def reference_free(self) -> bool:
        """Whether nothing is held against the prediction: it is a clip, a recording or a piece by itself, or what people said of an output."""
        return self.kind in ("ratings", "votes", "video_alone", "audio_alone", "midi")

    @property
    def folders(self) -> bool:
        """Whether a folder is read as the list of its frames."""
        return "/*" in self.media


@lru_cache(maxsize=1)
def _kinds() -> dict[str, Any]:
    table: dict[str, Any] = json.loads(files(__package__).joinpath("data/kinds.json").read_text(encoding="utf-8"))
    return table


def form_of(kind: str, prediction_paths: bool = False, reference_paths: bool = False, set_metric: bool = False) -> Form:
    """The form of a kind. For a kind this version does not know, what the evaluator says of it holds.

    >>> form_of("speech").prediction_paths, form_of("speech").reference_paths
    (True, False)
    """
    entry = _kinds().get(kind)
    if entry is None:
        return Form(kind, prediction_paths, reference_paths, not reference_paths, (), set_metric)
    return Form(
        kind, entry["paths"]["prediction"], entry["paths"]["reference"], entry["lists"]["reference"], tuple(entry["media"]), set_metric,
    )  # fmt: skip


@dataclass(frozen=True)
class Fields:
    """The table ``fields.toml``."""

    id: tuple[str, ...]
    prediction: tuple[str, ...]
    named: Mapping[str, tuple[str, ...]]
    types: Mapping[str, tuple[str, ...]]
    silent_types: tuple[str, ...]
    parameters: Mapping[str, Mapping[str, Mapping[str, Any]]]
    kinds: Mapping[str, tuple[str, ...]]
    whole: Mapping[str, Sequence[Sequence[str]]]
    frames: Mapping[str, str]
    given: Mapping[str, tuple[str, ...]]
    beside: Mapping[str, Mapping[str, Sequence[str]]]
    asked: Mapping[str, tuple[str, ...]]
    attributes: tuple[str, ...]
    kind_attributes: Mapping[str, tuple[str, ...]]
    attribute_aliases: Mapping[str, str]
    shared: tuple[str, ...]
    longest_attribute: int
    media_folders: tuple[str, ...]
    frame_endings: tuple[str, ...]

    def paths(self, kind: str, sample_type: str) -> Iterator[str]:
        """Paths of the answer, in order of preference."""
        yield from self.types.get(name_key(sample_type), ())
        yield from self.kinds.get(kind, ())
        if kind not in self.asked:
            yield from self.kinds["any"]


@lru_cache(maxsize=1)
def fields() -> Fields:
    """The table of this package."""
    table = tomllib.loads(files(__package__).joinpath("data/fields.toml").read_text(encoding="utf-8"))
    return Fields(
        id=tuple(table["id"]),
        prediction=tuple(table["prediction"]),
        named={name: tuple(paths) for name, paths in table["named"].items()},
        types={name_key(name): tuple(paths) for name, paths in table["types"].items()},
        silent_types=tuple(table["first_value"]["not"]),
        parameters={name_key(name): values for name, values in table["parameters"].items()},
        kinds={name: tuple(paths) for name, paths in table["kinds"].items()},
        whole=table["whole"],
        frames=table["frames"],
        given={name: tuple(paths) for name, paths in table["given"].items()},
        beside=table["beside"],
        asked={name: tuple(paths) for name, paths in table["asked"].items()},
        attributes=tuple(table["attributes"]["names"]),
        kind_attributes={name: tuple(names) for name, names in table["attributes"]["kinds"].items()},
        attribute_aliases=table["attributes"]["aliases"],
        shared=tuple(table["attributes"]["shared"]),
        longest_attribute=table["attributes"]["longest"],
        media_folders=tuple(table["media"]["folders"]),
        frame_endings=tuple(table["media"]["frames"]),
    )


def follow(value: Any, path: str) -> Any:
    """The value at a dotted path, or MISSING. A key that itself holds the dots goes first.

    >>> follow({"a": {"b": 1}}, "a.b"), follow({"a.b": 2}, "a.b")
    (1, 2)
    """
    if isinstance(value, Mapping) and path in value:
        return value[path]
    for part in path.split("."):
        if not isinstance(value, Mapping) or part not in value:
            return MISSING
        value = value[part]
    return value


def type_parameters(sample_type: Any, metric: str) -> Mapping[str, Any]:
    """Parameters of a metric that go with an annotation's ``type``.

    >>> type_parameters("Relation Extraction", "micro_f1")
    {'split': 'items'}
    """
    found = fields().parameters.get(name_key(sample_type) if isinstance(sample_type, str) else "", {})
    return found.get(metric, {})


def raw_id(sample: Mapping[str, Any]) -> tuple[str, Any]:
    """Key and value of a sample's identifier; MISSING when there is none."""
    for key in fields().id:
        if key in sample:
            return key, sample[key]
    return fields().id[0], MISSING


def is_media(value: Any) -> bool:
    """Whether a value is a file given in place: ``{"name", "base64"}``."""
    return isinstance(value, Mapping) and isinstance(value.get("base64"), str)


def answer(holder: Any, kind: str, sample_type: str = "") -> tuple[str, Any]:
    """Pointer below ``holder`` and the answer in it. A holder that is no object is the answer itself."""
    if not isinstance(holder, Mapping) or is_media(holder) or _is_whole(holder, kind):
        return "", holder
    for path in fields().paths(kind, sample_type):
        value = follow(holder, path)
        if value is not MISSING and value is not None:
            return "/" + path.replace(".", "/"), value
    words = kind in ("labels", "text") and _takes_first(sample_type)
    if (len(holder) == 1 and kind not in fields().asked) or (holder and words):
        key, value = next(iter(holder.items()))
        return "/" + str(key), value
    return "", MISSING


def _is_whole(holder: Mapping[str, Any], kind: str) -> bool:
    """Whether an object is an answer itself, by its keys or those of its values."""
    if any(set(keys) <= holder.keys() for keys in fields().whole.get(kind, ())):
        return True
    key = fields().frames.get(kind)
    return key is not None and bool(holder) and all(isinstance(item, Mapping) and key in item for item in holder.values())


def _takes_first(sample_type: str) -> bool:
    """Whether the reference of a type is the first value of ``output`` when no known key is there: the public rule for language."""
    key = name_key(sample_type)
    return bool(key) and key not in fields().types and not key.endswith(fields().silent_types)


def predicted(entry: Mapping[str, Any], form: Form, sample_type: str = "") -> tuple[str, Any]:
    """Pointer and value of the prediction in an entry of prediction.json; MISSING when there is none or it is null."""
    for key in fields().prediction:
        value, place = follow(entry, key), "/" + key.replace(".", "/")
        if key == "output" and value is not None and value is not MISSING:
            below, value = answer(value, form.kind, sample_type)
            place += below
        if value is not None and value is not MISSING:
            return place, value
    return "", MISSING


def referenced(sample: Mapping[str, Any], form: Form, sample_type: str = "") -> tuple[str, list[Any]]:
    """Pointer and accepted answers of an annotated sample; an empty list when there is none.

    >>> referenced({"output": {"answer": ["a", "b"]}}, form_of("text"), "OpenQA")
    ('/output/answer', ['a', 'b'])
    """
    if isinstance(sample.get("references"), list):
        return "/references", [item for item in sample["references"] if item is not None]
    if sample.get("reference") is not None:
        return "/reference", [sample["reference"]]
    holder: Any = sample.get("output")
    place = "/output"
    if "output" not in sample:
        below, value = _beside(sample, form.kind, sample_type)
        place = ""
    else:
        below, value = answer(holder, form.kind, sample_type)
    if form.kind in fields().asked and not _says(value, form.kind):
        place, (below, value) = "/input", _asked(sample.get("input"), form.kind)
    if value is MISSING or value is None or (value == "" and form.kind in fields().given):
        place, (below, value) = "/input", _first(sample.get("input"), fields().given.get(form.kind, ()))
    if value is MISSING or value is None:
        return place, []
    if isinstance(value, list) and not (form.reference_lists or form.joined):
        return place + below, [item for item in value if item is not None]
    return place + below, [value]


def beside(sample: Mapping[str, Any], form: Form) -> Iterator[tuple[str, str, Any]]:
    """Pointer, role and file of what stands beside a reference; a `source` only behind a true recording.

    >>> clip = {"input": {"audio_file": "a.wav"}, "output": {"audio_file": "b.wav"}}
    >>> list(beside(clip, form_of("audio_text")))
    [('/output/audio_file', 'audio', 'b.wav'), ('/input/audio_file', 'source', 'a.wav')]
    """
    roles: set[str] = set()
    for role, paths in fields().beside.get(form.kind, {}).items():
        values = ((path, follow(sample, path)) for path in paths)
        path, value = next(((path, value) for path, value in values if (value and isinstance(value, str)) or is_media(value)), ("", MISSING))
        if value is not MISSING and (role != "source" or "audio" in roles):
            roles.add(role)
            yield "/" + path.replace(".", "/"), role, value


def _says(value: Any, kind: str) -> bool:
    """Whether a value can be what was asked for: words, or an object of words where the kind has such a form; a file never."""
    return isinstance(value, str | list) or (isinstance(value, Mapping) and not is_media(value) and kind in fields().whole)


def _asked(given: Any, kind: str) -> tuple[str, Any]:
    """What was asked for, where the output is held against it and the annotation does not repeat it."""
    if isinstance(given, str):
        return "", given
    found = ((path, follow(given, path)) for path in fields().asked[kind])
    return next((("/" + path.replace(".", "/"), value) for path, value in found if _says(value, kind)), ("", MISSING))


def _first(holder: Any, names: Sequence[str]) -> tuple[str, Any]:
    """The first entry of an object that is there."""
    return next((("/" + name, holder[name]) for name in names if isinstance(holder, Mapping) and holder.get(name)), ("", MISSING))


def _beside(sample: Mapping[str, Any], kind: str, sample_type: str) -> tuple[str, Any]:
    """The answer on a sample that has no ``output``: only under a key that is known, as a lone question is none."""
    holder = {key: value for key, value in sample.items() if key not in _STRUCTURE}
    if any(set(keys) <= holder.keys() for keys in fields().whole.get(kind, ())):
        return "", holder
    for path in fields().paths(kind, sample_type):
        if (value := follow(holder, path)) is not MISSING and value is not None:
            return "/" + path.replace(".", "/"), value
    return "", MISSING
