"""Entries of annotated samples that travel with them as attributes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from genlevel_orchestrator.bundle.fields import fields


def attributes(sample: Mapping[str, Any], kind: str = "", envelope: Mapping[str, Any] = MappingProxyType({})) -> dict[str, Any]:
    """The attributes that travel with a sample of an input kind; what the annotation lists for all samples gives way to the sample's own.

    >>> attributes({"input": {"audio_file": "a.wav", "prompt": "What is heard?"}}, "verdict")
    {'prompt': 'What is heard?'}
    >>> attributes({"input": {"choices": ["a", "b"]}}, "text", {"labels": ["x", "y"]})
    {'labels': ['x', 'y'], 'options': ['a', 'b']}
    """
    table = fields()
    found: dict[str, Any] = {name: envelope[name] for name in table.shared if isinstance(envelope.get(name), list)}
    inside = sample.get("input")
    named = inside if isinstance(inside, Mapping) else {}
    for alias, name in table.attribute_aliases.items():
        if alias in named and _travels(named[alias], table.longest_attribute):
            found[name] = named[alias]
    for holder in (sample, sample.get("input")):
        if not isinstance(holder, Mapping):
            continue
        for name in table.attributes:
            if name in holder and _travels(holder[name], table.longest_attribute):
                found[name] = holder[name]
        found.update({name: holder[name] for name in table.kind_attributes.get(kind, ()) if name in holder})
    if "image_size" not in found and all(isinstance(found.get(side), int) for side in ("width", "height")):
        found["image_size"] = [found["width"], found["height"]]
    own = sample.get("attributes")
    if isinstance(own, Mapping):
        found.update(own)
    return found


def _travels(value: Any, longest: int) -> bool:
    if isinstance(value, str):
        return len(value) <= longest
    if isinstance(value, Mapping):
        return len(value) <= 1000 and all(_travels(item, longest) for item in value.values())
    if isinstance(value, Sequence):
        return len(value) <= 100_000 and all(_travels(item, longest) for item in value)
    return True
