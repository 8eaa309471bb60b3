"""The folder that holds fetched weights: where it is, and how a file gets into it whole or not at all.

Layout: `<cache>/weights/<sha256>/<file name>`. A file is written under a temporary name in the same folder and
renamed, so a reader sees all of it or nothing; a lock per digest keeps two fetches from doing the work twice.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

CHUNK = 1 << 20


def cache_root() -> Path:
    """Return $GENLEVEL_CACHE_DIR, else $XDG_CACHE_HOME/genlevel, else ~/.cache/genlevel."""
    own = os.environ.get("GENLEVEL_CACHE_DIR")
    if own:
        return Path(own).expanduser()
    shared = os.environ.get("XDG_CACHE_HOME")
    base = Path(shared).expanduser() if shared else Path.home() / ".cache"
    return base / "genlevel"


def weights_root() -> Path:
    """Return the folder of weights inside the cache."""
    return cache_root() / "weights"


@contextlib.contextmanager
def lock(name: str) -> Iterator[None]:
    """Hold the lock `name` against other processes and threads of this machine."""
    folder = cache_root() / "locks"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f"{name}.lock").open("w") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield


def place(source: Path, target: Path) -> None:
    """Copy `source` to `target` so that `target` appears whole."""
    with source.open("rb") as stream:
        write(target, iter(lambda: stream.read(CHUNK), b""))


def write(target: Path, blocks: Iterator[bytes]) -> None:
    """Write blocks to `target` through a temporary file of the same folder."""
    target.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=target.parent, prefix=".part-")
    try:
        with os.fdopen(descriptor, "wb") as stream:
            for block in blocks:
                stream.write(block)
            stream.flush()
            os.fsync(stream.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, target)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def read_pins() -> dict[str, str]:
    """Return the digests that the user vouched for, by entry name (for URLs whose digest nobody publishes)."""
    path = weights_root() / "pins.json"
    if not path.is_file():
        return {}
    pins = json.loads(path.read_text(encoding="utf-8"))
    return {str(name): str(digest) for name, digest in pins.items()}


def write_pin(name: str, digest: str) -> None:
    """Remember the digest that the user gave for `name`."""
    with lock("pins"):
        pins = read_pins() | {name: digest}
        text = json.dumps(pins, indent=2, sort_keys=True)
        write(weights_root() / "pins.json", iter([text.encode()]))
