"""The orchestrator's gRPC API: server, and the client the command line uses."""

from __future__ import annotations
