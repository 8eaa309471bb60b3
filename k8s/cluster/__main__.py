"""Command line of the cluster tool: ``python -m k8s.cluster up|down|smoke|status|logs``."""

from __future__ import annotations

import argparse
import ipaddress
import os
import re
import signal
import sys
from pathlib import Path
from types import FrameType

from k8s.cluster.kubectl import Kubectl
from k8s.cluster.problem import Problem
from k8s.cluster.session import NAMESPACE, ROOT, Options, Session, last_built_tag

CHECKS = ("permissions", "namespace", "storage", "gpu", "kuberay", "network", "images")


def main(arguments: list[str] | None = None) -> int:
    """Run one command; 0 when all is well, 1 for a problem, 130 when interrupted."""
    given = _parser().parse_args(arguments)
    try:
        return _dispatch(given)
    except Problem as problem:
        print(problem.text(), file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted; what was done stays, and the same command goes on from there", file=sys.stderr)
        return 130


def _dispatch(given: argparse.Namespace) -> int:
    session = Session(_options(given), Kubectl(given.context, NAMESPACE))
    if given.command == "up":
        from k8s.cluster.up import up

        up(session)
    elif given.command == "down":
        from k8s.cluster.down import down

        down(session, given.data, given.yes)
    elif given.command == "status":
        from k8s.cluster.status import status

        return 0 if status(session, given.json) else 1
    elif given.command == "logs":
        from k8s.cluster.logs import logs

        logs(session, given.component, given.follow, given.previous, given.tail)
    else:
        from k8s.cluster.smoke import smoke

        smoke(session, given.endpoint, given.bundle, given.expected)
    return 0


def _options(given: argparse.Namespace) -> Options:
    folder = given.folder.resolve()
    if given.command != "up":
        return Options(folder=folder)
    return Options(
        overlay=given.overlay, registry=given.registry, tag=given.tag or last_built_tag(), replicas=dict(given.replicas), hosts=tuple(given.host),
        skipped=frozenset(given.skip_check), load_images=given.load_images, force=given.force, timeout=given.timeout,
        grace=given.grace, poll=given.poll, folder=folder,
    )  # fmt: skip


def _parser() -> argparse.ArgumentParser:
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--context", default="", help="context of the kubeconfig; the current one by default")
    common.add_argument("--folder", type=Path, default=ROOT / "build" / "cluster", help="where generated files go")
    parser = argparse.ArgumentParser(prog="python -m k8s.cluster", description="GenLevel on a Kubernetes cluster.")
    commands = parser.add_subparsers(dest="command", required=True)
    _add_up(commands.add_parser("up", parents=[common], help="check the cluster, apply the manifests, wait until all is ready"))
    removal = commands.add_parser("down", parents=[common], help="remove what `up` made; data and Secrets stay")
    removal.add_argument("--data", action="store_true", help="also remove claims, Secrets and the namespace")
    removal.add_argument("--yes", action="store_true", help="do not ask")
    state = commands.add_parser("status", parents=[common], help="what runs; exit code 1 unless all is ready")
    state.add_argument("--json", action="store_true")
    log = commands.add_parser("logs", parents=[common], help="logs of all pods, or of one component")
    log.add_argument("component", nargs="?", default="", help="such as video, orchestrator, database, or a pod")
    log.add_argument("--follow", action="store_true")
    log.add_argument("--previous", action="store_true", help="the last life of containers that were restarted")
    log.add_argument("--tail", type=int, default=200, help="lines of each container; -1 for all")
    test = commands.add_parser("smoke", parents=[common], help="score the demo bundle and compare with the embedded run")
    test.add_argument("--endpoint", default="", help="the orchestrator's address; through kubectl port-forward by default")
    test.add_argument("--bundle", type=Path, default=ROOT / "build" / "demo")
    test.add_argument(
        "--expected", type=Path, default=ROOT / "build" / "demo-report", help="report of the embedded run; made if absent"
    )
    return parser


def _add_up(parser: argparse.ArgumentParser) -> None:
    environment = os.environ.get
    parser.add_argument("--overlay", default=environment("OVERLAY") or "local", help="folder in k8s/overlays, or a path")
    parser.add_argument("--registry", default="", help="put before the images' names")
    parser.add_argument(
        "--tag", default="", help="tag of the images; that of the last build here, else the overlay's own, by default"
    )
    parser.add_argument(
        "--replicas", action="append", default=[], type=_replicas, metavar="NAME=N", help="replicas of a Deployment (repeatable)"
    )
    parser.add_argument(
        "--host", action="append", default=[], type=_host, help="a further name in the orchestrator's certificate (repeatable)"
    )
    parser.add_argument("--skip-check", action="append", default=[], choices=CHECKS, help="leave a check out (repeatable)")
    parser.add_argument("--load-images", action="store_true", help="copy missing images into a kind, k3d or minikube cluster")
    parser.add_argument("--force", action="store_true", help="take over fields that others have set")
    parser.add_argument("--timeout", type=float, default=1200, help="seconds until waiting ends")
    parser.add_argument("--grace", type=float, default=30, help="seconds that a failure must last to be final")
    parser.add_argument("--poll", type=float, default=2, help=argparse.SUPPRESS)


def _host(text: str) -> str:
    """A name or an address, without scheme and port: others would make a certificate that fits nothing."""
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        if not re.fullmatch(r"(\*\.)?[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*", text):
            raise argparse.ArgumentTypeError(f"{text!r} is no host name or address; write it without scheme and port") from None
        return text


def _replicas(text: str) -> tuple[str, int]:
    title, _, count = text.partition("=")
    if not title or not count.isdigit() or int(count) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=N with N at least 1")
    return title, int(count)


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, _interrupt)
    sys.exit(main())
