"""One evaluator in its container: `python -m genlevel_evaluator.serve.deployed --evaluator NAME`.

gRPC and health listen on all interfaces, everything of Ray on loopback. Events are lines on standard error. SIGTERM ends it in order:
not ready at once, calls in work are finished, exit status 0. What cannot work is one line with its remedy, within seconds.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from genlevel_evaluator import feature_store, media_cache, media_roots, weights
from genlevel_evaluator.errors import EvaluatorError
from genlevel_evaluator.evaluator import Evaluator, load
from genlevel_evaluator.serve import loopback
from genlevel_evaluator.serve.logs import ServeLogs
from genlevel_evaluator.serve.plan import ServicesError, plan_of

if TYPE_CHECKING:
    from genlevel_evaluator.serve.local_ray import LocalServe
    from genlevel_evaluator.serve.watch import Watcher

log = logging.getLogger("genlevel")

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Refusal(Exception):
    """The evaluator cannot be served as asked: cause and remedy in one line."""


class RayDown(Exception):
    """Ray did not start: cause and remedy in one line."""


def arguments(given: Sequence[str] | None = None) -> argparse.Namespace:
    """The options, with the environment behind them."""
    parser = argparse.ArgumentParser(description="Serve one evaluator with Ray Serve, for others.")
    parser.add_argument("--evaluator", default=os.environ.get("GENLEVEL_EVALUATOR", ""), help="its name; GENLEVEL_EVALUATOR")
    parser.add_argument("--port", type=int, default=9000, help="gRPC")
    parser.add_argument("--health-port", type=int, default=9001, help="grpc.health.v1: live, ready")
    parser.add_argument("--roots", nargs="*", default=media_roots.configured(), help="folders and URLs media may be read from; GENLEVEL_ROOTS")
    return parser.parse_args(given)


def main() -> None:
    """Command line."""
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(asctime)s %(levelname)s %(message)s")
    log.setLevel(logging.INFO)
    os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")  # Ray starts programs; gRPC need not look after forks
    logging.getLogger("ray").setLevel(logging.WARNING)
    given = arguments()
    asked: list[int] = []
    for number in SIGNALS:  # noted while Ray starts, which replaces handlers; real ones are installed after it
        signal.signal(number, lambda received, _: asked.append(received))
    try:
        serve(given, asked)
    except Refusal as error:
        log.error("%s", error)
        sys.exit(2)
    except RayDown as error:
        log.error("%s", error)
        sys.exit(1)


def serve(given: argparse.Namespace, asked: list[int]) -> None:
    """Serves until a signal comes.

    Raises:
        Refusal: this cannot work.
    """
    # Late, since gRPC reads its environment when it is imported.
    from genlevel_evaluator.serve.health import HealthServer
    from genlevel_evaluator.serve.local_ray import LocalServe
    from genlevel_evaluator.serve.watch import Watcher

    try:
        evaluator = load(given.evaluator)
        plan = plan_of(evaluator.name)
        roots = checked_roots(given.roots)
        check_cache(evaluator)
        for port, option in ((given.port, "--port"), (given.health_port, "--health-port")):
            check_port(port, option)
        serving = LocalServe([evaluator.name], roots, given.port, outward=True, plans={evaluator.name: plan})
        health = HealthServer(given.health_port)
    except EvaluatorError as error:
        raise Refusal(f"{error.message}; {error.remedy}") from None
    except ServicesError as error:
        raise Refusal(str(error)) from None
    except OSError as error:
        raise Refusal(f"{error}; free the port, and give the container a writable /tmp") from None
    finished = True
    try:
        log.info("evaluator %s starts: gRPC on port %d, health on port %d", evaluator.name, given.port, health.port)
        handle = _started(serving)
        watcher = Watcher(evaluator.name, plan, handle, serving.address, health, ServeLogs(serving.folder, _serve_line))
        if not asked:
            finished = asyncio.run(until_ended(watcher))
    finally:
        with open(os.devnull, "w") as nowhere:  # Ray prints what its parts miss while it takes them down
            os.dup2(nowhere.fileno(), 1)
        serving.stop(at_once=not finished)
        health.stop()
    log.info("ended")


def _started(serving: LocalServe) -> Any:
    """The handle of the application."""
    try:
        return serving.start()[0]
    except Exception as error:  # Ray raises bare exceptions; the trace goes with it for those who want it
        log.debug("Ray did not start", exc_info=True)
        cause = " ".join(f"{type(error).__name__}: {error}".split())[:400]
        raise RayDown(
            f"Ray did not start: {cause}; the container needs a writable /tmp and HOME, about 1 GB of memory, and a processor that is not overloaded"
        ) from error


async def until_ended(watcher: Watcher) -> bool:
    """Watches until the first signal, then drains; a second one hurries. Returns whether all calls were finished."""
    stop, hurry = asyncio.Event(), asyncio.Event()

    def told() -> None:
        (hurry if stop.is_set() else stop).set()

    for number in SIGNALS:
        asyncio.get_running_loop().add_signal_handler(number, told)
    await watcher.watch(stop)
    return await watcher.drain(hurry)


def check_port(port: int, option: str) -> None:
    """Refuses a port that somebody has."""
    try:
        loopback.require_free(port)
    except (OSError, OverflowError) as error:
        raise Refusal(f"cannot listen on port {port}: {error}; end what holds it, or choose another with {option}") from None


def checked_roots(roots: Sequence[str]) -> list[str]:
    """The roots, and the bound of what is fetched from them; says which folders are not there."""
    try:
        folders = media_roots.MediaRoots.of(roots).folders
        media_cache.configured_bytes()  # or the first file that is fetched would tell
        feature_store.configured_bytes()
    except ValueError as error:
        raise Refusal(str(error)) from None
    for folder in folders:
        if not os.access(folder, os.R_OK | os.X_OK):
            log.warning("root %s cannot be read; mount it, or leave it out of --roots", folder)
    return list(roots)


def check_cache(evaluator: Evaluator) -> None:
    """Refuses a cache that is named and cannot be read. An empty one is filled later, perhaps."""
    named = os.environ.get("GENLEVEL_CACHE_DIR")
    if not named or not any(weights.entry(entry).available for backbone in evaluator.backbones.values() for entry in backbone.entries):
        return
    folder = Path(named)
    if not folder.is_dir():
        raise Refusal(f"GENLEVEL_CACHE_DIR={named} is no folder; mount the volume of the weights there")
    for path in (folder, weights.weights_root()):
        if path.exists() and not os.access(path, os.R_OK | os.X_OK):
            raise Refusal(f"{path} cannot be read by user {os.getuid()}; give this user (or its group) read access to the volume of the weights")


def _serve_line(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
