"""Keeps a local Ray on loopback. All three measures are here, because each alone leaves a socket open to the network.

1. `RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER=0` before Ray is imported: Ray's own processes use 127.0.0.1.
2. `rebind_proxy`, run by Serve in its proxy before the gRPC server starts: the ingress binds 127.0.0.1 instead of all interfaces.
3. `rebind_replica`, called in the constructor of each replica: so does its inner gRPC port.

A container takes 1 and 3 and leaves 2 out: its gRPC ingress is the one socket that is meant for others.

2 and 3 replace private functions of Ray. Ray is pinned exactly, and a test lists the listening sockets.
"""

from __future__ import annotations

import os
import socket
from typing import Any

HOST = "127.0.0.1"

ENVIRONMENT = {
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
    # Two instances must never share a port in silence.
    "SERVE_SOCKET_REUSE_PORT_ENABLED": "0",
    "RAY_SERVE_ENABLE_HA_PROXY": "0",
}
INGRESS = {"RAY_SERVE_HTTP_PROXY_CALLBACK_IMPORT_PATH": f"{__name__}.rebind_proxy"}
"""Set where the gRPC ingress stays on loopback too; in a container it is what listens outward."""


def rebind_proxy() -> list[Any]:
    """Makes the gRPC ingress of this process bind loopback. Returns no middleware."""
    from ray.serve._private import default_impl

    def add_loopback_address(server: Any, address: str) -> None:
        port = address.rsplit(":", 1)[1]
        if not server.add_insecure_port(f"{HOST}:{port}"):
            raise RuntimeError(f"port {port} on {HOST} is taken")

    default_impl.add_grpc_address = add_loopback_address
    return []


def rebind_replica() -> None:
    """Makes the inner gRPC port of this replica bind loopback, where the process was started for it."""
    if os.environ.get("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER") != "0":
        return
    from ray.serve._private import replica

    original = replica.add_port_to_grpc_server
    replica.add_port_to_grpc_server = lambda server, address: original(server, f"{HOST}:0")


def require_free(port: int) -> None:
    """Raises OSError where somebody listens on that port of any interface."""
    family = socket.AF_INET6 if socket.has_dualstack_ipv6() else socket.AF_INET
    with socket.create_server(("", port), family=family, dualstack_ipv6=family == socket.AF_INET6):
        pass


def free_port() -> int:
    """A port of loopback that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])
