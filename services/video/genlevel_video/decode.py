"""Input kinds of the video evaluator (docs/formats.md)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from genlevel_evaluator import formats
from genlevel_evaluator.errors import SampleError
from genlevel_evaluator.kinds import Content, InputKind, json_type
from genlevel_evaluator.media import Blob
from genlevel_video import clips, flow_files


def decode_video(content: Content, attributes: Mapping[str, Any]) -> clips.Clip:
    """A video file, or a .npz of frames."""
    del attributes
    return clips.open_clip(_media(content, "a video file"))


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
    "flow": InputKind("flow", strings_are_paths=True, decode=decode_flow, schema=formats.schema("flow")),
}
