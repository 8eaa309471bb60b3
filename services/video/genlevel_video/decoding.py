"""A clip decoded in a thread of its own, a bounded number of frames ahead of those who look at them."""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Iterator, Sequence

from genlevel_evaluator.errors import SampleError
from genlevel_video.clips import Clip
from genlevel_video.frame_limits import ClipInfo, Frame
from genlevel_video.sampling import Sampling

AHEAD_BYTES = 64 << 20
"""Decoded frames that wait; at least two do."""


class Wanted:
    """Which frames of a clip a sampling takes, and how often.

    Attributes:
        least: how many frames it takes at least of a whole clip.
        last: the last one; None where that is the clip's.
    """

    def __init__(self, sampling: Sampling, info: ClipInfo) -> None:
        self._step = 1 if sampling.rule == "all" else sampling.step(info.fps) if sampling.rule == "every" else 0
        self._times: Counter[int] = Counter() if self._step else Counter(sampling.places(info.frames, info.fps))
        self.least = sum(self._times.values()) or 1
        self.last = max(self._times) if self._times else None

    def times(self, index: int) -> int:
        """How often it takes that frame."""
        return int(index % self._step == 0) if self._step else self._times[index]


class Decoding:
    """The frames that any of some samplings takes, being decoded from now on. Close it."""

    def __init__(self, clip: Clip, samplings: Sequence[Sampling]) -> None:
        self._clip = clip
        self._samplings = samplings
        self._info: ClipInfo | None = None
        self._error: BaseException | None = None
        self._frames: deque[tuple[int, Frame]] = deque()
        self._held = 0
        self._ended = self._closed = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._work, name="genlevel-decode", daemon=True)
        self._thread.start()

    def info(self) -> ClipInfo:
        """Facts of the clip.

        Raises:
            SampleError: it cannot be read.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._info is not None or self._ended)
            if self._info is None:
                raise self._error or RuntimeError("the decoder ended without a word")
            return self._info

    def __iter__(self) -> Iterator[tuple[int, Frame]]:
        """Indices and frames, rising.

        Raises:
            SampleError: the file is damaged.
        """
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._frames or self._ended)
                if not self._frames:
                    if self._error is not None:
                        raise self._error
                    return
                index, frame = self._frames.popleft()
                self._held -= frame.nbytes
                self._changed.notify_all()
            yield index, frame

    def close(self) -> None:
        """Ends the thread, and waits until it has let go of the file."""
        with self._changed:
            self._closed = True
            self._frames.clear()
            self._changed.notify_all()
        self._thread.join()

    def _work(self) -> None:
        try:
            self._decode()
        except BaseException as error:  # raised again by those who read
            self._error = error
        finally:
            with self._changed:
                self._ended = True
                self._changed.notify_all()

    def _decode(self) -> None:
        info = self._clip.info()
        with self._changed:
            self._info = info
            self._changed.notify_all()
        wanted = [one for sampling in self._samplings if (one := _wanted(sampling, info)) is not None]
        if not wanted:
            return
        ends = [one.last for one in wanted]
        last = None if None in ends else max(end for end in ends if end is not None)
        for index, frame in self._clip.read(lambda index: any(one.times(index) for one in wanted), last):
            if not self._put(index, frame):
                return

    def _put(self, index: int, frame: Frame) -> bool:
        """Hands a frame over; False when nobody wants any more."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or len(self._frames) < 2 or self._held + frame.nbytes <= AHEAD_BYTES)
            if self._closed:
                return False
            self._frames.append((index, frame))
            self._held += frame.nbytes
            self._changed.notify_all()
            return True


def _wanted(sampling: Sampling, info: ClipInfo) -> Wanted | None:
    try:
        return Wanted(sampling, info)
    except SampleError:  # this sampling cannot be had of this clip; its network says so
        return None
