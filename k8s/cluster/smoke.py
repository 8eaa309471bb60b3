"""``smoke``: the demo bundle through the cluster gives the levels that `make demo` gives on this machine."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from k8s.cluster.comparison import TOLERANCE, differences, load
from k8s.cluster.connection import connect
from k8s.cluster.credentials import TLS, TOKEN, read_secrets, write_client_files
from k8s.cluster.forward import Forward
from k8s.cluster.problem import Problem
from k8s.cluster.session import ROOT, Session

SERVICE, PORT = "orchestrator", 9100
MODEL = "demo-baselines"


def smoke(
    session: Session, endpoint: str = "", bundle: Path = ROOT / "build" / "demo", expected: Path = ROOT / "build" / "demo-report"
) -> None:
    """Score the demo bundle in the cluster and compare.

    Args:
        session: The call.
        endpoint: Address of the orchestrator; empty to reach it through kubectl.
        bundle: Folder with predictions and references.
        expected: Folder of the embedded run's report; it is made when it is not there.

    Raises:
        Problem: the run fails, or gives other numbers.
    """
    connect(session.kubectl)
    if not (bundle / "predictions").is_dir():
        raise Problem(f"there is no demo bundle in {bundle}", "Build it: `make demo-bundle` (`make smoke` does so by itself).")
    authority, token = write_client_files(session, read_secrets(session.kubectl, [TLS, TOKEN]))
    if not (expected / "report.json").is_file():
        session.say(f"no report of the embedded run in {expected} yet: scoring the bundle here first")
        _run(bundle, expected, [], dict(os.environ), "the embedded run")
    report = session.folder / "smoke-report"
    (report / "report.json").unlink(missing_ok=True)
    with _endpoint(session, endpoint) as address:
        session.say(f"scoring {bundle} through {address}")
        environment = {**os.environ, "GENLEVEL_TLS_AUTHORITY": str(authority), "GENLEVEL_TOKEN_FILE": str(token)}
        # The orchestrator does not see this machine's files, although a forwarded port looks as if it were here.
        _run(bundle, report, ["--endpoint", address, "--upload"], environment, f"the run through {address}")
    here, there = load(expected / "report.json"), load(report / "report.json")
    found = differences(here, there)
    if found:
        shown = "".join(f"\n    {line}" for line in found[:40]) + (f"\n    and {len(found) - 40} more" if len(found) > 40 else "")
        raise Problem(
            f"the cluster's numbers differ from the embedded ones in {len(found)} places:{shown}",
            f"Compare {report}/report.html with {expected}/report.html; an old embedded report is made anew when you remove it.",
        )
    scored = [task for task in there["tasks"] if task["status"] == "scored"]
    levels = there["levels"]["paper"]["levels"]
    session.say("  ".join(f"level {number}: {levels[number]:.2f}" for number in sorted(levels) if levels[number] is not None))
    session.say(f"{len(scored)} scored tasks and all levels equal the embedded run's to {TOLERANCE:g}; {session.elapsed():.0f} s")


@contextlib.contextmanager
def _endpoint(session: Session, endpoint: str) -> Iterator[str]:
    if endpoint:
        yield endpoint
        return
    with Forward(session.kubectl, SERVICE, PORT) as forward:
        yield f"grpcs://127.0.0.1:{forward.port}"


def _run(bundle: Path, output: Path, more: list[str], environment: dict[str, str], what: str) -> None:
    genlevel = Path(sys.executable).with_name("genlevel")
    command = [str(genlevel), "run", str(bundle / "predictions"), "--references", str(bundle / "references"), "--model", MODEL]
    done = subprocess.run([*command, "--output", str(output), *more], env=environment, check=False)
    if not (output / "report.json").is_file():
        raise Problem(
            f"{what} made no report (exit code {done.returncode})",
            "See its words above, `make status` and `make logs COMPONENT=orchestrator`.",
        )
