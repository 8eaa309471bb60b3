"""A class, or a part, for every point."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genlevel_evaluator.errors import SampleError
from genlevel_evaluator.kinds import Content, parse_json
from genlevel_three_d.files import labels

Labels = NDArray[np.int64]


def decode_labels(content: Content, attributes: Mapping[str, Any]) -> Labels:
    """Labels from a file, or from `[0, 2, 2, ...]`."""
    del attributes
    if content.media is not None:
        return labels.read(content.media)
    return labels.from_json(parse_json(content.text) if content.text is not None else content.json)


def check_lengths(prediction: Labels, reference: Labels) -> None:
    """Both sides label the same points."""
    if len(prediction) != len(reference):
        raise SampleError(
            "LENGTH_MISMATCH", f"the prediction labels {len(prediction)} points, the reference {len(reference)}",
            remedy="give one label for every point of the reference, in its order", side="prediction",
        )
