"""Input kinds of the video evaluator (docs/formats.md)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from genlevel_evaluator import formats
from genlevel_evaluator.captions import Caption, decode_caption
from genlevel_evaluator.errors import SampleError
from genlevel_evaluator.kinds import Content, InputKind, json_type
from genlevel_evaluator.media import Blob
from genlevel_evaluator.pixels.pictures import Picture, blob_of, read_picture
from genlevel_video import clips, flow_files
from genlevel_video.forms.depth_videos import decode_depth
from genlevel_video.forms.grey_frames import decode_frames
from genlevel_video.forms.mask_tracks import decode_masks
from genlevel_video.forms.tracks import decode_track
from genlevel_video.forms.tubes import decode_tube
from genlevel_video.objects.forms import Captions, Detections, decode_findings, decode_target


def decode_video(content: Content, attributes: Mapping[str, Any]) -> clips.Clip:
    """A video file, a .npz of frames, or a list of pictures; attribute `fps` where the file says none."""
    fps = _rate(attributes.get("fps"))
    if isinstance(content.json, list) and all(isinstance(item, Blob) for item in content.json):
        return clips.open_pictures(content.json, fps)
    return clips.open_clip(_media(content, "a video file"), fps)


def _rate(given: Any) -> float:
    if given is None:
        return 0.0
    if isinstance(given, bool) or not isinstance(given, int | float) or not 0 < given < math.inf:
        raise SampleError("WRONG_TYPE", f"attribute fps is {given!r}, not a number above 0", remedy="give frames a second, or leave it out")
    return float(given)


def decode_seen(content: Content, attributes: Mapping[str, Any]) -> clips.Clip | Detections | Captions:
    """A clip, or what a detector or captioner found in its frames."""
    found = decode_findings(content, attributes)
    return decode_video(content, attributes) if found is None else found


def decode_asked(content: Content, attributes: Mapping[str, Any]) -> Caption | Picture:
    """What a clip was to show: a text, or the picture it was to begin with as `{"image": file}`."""
    file = content.json.get("image") if isinstance(content.json, Mapping) else None
    return read_picture(file) if isinstance(file, Blob) else decode_caption(content, attributes)


def decode_picture(content: Content, attributes: Mapping[str, Any]) -> Picture:
    """A picture that clips are held against."""
    del attributes
    return read_picture(blob_of(content, "a picture"))


def decode_flow(content: Content, attributes: Mapping[str, Any]) -> flow_files.Flow:
    """A flow file."""
    del attributes
    return flow_files.read(_media(content, "a flow file"))


def _media(content: Content, wanted: str) -> Blob:
    if content.media is None:
        given = "text" if content.text is not None else json_type(content.json)
        raise SampleError("WRONG_TYPE", f"expected {wanted}, got {given}", remedy="give the path of one file")
    return content.media


KINDS = {
    "video": InputKind("video", strings_are_paths=True, decode=decode_video, schema=formats.schema("video")),
    "video_alone": InputKind("video_alone", strings_are_paths=True, decode=decode_video, schema=formats.schema("video_alone")),
    "video_text": InputKind("video_text", strings_are_paths=True, reference_strings_are_paths=False, decode=decode_video, decode_reference=decode_asked, schema=formats.schema("video_text")),
    "video_image": InputKind("video_image", strings_are_paths=True, decode=decode_video, decode_reference=decode_picture, schema=formats.schema("video_image")),
    "flow": InputKind("flow", strings_are_paths=True, decode=decode_flow, schema=formats.schema("flow")),
    "tracking_boxes": InputKind("tracking_boxes", strings_are_paths=True, decode=decode_track, schema=formats.schema("tracking_boxes")),
    "tubes": InputKind("tubes", strings_are_paths=False, decode=decode_tube, schema=formats.schema("tubes")),
    "video_masks": InputKind("video_masks", strings_are_paths=True, decode=decode_masks, schema=formats.schema("video_masks")),
    "depth_video": InputKind("depth_video", strings_are_paths=True, decode=decode_depth, schema=formats.schema("depth_video")),
    "frames": InputKind("frames", strings_are_paths=True, decode=decode_frames, schema=formats.schema("frames")),
    "frame_detections": InputKind(
        "frame_detections", strings_are_paths=True, reference_strings_are_paths=False, decode=decode_seen, decode_reference=decode_target,
        schema=formats.schema("frame_detections"),
    ),
}
