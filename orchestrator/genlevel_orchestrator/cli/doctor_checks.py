"""The checks of ``genlevel doctor``. Each looks at one thing and knows the line that mends it; none changes anything."""

from __future__ import annotations

import ctypes
import importlib.util
import os
import platform
import shutil
import socket
import sys
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Literal, NamedTuple
from urllib.parse import urlsplit

from genlevel_orchestrator.catalogue.installed import GROUP
from genlevel_orchestrator.errors import UserError
from genlevel_orchestrator.settings import Settings, load_settings

State = Literal["ok", "warning", "missing"]

PYTHONS = ((3, 11), (3, 12))
EVALUATORS = ("language", "image", "video", "audio", "three_d")
LIBRARIES = {"libGL.so.1": "libgl1", "libX11.so.6": "libx11-6", "libgomp.so.1": "libgomp1"}
RAY_VERSION = "2.60.0"
DEFAULT_PORT = 9100
DISK_NEEDED = 2_000_000_000
DISK_COMFORTABLE = 8_000_000_000
MEMORY_COMFORTABLE = 4_000_000_000


class Check(NamedTuple):
    """What one check found. ``missing`` means that something needed is not there."""

    name: str
    state: State
    found: str
    fix: str = ""


def all_checks(quick: bool = False) -> list[Check]:
    """Run every check, in the order a person would mend things."""
    return [
        check_python(sys.version_info[:2]),
        check_platform(platform.system(), platform.machine()),
        check_venv(),
        *(check_program(name) for name in ("git", "make")),
        check_libraries(),
        check_memory(),
        *_with_settings(_folders),
        *(check_evaluator(name) for name in EVALUATORS),
        check_judge(os.environ),
        check_ray(),
        check_torch(),
        *check_weights(quick),
        *check_ports(),
        *_with_settings(_configured),
    ]


def check_python(version: Sequence[int]) -> Check:
    """Return whether this is a Python we support."""
    name = ".".join(map(str, version))
    if tuple(version) in PYTHONS:
        return Check("Python", "ok", name)
    return Check("Python", "missing", name, "apt-get install -y python3.11 python3.11-venv, then make PYTHON=python3.11 install")


def check_platform(system: str, machine: str) -> Check:
    """Return whether this is a platform we support."""
    if system == "Linux" and machine in ("x86_64", "AMD64"):
        return Check("platform", "ok", f"{system} {machine}")
    return Check("platform", "missing", f"{system} {machine}", "use Linux on x86-64")


def check_venv() -> Check:
    """Return whether virtual environments can be made."""
    absent = [name for name in ("venv", "ensurepip") if importlib.util.find_spec(name) is None]
    if not absent:
        return Check("venv", "ok", "can be made")
    fix = f"apt-get install -y python{sys.version_info[0]}.{sys.version_info[1]}-venv"
    return Check("venv", "missing", f"no module {' or '.join(absent)}", fix)


def check_program(name: str) -> Check:
    """Return whether a program is on the path."""
    path = shutil.which(name)
    return Check(name, "ok", path) if path else Check(name, "missing", "not on the path", f"apt-get install -y {name}")


def check_libraries(libraries: Iterable[str] = tuple(LIBRARIES)) -> Check:
    """Return whether the libraries that Open3D loads are there."""
    absent = [name for name in libraries if not _loads(name)]
    if not absent:
        return Check("libraries", "ok", " ".join(LIBRARIES.values()))
    packages = " ".join(LIBRARIES.get(name, name) for name in absent)
    return Check("libraries", "missing", f"cannot load {', '.join(absent)}", f"apt-get install -y {packages}")


def _loads(name: str) -> bool:
    try:
        ctypes.CDLL(name)
    except OSError:
        return False
    return True


def check_memory() -> Check:
    """Return whether there is memory for the evaluators and their networks."""
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    found = f"{total / 1e9:.1f} GB"
    if total >= MEMORY_COMFORTABLE:
        return Check("memory", "ok", found)
    return Check("memory", "warning", found, "serve fewer evaluators at a time: genlevel serve --only language")


def _with_settings(check: Callable[[Settings], list[Check]]) -> list[Check]:
    try:
        return check(load_settings())
    except UserError as error:
        return [Check("settings", "missing", error.message, error.remedy or "")]


def _folders(settings: Settings) -> list[Check]:
    folders = {"state folder": settings.state, "cache folder": _cache(), "temporary folder": Path(tempfile.gettempdir())}
    return [check_folder(name, path) for name, path in folders.items()]


def _cache() -> Path:
    try:
        from genlevel_evaluator.weights.cache import cache_root
    except ImportError:
        return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "genlevel"
    return cache_root()


def check_folder(name: str, path: Path) -> Check:
    """Return whether a folder can be written and has room. The nearest folder that exists stands for one not made yet."""
    there = next((folder for folder in (path, *path.parents) if folder.exists()), Path("/"))
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        return Check(name, "missing", f"{path} cannot be written", f"make {there} a folder that you may write, or choose another")
    free = shutil.disk_usage(there).free
    found = f"{path}, {free / 1e9:.1f} GB free"
    if free < DISK_NEEDED:
        return Check(name, "missing", found, f"free {DISK_NEEDED / 1e9:.0f} GB on the disk of {there}")
    if free < DISK_COMFORTABLE:
        return Check(name, "warning", found, f"free {DISK_COMFORTABLE / 1e9:.0f} GB before installing again")
    return Check(name, "ok", found)


def check_evaluator(name: str) -> Check:
    """Return whether an evaluator is installed, can be imported, and offers metrics that can be too."""
    entry = next((entry for entry in metadata.entry_points(group=GROUP) if entry.name == name), None)
    if entry is None:
        return Check(f"evaluator {name}", "missing", "not installed", "make install")
    try:
        evaluator = entry.load()
        count = len([evaluator.metric(metric_id) for metric_id in evaluator.metric_ids])
    except Exception as error:  # a broken package may raise anything, and the other checks still count
        return Check(f"evaluator {name}", "missing", f"cannot be imported: {type(error).__name__}: {error}", "make install")
    if not count:
        return Check(f"evaluator {name}", "missing", "offers no metric", "make install")
    return Check(f"evaluator {name}", "ok", f"{count} metric{'s' if count != 1 else ''}")


def check_judge(environment: Mapping[str, str]) -> Check:
    """Return whether a judge is configured for `gpt_score`. It is not contacted, and its key is not shown."""
    url, model = (environment.get(f"GENLEVEL_JUDGE_{name}", "").strip() for name in ("URL", "MODEL"))
    if not url and not model:
        return Check("judge", "ok", "none configured; gpt_score takes verdicts only (docs/settings.md)")
    if not url or not model:
        absent = "GENLEVEL_JUDGE_MODEL" if url else "GENLEVEL_JUDGE_URL"
        return Check("judge", "warning", f"{absent} is not set", f"set {absent}, or unset the other one")
    host = urlsplit(url).netloc.rpartition("@")[2] or "GENLEVEL_JUDGE_URL without a host"
    key = any(environment.get(f"GENLEVEL_JUDGE_{name}", "").strip() for name in ("KEY", "KEY_FILE"))
    return Check("judge", "ok", f"{model} at {host}, {'with a key' if key else 'without a key'}")


def check_ray() -> Check:
    """Return whether the pinned Ray is installed; its private parts that we replace differ in others."""
    version = _version("ray")
    if version == RAY_VERSION:
        return Check("ray", "ok", version)
    fix = "make install (without Ray, score with genlevel run --in-process)"
    return Check("ray", "missing", version or "not installed", fix)


def check_torch() -> Check:
    """Return whether the three packages that belong together are."""
    versions = {name: _version(name) for name in ("torch", "torchvision", "torchaudio")}
    found = ", ".join(f"{name} {version or 'not installed'}" for name, version in versions.items())
    state: State = "ok" if all(versions.values()) else "missing"
    return Check("torch", state, found, "" if state == "ok" else "make install")


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""


def check_weights(quick: bool) -> list[Check]:
    """Return whether the offline weights are there and have the manifest's bytes."""
    try:
        from genlevel_evaluator import weights
    except ImportError:
        return [Check("weights", "missing", "the evaluators' runtime is not installed", "make install")]
    wanted = [entry.name for entry in weights.list_entries() if entry.available]
    if quick:
        bad = {name: "missing" for name in wanted if not weights.is_present(name)}
    else:
        bad = {found.name: found.state for found in weights.verify(wanted) if found.state != "ok"}
    said = "present" if quick else "verified"
    if not bad:
        return [Check("weights", "ok", f"{len(wanted)} {said} in {weights.weights_root()}")]
    return [Check(f"weights {name}", "missing", state, f"genlevel weights fetch {name}") for name, state in bad.items()]


def check_ports(port: int = DEFAULT_PORT) -> list[Check]:
    """Return whether something can listen on loopback, and whether the port of ``genlevel serve`` is free."""
    if not _can_bind(0):
        return [Check("loopback", "missing", "nothing can listen on 127.0.0.1", "allow sockets on 127.0.0.1 in the container or sandbox")]
    if _can_bind(port):
        return [Check("ports", "ok", f"127.0.0.1 works, {port} is free")]
    return [Check("ports", "warning", f"port {port} is in use", f"genlevel serve --port {port + 1}")]


def _can_bind(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _configured(settings: Settings) -> list[Check]:
    return [check_endpoint(name, endpoint.target) for name, endpoint in settings.evaluators.items()]


def check_endpoint(name: str, target: str) -> Check:
    """Return whether a configured evaluator accepts connections."""
    if _connects(target.removeprefix("dns:///")):
        return Check(f"endpoint {name}", "ok", target)
    return Check(f"endpoint {name}", "missing", f"nothing answers at {target}", "start it, or correct GENLEVEL_EVALUATORS")


def _connects(target: str) -> bool:
    try:
        if target.startswith("unix:"):
            with socket.socket(socket.AF_UNIX) as connection:
                connection.settimeout(3.0)
                connection.connect(target.removeprefix("unix:").removeprefix("//"))
            return True
        host, port = target.rsplit(":", 1)
        socket.create_connection((host.strip("[]"), int(port)), timeout=3.0).close()
    except (OSError, ValueError):
        return False
    return True
