#!/usr/bin/env python3
"""Writes the parts of k8s/ that follow from other files: settings, sizes, and the RayServices of KubeRay.

    .venv/bin/python scripts/k8s_config.py [--check]

Kustomize reads nothing outside its folder, so what the embedded mode also uses is copied; `--check` compares only and ends with 1 when a
file is not what would be written.
"""

from __future__ import annotations

import argparse
import sys
import tomllib
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[1]
if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))

from scripts import k8s_media, k8s_rayservice, k8s_sizes  # noqa: E402

SERVICES = ROOT / "services" / "common" / "genlevel_evaluator" / "serve" / "services.toml"
IMAGES = ROOT / "k8s" / "components" / "images" / "kustomization.yaml"
EVALUATORS = {
    "eval-language": "language", "eval-image": "image", "eval-video": "video", "eval-audio": "audio", "eval-3d": "three_d",
}
"""Evaluators by their name on the network."""
HEAD = "# Written by scripts/k8s_config.py; edit {source} and run it again.\n"
MEDIA: dict[str, tuple[bool, str]] = {
    "base": (True, ""), "components/store": (True, k8s_media.STORE), "components/shared-volume": (False, ""),
}
"""How media travel, by the folder that says so: whether evaluators are remote, and the store."""
IN_FLIGHT = 8  # two shards for each of at most four pods: one at work, one on its way


class Dumper(yaml.SafeDumper):
    """Block style for texts of several lines, no anchors, lists set in."""

    def ignore_aliases(self, data: Any) -> bool:
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|" if "\n" in value else None)


Dumper.add_representer(str, _text)


def dump(*documents: Any) -> str:
    """YAML of some documents."""
    return yaml.dump_all(documents, Dumper=Dumper, sort_keys=False, width=140)


def settings(remote: bool, store: str) -> str:
    """The orchestrator's settings."""
    lines = [
        'state = "/var/lib/genlevel/state"',
        'database_file = "/run/secrets/genlevel/database-url"',
        *([f'media_store = "{store}"'] if store else []),
        "",
        "[serve]",
        'host = "0.0.0.0"',
        "port = 9100",
        "health_port = 9101",
        'roots = ["/var/lib/genlevel/bundles"]',
        'token_file = "/run/secrets/genlevel/token"',
        'tls_certificate = "/run/secrets/genlevel/tls.crt"',
        'tls_key = "/run/secrets/genlevel/tls.key"',
        "",
        "[dispatch]",
        f"in_flight = {IN_FLIGHT}",
        "",
        "[evaluators]",
    ]
    lines += [f'{name} = {{ target = "{host}:9000", remote = {str(remote).lower()} }}' for host, name in EVALUATORS.items()]
    return "\n".join(lines) + "\n"


def tag() -> str:
    """The tag of our images in git."""
    (found,) = {image["newTag"] for image in yaml.safe_load(IMAGES.read_text(encoding="utf-8"))["images"]}
    return str(found)


def files() -> dict[str, str]:
    """Everything that is written, by path below k8s/."""
    sizes = tomllib.loads((ROOT / "k8s" / "sizes.toml").read_text(encoding="utf-8"))
    own = HEAD.format(source="that script")
    result = {"base/config/services.toml": SERVICES.read_text(encoding="utf-8")}
    for folder, media in MEDIA.items():
        result[f"{folder}/config/config.toml"] = own + settings(*media)
    for folder, patches in k8s_sizes.patches(sizes, EVALUATORS).items():
        result[f"{folder}/sizes.yaml"] = HEAD.format(source="k8s/sizes.toml") + dump(*patches)
    for host, name in EVALUATORS.items():
        service = k8s_rayservice.service(host, name, sizes["kuberay"])
        result[f"components/kuberay/{host}.yaml"] = own + dump(service)
    for name, patch in k8s_media.patches(EVALUATORS, sizes["base"]["weights-fetch"], tag()).items():
        result[f"components/{name}"] = own + dump(patch)
    return result


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="compare only")
    check = parser.parse_args().check
    stale = []
    for name, content in files().items():
        path = ROOT / "k8s" / name
        if path.is_file() and path.read_text(encoding="utf-8") == content:
            continue
        stale.append(path.relative_to(ROOT))
        if not check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content, encoding="utf-8")
    for path in stale:
        print(f"{path} {'is not what scripts/k8s_config.py writes: run it and commit' if check else 'written'}")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
