"""grpc.health.v1 on a port of its own, in plain text, as the probes of Kubernetes speak it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

LIVE = "live"
READY = "ready"
_SERVICES = {LIVE: (LIVE,), READY: (READY, "")}


class HealthServer:
    """A server with the services `live`, `ready` and the empty name, which means `ready`.

    Args:
        port: to listen on, on all interfaces; 0 lets the system choose.

    Raises:
        OSError: the port is taken.
    """

    def __init__(self, port: int) -> None:
        # It has threads of its own: an answer never waits for what the main thread does.
        self._server = grpc.server(ThreadPoolExecutor(2, "health"), options=[("grpc.so_reuseport", 0)])
        self._states = health.HealthServicer(experimental_non_blocking=True, experimental_thread_pool=ThreadPoolExecutor(2, "health-watch"))
        health_pb2_grpc.add_HealthServicer_to_server(self._states, self._server)
        try:
            self.port = self._server.add_insecure_port(f"[::]:{port}")
        except RuntimeError:
            self.port = 0
        if not self.port:
            raise OSError(f"port {port} is taken")
        self.set(LIVE, True)
        self.set(READY, False)
        self._server.start()

    def set(self, service: str, serving: bool) -> None:
        """Sets the state of `live` or `ready`."""
        status = health_pb2.HealthCheckResponse.SERVING if serving else health_pb2.HealthCheckResponse.NOT_SERVING
        for name in _SERVICES[service]:
            self._states.set(name, status)

    def stop(self) -> None:
        """Ends it at once."""
        self._server.stop(grace=None).wait()
