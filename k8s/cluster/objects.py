"""Reading Kubernetes objects, which are plain dictionaries here."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

Object = dict[str, Any]
PART_OF = "app.kubernetes.io/part-of"
GENLEVEL = "genlevel"
FIELD_MANAGER = "genlevel"


def kind(item: Object) -> str:
    """The kind of an object."""
    return str(item.get("kind", ""))


def name(item: Object) -> str:
    """The name of an object."""
    return str(item.get("metadata", {}).get("name", ""))


def label(item: Object, key: str) -> str:
    """A label of an object, empty when it has none."""
    return str((item.get("metadata", {}).get("labels") or {}).get(key, ""))


def identity(item: Object) -> tuple[str, str, str]:
    """What tells an object from others: group, kind, name."""
    group = str(item.get("apiVersion", "")).rpartition("/")[0]
    return group, kind(item), name(item)


def title(item: Object) -> str:
    """An object as kubectl writes it: ``deployment/eval-video``."""
    return f"{kind(item).lower()}/{name(item)}"


def conditions(item: Object) -> dict[str, Object]:
    """The conditions in an object's status, by type."""
    return {str(entry.get("type")): entry for entry in item.get("status", {}).get("conditions") or []}


def is_true(item: Object, condition: str) -> bool:
    """Whether a condition holds."""
    return conditions(item).get(condition, {}).get("status") == "True"


def pod_templates(item: Object) -> Iterator[Object]:
    """Every pod template in an object, however deep (Deployments have one, RayServices several)."""
    for value in walk(item.get("spec") or {}):
        if "containers" in value and isinstance(value["containers"], list):
            yield value


def walk(value: Any) -> Iterator[Object]:
    """Every mapping in a nested value, itself included."""
    if isinstance(value, dict):
        yield value
        for child in value.values():
            yield from walk(child)
    elif isinstance(value, list):
        for child in value:
            yield from walk(child)


def containers(pod_spec: Object) -> list[Object]:
    """Containers of a pod, those that run first included."""
    return [*(pod_spec.get("initContainers") or []), *(pod_spec.get("containers") or [])]


def matches(selector: dict[str, str], item: Object) -> bool:
    """Whether an object has all labels of a selector."""
    labels = item.get("metadata", {}).get("labels") or {}
    return bool(selector) and all(labels.get(key) == value for key, value in selector.items())


def plural(kind_name: str) -> str:
    """The resource name of a kind: NetworkPolicy -> networkpolicies."""
    word = kind_name.lower()
    if word.endswith("y"):
        return word[:-1] + "ies"
    return word + ("es" if word.endswith("s") else "s")
