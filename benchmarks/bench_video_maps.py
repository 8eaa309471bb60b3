"""Video metrics without networks against the tools that define them, in processor time, on one thread each.

Ours goes through `observe` and `score`; decoding of files is left out on both sides, decoding of run lengths is not. The GOT-10k toolkit and PySODMetrics run in
.oracles/video and measure their own time around their own functions; the other tools run here. The two sides take turns and the best of each counts.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pycocotools import mask as coco
from scipy import ndimage
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from genlevel_evaluator import states
from genlevel_evaluator.engine import Scorer
from genlevel_evaluator.kinds import Content
from genlevel_evaluator.metric import Sample
from genlevel_video.app import EVALUATOR
from genlevel_video.forms.depth_videos import DepthVideo
from genlevel_video.forms.grey_frames import GreyFrames
from genlevel_video.forms.mask_tracks import decode_masks
from genlevel_video.forms.tracks import Track

ROOT = Path(__file__).resolve().parents[1]
RANDOM = np.random.default_rng(0)
RUNS = 2


def ours(metric: str, samples: Iterable[Sample], **parameters: Any) -> float:
    """The value of decoded samples."""
    scorer = Scorer.of(EVALUATOR, metric, parameters)
    rows = states.build(scorer.metric.columns, [(sample.key, scorer.metric.observe(sample, scorer.parameters)) for sample in samples])
    value = scorer.metric.score(rows, scorer.parameters).value
    assert value is not None
    return value


def timed(work: Callable[[], float]) -> tuple[float, float]:
    """Value and processor seconds."""
    start = time.process_time()
    return work(), time.process_time() - start


def line(name: str, mine: Callable[[], float], theirs: Callable[[], tuple[float, float]], note: str) -> None:
    """One comparison; the other side measures itself."""
    best = [float("inf"), float("inf")]
    value = other = 0.0
    for _ in range(RUNS):
        value, seconds = timed(mine)
        other, other_seconds = theirs()
        best = [min(best[0], seconds), min(best[1], other_seconds)]
    print(json.dumps({
        "name": name, "ours_s": round(best[0], 4), "other_s": round(best[1], 4), "ratio": round(best[1] / best[0], 2), "equal_to": f"{abs(value - other):.1e}",
        "note": f"{note}; processor time",
    }), flush=True)  # fmt: skip


def in_venv(what: str, reduce: Callable[[Any], float], **arrays: NDArray[Any]) -> tuple[float, float]:
    """Value and processor seconds of a tool of .oracles/video."""
    with tempfile.TemporaryDirectory() as folder:
        np.savez(Path(folder) / "arrays.npz", **arrays)
        request = json.dumps({"what": what, "file": str(Path(folder) / "arrays.npz")})
        program = [str(ROOT / ".oracles/video/bin/python"), "-W", "ignore", str(ROOT / "tests/video/oracle_maps.py")]
        done = subprocess.run(program, input=request, capture_output=True, text=True, check=True)
    found = json.loads(done.stdout.splitlines()[-1])
    return reduce(found), float(found["seconds"])


def tracking() -> None:
    """A hundred sequences of 1,000 frames."""
    truths = [np.r_[100, 80, 40, 60] + RANDOM.normal(0, 2, (1000, 4)).cumsum(axis=0).clip(-30, 30) for _ in range(100)]
    guesses = [truth + RANDOM.normal(0, 6, truth.shape) for truth in truths]
    guesses = [np.maximum(guess, [-999, -999, 1, 1]) for guess in guesses]
    samples = [Sample(f"{i:03d}", Track(guess), (Track(truth),)) for i, (guess, truth) in enumerate(zip(guesses, truths, strict=True))]
    named = {f"{side}{i:03d}": array for side, arrays in (("truth", truths), ("guess", guesses)) for i, array in enumerate(arrays)}
    line(
        "success_auc", lambda: ours("success_auc", samples),
        lambda: in_venv("tracks", lambda found: 100 * float(np.mean([entry["auc"] for entry in found["sequences"]])), **named),
        "100 sequences of 1,000 frames; got10k 0.1.3 _calc_metrics and _calc_curves; ours with normalised precision, AO and SR beside",
    )


def masks() -> None:
    """Clips of 60 frames of 480 x 854 as compressed run lengths."""
    contents, pairs = [], []
    for _ in range(2):
        sides = []
        for _ in range(2):
            noise = ndimage.zoom(RANDOM.normal(size=(60, 12, 22)), (1, 40, 39), order=1)[:, :480, :854]
            sides.append([coco.encode(np.asfortranarray((frame > 0.4).astype(np.uint8))) for frame in noise])
        pairs.append(sides)
        contents.append([Content(json={"objects": {"1": [{"size": list(f["size"]), "counts": f["counts"].decode()} for f in side]}}) for side in sides])

    def mine(boundary: float) -> float:
        samples = [Sample(str(i), decode_masks(guess, {}), (decode_masks(truth, {}),)) for i, (guess, truth) in enumerate(contents)]
        return ours("miou_video", samples, boundary=boundary)

    def theirs() -> float:
        values = []
        for guess, truth in pairs:
            shared = union = 0
            for frame in zip(guess, truth, strict=True):
                shared += int(coco.area(coco.merge(list(frame), intersect=True)))
                union += int(coco.area(coco.merge(list(frame))))
            values.append(shared / union)
        return 100 * float(np.mean(values))

    def decoded() -> float:
        values = []
        for guess, truth in pairs:
            shared = union = 0
            for one, other in zip(guess, truth, strict=True):
                a, b = (coco.decode(side).astype(bool) for side in (one, other))
                shared += int((a & b).sum())
                union += int((a | b).sum())
            values.append(shared / union)
        return 100 * float(np.mean(values))

    note = "2 clips of 60 frames of 480 x 854, compressed run lengths, read anew on both sides; J of each frame beside ours"
    line("miou_video", lambda: mine(0.0), lambda: timed(decoded), f"{note}; pycocotools 2.0.11 decode, numpy sums")
    line("miou_video", lambda: mine(0.0), lambda: timed(theirs), f"{note}; pycocotools 2.0.11 merge and area of run lengths")
    line("miou_video with boundaries", lambda: mine(0.008), lambda: timed(lambda: davis(pairs)), f"{note}; IoU and DAVIS's F with SciPy's dilation")


def davis(pairs: list[Any]) -> float:
    """IoU of clips, with F of boundaries by dilation beside it, which takes the time."""
    values = []
    y, x = np.mgrid[-8:9, -8:9]
    disk = x * x + y * y <= 64
    for guess, truth in pairs:
        shared = union = 0
        for one, other in zip(guess, truth, strict=True):
            a, b = (coco.decode(side).astype(bool) for side in (one, other))
            edges = [_edge(side) for side in (a, b)]
            wide = [ndimage.binary_dilation(edge, disk) for edge in edges]
            assert (edges[0] & wide[1]).any()
            assert (edges[1] & wide[0]).any()
            shared += int((a & b).sum())
            union += int((a | b).sum())
        values.append(shared / union)
    return 100 * float(np.mean(values))


def _edge(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    edge = np.zeros_like(mask)
    edge[:, :-1] |= mask[:, 1:] != mask[:, :-1]
    edge[:-1] |= mask[1:] != mask[:-1]
    return edge


def saliency() -> None:
    """Maps of 8 bits against masks."""
    noise = ndimage.zoom(RANDOM.normal(size=(12, 12, 22)), (1, 30, 29), order=1)[:, :360, :640]
    truth = ((noise > 0.7) * 255).astype(np.uint8)
    guess = np.clip(truth * 0.7 + RANDOM.integers(0, 70, truth.shape), 0, 255).astype(np.uint8)
    samples = [Sample("1", GreyFrames(array=guess), (GreyFrames(array=truth),))]
    line(
        "s_measure", lambda: ours("s_measure", samples),
        lambda: in_venv("maps", lambda found: 100 * float(np.mean([entry["sm"] for entry in found["frames"]])), guess=guess, truth=truth),
        "12 frames of 360 x 640; PySODMetrics 1.6.2, S-measure, MAE, E-measure and weighted F on both sides",
    )


def depth() -> None:
    """Clips of depths."""
    truth = np.exp(ndimage.zoom(RANDOM.uniform(0, 4, (20, 9, 16)), (1, 40, 40), order=1)).astype(np.float32)
    guess = (3 / truth + 0.5 + RANDOM.normal(0, 0.02, truth.shape)).astype(np.float32)
    samples = [Sample("1", DepthVideo(guess), (DepthVideo(truth),))]

    def theirs() -> float:
        valid = (truth > 1e-3) & (truth < 80)
        design = np.stack([guess[valid].astype(np.float64), np.ones(int(valid.sum()))], axis=1)
        scale, shift = np.linalg.lstsq(design, 1.0 / truth[valid].astype(np.float64), rcond=None)[0]
        values, close, squares = [], [], []
        for p, g, use in zip(guess, truth, valid, strict=True):
            found = np.clip(1.0 / np.maximum(scale * p[use].astype(np.float64) + shift, 1e-3), 1e-3, 80.0)
            true = g[use].astype(np.float64)
            values.append((np.abs(found - true) / true).mean())
            close.append((np.maximum(found / true, true / found) < 1.25).mean())
            squares.append(np.sqrt(np.square(found - true).mean()))
        return float(np.mean(values))

    line("abs_rel", lambda: ours("abs_rel", samples), lambda: timed(theirs), "a clip of 20 frames of 360 x 640; numpy, lstsq over all pixels, with delta and RMSE; ours with the temporal error too")


class Frames:
    """A clip in memory, as decoded ones are read."""

    def __init__(self, frames: NDArray[np.uint8]) -> None:
        self._frames = frames

    def info(self) -> Any:
        """How many frames there are."""
        return type("Info", (), {"frames": len(self._frames)})

    def pick(self, sampling: Any) -> Iterable[NDArray[np.uint8]]:
        """All of them."""
        del sampling
        return iter(self._frames)


def restoration() -> None:
    """Noisy clips."""
    truth = np.kron(RANDOM.integers(0, 256, (10, 12, 20, 3)), np.ones((1, 40, 40, 1))).astype(np.uint8)
    guess = np.clip(truth + RANDOM.normal(0, 12, truth.shape), 0, 255).astype(np.uint8)
    samples = [Sample("1", Frames(guess), (Frames(truth),))]
    note = "10 frames of 480 x 800; scikit-image 0.26"
    plain = lambda: float(np.mean([peak_signal_noise_ratio(t, g, data_range=255) for g, t in zip(guess, truth, strict=True)]))  # noqa: E731

    def both() -> float:
        for g, t in zip(guess, truth, strict=True):
            structural_similarity(t, g, data_range=255, gaussian_weights=True, sigma=1.5, use_sample_covariance=False, channel_axis=2)
        return plain()

    line("psnr", lambda: ours("psnr", samples, ssim=False), lambda: timed(plain), note)
    line("psnr with SSIM", lambda: ours("psnr", samples), lambda: timed(both), note)


def main() -> None:
    """All comparisons."""
    import cv2

    cv2.setNumThreads(1)
    tracking()
    masks()
    saliency()
    depth()
    restoration()


if __name__ == "__main__":
    if os.environ.get("OMP_NUM_THREADS") != "1":  # libraries read it when they are loaded
        os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"})
    main()
