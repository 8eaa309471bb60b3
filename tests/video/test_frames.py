"""One pass: every network gets the frames it asked for, of one decoding."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pytest
import torch

from genlevel_evaluator import features
from genlevel_evaluator.engine import RawSample, Scorer
from genlevel_evaluator.errors import SampleError
from genlevel_evaluator.metric import Presence
from genlevel_video import clips, containers, decoding
from genlevel_video.app import EVALUATOR
from genlevel_video.backbones import i3d
from genlevel_video.backbones.clip_network import ClipNetwork
from genlevel_video.clips import Clip
from genlevel_video.frames import BatchedFrames, ClipExtractor, ClipInfo, Frame, Sampling, one_pass, passes
from genlevel_video.metrics.fvd import METRIC, WIDTH, FvdParameters
from tests.video.generators import saved
from tests.video.test_clips import encoded, opened, pictures


@pytest.fixture(autouse=True)
def no_thread_stays() -> Iterator[None]:
    yield
    assert not [thread for thread in threading.enumerate() if thread.name == "genlevel-decode"]


@dataclass
class Noting:
    """A network that writes down what it gets; its feature is the sums of its frames."""

    sampling: Sampling
    refuses_at: int | None = None
    breaks: bool = False
    seen: list[tuple[int, Frame]] = field(default_factory=list)

    def open(self, info: ClipInfo) -> Noting:
        return Noting(self.sampling, self.refuses_at, self.breaks)

    def push(self, index: int, frame: Frame) -> None:
        if self.breaks:
            raise RuntimeError("a fault of the network")
        if index == self.refuses_at:
            raise SampleError("TOO_DULL", "nothing to see", remedy="give another clip")
        self.seen.append((index, frame))

    def finish(self) -> np.ndarray:
        return np.array([[index, frame.sum()] for index, frame in self.seen], np.float64)


class Means(BatchedFrames):
    """Mean colour of a frame; notes the batches it runs."""

    def __init__(self, sampling: Sampling, size: int = 4) -> None:
        self.sampling, self.size = sampling, size
        self.batches: list[int] = []

    def prepare(self, frame: Frame) -> np.ndarray:
        return frame.astype(np.float32)

    def forward(self, batch: np.ndarray) -> np.ndarray:
        self.batches.append(len(batch))
        return batch.mean(axis=(1, 2))


def a_clip(count: int = 10, seed: int = 0) -> tuple[Clip, np.ndarray]:
    frames = np.random.default_rng(seed).integers(0, 256, (count, 6, 8, 3), dtype=np.uint8)
    clip = clips.open_clip(saved("a.npz", frames=frames, fps=np.array(30.0)).media)
    return clip, frames


SAMPLINGS = [Sampling("all"), Sampling("first", 3), Sampling("first", 16), Sampling("middle", 4), Sampling("middle", 13), Sampling("every", 8)]


def test_every_network_gets_its_own_frames_of_one_decoding(monkeypatch: pytest.MonkeyPatch) -> None:
    clip, frames = a_clip()
    read = []
    whole = Clip.read
    monkeypatch.setattr(Clip, "read", lambda self, *given, **named: read.append(self) or whole(self, *given, **named))
    found = one_pass([Noting(sampling) for sampling in SAMPLINGS], clip)
    assert len(read) == 1
    for sampling, made in zip(SAMPLINGS, found, strict=True):
        places = sampling.places(10, 30.0)
        assert made.dtype == np.float32
        np.testing.assert_array_equal(made, [[place, frames[place].sum()] for place in places])
        np.testing.assert_array_equal(np.stack(list(clip.pick(sampling))), frames[places])


def test_several_clips_keep_their_order_and_a_bad_one_hurts_no_other() -> None:
    good, frames = a_clip()
    other, _ = a_clip(4, 1)
    bad = clips.Clip(saved("bad.npz", frames=np.zeros((0, 2, 2, 3), np.uint8)).media, "0" * 64)
    found = ClipExtractor(Noting(Sampling("first", 2))).extract([good, bad, other, good])
    assert [getattr(one, "code", "") for one in found] == ["", "NO_FRAMES", "", ""]
    np.testing.assert_array_equal(found[0], found[3])
    np.testing.assert_array_equal(found[0][:, 1], frames[:2].sum(axis=(1, 2, 3)))
    assert not np.array_equal(found[0], found[2])


def test_a_network_that_refuses_a_clip_hurts_no_other() -> None:
    clip, _ = a_clip()
    refused, other = one_pass([Noting(Sampling("all"), refuses_at=3), Noting(Sampling("all"))], clip)
    assert refused.code == "TOO_DULL"
    assert len(other) == 10


def test_a_rule_that_cannot_be_had_is_refused_alone() -> None:
    frames = np.zeros((5, 4, 4, 3), np.uint8)
    clip = clips.open_clip(saved("a.npz", frames=frames).media)
    refused, other = one_pass([Noting(Sampling("every", 8)), Noting(Sampling("middle", 2))], clip)
    assert refused.code == "NO_FRAME_RATE"
    assert other[:, 0].tolist() == [0, 3]
    assert one_pass([Noting(Sampling("every", 8))], clip)[0].code == "NO_FRAME_RATE"


def test_a_fault_of_a_network_ends_the_pass() -> None:
    clip, _ = a_clip(60)
    with pytest.raises(RuntimeError, match="fault of the network"):
        list(passes([Noting(Sampling("all"), breaks=True)], [clip, clip, clip]))


def test_frames_go_in_batches_of_one_size_and_repeated_ones_once() -> None:
    clip, frames = a_clip(5)
    network = Means(Sampling("middle", 8), size=4)
    found = one_pass([network], clip)[0]
    assert network.batches == [4, 4]
    np.testing.assert_allclose(found, frames[[0, 1, 2, 3, 4, 4, 4, 4]].mean(axis=(1, 2)), rtol=1e-6)
    alone = one_pass([Means(Sampling("first", 1), size=4)], clip)[0]
    np.testing.assert_array_equal(alone[0], found[0])


def test_few_frames_wait_between_decoder_and_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoding, "AHEAD_BYTES", 5 * 6 * 8 * 3)
    clip, _ = a_clip(50)
    given: list[int] = []
    whole = Clip.read

    def counted(self: Clip, *arguments: Any) -> Iterator[tuple[int, Frame]]:
        for index, frame in whole(self, *arguments):
            given.append(index)
            yield index, frame

    monkeypatch.setattr(Clip, "read", counted)
    ahead: list[int] = []

    class Slow(Noting):
        def open(self, info: ClipInfo) -> Slow:
            return self

        def push(self, index: int, frame: Frame) -> None:
            ahead.append(len(given) - index)

        def finish(self) -> np.ndarray:
            return np.zeros(1)

    one_pass([Slow(Sampling("all"))], clip)
    assert len(given) == 50
    assert max(ahead) <= 7  # five wait, one is in work on each side


@pytest.mark.parametrize(
    ("container", "codec", "pixels"),
    [
        ("mp4", "mpeg4", "yuv420p"), ("matroska", "ffv1", "yuv444p"), ("avi", "mpeg4", "yuv420p"), ("avi", "mjpeg", "yuvj420p"), ("mpegts", "mpeg2video", "yuv420p"),
        ("webm", "libvpx", "yuv420p"), ("webm", "libvpx-vp9", "yuv420p"), ("gif", "gif", "rgb8"), ("mp4", "libx264", "yuv420p"), ("mp4", "libx265", "yuv420p"),
    ],
)  # fmt: skip
def test_facts_are_those_of_the_decoded_frames(container: str, codec: str, pixels: str) -> None:
    clip = opened(encoded(pictures(23), container, codec, pixels), f"a.{container}")
    frames = [frame for _, frame in clip.read()]
    info = clip.info()
    assert (info.frames, info.width, info.height) == (len(frames), 64, 48) == (23, 64, 48)
    assert info.fps == pytest.approx(25.0, rel=1e-3)
    for sampling in SAMPLINGS:
        places = sampling.places(info.frames, info.fps)
        np.testing.assert_array_equal(np.stack(list(clip.pick(sampling))), np.stack([frames[place] for place in places]))


def test_two_decodings_give_the_same_frames_whatever_was_read_before() -> None:
    clip = opened(encoded(pictures(40), "mp4", "libx264"), "a.mp4")
    first = np.stack([frame for _, frame in clip.read()])
    begun = clip.read()
    next(begun)
    begun.close()  # left in the middle
    for threads in (1, 2, 4):
        again = np.stack([frame for _, frame in containers.read(clip.blob, lambda _: True, None, threads)])
        np.testing.assert_array_equal(first, again)
    np.testing.assert_array_equal(first[:16], np.stack(list(clip.frames(16))))


def test_a_clip_network_makes_the_same_bits_in_a_pass_with_others() -> None:
    clip, _ = a_clip(20)
    torch.manual_seed(0)
    network = ClipNetwork(torch.nn.Sequential(torch.nn.Conv3d(3, 2, 7, 5), torch.nn.Flatten()), i3d.prepare)
    together, _ = one_pass([network, Noting(Sampling("all"))], clip)
    np.testing.assert_array_equal(together, network.extract([clip])[0])
    assert np.ptp(together) > 0


def test_a_metric_with_several_networks_decodes_each_clip_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("genlevel_evaluator.features.CACHE", features.FeatureCache())
    names = ("i3d", "dis", "niqe")
    networks = dict(zip(names, [Sampling("first", 16), Sampling("every", 8), Sampling("all")], strict=True))
    evaluator = replace(EVALUATOR, _extractors={name: ClipExtractor(Noting(sampling)) for name, sampling in networks.items()})
    seen = []

    def observe(sample: Any, parameters: Any) -> dict[str, Any]:
        seen.append({name: len(sample.features[name, "prediction"]) for name in names})
        return {f"{side}_features": np.zeros((0, WIDTH)) for side in ("prediction", "reference")}

    metric = replace(METRIC, observe=observe, backbones=lambda _: names[:1], companion_backbones=lambda _: names[1:])
    contents = [saved("a.npz", frames=a_clip(count, count)[1], fps=np.array(30.0)) for count in (10, 20, 5)]
    samples = [RawSample(str(index), content, (), Presence.PREDICTION_ONLY) for index, content in enumerate(contents)]
    read = []
    whole = Clip.read
    monkeypatch.setattr(Clip, "read", lambda self, *given, **named: read.append(self.sha256) or whole(self, *given, **named))
    for _ in range(2):  # the second time all is remembered
        _, issues = Scorer(evaluator, metric, FvdParameters()).observe(samples)
        assert not issues
    assert read == [content.media.sha256 for content in contents]
    assert seen[:3] == seen[3:] == [{"i3d": 16, "dis": 3, "niqe": 10}, {"i3d": 16, "dis": 5, "niqe": 20}, {"i3d": 16, "dis": 2, "niqe": 5}]
