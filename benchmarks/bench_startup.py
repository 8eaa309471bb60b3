"""Start-up to the first answer of all five evaluators, their idle memory, and an evaluator with its backbones loaded."""

from __future__ import annotations

import json
import time

from benchmarks.serving import embedded, proportional_bytes


def main() -> None:
    """Prints two lines."""
    begin = time.perf_counter()
    with embedded() as (endpoints, group):
        ready = time.perf_counter() - begin
        time.sleep(3)
        idle = proportional_bytes(group)
        begin = time.perf_counter()
    stopped = time.perf_counter() - begin
    print(json.dumps({"name": f"start-up of {len(endpoints)} evaluators to their first answers", "ours_s": ready, "note": f"stopped in {stopped:.1f} s; aim under 20 s"}))
    print(json.dumps({"name": "idle memory of five evaluators with their Ray", "note": f"{idle / 1e9:.2f} GB proportional set size; aim under 1.8 GB"}))


if __name__ == "__main__":
    main()
