"""The first checks: a kubectl that is new enough, a context, a cluster that answers."""

from __future__ import annotations

import json
import re

from k8s.cluster.kubectl import REQUEST_SECONDS, Kubectl
from k8s.cluster.problem import Problem
from k8s.cluster.refusals import problem

OLDEST_CLIENT = (1, 28)  # the tests run 1.37; native gRPC probes and Kustomize components need no more than 1.27
OLDEST_SERVER = (1, 28)  # as docs/kubernetes.md says: older ones refuse fields of budgets, older kubelets err in gRPC probes


def connect(kubectl: Kubectl) -> str:
    """Check kubectl, settle the context, and return the server's version.

    Raises:
        Problem: one of them is not as it must be.
    """
    _check_client(kubectl)
    if not kubectl.context:
        kubectl.context = _current_context(kubectl)
    done = kubectl.call("get", "--raw", "/version", f"--request-timeout={REQUEST_SECONDS}s", seconds=REQUEST_SECONDS + 5)
    if done.returncode != 0:
        raise problem(
            f"{done.stdout}\n{done.stderr}", kubectl.context, "reaching the cluster"
        )  # it asks for a password on standard output
    version = str(json.loads(done.stdout)["gitVersion"])
    if _numbers(version) < OLDEST_SERVER:
        raise Problem(
            f"the cluster runs Kubernetes {version}", f"{_dotted(OLDEST_SERVER)} or newer is needed: upgrade the cluster."
        )
    return version


def _check_client(kubectl: Kubectl) -> None:
    done = kubectl.call("version", "--client", "-o", "json", seconds=20)
    try:
        version = str(json.loads(done.stdout)["clientVersion"]["gitVersion"])
    except (ValueError, KeyError, TypeError):
        raise Problem(f"{kubectl.binary} does not say its version: {(done.stderr or done.stdout).strip()}", _newer()) from None
    if _numbers(version) < OLDEST_CLIENT:
        raise Problem(f"{kubectl.binary} is {version}, which is too old", _newer())


def _newer() -> str:
    return f"Install kubectl {_dotted(OLDEST_CLIENT)} or newer, or name one: `KUBECTL=.venv/bin/kubectl make up`."


def _current_context(kubectl: Kubectl) -> str:
    done = kubectl.call("config", "current-context", seconds=20)
    if done.returncode == 0 and done.stdout.strip():
        return done.stdout.strip()
    names = kubectl.call("config", "get-contexts", "-o", "name", seconds=20).stdout.split()
    if names:
        raise Problem(
            "the kubeconfig has no current context", f"Choose one: `make up CONTEXT=NAME`, with NAME one of {', '.join(names)}."
        )
    raise Problem(
        "there is no cluster: kubectl has no kubeconfig with a context (~/.kube/config, or the file in KUBECONFIG)",
        "Make a cluster (`kind create cluster`, `k3d cluster create` or `minikube start` for a local one) or fetch your cluster's kubeconfig.",
    )


def _numbers(version: str) -> tuple[int, int]:
    found = re.match(r"v?(\d+)\.(\d+)", version)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def _dotted(version: tuple[int, int]) -> str:
    return ".".join(map(str, version))
