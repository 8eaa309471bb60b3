"""The material file of an OBJ: the diffuse colour of each material, by trimesh."""

from __future__ import annotations

import re
from typing import Any

from genlevel_evaluator.errors import SampleError
from genlevel_evaluator.media import Blob

MAX_BYTES = 16 << 20
_NAMED = re.compile(rb"(?m)^[ \t]*mtllib[ \t]+([^\r\n]+)")
_USED = re.compile(rb"(?m)^[ \t]*usemtl[ \t]+[^\s]")


def named(data: bytes) -> str:
    """The material file that an OBJ names and uses; empty where it does not.

    >>> named(b"mtllib a.mtl\\nv 0 0 0\\nusemtl red\\n"), named(b"mtllib a.mtl\\nv 0 0 0\\n")
    ('a.mtl', '')
    """
    found = _NAMED.search(data)
    return found[1].decode("utf-8", "replace").strip()[:200] if found and _USED.search(data) else ""


def read(blob: Blob) -> bytes:
    """The bytes of a material file."""
    name = blob.name or "the material file"
    data = blob.read()
    if len(data) > MAX_BYTES:
        raise SampleError("MEDIA_TOO_LARGE", f"{name} has {len(data)} bytes, at most {MAX_BYTES} are read", remedy="leave out materials that are not used", pointer="/material")
    if not re.search(rb"(?m)^[ \t]*newmtl[ \t]", data):
        raise SampleError("NOT_3D_DATA", f"{name} is no material file: it has no newmtl", remedy="give the .mtl file that the .obj names", pointer="/material")
    return data


def resolver(data: bytes) -> Any:
    """What trimesh asks for the material file; it gets no other one, and so no pictures."""
    from trimesh.resolvers import Resolver

    class OneFile(Resolver):
        def __init__(self) -> None:
            self._asked = False

        def get(self, name: str) -> bytes:
            # The material file is asked for first, whatever its name; then the pictures it names.
            if self._asked:
                raise OSError(name)
            self._asked = True
            return data

        def keys(self) -> list[str]:
            return []

        def write(self, name: str, data: Any) -> None:
            raise OSError(name)

        def namespaced(self, namespace: str) -> Resolver:
            del namespace
            return self

    return OneFile()
