"""All evaluators in one local Ray Serve, on loopback: what `genlevel run` starts as its child.

`python -m genlevel_evaluator.serve.embedded --roots DIR` prints one JSON line with the endpoints once every evaluator has
answered a call, and ends when its standard input closes, or on SIGINT or SIGTERM.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys

from genlevel_evaluator.serve.bare import chosen, parser, until_asked_to_stop
from genlevel_evaluator.serve.local_ray import LocalServe
from genlevel_evaluator.serve.plan import ServicesError


def main() -> None:
    """Command line."""
    given = parser("Serve all evaluators in one local Ray, on loopback.").parse_args()
    # Ray and its children may print; the one line the parent reads gets the real standard output to itself.
    output = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    asked: list[int] = []
    for number in (signal.SIGINT, signal.SIGTERM):  # ray.init replaces handlers: real ones are installed after it
        signal.signal(number, lambda received, _: asked.append(received))
    try:
        serving = LocalServe(chosen(given.only), given.roots, given.port)
    except ServicesError as error:
        sys.exit(str(error))
    try:
        serving.start()
        serving.wait_until_answered()
        if not asked:
            print(json.dumps({"endpoints": dict.fromkeys(serving.names, serving.address)}), file=output, flush=True)
            asyncio.run(until_asked_to_stop())
    finally:
        serving.stop()


if __name__ == "__main__":
    main()
