"""Who may talk to whom, by the rules of networking.k8s.io/v1."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Policy = dict[str, Any]


@dataclass(frozen=True)
class Peer:
    """An end of a connection: a pod, or an address outside the cluster when it has no namespace.

    Attributes:
        name: for people.
        address: IP; policies that name blocks match it.
        namespace: of a pod.
        labels: of a pod.
    """

    name: str
    address: str
    namespace: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Network:
    """Policies, and the labels of each namespace."""

    policies: Sequence[Policy]
    namespaces: Mapping[str, Mapping[str, str]]

    def reaches(self, source: Peer, target: Peer, port: int, protocol: str = "TCP") -> bool:
        """Whether a connection is let out of its source and into its target."""
        return self._side("Egress", source, target, port, protocol) and self._side("Ingress", target, source, port, protocol)

    def _side(self, direction: str, own: Peer, other: Peer, port: int, protocol: str) -> bool:
        if not own.namespace:
            return True
        chosen = [policy for policy in self.policies if self._chooses(policy, own) and direction in policy["spec"]["policyTypes"]]
        rules = [rule for policy in chosen for rule in policy["spec"].get(direction.lower()) or []]
        return not chosen or any(self._matches(rule, direction, own.namespace, other, port, protocol) for rule in rules)

    def _chooses(self, policy: Policy, pod: Peer) -> bool:
        return policy["metadata"]["namespace"] == pod.namespace and selected(policy["spec"]["podSelector"], pod.labels)

    def _matches(self, rule: Policy, direction: str, namespace: str, other: Peer, port: int, protocol: str) -> bool:
        ports = rule.get("ports")
        if ports and not any(entry.get("port", port) == port and entry.get("protocol", "TCP") == protocol for entry in ports):
            return False
        peers = rule.get("to" if direction == "Egress" else "from")
        return not peers or any(self._is(peer, namespace, other) for peer in peers)

    def _is(self, peer: Policy, namespace: str, other: Peer) -> bool:
        if "ipBlock" in peer:
            return _inside(peer["ipBlock"], other.address)
        if not other.namespace or not selected(peer.get("podSelector", {}), other.labels):
            return False
        if "namespaceSelector" in peer:
            return selected(peer["namespaceSelector"], self.namespaces[other.namespace])
        return other.namespace == namespace


def _inside(block: Policy, address: str) -> bool:
    found = ipaddress.ip_address(address)
    return found in ipaddress.ip_network(block["cidr"]) and not any(found in ipaddress.ip_network(gap) for gap in block.get("except", []))


def selected(selector: Policy, labels: Mapping[str, str]) -> bool:
    """Whether labels meet a selector; an empty one meets all.

    >>> selected({"matchExpressions": [{"key": "a", "operator": "In", "values": ["1"]}]}, {"a": "1"})
    True
    """
    exact = selector.get("matchLabels", {}).items()
    return all(labels.get(key) == value for key, value in exact) and all(_expression(one, labels) for one in selector.get("matchExpressions", []))


def _expression(expression: Policy, labels: Mapping[str, str]) -> bool:
    key, values = expression["key"], expression.get("values", [])
    answers = {
        "In": labels.get(key) in values, "NotIn": labels.get(key) not in values, "Exists": key in labels, "DoesNotExist": key not in labels,
    }
    return answers[expression["operator"]]


def matrix(network: Network, peers: Iterable[Peer], ports: Iterable[int]) -> set[tuple[str, str, int]]:
    """Every (source, target, port) that is let through; a pod always reaches itself and is left out."""
    everyone, wanted = list(peers), list(ports)
    return {
        (source.name, target.name, port)
        for source in everyone for target in everyone if source is not target and (source.namespace == "genlevel" or target.namespace == "genlevel")
        for port in wanted if network.reaches(source, target, port)
    }
