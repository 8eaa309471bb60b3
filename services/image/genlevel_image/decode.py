"""Input kinds of the image evaluator (docs/formats.md)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from genlevel_evaluator import formats
from genlevel_evaluator.captions import Caption, decode_caption
from genlevel_evaluator.kinds import Content, InputKind
from genlevel_evaluator.media import Blob
from genlevel_evaluator.pixels.pictures import blob_of, read_picture
from genlevel_image.forms.boxes import decode_boxes
from genlevel_image.forms.depths import decode_depth
from genlevel_image.forms.grounding import decode_answer, decode_truth
from genlevel_image.forms.instances import decode_instances
from genlevel_image.forms.keypoints import decode_keypoints
from genlevel_image.forms.masks import decode_masks
from genlevel_image.forms.mattes import decode_matte
from genlevel_image.forms.panoptic import decode_panoptic
from genlevel_image.forms.scene_graphs import decode_scene_graph
from genlevel_image.forms.score_maps import decode_map
from genlevel_image.forms.score_maps import decode_truth as decode_true_mask
from genlevel_image.media import Picture


def decode_image(content: Content, attributes: Mapping[str, Any]) -> Picture:
    """A picture from a file."""
    del attributes
    return read_picture(blob_of(content, "a picture"))


def decode_description(content: Content, attributes: Mapping[str, Any]) -> Picture | Caption:
    """What a picture is to show: a caption, or a true picture as `{"image": file}`."""
    file = content.json.get("image") if isinstance(content.json, Mapping) else content.media
    return read_picture(file) if isinstance(file, Blob) else decode_caption(content, attributes)


KINDS = {
    "image_text": InputKind("image_text", strings_are_paths=True, reference_strings_are_paths=False, decode=decode_image, decode_reference=decode_description, schema=formats.schema("image_text")),
    "image": InputKind("image", strings_are_paths=True, decode=decode_image, schema=formats.schema("image")),
    "masks": InputKind("masks", strings_are_paths=True, decode=decode_masks, schema=formats.schema("masks")),
    "boxes": InputKind("boxes", strings_are_paths=False, decode=decode_boxes, schema=formats.schema("boxes")),
    "grounding": InputKind("grounding", strings_are_paths=False, decode=decode_answer, decode_reference=decode_truth, schema=formats.schema("grounding")),
    "instances": InputKind("instances", strings_are_paths=False, decode=decode_instances, schema=formats.schema("instances")),
    "keypoints": InputKind("keypoints", strings_are_paths=False, decode=decode_keypoints, schema=formats.schema("keypoints")),
    "depth": InputKind("depth", strings_are_paths=True, decode=decode_depth, schema=formats.schema("depth")),
    "matting": InputKind("matting", strings_are_paths=True, decode=decode_matte, schema=formats.schema("matting")),
    "maps": InputKind("maps", strings_are_paths=True, decode=decode_map, decode_reference=decode_true_mask, schema=formats.schema("maps")),
    "panoptic": InputKind("panoptic", strings_are_paths=False, decode=decode_panoptic, schema=formats.schema("panoptic")),
    "scene_graph": InputKind("scene_graph", strings_are_paths=False, decode=decode_scene_graph, schema=formats.schema("scene_graph")),
}
