"""Prints the `serveConfigV2` of a RayService: `python -m genlevel_evaluator.serve.kuberay --evaluator video --split`.

It is made from `services.toml`, as everything else that runs Serve; the same input gives the same text. Imports no Ray.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from typing import Any

from genlevel_evaluator.errors import EvaluatorError
from genlevel_evaluator.serve.options import SERVICER_FUNCTION, limits, networks, plain, scaled
from genlevel_evaluator.serve.plan import ServicesError, plan_of

GRPC_PORT = 9000
HTTP_PORT = 8000
"""KubeRay's probes ask Serve's HTTP proxy; calls are all gRPC."""


def serve_config(name: str, roots: Sequence[str] = (), split: bool = False) -> dict[str, Any]:
    """The configuration as plain values.

    Args:
        name: of the evaluator.
        roots: folders and URLs media may be read from.
        split: whether its networks are deployments of their own.

    Raises:
        ServicesError: `services.toml` is wrong, or there are no networks to split off.
    """
    plan = plan_of(name)
    deployments = [{"name": name, **limits(plan), **scaled(plan.cluster)}]
    if split:
        deployments += [{"name": own, **limits(plan), **scaled(scaling)} for own, scaling in networks(name, plan).items()]
    return {
        "proxy_location": "EveryNode",
        "http_options": {"host": "0.0.0.0", "port": HTTP_PORT},
        "grpc_options": {
            "port": GRPC_PORT,
            "grpc_servicer_functions": [SERVICER_FUNCTION],
            "request_timeout_s": plain(plan.request_timeout_s),
            "enable_reflection": False,
        },
        "logging_config": {"enable_access_log": False},
        "applications": [
            {
                "name": name,
                "route_prefix": f"/{name}",
                "import_path": "genlevel_evaluator.serve.applications:build",
                "args": {"evaluator": name, "roots": list(roots), "split": split},
                "deployments": deployments,
            }
        ],
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description="Print the serveConfigV2 of a RayService of one evaluator.")
    parser.add_argument("--evaluator", required=True)
    parser.add_argument("--split", action="store_true", help="its networks are deployments of their own, on GPU workers")
    parser.add_argument("--roots", nargs="*", default=[], help="folders and URLs media may be read from")
    parser.add_argument("--json", action="store_true", help="JSON in place of YAML")
    given = parser.parse_args(arguments)
    try:
        config = serve_config(given.evaluator, given.roots, given.split)
    except (ServicesError, EvaluatorError) as error:
        sys.exit(str(error))
    if given.json:
        print(json.dumps(config, indent=2))
        return
    import yaml

    print(yaml.safe_dump(config, sort_keys=False, width=200), end="")


if __name__ == "__main__":
    main()
