"""Input kinds of the 3D evaluator (docs/formats.md)."""

from __future__ import annotations

from genlevel_evaluator import formats
from genlevel_evaluator.kinds import InputKind
from genlevel_three_d.forms.boxes import decode_boxes
from genlevel_three_d.forms.instances import decode_instances, decode_scan
from genlevel_three_d.forms.labels import decode_labels
from genlevel_three_d.forms.motion import decode_motion
from genlevel_three_d.forms.points import decode_normals, decode_points, decode_trajectory
from genlevel_three_d.forms.tracks import decode_tracks
from genlevel_three_d.forms.views import decode_description, decode_picture, decode_views

KINDS = {
    "point_set": InputKind("point_set", strings_are_paths=True, decode=decode_points, schema=formats.schema("point_set")),
    "normals": InputKind("normals", strings_are_paths=True, decode=decode_normals, schema=formats.schema("normals")),
    "views": InputKind("views", strings_are_paths=True, reference_strings_are_paths=False, decode=decode_views, decode_reference=decode_description, schema=formats.schema("views")),
    "views_image": InputKind("views_image", strings_are_paths=True, decode=decode_views, decode_reference=decode_picture, schema=formats.schema("views_image")),
    "boxes_3d": InputKind("boxes_3d", strings_are_paths=True, decode=decode_boxes, schema=formats.schema("boxes_3d")),
    "tracks_3d": InputKind("tracks_3d", strings_are_paths=True, decode=decode_tracks, schema=formats.schema("tracks_3d")),
    "point_labels": InputKind("point_labels", strings_are_paths=True, decode=decode_labels, schema=formats.schema("point_labels")),
    "part_labels": InputKind("part_labels", strings_are_paths=True, decode=decode_labels, schema=formats.schema("part_labels")),
    "instances_3d": InputKind("instances_3d", strings_are_paths=False, decode=decode_instances, decode_reference=decode_scan, schema=formats.schema("instances_3d")),
    "motion": InputKind("motion", strings_are_paths=True, decode=decode_motion, schema=formats.schema("motion")),
    "trajectory": InputKind("trajectory", strings_are_paths=True, decode=decode_trajectory, schema=formats.schema("trajectory")),
}
