"""Where bundles may lie: below the folders the server was started with, and nowhere else."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import unquote, urlsplit

import grpc

from genlevel_orchestrator.api.errors import ApiError, invalid


def local_path(uri: str, roots: Sequence[Path], field: str) -> Path:
    """Return the folder or file of a path or ``file://`` URI below one of the roots; links may not lead out.

    Raises:
        ApiError: INVALID_ARGUMENT for what is no such URI, PERMISSION_DENIED outside the roots, NOT_FOUND when nothing is there.
    """
    path = _path_of(uri, field)
    # Links and `..` are resolved before the comparison, so neither leads outside; what lies outside is not even looked up.
    real = Path(os.path.realpath(path))
    if not any(real.is_relative_to(os.path.realpath(root)) for root in roots):
        raise ApiError(
            grpc.StatusCode.PERMISSION_DENIED, "OUTSIDE_ROOTS", f"{field}: {uri} lies outside the folders this server may read",
            "put the bundle below one of its roots, or start it with --roots", [(field, "outside the allowed roots")],
        )  # fmt: skip
    if not real.exists():
        raise ApiError(
            grpc.StatusCode.NOT_FOUND, "NO_SUCH_BUNDLE", f"{field}: there is nothing at {uri}", "check the path on the server's machine",
            [(field, "nothing there")],
        )  # fmt: skip
    return real


def _path_of(uri: str, field: str) -> Path:
    if not uri:
        raise invalid(field, "is empty", "give an absolute path or a file:// URI")
    if "\x00" in uri:
        raise invalid(field, "holds a zero character")
    text = uri
    if "://" in uri:
        parts = urlsplit(uri)
        if parts.scheme != "file" or parts.netloc not in ("", "localhost"):
            raise invalid(field, f"{uri} is no file:// URI of this machine", "give an absolute path or a file:// URI")
        text = unquote(parts.path)
    if not os.path.isabs(text):
        raise invalid(field, f"{uri} is not absolute", "give an absolute path or a file:// URI")
    return Path(text)
