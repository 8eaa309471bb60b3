"""Media of video: variable rates, odd sizes that are turned, lists of pictures, arrays, and what is too much."""

from __future__ import annotations

import io
import tempfile
import tracemalloc
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from PIL import Image

from genlevel_evaluator import media
from genlevel_evaluator.engine import RawSample, Scorer
from genlevel_evaluator.errors import SampleError
from genlevel_evaluator.kinds import Content
from genlevel_evaluator.media import Blob
from genlevel_evaluator.metric import Presence
from genlevel_video import frame_limits
from genlevel_video.app import EVALUATOR
from genlevel_video.clips import Clip
from genlevel_video.decode import decode_video
from genlevel_video.frames import Sampling, same_length
from tests.video.generators import saved
from tests.video.test_clips import _turned, encoded, opened, pictures


def uneven(times: list[int], container: str, codec: str) -> bytes:
    """A file whose frames are shown at these milliseconds."""
    with tempfile.NamedTemporaryFile() as target, av.open(target.name, "w", format=container) as file:
        stream = file.add_stream(codec, rate=Fraction(25))
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.codec_context.time_base = Fraction(1, 1000)
        for time, pixels in zip(times, pictures(len(times)), strict=True):
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            frame.pts, frame.time_base = time, Fraction(1, 1000)
            file.mux(stream.encode(frame))
        file.mux(stream.encode())
        file.close()
        return Path(target.name).read_bytes()


@pytest.mark.parametrize(("container", "codec"), [("mp4", "libx264"), ("matroska", "libx264"), ("mp4", "mpeg4")])
def test_frames_at_uneven_times_count_once_each(container: str, codec: str) -> None:
    times = [0, 40, 80, 400, 410, 420, 1000, 1960]
    clip = opened(uneven(times, container, codec), "a.mp4")
    found = [frame for _, frame in clip.read()]
    info = clip.info()
    assert info.frames == len(found) == 8
    even = [frame for _, frame in opened(encoded(pictures(8), container, codec), "b.mp4").read()]
    assert all(np.abs(one.astype(int) - other).mean() < 6 for one, other in zip(found, even, strict=True))
    assert 3 < info.fps < 30
    assert np.stack(list(clip.pick(Sampling("middle", 3)))).shape == (3, 48, 64, 3)


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
def test_odd_sizes_are_turned_upright(degrees: int, tmp_path: Path) -> None:
    frames = pictures(3, 45, 63)
    data = _turned(encoded(frames, "mp4", "libx264", "yuv444p"), degrees)
    clip = opened(data, "a.mp4")
    info = clip.info()
    assert (info.width, info.height) == ((45, 63) if degrees % 180 else (63, 45))
    (tmp_path / "a.mp4").write_bytes(data)
    done, theirs = cv2.VideoCapture(str(tmp_path / "a.mp4")).read()
    ours = next(clip.frames(1))
    assert done
    assert ours.shape == theirs.shape == (info.height, info.width, 3)
    assert np.abs(theirs[..., ::-1].astype(int) - ours).mean() < 3


def test_a_gif_has_the_frames_pillow_shows() -> None:
    frames = pictures(6)
    buffer = io.BytesIO()
    images = [Image.fromarray(frame).quantize(64) for frame in frames]
    images[0].save(buffer, format="GIF", save_all=True, append_images=images[1:], duration=[40, 40, 200, 40, 40, 40], disposal=1)
    ours = [frame for _, frame in opened(buffer.getvalue(), "a.gif").read()]
    theirs = Image.open(buffer)
    assert len(ours) == theirs.n_frames == 6
    for index, frame in enumerate(ours):
        theirs.seek(index)
        np.testing.assert_array_equal(frame, np.asarray(theirs.convert("RGB")))


def as_file(pixels: np.ndarray, name: str) -> Blob:
    return media.from_bytes(cv2.imencode(Path(name).suffix, pixels[..., ::-1])[1].tobytes(), name)


def test_a_list_of_pictures_is_a_clip_in_the_order_given() -> None:
    frames = pictures(5)
    blobs = [as_file(frame, f"{9 - index}.png") for index, frame in enumerate(frames)]
    clip = decode_video(Content(json=blobs), {"fps": 10})
    assert (clip.info().frames, clip.info().fps, clip.info().width) == (5, 10.0, 64)
    np.testing.assert_array_equal(np.stack([frame for _, frame in clip.read()]), frames)
    np.testing.assert_array_equal(np.stack(list(clip.pick(Sampling("every", 5)))), frames[::2])
    other = decode_video(Content(json=blobs[::-1]), {"fps": 10})
    assert len({clip.sha256, other.sha256, decode_video(Content(json=blobs), {}).sha256, decode_video(Content(json=blobs[:1]), {}).sha256, blobs[0].sha256}) == 5


def test_sixteen_bits_a_channel_are_rounded_to_eight() -> None:
    deep = np.array([[[0, 128, 129], [257, 65535, 65407]]], np.uint16)
    data = cv2.imencode(".png", deep[..., ::-1])[1].tobytes()
    (_, frame), = decode_video(Content(json=[media.from_bytes(data, "a.png")]), {}).read()
    np.testing.assert_array_equal(frame, [[[0, 0, 1], [1, 255, 255]]])


def test_lists_that_are_no_clip_are_refused_with_the_file_that_is_wrong() -> None:
    small, large = as_file(pictures(1)[0], "1.png"), as_file(pictures(1, 20, 30)[0], "2.png")
    with pytest.raises(SampleError, match=r"frame 1 of .*30 x 20 pixels, those before 64 x 48") as caught:
        list(decode_video(Content(json=[small, large]), {}).read())
    assert caught.value.code == "WRONG_SHAPE"
    broken = media.from_bytes(small.read()[:200], "cut.png")
    with pytest.raises(SampleError, match=r"cut\.png"):
        list(decode_video(Content(json=[small, broken]), {}).read())
    with pytest.raises(SampleError, match=r"words\.png"):
        decode_video(Content(json=[media.from_bytes(b"words", "words.png")]), {})
    with pytest.raises(SampleError, match="no frame") as caught:
        decode_video(Content(json=[]), {})
    assert caught.value.code == "NO_FRAMES"


@pytest.mark.parametrize("fps", [0, -1, "25", True, float("nan"), float("inf"), [25]])
def test_a_rate_that_is_none_is_refused(fps: object) -> None:
    with pytest.raises(SampleError, match="fps") as caught:
        decode_video(saved("a.npz", frames=pictures(2)), {"fps": fps})
    assert caught.value.code == "WRONG_TYPE"


def test_what_the_file_says_of_its_rate_goes_before_the_attribute() -> None:
    says = saved("a.npz", frames=pictures(2), fps=np.float64(12.5))
    silent = saved("a.npz", frames=pictures(2))
    assert decode_video(says, {"fps": 30}).info().fps == 12.5
    assert decode_video(says, {"fps": 30}).sha256 == says.media.sha256
    assert decode_video(silent, {"fps": 30}).info().fps == 30
    assert decode_video(silent, {"fps": 30}).sha256 != decode_video(silent, {}).sha256 == silent.media.sha256
    for wrong in (np.float64(-1), np.float64("nan")):
        with pytest.raises(SampleError, match="frames a second"):
            decode_video(saved("a.npz", frames=pictures(2), fps=wrong), {})


def test_arrays_are_unpacked_frame_by_frame() -> None:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, frames=np.zeros((600, 200, 300, 3), np.uint8))  # 108 MB
    clip = decode_video(Content(media=media.from_bytes(buffer.getvalue(), "a.npz")), {})
    tracemalloc.start()
    assert sum(1 for _ in clip.read()) == 600
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 5e6


def test_too_many_frames_and_too_many_pixels(monkeypatch: pytest.MonkeyPatch) -> None:
    frames = pictures(6)
    clips = [opened(encoded(frames, "mp4", "mpeg4"), "a.mp4"), decode_video(Content(json=[as_file(frame, "a.png") for frame in frames]), {})]
    whole = saved("a.npz", frames=frames)
    for name, limit in (("MAX_FRAMES", 5), ("MAX_CLIP_PIXELS", 6 * 64 * 48 - 1)):
        with monkeypatch.context() as patched:
            patched.setattr(frame_limits, name, limit)
            for clip in clips:
                with pytest.raises(SampleError, match="more than 5 frames of 64 x 48") as caught:
                    list(clip.read())
                assert caught.value.code == "MEDIA_TOO_LARGE"
                assert len(list(clip.frames(5))) == 5  # what is needed is read
            with pytest.raises(SampleError, match="more than 5 frames"):
                decode_video(whole, {})


def test_8k_is_read() -> None:
    height, width = 4320, 7680
    frame = np.zeros((height, width, 3), np.uint8)
    frame[:, width // 2 :] = 200
    clip = opened(encoded(np.stack([frame]), "mp4", "mjpeg", "yuvj420p"), "a.mp4")
    assert (clip.info().width, clip.info().height, clip.info().frames) == (7680, 4320, 1)
    assert abs(int(next(clip.frames(1))[9, -9, 1]) - 200) < 4


def test_one_frame_is_a_clip() -> None:
    clip = opened(encoded(pictures(1), "mp4", "libx264"), "a.mp4")
    assert clip.info().frames == 1
    for sampling in (Sampling("all"), Sampling("first", 2), Sampling("middle", 3), Sampling("every", 8)):
        assert len(list(clip.pick(sampling))) == len(sampling.places(1, clip.info().fps))


def test_clips_that_are_compared_frame_by_frame_have_one_length_and_size() -> None:
    def of(count: int, height: int = 48) -> Clip:
        return decode_video(saved("a.npz", frames=pictures(count, height)), {})

    assert same_length(of(3), of(3)) == 3
    with pytest.raises(SampleError, match=r"a\.npz has 4 frames, the reference 3") as caught:
        same_length(of(4), of(3))
    assert (caught.value.code, caught.value.side) == ("WRONG_LENGTH", "prediction")
    with pytest.raises(SampleError, match="64 x 50 pixels, the reference 64 x 48") as caught:
        same_length(of(3, 50), of(3))
    assert caught.value.code == "WRONG_SHAPE"


@pytest.mark.parametrize("fps", [[24.0], [24.0, 25.0]])
def test_an_array_has_one_rate(fps: list[float]) -> None:
    with pytest.raises(SampleError, match="a list as 'fps'") as caught:
        decode_video(saved("a.npz", frames=pictures(2), fps=np.array(fps)), {})
    assert caught.value.code == "WRONG_SHAPE"


def damaged(data: bytes, share: float) -> bytes:
    """The same with a stretch in the middle of the pictures' bytes turned over."""
    begin, size = data.index(b"mdat") + 4, 600
    at = begin + int(share * (len(data) - begin))
    return data[:at] + bytes(255 - value for value in data[at : at + size]) + data[at + size :]


NOISE = np.random.default_rng(0).integers(0, 256, (30, 96, 128, 3), dtype=np.uint8)


@pytest.mark.parametrize("codec", ["libx264", "mpeg4", "mjpeg"])
def test_a_file_that_is_damaged_in_the_middle_is_refused_and_never_filled_up(codec: str) -> None:
    data = encoded(NOISE, "mp4", codec, "yuvj420p" if codec == "mjpeg" else "yuv420p", movflags="faststart")
    whole = np.stack([frame for _, frame in opened(data, "a.mp4").read()])
    assert len(whole) == 30
    with pytest.raises(SampleError) as caught:
        list(opened(damaged(data, 0.5), "a.mp4").read())
    assert caught.value.code in ("MEDIA_DAMAGED", "MEDIA_TRUNCATED"), caught.value.code  # a video it is
    assert "a.mp4" in caught.value.message
    assert caught.value.remedy


def test_issues_name_sample_file_and_remedy() -> None:
    cut = encoded(NOISE, "mp4", "libx264", movflags="faststart")
    texts = {
        "text": Content(text="a dog runs"),
        "words": Content(media=media.from_bytes(b"a dog runs over the field " * 9, "dog.mp4")),
        "cut": Content(media=media.from_bytes(cut[: len(cut) // 4], "cut.mp4")),
        "playlist": Content(media=media.from_bytes(b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n", "list.m3u8")),
        "null": Content(json=None),
        "object": Content(json={"frames": 3}),
    }
    samples = [RawSample(key, content, (), Presence.PREDICTION_ONLY) for key, content in texts.items()]
    _, issues = Scorer.of(EVALUATOR, "fvd", {}).observe(samples)
    found = {issue.sample_id: issue for issue in issues}
    assert found.keys() == texts.keys()
    assert all(issue.remedy and issue.severity == "prediction" for issue in issues)
    assert {key: found[key].code for key in ("text", "words", "playlist", "null", "object")} == {
        "text": "WRONG_TYPE", "words": "NOT_A_VIDEO", "playlist": "NOT_A_VIDEO", "null": "WRONG_TYPE", "object": "WRONG_TYPE",
    }  # fmt: skip
    assert [found[key].file for key in ("words", "cut", "playlist")] == ["dog.mp4", "cut.mp4", "list.m3u8"]


@pytest.mark.parametrize(("container", "codec"), [("mp4", "libx264"), ("matroska", "libx264"), ("webm", "libvpx-vp9"), ("matroska", "ffv1"), ("gif", "gif")])
def test_a_file_that_is_cut_is_refused_and_not_taken_for_a_shorter_one(container: str, codec: str) -> None:
    options = {"movflags": "faststart"} if container == "mp4" else {}
    data = encoded(NOISE, container, codec, "rgb8" if codec == "gif" else "yuv420p", **options)
    assert opened(data, "a").info().frames == 30
    for share in (0.4, 0.9):
        clip = opened(data[: int(share * len(data))], "a")
        for reading in (clip.info, lambda clip=clip: list(clip.read())):
            with pytest.raises(SampleError) as caught:
                reading()
            assert caught.value.code == "MEDIA_TRUNCATED", caught.value.message


def test_a_transport_stream_that_ends_within_a_packet_is_refused() -> None:
    data = encoded(NOISE[:3], "mpegts", "libx264")
    assert opened(data, "a").info().frames == 3
    with pytest.raises(SampleError) as caught:
        opened(data[:-7], "a").info()
    assert caught.value.code == "MEDIA_TRUNCATED", caught.value.message


def test_frames_that_an_edit_leaves_out_are_no_frames() -> None:
    with tempfile.NamedTemporaryFile() as target:
        with av.open(target.name, "w", format="mp4", options={"avoid_negative_ts": "disabled"}) as file:
            stream = file.add_stream("libx264", rate=Fraction(25), options={"bf": "0"})
            stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
            for index, pixels in enumerate(pictures(20)):
                frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
                frame.pts = index
                for packet in stream.encode(frame):
                    packet.pts, packet.dts = packet.pts - 5, packet.dts - 5
                    file.mux(packet)
            for packet in stream.encode():
                packet.pts, packet.dts = packet.pts - 5, packet.dts - 5
                file.mux(packet)
        data = Path(target.name).read_bytes()
    clip = opened(data, "a.mp4")
    found = [frame for _, frame in clip.read()]
    assert clip.info().frames == len(found) == 15
