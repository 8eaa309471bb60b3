"""Keys of features: all that decides what a network makes of a file, as texts.

They hold the digest of the weights, name and preprocessing of the network, the kind of device, how the file is read (reader, extension, the
code of the evaluator and the versions of the libraries it needs), and the file's own digest. The number of threads and the processor's
instruction set are not part: they move features by about 1e-6 of their size.
"""

from __future__ import annotations

import hashlib
import importlib.util
import re
from collections.abc import Iterator
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

from genlevel_evaluator import weights
from genlevel_evaluator.backbones import Backbone
from genlevel_evaluator.evaluator import Evaluator
from genlevel_evaluator.kinds import Content, InputKind

Key = tuple[str, ...]
_SHARED = ("arrays", "captions", "kinds", "media")
"""Modules of this package that readers of files stand on."""
_FOLDERS = ("networks", "pixels", "backbones")
"""Folders of it with what evaluators share: networks, readers of pictures, and how values reach the networks."""
_SHARED_LIBRARIES = ("numpy", "torch", "ctranslate2")


def network_key(evaluator: Evaluator, backbone: Backbone) -> Key:
    """The part that is the same for all files."""
    digests = "+".join(weights.digest(entry) for entry in backbone.entries)
    return (backbone.name, digests, backbone.preprocessing, _device(evaluator, backbone), *code(evaluator.package))


def content_key(kind: InputKind, side: str, content: Content) -> Key | None:
    """How a file is read and what it is; None for what is no file."""
    return None if content.media is None else (reader(kind, side), content.media.suffix, content.media.sha256)


def value_key(kind: InputKind, side: str, value: Any) -> Key | None:
    """The same for a value out of a larger content, where it knows the digest of its file.

    A reader whose result depends on more than the bytes of the file must not give its values a `sha256`.
    """
    digest = getattr(value, "sha256", "")
    return (reader(kind, side), "", digest) if digest else None


def reader(kind: InputKind, side: str) -> str:
    """Name of the function that reads that side."""
    function: Any = kind.decode_reference if side == "reference" and kind.decode_reference else kind.decode
    return f"{function.__module__}.{getattr(function, '__qualname__', type(function).__name__)}"


def _device(evaluator: Evaluator, backbone: Backbone) -> str:
    if not backbone.uses_gpu:
        return "cpu"
    if evaluator.provider is not None:
        return evaluator.provider.device(backbone.name)
    return torch_device()


@cache
def torch_device() -> str:
    """`cuda` where torch sees a GPU, else `cpu`: the two differ in the last bits."""
    if importlib.util.find_spec("torch") is None:
        return "cpu"
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


@cache
def code(package: str) -> tuple[str, str]:
    """Digest of the code that reads files and runs networks, and the versions of what it stands on."""
    return _sources(package), " ".join(_versions(package.replace("_", "-")))


def _sources(package: str) -> str:
    """Digest of all modules of an evaluator but its metrics, and of those of ours that it reads files with."""
    digest = hashlib.sha256()
    spec = importlib.util.find_spec(package)
    roots = [Path(place) for place in (spec.submodule_search_locations or ())] if spec else []
    own = Path(__file__).parent
    found = [(path.relative_to(root), path) for root in roots for path in root.rglob("*.py") if path.relative_to(root).parts[0] != "metrics"]
    shared = [own / f"{name}.py" for name in _SHARED] + [path for folder in _FOLDERS for path in (own / folder).glob("*.py")]
    found += [(Path("common", path.relative_to(own)), path) for path in shared]
    for name, path in sorted(found):
        data = path.read_bytes()
        digest.update(f"{name}\0{len(data)}\0".encode() + data)
    return digest.hexdigest()


def _versions(distribution: str) -> Iterator[str]:
    try:
        needed = metadata.requires(distribution) or []
    except metadata.PackageNotFoundError:
        needed = []
    names = {match[0].lower() for line in needed if (match := re.match(r"[\w.-]+", line))}
    for name in sorted(names.union(_SHARED_LIBRARIES)):
        if not name.startswith("genlevel"):
            try:
                yield f"{name}=={metadata.version(name)}"
            except metadata.PackageNotFoundError:
                continue
