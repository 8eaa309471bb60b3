"""FID and all its companions on 50,000 generated and 50,000 real feature vectors (d = 2048), in bounded memory.

One JSON line a comparison. The large one goes the way of a run: states of shards of 32 pictures, as messages, one after another into
FinalizeStates' total, then the value; in a process of its own, whose peak of resident memory is told. Beside it stand the programs of
the field on sizes that their full matrices allow (torch-fidelity's KID of all pairs and its precision and recall, pytorch-fid's FID).
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from benchmarks.bench_frechet import DIMENSION, features
from benchmarks.peak import peak_bytes
from genlevel.v1.evaluator_pb2 import MetricState
from genlevel_evaluator import states
from genlevel_evaluator.engine import FLAGS, Scorer
from genlevel_evaluator.flags import EXPECTED, OBSERVED, PRESENT
from genlevel_evaluator.state_messages import encode_state
from genlevel_evaluator.statistics import pairs
from genlevel_evaluator.statistics.frechet import frechet_distance
from genlevel_evaluator.totals import StateTotal
from genlevel_image.app import EVALUATOR

SHARD = 32
BLOCK = 2048


def shards(scorer: Scorer, count: int) -> Iterator[MetricState]:
    """States of pictures with made features of the spectrum of pooled activations."""
    mixing = (np.random.default_rng(9).standard_normal((DIMENSION, DIMENSION)) * np.exp(-np.arange(DIMENSION) / 200)[:, None]).astype(np.float32)
    digest = scorer.signature().digest
    for block in range(0, count, BLOCK):
        size = min(BLOCK, count - block)
        normal = np.random.default_rng(block).standard_normal((2, size, DIMENSION), dtype=np.float32)
        generated, real = (np.maximum(side @ mixing * np.float32(0.05) + np.float32(0.4 + shift), 0) for side, shift in zip(normal, (0.002, 0.0), strict=True))
        for first in range(0, size, SHARD):
            rows = [
                (str(block + i), {FLAGS: EXPECTED | PRESENT | OBSERVED, "prediction_features": generated[i : i + 1], "reference_features": real[i : i + 1]})
                for i in range(first, min(first + SHARD, size))
            ]
            yield encode_state(states.build(scorer.schema, rows), digest)


def memory() -> float:
    """Peak of resident memory so far, MB."""
    return round(peak_bytes() / (1 << 20), 1)


def large(count: int) -> None:
    """The large sets, alone in this process."""
    scorer = Scorer.of(EVALUATOR, "fid")
    total = StateTotal(scorer)
    start = time.perf_counter()
    for state in shards(scorer, count):
        total.add(state)
    gathered_s, gathered_mb = time.perf_counter() - start, memory()
    start = time.perf_counter()
    value = total.finalize(None)
    spent = time.perf_counter() - start
    line = {
        "name": f"fid_with_companions_n{count}_d{DIMENSION}", "ours_s": round(spent, 1), "other_s": None, "ratio": None, "equal_to": None,
        "note": f"peak {memory()} MB resident, {gathered_mb} MB when the states were gathered ({gathered_s:.0f} s with making them); "
        f"fid {value.value:.6f}; {', '.join(f'{name} {number:.6g}' for name, number in value.companions.items())}",
    }  # fmt: skip
    print(json.dumps(line), flush=True)


def timed(function: Callable[[], object]) -> tuple[float, object]:
    """Time of a call, and what it gave."""
    start = time.perf_counter()
    result = function()
    return time.perf_counter() - start, result


def report(name: str, ours_s: float, other_s: float, gap: float, note: str) -> None:
    """One comparison as JSON."""
    line = {"name": name, "ours_s": round(ours_s, 2), "other_s": round(other_s, 2), "ratio": round(other_s / ours_s, 2), "equal_to": gap, "note": note}
    print(json.dumps(line), flush=True)


def small(count: int) -> None:
    """Against the programs of the field."""
    import torch
    from pytorch_fid.fid_score import calculate_frechet_distance
    from torch_fidelity.metric_kid import kernel_mmd
    from torch_fidelity.metric_prc import calculate_precision_recall_full

    a, b = features(count, 1), features(count, 2)
    doubles: list[NDArray[np.float64]] = [side.astype(np.float64) for side in (a, b)]
    ours_s, ours = timed(lambda: pairs.compare(a, b))
    assert isinstance(ours, pairs.Comparison)
    settings = {"kid_kernel": "poly", "kid_kernel_poly_degree": 3, "kid_kernel_poly_gamma": None, "kid_kernel_poly_coef0": 1.0}
    kid_s, kid = timed(lambda: float(kernel_mmd(*doubles, **settings)))
    shares_s, shares = timed(lambda: calculate_precision_recall_full(torch.from_numpy(a), torch.from_numpy(b)))
    gap = abs(ours.kernel.value - float(kid)) / ours.kernel.standard_error  # type: ignore[arg-type]
    report(
        f"kid_precision_recall_n{count}", ours_s, kid_s + shares_s, gap,
        f"torch-fidelity 0.4.0: {kid_s:.1f} s its KID over all pairs (float64), {shares_s:.1f} s precision and recall (float32); difference of KID in standard "
        f"errors; ours {ours.precision:.4f} {ours.recall:.4f}, theirs {shares}",
    )  # fmt: skip

    def theirs() -> float:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            return float(calculate_frechet_distance(*(part for side in doubles for part in (side.mean(axis=0), np.cov(side, rowvar=False)))))

    ours_s, value = timed(lambda: frechet_distance(a, b))
    other_s, other = timed(theirs)
    report(f"fid_n{count}", ours_s, other_s, abs(float(value) - float(other)) / float(other), "pytorch-fid 0.3.0, statistics included; relative difference")  # type: ignore[arg-type]


def main() -> None:
    """Runs both."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--large", type=int, default=50_000)
    parser.add_argument("--small", type=int, nargs="*", default=[5000, 10_000])
    parser.add_argument("--alone", action="store_true", help="the large sets in this process")
    options = parser.parse_args()
    if options.alone:
        large(options.large)
        return
    for count in options.small:
        small(count)
    subprocess.run([sys.executable, "-m", "benchmarks.bench_feature_sets", "--alone", "--large", str(options.large)], check=True)


if __name__ == "__main__":
    main()
