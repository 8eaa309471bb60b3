"""The builder that a KubeRay `serveConfigV2` names: `import_path: genlevel_evaluator.serve.applications:build`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ray.serve import Application

from genlevel_evaluator import media_roots
from genlevel_evaluator.serve.deployment import cluster_application
from genlevel_evaluator.serve.plan import ServicesError, plan_of

_ARGUMENTS = {"evaluator": str, "roots": list, "split": bool}


def build(args: Mapping[str, Any]) -> Application:
    """The application of one evaluator where Ray spans pods.

    Args:
        args: `evaluator`, its name; `roots`, folders and URLs media may be read from; `split`, whether its networks are a deployment of
            their own. The last two may be left out; roots are then those of GENLEVEL_ROOTS.

    Raises:
        ServicesError: another argument, or one of another kind.
    """
    for name, value in args.items():
        if name not in _ARGUMENTS or not isinstance(value, _ARGUMENTS[name]):
            wanted = ", ".join(f"{key} ({kind.__name__})" for key, kind in _ARGUMENTS.items())
            raise ServicesError(f"args.{name} = {value!r} is not understood; there are {wanted}")
    name = args.get("evaluator", "")
    return cluster_application(name, args.get("roots") or media_roots.configured(), plan_of(name), args.get("split", False))
