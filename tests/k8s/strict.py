"""Strict schemas: unknown fields are refused. For Kubernetes' own kinds those of kubernetes-validate, for RayService its CRD."""

from __future__ import annotations

import functools
import importlib.resources
import json
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate
import referencing
import referencing.jsonschema
import yaml

CRD = Path(__file__).parent / "schemas" / "ray.io_rayservices.yaml"
VERSIONS = ("1.28", kubernetes_validate.latest_version())
"""The oldest that we say we support, and the newest there is a schema for."""
Object = dict[str, Any]


def faults(item: Object, version: str) -> list[str]:
    """What is wrong with an object."""
    validator = _rayservice() if item["kind"] == "RayService" else _builtin(item["apiVersion"], item["kind"], version)
    name = f"{item['kind']}/{item['metadata']['name']}"
    return [f"{name} ({version}): {'.'.join(map(str, error.path))}: {error.message[:200]}" for error in validator.iter_errors(item)]


@functools.cache
def _builtin(api: str, kind: str, version: str) -> Any:
    """As `kubernetes_validate.validate(strict=True)` does it, with schemas read once instead of for each object."""
    group, _, number = api.rpartition("/")
    folder = importlib.resources.files("kubernetes_validate") / "kubernetes-json-schema" / _folder(version)
    stem = "-".join(filter(None, (kind.lower(), group.partition(".")[0], number)))
    schema = json.loads((folder / f"{stem}.json").read_text(encoding="utf-8"))
    return jsonschema.Draft202012Validator(schema, registry=_definitions(version))


@functools.cache
def _definitions(version: str) -> Any:
    folder = importlib.resources.files("kubernetes_validate") / "kubernetes-json-schema" / _folder(version)
    content = json.loads((folder / "_definitions.json").read_text(encoding="utf-8"))
    resource = referencing.Resource.from_contents(content, default_specification=referencing.jsonschema.DRAFT202012)
    return referencing.Registry().with_resource("_definitions.json", resource).crawl()


def _folder(version: str) -> str:
    """The newest schemas of a minor version."""
    found = [one for one in kubernetes_validate.utils.all_versions() if one.startswith(version)]
    return f"v{found[-1]}-local-strict"


@functools.cache
def _rayservice() -> Any:
    definition = yaml.load(CRD.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    (version,) = [one for one in definition["spec"]["versions"] if one["name"] == "v1"]
    schema = _closed(version["schema"]["openAPIV3Schema"])
    # The API server checks metadata itself and the CRD leaves it open.
    schema["properties"]["metadata"] = {"type": "object"}
    return jsonschema.Draft202012Validator(schema)


def _closed(schema: Any) -> Any:
    """A schema that refuses fields it does not name, as the API server does under strict validation."""
    if isinstance(schema, list):
        return [_closed(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    result = {key: _closed(value) for key, value in schema.items()}
    if "properties" in schema and isinstance(schema.get("properties"), dict) and "type" in schema:
        open_ended = schema.get("x-kubernetes-preserve-unknown-fields") or "additionalProperties" in schema
        if not open_ended:
            result["additionalProperties"] = False
    return result
