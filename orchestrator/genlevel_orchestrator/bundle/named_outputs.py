"""Outputs that only the annotation names, as the public video annotations do: a folder of frames under ``input.pred_dir`` or ``output.frame_dir``.

They become, in memory, what a prediction.json of them would be. The rest of a sample is left out, so that a reference is never read as an answer.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

from genlevel_orchestrator.bundle.fields import MISSING, fields, follow, raw_id
from genlevel_orchestrator.bundle.jsonstream import Element, SampleFile
from genlevel_orchestrator.bundle.media import MediaBase
from genlevel_orchestrator.bundle.violations import Fault


def named_output(sample: Any, metric_id: str) -> dict[str, Any]:
    """The place and path of the output that a sample names; nothing where it names none.

    >>> named_output({"id": 1, "input": {"pred_dir": "p/1", "gt_dir": "g/1"}}, "psnr")
    {'input.pred_dir': 'p/1'}
    """
    found = {path: follow(sample, path) for path in fields().named.get(metric_id, ())}
    return {path: value for path, value in found.items() if isinstance(value, str) and value}


def submitted(annotation: Path, metric_id: str, base: MediaBase) -> bool:
    """Whether any output is there that the annotation names: many name folders which the model has yet to fill."""
    if metric_id not in fields().named:
        return False
    try:
        return any(_is_there(base, path) for element in SampleFile(annotation).scan() for path in named_output(element.value, metric_id).values())
    except Fault:
        return False  # the reader of the samples will say what is wrong with the file


def _is_there(base: MediaBase, path: str) -> bool:
    try:
        base.locate(path)
    except Fault:
        return False
    return True


class NamedOutputs(SampleFile):
    """The outputs that an annotation names, read as predictions."""

    def __init__(self, annotation: Path, metric_id: str) -> None:
        super().__init__(annotation)
        self._metric_id = metric_id
        self._data = b""

    def open(self) -> BinaryIO:
        """The predictions as a file."""
        return io.BytesIO(self._data)

    def scan(self) -> Iterator[Element]:
        """Yield one prediction for each sample that names an output."""
        data = io.BytesIO()
        elements: list[Element] = []
        for element in super().scan():
            entry = named_output(element.value, self._metric_id)
            if not entry:
                continue
            name, raw = raw_id(element.value)
            value: Mapping[str, Any] = entry if raw is MISSING else {name: raw, **entry}
            start = data.tell()
            data.write(json.dumps(value).encode())
            elements.append(Element(element.number, start, data.tell(), value))
        self._data = data.getvalue()
        yield from elements
