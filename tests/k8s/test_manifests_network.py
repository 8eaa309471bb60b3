"""Who reaches whom, computed from the rendered policies and compared with everything that is meant to be possible."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

HERE = Path(__file__).parent
EVALUATORS = ("eval-language", "eval-image", "eval-video", "eval-audio", "eval-3d")
PORTS = (53, 443, 5432, 6379, 6443, 8000, 8265, 9000, 9001, 9100, 9101, 9200, 9443, 9444, 10001, 31000)
NAMESPACES = {
    "genlevel": {"kubernetes.io/metadata.name": "genlevel"},
    "kube-system": {"kubernetes.io/metadata.name": "kube-system"},
    "kuberay": {"kubernetes.io/metadata.name": "kuberay"},
    "ingress": {"kubernetes.io/metadata.name": "ingress", "genlevel.io/client": "true"},
    "default": {"kubernetes.io/metadata.name": "default"},
}
Edges = set[tuple[str, str, int]]


@pytest.fixture(scope="module")
def rendering(load_module: Callable[[Path], ModuleType]) -> Any:
    return load_module(HERE / "rendering.py")


@pytest.fixture(scope="module")
def network(load_module: Callable[[Path], ModuleType]) -> Any:
    return load_module(HERE / "network.py")


def outsiders(network: Any) -> list[Any]:
    """Whoever else is there: in the cluster and beyond."""
    peer = network.Peer
    return [
        peer("dns", "10.244.9.1", "kube-system", {"k8s-app": "kube-dns"}),
        peer("other-system", "10.244.9.2", "kube-system", {"k8s-app": "something"}),
        peer("operator", "10.244.9.3", "kuberay", {"app.kubernetes.io/component": "kuberay-operator"}),
        peer("stranger", "10.244.9.4", "default", {"app.kubernetes.io/component": "orchestrator", "genlevel.io/client": "true"}),
        peer("ingress", "10.244.9.5", "ingress", {"app": "ingress"}),
        peer("client", "10.244.9.6", "genlevel", {"genlevel.io/client": "true"}),
        peer("unlabelled", "10.244.9.7", "genlevel", {}),
        peer("world", "203.0.113.7"),
        peer("world6", "2001:db8::7"),
        peer("metadata", "169.254.169.254"),
        peer("local-dns", "169.254.20.10"),
    ]


def edges(rendering: Any, network: Any, entry: str, components: tuple[str, ...]) -> Edges:
    """Everything that is possible."""
    objects = rendering.render(entry, components)
    policies = [item for item in objects if item["kind"] == "NetworkPolicy"]
    pods = [
        network.Peer(pod.owner.split("/", 1)[1], f"10.244.0.{number}", "genlevel", pod.labels)
        for number, pod in enumerate(rendering.pods(objects), 1)
    ]
    found: Edges = network.matrix(network.Network(policies, NAMESPACES), [*pods, *outsiders(network)], PORTS)
    return found


def product(sources: Iterable[str], targets: Iterable[str], *ports: int) -> Edges:
    """All of these."""
    return {(source, target, port) for source in sources for target in list(targets) for port in ports if source != target}


def base(evaluators: Iterable[str] = EVALUATORS) -> Edges:
    """Without components. What goes out of the cluster by way of the weights Job is in `outward`."""
    return (
        product(["orchestrator"], evaluators, 9000)
        | product(["orchestrator"], ["database"], 5432)
        | product(["orchestrator", "weights-fetch", "client"], ["dns", "local-dns"], 53)
        | product(["client", "ingress"], ["orchestrator"], 9100)
    )


def outward(sources: Iterable[str], ports: Iterable[int] = PORTS) -> Edges:
    """Out of the namespace to any address: pods of other namespaces have addresses too, and nobody guards them here."""
    targets = ["world", "world6", "dns", "other-system", "operator", "stranger", "ingress", "local-dns"]
    return product(sources, [one for one in targets if one != "local-dns"], *ports)


STORE = product(["orchestrator", *EVALUATORS], ["store"], 9200) | product(EVALUATORS, ["dns", "local-dns"], 53)
GATEWAY = (
    product(["gateway"], EVALUATORS, 9000) | product(["client", "ingress"], ["gateway"], 9443) | product(["gateway"], ["dns", "local-dns"], 53)
)
JOB = outward(["weights-fetch"])


@pytest.mark.parametrize(
    ("entry", "components", "expected"),
    [
        ("base", (), base() | JOB),
        ("overlays/local", (), base() | JOB),
        ("base", ("fixed-replicas", "weights-shared", "shared-volume"), base() | JOB),
        ("base", ("store",), base() | JOB | STORE),
        ("overlays/local", ("store", "gateway"), base() | JOB | STORE | GATEWAY),
        ("base", ("gateway",), base() | JOB | GATEWAY),
        (
            "base", ("external-database",),
            (base() | JOB | outward(["orchestrator"], [5432])) - product(["orchestrator"], ["database"], 5432),
        ),
        (
            "base", ("external-s3",),
            base() | JOB | outward(["orchestrator", *EVALUATORS], [443]) | product(EVALUATORS, ["dns", "local-dns"], 53),
        ),
        (
            "base", ("judge",),
            base() | JOB | outward(["eval-language"], [443]) | product(["eval-language"], ["dns", "local-dns"], 53),
        ),
        (
            "overlays/gpu", (),
            {edge for edge in base() if edge[0] != "weights-fetch"} | outward(EVALUATORS) | product(EVALUATORS, ["dns", "local-dns"], 53),
        ),
    ],
    ids=lambda value: "+".join(value) if isinstance(value, tuple) else (value if isinstance(value, str) else ""),
)
def test_the_whole_matrix(rendering: Any, network: Any, entry: str, components: tuple[str, ...], expected: Edges) -> None:
    assert edges(rendering, network, entry, components) == expected


def ray_pods(split: bool = True) -> dict[str, list[str]]:
    """Names of the pods of each Ray cluster."""
    groups = {name: [f"{name}/head", f"{name}/{name}"] for name in EVALUATORS}
    groups["eval-video"].append("eval-video/eval-video-gpu")
    return groups


@pytest.mark.parametrize("weights", [("kuberay", "weights-shared"), ("kuberay", "weights-per-pod")])
def test_the_whole_matrix_of_ray(rendering: Any, network: Any, weights: tuple[str, ...]) -> None:
    clusters = ray_pods()
    everyone = [pod for names in clusters.values() for pod in names]
    expected = base(everyone) | product(everyone, ["dns", "local-dns"], 53) | product(["operator"], everyone, 8000, 8265)
    for names in clusters.values():
        expected |= product(names, names, *PORTS)
    expected |= outward([pod for pod in everyone if pod.endswith("/head")], [443, 6443])
    if "weights-shared" in weights:
        expected |= JOB
    else:
        expected = {edge for edge in expected if edge[0] != "weights-fetch"} | outward(everyone)
    assert edges(rendering, network, "base", weights) == expected


def test_ray_under_a_gateway_and_a_store(rendering: Any, network: Any) -> None:
    found = edges(rendering, network, "base", ("kuberay", "weights-shared", "store", "gateway"))
    everyone = [pod for names in ray_pods().values() for pod in names]
    assert product(["gateway", "orchestrator"], everyone, 9000) <= found
    assert product(everyone, ["store"], 9200) <= found
    assert not any(target in everyone and port == 8265 for source, target, port in found if source in ("gateway", "orchestrator", "client"))


def test_the_default_denies_every_pod_both_ways(rendering: Any) -> None:
    for entry, components in rendering.COMBINATIONS:
        spec = rendering.find(rendering.render(entry, components), "NetworkPolicy", "default-deny")["spec"]
        assert spec == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}


def test_every_policy_chooses_somebody(rendering: Any, network: Any) -> None:
    for entry, components in rendering.COMBINATIONS:
        objects = rendering.render(entry, components)
        labels = [pod.labels for pod in rendering.pods(objects)] + [{"genlevel.io/client": "true"}]
        for policy in (item for item in objects if item["kind"] == "NetworkPolicy"):
            assert any(network.selected(policy["spec"]["podSelector"], one) for one in labels), (entry, components, policy["metadata"]["name"])


def test_rules_of_the_evaluator_of_policies(network: Any) -> None:
    def policy(spec: dict[str, Any]) -> dict[str, Any]:
        return {"metadata": {"name": "one", "namespace": "genlevel"}, "spec": {"podSelector": {"matchLabels": {"app": "a"}}, **spec}}

    a, b = network.Peer("a", "10.0.0.1", "genlevel", {"app": "a"}), network.Peer("b", "10.0.0.2", "genlevel", {"app": "b"})
    far = network.Peer("b", "10.0.0.3", "default", {"app": "b"})

    def reaches(spec: dict[str, Any], source: Any, target: Any, port: int = 1, protocol: str = "TCP") -> bool:
        answer: bool = network.Network([policy(spec)], NAMESPACES).reaches(source, target, port, protocol)
        return answer

    closed = {"policyTypes": ["Ingress"]}
    assert reaches(closed, a, b)
    assert not reaches(closed, b, a)
    from_b = {"policyTypes": ["Ingress"], "ingress": [{"from": [{"podSelector": {"matchLabels": {"app": "b"}}}], "ports": [{"port": 1, "protocol": "TCP"}]}]}
    assert reaches(from_b, b, a)
    assert not reaches(from_b, b, a, port=2)
    assert not reaches(from_b, b, a, protocol="UDP")
    assert not reaches(from_b, far, a), "a pod selector alone means the own namespace"
    anywhere = {"policyTypes": ["Ingress"], "ingress": [{"from": [{"namespaceSelector": {}, "podSelector": {"matchLabels": {"app": "b"}}}]}]}
    assert reaches(anywhere, far, a)
    assert reaches({"policyTypes": ["Ingress"], "ingress": [{}]}, far, a), "an empty rule lets all in"
    block = {"policyTypes": ["Egress"], "egress": [{"to": [{"ipBlock": {"cidr": "10.0.0.0/8", "except": ["10.0.0.2/32"]}}]}]}
    assert reaches(block, a, far)
    assert not reaches(block, a, b)
