"""Video clips: opened and checked when a sample is decoded, frames read only when somebody asks for them, one at a time."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import repeat

from genlevel_evaluator.errors import SampleError
from genlevel_evaluator.media import Blob
from genlevel_video import containers, pictures
from genlevel_video.frame_limits import MAX_FRAMES, ClipInfo, Frame, named
from genlevel_video.sampling import Sampling

_KNOWN = 4096
_infos: OrderedDict[tuple[str, str], ClipInfo] = OrderedDict()
_lock = threading.Lock()


@dataclass(frozen=True)
class Clip:
    """A clip: a video file, an array of frames, or a list of pictures.

    Attributes:
        blob: the file, or the first picture.
        sha256: digest of all that decides its frames and its rate.
        pictures: all pictures of a list, in order; empty where one file holds all frames.
        fps: frames a second, for what does not say it itself; 0 where that is unknown.
    """

    blob: Blob
    sha256: str
    pictures: tuple[Blob, ...] = ()
    fps: float = 0.0

    @property
    def name(self) -> str:
        """What to call it in messages."""
        return f"the frames from {named(self.blob)} on" if self.pictures else named(self.blob)

    def info(self) -> ClipInfo:
        """Exact facts, remembered. Files of common codecs are not decoded for it."""
        key = (self.sha256, self.blob.suffix)
        with _lock:
            if key in _infos:
                _infos.move_to_end(key)
                return _infos[key]
        found = self._look()
        if not found.frames:
            raise _no_frames(self.name)
        found = found if found.fps > 0 else replace(found, fps=self.fps)
        with _lock:
            _infos[key] = found
            while len(_infos) > _KNOWN:
                _infos.popitem(last=False)
        return found

    def pick(self, sampling: Sampling) -> Iterator[Frame]:
        """The frames of a sampling, turned upright, RGB; frames that it repeats are the same array."""
        if sampling.rule == "all":
            yield from (frame for _, frame in self.read())
        elif sampling.rule == "first":  # a long file need not be counted for its beginning
            yield from self.frames(sampling.count)
        else:
            info = self.info()
            places = sampling.places(info.frames, info.fps)
            wanted = frozenset(places)
            found = self.read(wanted.__contains__, places[-1])
            here, frame = -1, None
            for place in places:
                while here < place:
                    here, frame = next(found, (place, None))
                if frame is None:
                    raise short(self, info)
                yield frame

    def frames(self, count: int) -> Iterator[Frame]:
        """The first `count` frames in order of presentation, turned upright, RGB; the last one is repeated when there are fewer."""
        found, frame = 0, None
        for _, frame in self.read(last=count - 1):
            found += 1
            yield frame
        if frame is None:
            raise _no_frames(self.name)
        yield from repeat(frame, count - found)

    def read(self, wanted: Callable[[int], bool] = lambda _: True, last: int | None = None) -> Iterator[tuple[int, Frame]]:
        """The wanted frames with their indices, up to frame `last`; the others are passed over. Nothing is kept."""
        if self.pictures:
            return pictures.read_list(self.pictures, wanted, last)
        if self.blob.suffix == ".npz":
            return pictures.read_array(self.blob, wanted, last)
        return containers.read(self.blob, wanted, last)

    def _look(self) -> ClipInfo:
        if self.pictures:
            return pictures.list_info(self.pictures)
        return pictures.array_info(self.blob) if self.blob.suffix == ".npz" else containers.info(self.blob)


def open_clip(blob: Blob, fps: float = 0.0) -> Clip:
    """A clip whose file can be opened and announces a picture of sensible size. `fps` counts where the file says none.

    Raises:
        SampleError: NOT_A_VIDEO, NO_FRAMES, MEDIA_TOO_LARGE or WRONG_SHAPE.
    """
    known = pictures.array_info(blob).fps if blob.suffix == ".npz" else containers.rate(blob)
    fps = 0.0 if known > 0 else fps
    return Clip(blob, _digest([blob], fps), fps=fps)


def open_pictures(blobs: Sequence[Blob], fps: float = 0.0) -> Clip:
    """A clip of one picture file a frame, in the order given.

    Raises:
        SampleError: NO_FRAMES, MEDIA_TOO_LARGE or UNREADABLE.
    """
    if not blobs:
        raise _no_frames("the list of frames")
    if len(blobs) > MAX_FRAMES:
        raise SampleError("MEDIA_TOO_LARGE", f"the list has {len(blobs)} frames, at most {MAX_FRAMES} are read", remedy="give a shorter clip")
    pictures.picture_size(blobs[0])
    return Clip(blobs[0], _digest(blobs, fps, True), tuple(blobs), fps)


def _digest(blobs: Sequence[Blob], fps: float, several: bool = False) -> str:
    """Of a file alone its own; else of all that decides what is made of the clip."""
    if not several and not fps:
        return blobs[0].sha256
    return hashlib.sha256("\n".join(["frames", repr(fps), *(blob.sha256 for blob in blobs)]).encode()).hexdigest()


def _no_frames(name: str) -> SampleError:
    return SampleError("NO_FRAMES", f"{name} has no frame", remedy="give a video with at least one frame")


def short(clip: Clip, info: ClipInfo) -> SampleError:
    """What is wrong with a file that holds fewer frames than its packets announce."""
    return SampleError("MEDIA_DAMAGED", f"{clip.name} announces {info.frames} frames and gives fewer", remedy="copy the file again, or encode it again")
