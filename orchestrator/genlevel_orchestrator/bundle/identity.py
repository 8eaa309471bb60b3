"""Whose answer an entry of the predictions is."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

from genlevel_orchestrator.bundle.fields import MISSING, raw_id

_SHARED = object()
"""Stands for the id of a file that several samples name."""


class Identity:
    """Samples by their id; entries without one, as the public audio predictor writes them, by the name of their audio file."""

    def __init__(self) -> None:
        self._by_file: dict[str, Any] = {}

    def know(self, sample: Mapping[str, Any], raw: Any) -> None:
        """Remember the audio file of an annotated sample."""
        inside = sample.get("input")
        given = inside.get("audio_file") if isinstance(inside, Mapping) else None
        if isinstance(given, str):
            name = _file_name(given)
            self._by_file[name] = _SHARED if self._by_file.get(name, raw) != raw else raw

    def of(self, entry: Mapping[str, Any]) -> tuple[str, Any]:
        """Key and value of an entry's identifier; MISSING where there is none and its file belongs to no sample, or to several."""
        name, raw = raw_id(entry)
        path = entry.get("audio_path")
        if raw is not MISSING or not isinstance(path, str):
            return name, raw
        found = self._by_file.get(_file_name(path), MISSING)
        return "audio_path", MISSING if found is _SHARED else found


def _file_name(path: str) -> str:
    return PurePosixPath(path.replace("\\", "/")).name
