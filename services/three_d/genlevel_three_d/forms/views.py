"""Shapes to be rendered, pictures that were rendered elsewhere, and what they are held against."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from genlevel_evaluator.captions import Caption, decode_caption
from genlevel_evaluator.errors import SampleError
from genlevel_evaluator.kinds import Content, json_type
from genlevel_evaluator.media import Blob
from genlevel_evaluator.pixels.pictures import Picture, bytes_of, is_deep_colour, open_image, read_picture
from genlevel_three_d.forms.points import checked_faces, checked_points
from genlevel_three_d.scene import Scene

MOST_VIEWS = 64
MOST_PIXELS = 1 << 26
"""Of all pictures of a sample: 0.2 GB."""
_PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff")


@dataclass(frozen=True)
class Views:
    """Pictures of one shape, or one picture that is no rendering."""

    pictures: tuple[Picture, ...]

    @property
    def sha256(self) -> str:
        """Of all files, in their order."""
        return hashlib.sha256("views\0".join(one.sha256 for one in self.pictures).encode()).hexdigest()


def decode_views(content: Content, attributes: Mapping[str, Any]) -> Scene | Views:
    """A shape from a file, or its pictures from a list of files; one picture is a list of one."""
    del attributes
    if content.media is not None:
        return Views((_picture(content.media),)) if content.media.suffix in _PICTURES else _scene(content.media)
    if isinstance(content.json, Mapping) and isinstance(content.json.get("shape"), Blob):
        return _with_material(content.json)
    if isinstance(content.json, list) and content.json and all(isinstance(item, Blob) for item in content.json):
        return _views(content.json)
    given = "text" if content.text is not None else json_type(content.json)
    raise SampleError("WRONG_TYPE", f"expected a shape or pictures of one, got {given}", remedy="give the path of a mesh or a cloud, or a list of paths of pictures")


def _views(blobs: list[Blob]) -> Views:
    if len(blobs) > MOST_VIEWS:
        raise SampleError("TOO_MANY_VIEWS", f"{len(blobs)} pictures of one shape, at most {MOST_VIEWS} are read", remedy="give fewer views")
    pictures: list[Picture] = []
    for index, blob in enumerate(blobs):
        try:
            pictures.append(_picture(blob))
        except SampleError as error:
            error.pointer = f"/{index}"
            raise
        if sum(one.pixels.size // 3 for one in pictures) > MOST_PIXELS:
            raise SampleError("IMAGE_TOO_LARGE", f"the pictures of one shape have more than {MOST_PIXELS} pixels", remedy="scale them down; networks look at 224 x 224")
    return Views(tuple(pictures))


def _picture(blob: Blob) -> Picture:
    name = blob.name or "the picture"
    data = bytes_of(blob, name)
    with open_image(data, name) as image:
        if is_deep_colour(data, image):
            raise SampleError("WRONG_TYPE", f"{name} has 16 bits a channel", remedy="save it with 8 bits")
    return read_picture(blob)


def _with_material(given: Mapping[str, Any]) -> Scene | Views:
    """A shape, or a picture, with the material file beside it."""
    shape, material = given["shape"], given.get("material")
    if material is None:
        return decode_views(Content(media=shape), {})
    if not isinstance(material, Blob) or shape.suffix != ".obj":
        raise SampleError("WRONG_TYPE", "a material is a file that belongs to an .obj file", remedy='give {"shape": "a.obj", "material": "a.mtl"}', pointer="/material")
    return _scene(shape, material)


def _scene(blob: Blob, material: Blob | None = None) -> Scene:
    from genlevel_three_d import scene_files

    found, name = scene_files.read(blob, material), blob.name or "the shape"
    points = checked_points(found.points, name)
    # How a file is read depends on its suffix, too, so its own digest alone would not do.
    digest = hashlib.sha256("\0".join([blob.suffix, blob.sha256, *([material.sha256] if material else [])]).encode()).hexdigest()
    return replace(found, points=points, faces=checked_faces(found, name), sha256=digest)


def decode_description(content: Content, attributes: Mapping[str, Any]) -> Caption | Scene | Views:
    """What a shape is to be: a caption, or a true shape as `{"shape": file}`."""
    file = content.json.get("shape") if isinstance(content.json, Mapping) else content.media
    return decode_views(content, attributes) if isinstance(file, Blob) else decode_caption(content, attributes)


def decode_picture(content: Content, attributes: Mapping[str, Any]) -> Views:
    """The picture that a shape is to be like."""
    del attributes
    if content.media is None:
        given = "text" if content.text is not None else json_type(content.json)
        raise SampleError("WRONG_TYPE", f"expected a picture, got {given}", remedy="give the path of a file")
    return Views((_picture(content.media),))
