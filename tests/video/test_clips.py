"""Video files: frames of many containers, rotation, and what is refused."""

from __future__ import annotations

import io
import struct
import subprocess
import sys
import tempfile
import tracemalloc
import wave
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from genlevel_evaluator import media
from genlevel_evaluator.errors import SampleError
from genlevel_evaluator.kinds import Content
from genlevel_video import frame_limits
from genlevel_video.clips import Clip
from genlevel_video.decode import decode_video
from tests.video.generators import saved


def pictures(count: int, height: int = 48, width: int = 64) -> np.ndarray:
    """A bright square that wanders over a soft gradient: easy on every codec, and not symmetric."""
    frames = np.zeros((count, height, width, 3), np.uint8)
    frames[..., 0] = np.linspace(0, 200, width).astype(np.uint8)
    frames[..., 1] = np.linspace(0, 200, height).astype(np.uint8)[:, None]
    for index in range(count):
        frames[index, 4:20, 2 + index : 18 + index] = [250, 240, 30]
    return frames


def encoded(frames: np.ndarray, container: str, codec: str, pixels: str = "yuv420p", **options: str) -> bytes:
    # A real file: to move its index to the front, the muxer opens it a second time.
    with tempfile.NamedTemporaryFile() as target, av.open(target.name, "w", format=container, options=options) as file:
        stream = file.add_stream(codec, rate=Fraction(25))
        stream.width, stream.height, stream.pix_fmt = frames.shape[2], frames.shape[1], pixels
        if codec in ("mpeg4", "mpeg2video", "flv1"):
            stream.bit_rate = 8_000_000
        for frame in frames:
            file.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        file.mux(stream.encode())
        file.close()
        return Path(target.name).read_bytes()


def opened(data: bytes, name: str) -> Clip:
    found = decode_video(Content(media=media.from_bytes(data, name)), {})
    assert isinstance(found, Clip)
    return found


@pytest.mark.parametrize(
    ("container", "codec", "tolerance"),
    [
        ("mp4", "mpeg4", 12),
        ("matroska", "ffv1", 6),
        ("avi", "mpeg4", 12),
        ("mov", "mpeg4", 12),
        ("mpegts", "mpeg2video", 12),
        ("webm", "libvpx", 16),
        ("gif", "gif", 60),
        ("nut", "mpeg4", 12),
    ],
)
def test_containers(container: str, codec: str, tolerance: int) -> None:
    frames = pictures(20)
    data = encoded(frames, container, codec, {"gif": "rgb8", "ffv1": "yuv444p"}.get(codec, "yuv420p"))
    found = np.stack(list(opened(data, f"a.{container}").frames(16)))
    assert found.shape == (16, 48, 64, 3)
    assert found.dtype == np.uint8
    difference = np.abs(found.astype(int) - frames[:16])
    assert difference.mean() < tolerance
    # The square is where it was: frames are in order and none is left out.
    places = [int(np.argmax((frame[8, :, 0] > 190) & (frame[8, :, 2] < 140) & (frame[8, :, 1] > 150))) for frame in found]
    assert all(abs(place - (2 + index)) <= 2 for index, place in enumerate(places))


def test_frames_equal_opencv(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(encoded(pictures(10), "mp4", "mpeg4"))
    ours = list(opened(path.read_bytes(), "a.mp4").frames(10))
    reader = cv2.VideoCapture(str(path))
    for frame in ours:
        done, picture = reader.read()
        assert done
        assert np.abs(picture[..., ::-1].astype(int) - frame).mean() < 1.5  # two builds of the same colour conversion


def test_a_short_clip_repeats_its_last_frame() -> None:
    found = list(opened(encoded(pictures(3), "matroska", "ffv1", "yuv444p"), "a.mkv").frames(16))
    assert len(found) == 16
    assert all(np.array_equal(frame, found[2]) for frame in found[3:])
    assert not np.array_equal(found[1], found[2])


def _turned(data: bytes, degrees: int) -> bytes:
    """Writes a display matrix into the track header, as phones do."""
    sine, cosine = {0: (0, 1), 90: (1, 0), 180: (0, -1), 270: (-1, 0)}[degrees]
    at = data.index(b"tkhd") + 4 + 40
    one = 1 << 16
    matrix = struct.pack(">9i", cosine * one, sine * one, 0, -sine * one, cosine * one, 0, 0, 0, 1 << 30)
    return data[:at] + matrix + data[at + 36 :]


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
def test_rotation_equals_opencv(degrees: int, tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(_turned(encoded(pictures(4), "mp4", "mpeg4"), degrees))
    ours = next(opened(path.read_bytes(), "a.mp4").frames(1))
    done, theirs = cv2.VideoCapture(str(path)).read()  # turns pictures upright by default
    assert done
    assert ours.shape == theirs.shape == ((64, 48, 3) if degrees % 180 else (48, 64, 3))
    assert np.abs(theirs[..., ::-1].astype(int) - ours).mean() < 1.5


def test_arrays_of_frames() -> None:
    frames = pictures(20)
    clip = decode_video(saved("a.npz", frames=frames), {})
    np.testing.assert_array_equal(list(clip.frames(16)), frames[:16])
    assert clip.sha256


def test_only_the_frames_needed_are_unpacked() -> None:
    # 400 frames of 180 kB are 70 MB; 16 of them are 3 MB.
    buffer = io.BytesIO()
    np.savez_compressed(buffer, frames=np.zeros((400, 200, 300, 3), np.uint8))
    content = Content(media=media.from_bytes(buffer.getvalue(), "a.npz"))
    tracemalloc.start()
    assert len(list(decode_video(content, {}).frames(16))) == 16
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20e6


def test_a_file_on_disk_is_read_in_parts(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(encoded(pictures(20), "mp4", "mpeg4"))
    clip = decode_video(Content(media=media.from_path(path)), {})
    assert len(list(clip.frames(16))) == 16


def _sound() -> bytes:
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(bytes(1600))
    return buffer.getvalue()


def _sound_in_mp4() -> bytes:
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4") as file:
        stream = file.add_stream("aac", rate=16000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        frame.sample_rate = 16000
        file.mux(stream.encode(frame))
        file.mux(stream.encode())
    return buffer.getvalue()


def _picture() -> bytes:
    return cv2.imencode(".png", pictures(1)[0])[1].tobytes()


MP4 = encoded(pictures(20), "mp4", "mpeg4")
FAST = encoded(pictures(20), "mp4", "mpeg4", movflags="faststart")
BAD = {
    "empty": (b"", "a.mp4", "EMPTY_FILE"),
    "text": (b"not a video at all, but some text of a certain length" * 20, "a.mp4", "NOT_A_VIDEO"),
    "sound": (_sound(), "a.wav", "NOT_A_VIDEO"),
    "sound in a video container": (_sound_in_mp4(), "a.mp4", "NOT_A_VIDEO"),
    "a picture": (_picture(), "a.mp4", "NOT_A_VIDEO"),
    "index cut off": (MP4[: len(MP4) // 2], "a.mp4", "NOT_A_VIDEO"),
    "a playlist of other files": (b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n/etc/passwd\n#EXT-X-ENDLIST\n", "a.m3u8", "NOT_A_VIDEO"),
    "a list of other files": (b"ffconcat version 1.0\nfile /etc/passwd\n", "a.mp4", "NOT_A_VIDEO"),
    "no frame": (saved("x", frames=np.zeros((0, 4, 4, 3), np.uint8)).media.read(), "a.npz", "NO_FRAMES"),
    "grey frames": (saved("x", frames=np.zeros((2, 4, 4), np.uint8)).media.read(), "a.npz", "WRONG_SHAPE"),
    "frames of floats": (saved("x", frames=np.zeros((2, 4, 4, 3))).media.read(), "a.npz", "WRONG_SHAPE"),
    "no array of frames": (saved("x", a=np.zeros(1), b=np.zeros(1)).media.read(), "a.npz", "NOT_A_VIDEO"),
    "archive cut short": (saved("x", frames=np.zeros((2, 4, 4, 3), np.uint8)).media.read()[:90], "a.npz", "NOT_AN_ARRAY"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_bad_files_are_refused_when_decoded(case: str) -> None:
    data, name, code = BAD[case]
    with pytest.raises(SampleError) as caught:
        opened(data, name)
    assert caught.value.code == code, caught.value.message
    assert name in caught.value.message
    assert caught.value.remedy


def test_a_video_cut_short_is_refused_when_read() -> None:
    start = FAST.index(b"mdat")
    for share in (0.1, 0.3, 0.5):
        cut = FAST[: start + int(share * (len(FAST) - start))]
        with pytest.raises(SampleError) as caught:
            list(opened(cut, "a.mp4").frames(16))
        assert caught.value.code in ("MEDIA_TRUNCATED", "MEDIA_DAMAGED"), caught.value.code
        assert "a.mp4" in caught.value.message


def test_a_cut_behind_the_frames_needed_does_no_harm() -> None:
    whole = list(opened(FAST, "a.mp4").frames(4))
    cut = list(opened(FAST[: int(0.9 * len(FAST))], "a.mp4").frames(4))
    np.testing.assert_array_equal(whole, cut)


def test_huge_frames_are_refused_before_decoding() -> None:
    with pytest.raises(SampleError, match="9000 x 9000") as caught:
        opened(b"YUV4MPEG2 W9000 H9000 F25:1 C420jpeg\nFRAME\n" + bytes(100), "a.y4m")
    assert caught.value.code == "MEDIA_TOO_LARGE"
    data = encoded(pictures(2), "gif", "gif", "rgb8")
    with pytest.raises(SampleError, match="no usable picture size") as caught:  # beyond what the library takes for a picture
        opened(data[:6] + struct.pack("<HH", 65000, 65000) + data[10:], "a.gif")
    assert caught.value.code == "NOT_A_VIDEO"


@pytest.mark.parametrize(("height", "width"), [(2, 514), (514, 2)])
def test_frames_as_thin_as_a_thread_are_refused(height: int, width: int) -> None:
    """A network that wants a shorter side of 256 pixels would make gigabytes of 2 x 65,000."""
    strip = np.zeros((2, height, width, 3), np.uint8)
    for data, name in ((encoded(strip, "matroska", "ffv1", "bgr0"), "a.mkv"), (saved("a.npz", frames=strip).media.read(), "a.npz")):
        with pytest.raises(SampleError, match=f"{name} has frames of {width} x {height} pixels, one side more than 256") as caught:
            opened(data, name)
        assert (caught.value.code, bool(caught.value.remedy)) == ("WRONG_SHAPE", True)
    longest = strip[:, :512, :512]
    assert opened(encoded(longest, "matroska", "ffv1", "bgr0"), "a.mkv").info().frames == 2


def test_frames_larger_than_announced_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    clip = opened(MP4, "a.mp4")
    monkeypatch.setattr(frame_limits, "MAX_PIXELS", 64 * 48 - 1)
    with pytest.raises(SampleError, match="64 x 48") as caught:
        list(clip.frames(1))
    assert caught.value.code == "MEDIA_TOO_LARGE"


@pytest.mark.parametrize("content", [Content(text="a.mp4"), Content(json=["a.png"]), Content(json=None)])
def test_a_video_is_a_file(content: Content) -> None:
    with pytest.raises(SampleError, match="expected a video file"):
        decode_video(content, {})


def test_nothing_heavy_is_imported_to_describe() -> None:
    program = (
        "import sys; from genlevel_video.app import EVALUATOR as e; [e.metric(m) for m in e.metric_ids]; e.kinds; e.backbones;"
        "print([m for m in ('torch', 'av', 'PIL', 'scipy', 'torchvision') if m in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
