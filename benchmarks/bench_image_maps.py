"""Metrics of restored pictures, maps and segments against the libraries that define them, from decoded arrays to the value, in one run on two threads.

Ours goes through `observe` and `score`; decoding is left out on both sides.
"""

from __future__ import annotations

import json
import os
import time
import tracemalloc
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
import pytorch_msssim
import torch
from sklearn.metrics import average_precision_score, roc_auc_score
from torchmetrics.detection import PanopticQuality
from torchmetrics.functional.image import (
    multiscale_structural_similarity_index_measure,
    peak_signal_noise_ratio,
    structural_similarity_index_measure,
)

from genlevel_evaluator import states
from genlevel_evaluator.engine import Scorer
from genlevel_evaluator.metric import Sample
from genlevel_evaluator.pixels.grey import Grey
from genlevel_image.app import EVALUATOR
from genlevel_image.forms.panoptic import Segments
from genlevel_image.forms.score_maps import ScoreMap, TrueMask
from genlevel_image.media import LabelImage, Picture
from genlevel_image.pixels.restoration import similarity

SIDE = 1024
SEGMENTED = 256
RANDOM = np.random.default_rng(0)


def ours(metric: str, samples: Iterable[Sample], **parameters: Any) -> float:
    """The value of decoded samples."""
    scorer = Scorer.of(EVALUATOR, metric, parameters)
    rows = states.build(scorer.metric.columns, [(sample.key, scorer.metric.observe(sample, scorer.parameters)) for sample in samples])
    value = scorer.metric.score(rows, scorer.parameters).value
    assert value is not None
    return value


def timed(work: Callable[[], float], runs: int = 2) -> tuple[float, float]:
    """Value and seconds, the best of some runs."""
    best, value = float("inf"), 0.0
    for _ in range(runs):
        start = time.perf_counter()
        value = work()
        best = min(best, time.perf_counter() - start)
    return value, best


def line(name: str, mine: Callable[[], float], theirs: Callable[[], float], note: str, runs: int = 2) -> None:
    """One comparison."""
    value, seconds = timed(mine, runs)
    other, other_seconds = timed(theirs, runs)
    note = f"{note}; load {os.getloadavg()[0]:.0f} on {os.cpu_count()} cores"
    print(json.dumps({
        "name": name, "ours_s": round(seconds, 4), "other_s": round(other_seconds, 4), "ratio": round(other_seconds / seconds, 2),
        "equal_to": f"{abs(value - other):.1e}", "note": note,
    }), flush=True)


def pictures(count: int) -> tuple[list[Sample], list[tuple[torch.Tensor, torch.Tensor]]]:
    """Noisy colour pictures of a megapixel, and the same as tensors."""
    samples, tensors = [], []
    for index in range(count):
        truth = np.kron(RANDOM.integers(0, 256, (16, 16, 3)), np.ones((SIDE // 16, SIDE // 16, 1))).astype(np.uint8)
        noisy = np.clip(truth + RANDOM.normal(0, 12, truth.shape), 0, 255).astype(np.uint8)
        samples.append(Sample(str(index), Picture(noisy, ""), (Picture(truth, ""),)))
        tensors.append((torch.from_numpy(noisy).permute(2, 0, 1)[None], torch.from_numpy(truth).permute(2, 0, 1)[None]))
    return samples, tensors


def restoration() -> None:
    """PSNR and MS-SSIM of colour pictures."""
    samples, tensors = pictures(4)
    note = f"4 colour pictures of {SIDE} x {SIDE}; torchmetrics"
    line("psnr", lambda: ours("psnr", samples, ssim=False), lambda: mean([peak_signal_noise_ratio(a.float(), b.float(), data_range=255.0) for a, b in tensors]), f"{note}; ours with the luma beside it", 5)
    line("psnr with SSIM", lambda: ours("psnr", samples), lambda: mean([peak_signal_noise_ratio(a.float(), b.float(), data_range=255.0) for a, b in tensors]), f"{note}, which makes PSNR alone")
    line(
        "ssim", lambda: float(np.mean([similarity(s.prediction.pixels, s.reference.pixels, 255.0, "rgb") for s in samples])),
        lambda: mean([structural_similarity_index_measure(a.float(), b.float(), data_range=255.0) for a, b in tensors]), f"{note}, float32 both",
    )
    four: dict[str, Any] = {"variant": "wang", "channel": "rgb"}
    line(
        "ms_ssim wang", lambda: ours("ms_ssim", samples, **four),
        lambda: mean([pytorch_msssim.ms_ssim(a.float(), b.float(), data_range=255) for a, b in tensors]), note.replace("torchmetrics", "pytorch-msssim, float32; ours float64"),
    )
    line(
        "ms_ssim wang", lambda: ours("ms_ssim", samples, **four),
        lambda: mean([multiscale_structural_similarity_index_measure(a.float(), b.float(), data_range=255.0) for a, b in tensors]), note + ", float32; ours float64",
    )


def mean(values: list[torch.Tensor]) -> float:
    return float(torch.stack(values).double().mean())


def maps() -> None:
    """Pixel AP and ROC AUC of 100 maps."""
    samples, scores, masks = [], [], []
    for index in range(100):
        mask = RANDOM.random((256, 256)) < 0.05
        score = np.clip(RANDOM.normal(0.3 + 0.2 * mask, 0.1), 0, 1).astype(np.float32)
        samples.append(Sample(str(index), ScoreMap(Grey(score, 1.0)), (TrueMask(mask),)))
        scores.append(score.ravel())
        masks.append(mask.ravel())
    pooled = np.concatenate(masks), np.concatenate(scores)
    note = "100 maps of 256 x 256, float32; scikit-learn"
    line("ap_anomaly", lambda: ours("ap_anomaly", samples), lambda: 100 * float(average_precision_score(*pooled)), note)
    line("roc_auc", lambda: ours("roc_auc", samples), lambda: 100 * float(roc_auc_score(*pooled)), note)


def many_maps() -> None:
    """A thousand maps, with what each side holds at its peak."""

    def made() -> Iterator[tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]]:
        random = np.random.default_rng(1)
        for _ in range(1000):
            mask = np.zeros((256, 256), bool)
            y, x, side = random.integers(0, 200), random.integers(0, 200), random.integers(10, 50)
            mask[y : y + side, x : x + side] = True
            noise = random.integers(0, 200, (256, 256), dtype=np.uint8)
            yield noise + np.uint8(50) * mask, mask

    def mine() -> float:
        return ours("ap_anomaly", (Sample(str(i), ScoreMap(Grey(s, 255.0)), (TrueMask(m),)) for i, (s, m) in enumerate(made())))

    def theirs() -> float:
        scores, masks = zip(*made(), strict=True)
        return 100 * float(average_precision_score(np.concatenate([m.ravel() for m in masks]), np.concatenate([s.ravel() for s in scores])))

    peaks = []
    for work in (mine, theirs):
        tracemalloc.start()
        work()
        peaks.append(tracemalloc.get_traced_memory()[1] / 1e6)
        tracemalloc.stop()
    note = f"1,000 maps of 256 x 256, 8 bits, made one by one on both sides; peak {peaks[0]:.0f} MB, scikit-learn {peaks[1]:.0f} MB; ours with its companions"
    line("ap_anomaly of 1,000 maps", mine, theirs, note, 1)


def label_images() -> None:
    """Mean IoU of 2,000 label images of a megapixel in 19 classes, given again and again from a few, against a loop of numpy's bincount."""
    pairs = []
    for _ in range(8):
        truth = np.kron(RANDOM.integers(0, 19, (16, 16)), np.ones((SIDE // 16, SIDE // 16))).astype(np.int32)
        pairs.append((np.roll(truth, tuple(RANDOM.integers(-9, 10, 2)), (0, 1)), truth))

    def given(count: int) -> Iterator[Sample]:
        for index in range(count):
            guess, truth = pairs[index % len(pairs)]
            yield Sample(str(index), LabelImage(guess), (LabelImage(truth),))

    def theirs(count: int) -> float:
        matrix = np.zeros((19, 19), np.int64)
        for index in range(count):
            guess, truth = (side.ravel() for side in pairs[index % len(pairs)])
            kept = (truth >= 0) & (truth < 19)
            matrix += np.bincount(19 * truth[kept] + guess[kept], minlength=361).reshape(19, 19)
        both = np.diag(matrix)
        return 100 * float(np.mean(both / (matrix.sum(0) + matrix.sum(1) - both)))

    tracemalloc.start()
    ours("miou", given(100), boundary=0)
    peak = tracemalloc.get_traced_memory()[1] / 1e6
    tracemalloc.stop()
    note = f"{SIDE} x {SIDE}, 19 classes; a loop of numpy's bincount"
    line("miou of 2,000 masks", lambda: ours("miou", given(2000), boundary=0), lambda: theirs(2000), f"{note}; peak above the masks {peak:.0f} MB", 1)
    line("miou with boundary F", lambda: ours("miou", given(100)), lambda: theirs(100), f"100 masks of {note}, which makes IoU alone", 1)


def segments() -> None:
    """PQ of pictures in 64 segments of 8 classes of things."""
    samples, tensors = [], []
    for index in range(2):
        places = np.kron(np.arange(1, 65).reshape(8, 8), np.ones((SEGMENTED // 8, SEGMENTED // 8), int)).astype(np.int32)
        sides = []
        for moved in (np.roll(places, tuple(RANDOM.integers(-8, 9, 2)), (0, 1)), places):
            labels = np.arange(64) % 8
            sides.append(Segments(moved, labels, np.ones(64, np.uint8), np.zeros(64, bool), np.bincount(moved.ravel())[1:]))
        samples.append(Sample(str(index), sides[0], (sides[1],)))
        tensors.append([torch.from_numpy(np.stack([side.labels[side.places - 1], side.places], axis=2))[None] for side in sides])

    def theirs() -> float:
        judge = PanopticQuality(things=set(range(8)), stuffs={99}, return_per_class=True)
        for guess, truth in tensors:
            judge.update(guess, truth)
        return 100 * float(judge.compute()[0, :8].double().mean())

    line("pq", lambda: ours("pq", samples), theirs, f"2 pictures of {SEGMENTED} x {SEGMENTED} with 64 segments; torchmetrics")


def main() -> None:
    """All comparisons."""
    torch.set_num_threads(2)
    restoration()
    maps()
    many_maps()
    label_images()
    segments()


if __name__ == "__main__":
    main()
