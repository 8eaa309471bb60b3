"""One pass over a clip feeds every network that asks for its frames, decoded in a thread of its own beside them.

A network takes frames one by one (`FrameConsumer`) and keeps what it needs, so a clip of any length takes the memory of the few frames that wait
between decoder and network. While the networks work on one clip, the next of the same call is begun.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from genlevel_evaluator.errors import SampleError
from genlevel_video.clips import Clip, short
from genlevel_video.decoding import Decoding, Wanted
from genlevel_video.frame_limits import ClipInfo as ClipInfo
from genlevel_video.frame_limits import Frame as Frame
from genlevel_video.sampling import Sampling as Sampling

Features = NDArray[np.float32]


class FrameConsumer(Protocol):
    """One clip's worth of work."""

    def push(self, index: int, frame: Frame) -> None:
        """Takes the next frame of the sampling, RGB; one that the sampling repeats comes again under its index. It must not be written to.

        Raises:
            SampleError: the clip cannot be used by this network.
        """
        ...

    def finish(self) -> Features:
        """The features of the clip; called once, after the last frame.

        Raises:
            SampleError: see `push`.
        """
        ...


class FrameNetwork(Protocol):
    """A loaded network that looks at frames."""

    @property
    def sampling(self) -> Sampling:
        """Which frames it looks at."""
        ...

    def open(self, info: ClipInfo) -> FrameConsumer:
        """Begins a clip.

        Raises:
            SampleError: see `FrameConsumer.push`.
        """
        ...


class BatchedFrames:
    """Base of networks that look at every frame alone: frames go through in batches of one size, the last filled up with zeros, so that
    a frame's features never depend on its company.

    Attributes:
        sampling: which frames.
        size: frames of a batch.
    """

    sampling: Sampling
    size: int = 4

    def prepare(self, frame: Frame) -> NDArray[Any]:
        """A frame as the network takes it; one shape for all frames of a clip."""
        raise NotImplementedError

    def forward(self, batch: NDArray[Any]) -> NDArray[Any]:
        """Features (size, d) of a batch (size, ...)."""
        raise NotImplementedError

    def open(self, info: ClipInfo) -> FrameConsumer:
        """See `FrameNetwork`."""
        del info
        return _Batches(self)


class _Batches:
    def __init__(self, network: BatchedFrames) -> None:
        self._network = network
        self._waiting: list[NDArray[Any]] = []
        self._last = -1
        self._order: list[int] = []
        self._distinct = 0
        self._found: list[NDArray[Any]] = []

    def push(self, index: int, frame: Frame) -> None:
        if index != self._last:
            self._waiting.append(self._network.prepare(frame))
            self._last, self._distinct = index, self._distinct + 1
        self._order.append(self._distinct - 1)
        if len(self._waiting) == self._network.size:
            self._run()

    def _run(self) -> None:
        batch = np.zeros((self._network.size, *self._waiting[0].shape), self._waiting[0].dtype)
        for place, row in enumerate(self._waiting):
            batch[place] = row
        self._found.append(np.array(self._network.forward(batch)[: len(self._waiting)], dtype=np.float32))
        self._waiting.clear()

    def finish(self) -> Features:
        if self._waiting:
            self._run()
        rows: Features = np.concatenate(self._found)
        return rows[self._order]


def same_length(prediction: Clip, reference: Clip) -> int:
    """Frames of two clips that are compared frame by frame.

    Raises:
        SampleError: WRONG_LENGTH or WRONG_SHAPE, of the prediction.
    """
    ours, theirs = prediction.info(), reference.info()
    if ours.frames != theirs.frames:
        raise SampleError(
            "WRONG_LENGTH", f"{prediction.name} has {ours.frames} frames, the reference {theirs.frames}",
            remedy="give one frame for each of the reference", side="prediction",
        )  # fmt: skip
    if (ours.width, ours.height) != (theirs.width, theirs.height):
        raise SampleError(
            "WRONG_SHAPE", f"{prediction.name} has {ours.width} x {ours.height} pixels, the reference {theirs.width} x {theirs.height}",
            remedy="give frames of the reference's size", side="prediction",
        )  # fmt: skip
    return theirs.frames


class ClipExtractor:
    """A network over frames as the runtime runs networks: clips in, features out."""

    def __init__(self, network: FrameNetwork) -> None:
        self.network = network

    def extract(self, values: Sequence[Any]) -> list[Any]:
        """Features of the clips; in place of one, the fault of its file."""
        found = passes([self.network], [value for value in values if isinstance(value, Clip)])
        return [next(found)[0] if isinstance(value, Clip) else self.other(value) for value in values]

    def other(self, value: Any) -> Features:
        """What the network makes of a value that is no clip, such as a text: nothing, where it knows none."""
        del value
        return np.zeros(0, np.float32)


def together(extractors: Sequence[Any], values: Sequence[Any]) -> Iterator[list[Any]]:
    """What several loaded networks make of each value; a clip is decoded once for all that look at its frames. See `Backbone.together`."""
    networks = [_network(extractor) for extractor in extractors]
    sharing = [network for network in networks if network is not None]
    shared = passes(sharing, [value for value in values if isinstance(value, Clip)])
    with closing(shared):
        for value in values:
            found = iter(next(shared) if isinstance(value, Clip) and sharing else ())
            yield [
                next(found) if network is not None and isinstance(value, Clip) else _alone(extractor, value)
                for network, extractor in zip(networks, extractors, strict=True)
            ]


def _network(extractor: Any) -> FrameNetwork | None:
    """The network over frames in an extractor; None of one that reads its values itself."""
    if isinstance(extractor, ClipExtractor):
        return extractor.network
    network: FrameNetwork | None = extractor if hasattr(extractor, "open") and hasattr(extractor, "sampling") else None
    return network


def _alone(extractor: Any, value: Any) -> Any:
    try:
        return extractor.extract([value])[0]
    except SampleError as error:
        return error


def one_pass(networks: Sequence[FrameNetwork], clip: Clip) -> list[Features | SampleError]:
    """What each network makes of a clip that is decoded once; in place of one that refuses it, the reason."""
    return next(passes([*networks], [clip]))


def passes(networks: Sequence[FrameNetwork], clips: Sequence[Clip]) -> Generator[list[Features | SampleError], None, None]:
    """The same of clip after clip. While the networks work on one, the next is being decoded."""
    samplings = [network.sampling for network in networks]
    begun: list[Decoding] = []
    try:
        for place in range(len(clips)):
            while len(begun) < 2 and place + len(begun) < len(clips):
                begun.append(Decoding(clips[place + len(begun)], samplings))
            with closing(begun[0]) as decoding:
                yield _fed(networks, clips[place], decoding)
            begun.pop(0)
    finally:
        for decoding in begun:
            decoding.close()


def _fed(networks: Sequence[FrameNetwork], clip: Clip, decoding: Decoding) -> list[Features | SampleError]:
    try:
        info = decoding.info()
        feeds = [_Feed(network, clip, info) for network in networks]
        for index, frame in decoding:
            for feed in feeds:
                feed.push(index, frame)
    except SampleError as error:  # of the file: nobody has features of it
        return [error for _ in networks]
    return [feed.finish() for feed in feeds]


class _Feed:
    """One network's part in a pass. What it refuses is its own affair; the others go on."""

    def __init__(self, network: FrameNetwork, clip: Clip, info: ClipInfo) -> None:
        self._clip = clip
        self._fault: SampleError | None = None
        self._pushed = 0
        self._info = info
        try:
            self._wanted = Wanted(network.sampling, info)
            self._consumer = network.open(info)
        except SampleError as error:
            self._fault = error

    def push(self, index: int, frame: Frame) -> None:
        if self._fault is not None:
            return
        try:
            for _ in range(self._wanted.times(index)):
                self._consumer.push(index, frame)
                self._pushed += 1
        except SampleError as error:
            self._fault = error

    def finish(self) -> Features | SampleError:
        if self._fault is not None:
            return self._fault
        if self._pushed < self._wanted.least:
            return short(self._clip, self._info)
        try:
            return np.asarray(self._consumer.finish(), dtype=np.float32)
        except SampleError as error:
            return error
