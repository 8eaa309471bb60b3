"""The HTTP side of a Kubernetes API server, enough of it for a real kubectl: discovery, reading, writing, server-side apply, logs."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import yaml


class Refused(Exception):
    """An answer with an error status."""

    def __init__(self, code: int, reason: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.body = {
            "kind": "Status",
            "apiVersion": "v1",
            "status": "Failure",
            "code": code,
            "reason": reason,
            "message": message,
        }


def _parsed(raw: str) -> Any:
    """A request's body: JSON, and YAML for what is applied."""
    if not raw:
        return {}
    return json.loads(raw) if raw.startswith("{") else yaml.load(raw, yaml.CSafeLoader)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 1 << 16  # headers and body in one packet; apart they wait 40 ms for one another
    cluster: Any = None

    def log_message(self, format: str, *args: Any) -> None:
        """Be silent."""

    def _serve(self) -> None:
        split = urlsplit(self.path)
        query = {key: values[0] for key, values in parse_qs(split.query).items()}
        length = int(self.headers.get("Content-Length") or 0)
        raw = self.rfile.read(length).decode() if length else ""
        try:
            with self.cluster.lock:
                self.cluster.requests.append((self.command, self.path))
                if self.cluster.unauthorized:
                    raise Refused(401, "Unauthorized", "Unauthorized")
                answer = _answer(self.cluster, self.command, split.path, query, _parsed(raw))
        except Refused as refused:
            self._send(refused.code, json.dumps(refused.body), "application/json")
            return
        if isinstance(answer, str):
            self._send(200, answer, "text/plain")
        else:
            self._send(201 if self.command == "POST" else 200, json.dumps(answer), "application/json")

    def _send(self, code: int, body: str, content_type: str) -> None:
        data = body.encode()
        self.send_response(code)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST = do_PATCH = do_DELETE = do_PUT = _serve  # noqa: N815


def _answer(cluster: Any, method: str, path: str, query: dict[str, str], body: Any) -> Any:
    parts = [part for part in path.split("/") if part]
    if path == "/version":
        return {"major": "1", "minor": cluster.version.split(".")[1], "gitVersion": cluster.version}
    if parts[0] == "openapi":
        return _openapi(cluster, parts[2:])
    if path == "/api":
        return {"kind": "APIVersions", "versions": ["v1"]}
    if path == "/apis":
        groups = {resource.group: resource.version for resource in cluster.resources() if resource.group}
        listed = [{"groupVersion": f"{group}/{version}", "version": version} for group, version in groups.items()]
        named = [{"name": group, "versions": [one], "preferredVersion": one} for group, one in zip(groups, listed, strict=True)]
        return {"kind": "APIGroupList", "apiVersion": "v1", "groups": named}
    group, version, rest = ("", parts[1], parts[2:]) if parts[0] == "api" else (parts[1], parts[2], parts[3:])
    known = [one for one in cluster.resources() if (one.group, one.version) == (group, version)]
    if not known:
        raise Refused(404, "NotFound", "the server could not find the requested resource")
    if not rest:
        return _resource_list(known, f"{group}/{version}" if group else version)
    return _objects(cluster, method, known, rest, query, body)


def _resource_list(known: list[Any], group_version: str) -> Any:
    verbs = ["create", "delete", "get", "list", "patch", "watch"]
    listed = [
        {"name": one.plural, "singularName": one.kind.lower(), "kind": one.kind, "namespaced": one.namespaced, "verbs": verbs}
        for one in known
    ]
    return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": group_version, "resources": listed}


def _openapi(cluster: Any, parts: list[str]) -> Any:
    """kubectl asks whether the server validates fields by itself; it looks for the parameter at the PATCH of each kind."""
    if not parts:
        names = {f"apis/{one.group}/{one.version}" if one.group else f"api/{one.version}" for one in cluster.resources()}
        return {"paths": {name: {"serverRelativeURL": f"/openapi/v3/{name}"} for name in names}}
    group = parts[1] if parts[0] == "apis" else ""
    parameter = [{"name": "fieldValidation", "in": "query"}]
    paths = {
        f"/{one.plural}": {
            "patch": {
                "parameters": parameter,
                "x-kubernetes-group-version-kind": {"group": one.group, "version": one.version, "kind": one.kind},
            }
        }
        for one in cluster.resources()
        if one.group == group
    }
    return {"openapi": "3.0.0", "info": {"title": "fake", "version": "1"}, "paths": paths, "components": {"schemas": {}}}


def _objects(cluster: Any, method: str, known: list[Any], rest: list[str], query: dict[str, str], body: Any) -> Any:
    namespace = ""
    if rest[0] == "namespaces" and len(rest) > 2:
        namespace, rest = rest[1], rest[2:]
    resource = next((one for one in known if one.plural == rest[0]), None)
    if resource is None:
        raise Refused(404, "NotFound", "the server could not find the requested resource")
    name = rest[1] if len(rest) > 1 else ""
    if rest[2:] == ["log"]:
        return cluster.log(name, query.get("container", ""), query.get("previous") == "true", int(query.get("tailLines", "1000")))
    cluster.permit(resource, {"GET": "get" if name else "list", "POST": "create", "PATCH": "patch", "DELETE": "delete"}[method])
    if method == "POST":
        return cluster.create(resource, namespace, body)
    if method == "PATCH":
        return cluster.apply(resource, namespace, name, body, query)
    if method == "DELETE":
        return cluster.delete(resource, namespace, name)
    if name:
        return cluster.read(resource, namespace, name)
    items = cluster.list(resource, namespace, query.get("labelSelector", ""), query.get("fieldSelector", ""))
    version = f"{resource.group}/{resource.version}" if resource.group else resource.version
    return {
        "kind": f"{resource.kind}List",
        "apiVersion": version,
        "metadata": {"resourceVersion": str(cluster.revision)},
        "items": items,
    }


@contextlib.contextmanager
def serve(cluster: Any) -> Iterator[str]:
    """Serve a cluster and return its address."""
    handler = type("Handler", (_Handler,), {"cluster": cluster})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
