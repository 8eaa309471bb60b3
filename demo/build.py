"""`python -m demo.build --output build/demo`: build the demo bundle, the same bytes every time.

It leaves `references/` (annotations), `predictions/`, NOTICE.md and bundle.sha256. Media come from pinned packages (downloaded once into the cache), predictions from simple baselines; see docs/demo.md.
"""

from __future__ import annotations

import argparse
import hashlib
import random
import shutil
import sys
import time
from pathlib import Path

import cv2
import numpy as np

from demo import notice, sources
from demo.bundle import Task
from demo.tasks import BUILDERS

LIMIT_BYTES = 60_000_000
DIGESTS = "bundle.sha256"


def digests(root: Path) -> dict[str, str]:
    """Return the SHA-256 of every file below `root` but the list of digests itself."""
    files = sorted(path for path in root.rglob("*") if path.is_file() and path.name != DIGESTS)
    return {path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def listing(table: dict[str, str]) -> str:
    """Return digests in the form that `sha256sum --check` reads."""
    return "".join(f"{digest}  {name}\n" for name, digest in sorted(table.items()))


def bundle_digest(table: dict[str, str]) -> str:
    """Return one SHA-256 for a table of digests."""
    return hashlib.sha256(listing(table).encode()).hexdigest()


def build_tasks(root: Path, only: list[str] | None = None) -> list[Task]:
    """Build the tasks (those whose catalogue name is in `only`, or all) below `root`."""
    cv2.setNumThreads(1)
    cv2.ocl.setUseOpenCL(False)
    tasks = []
    for builder in BUILDERS:
        recipe = builder.recipe
        if only is not None and recipe.name not in only:
            continue
        random.seed(0)
        np.random.seed(0)
        started = time.monotonic()
        task = Task(root, recipe)
        builder.fill(task)
        task.write()
        tasks.append(task)
        seconds = time.monotonic() - started
        print(f"{recipe.modality}/{recipe.paradigm}: {recipe.name} ({seconds:.1f} s)", file=sys.stderr, flush=True)
    return tasks


def build(output: Path, only: list[str] | None = None) -> dict[str, str]:
    """Build the bundle in place of whatever `output` held of it, and return the digests."""
    if output.exists() and any(output.iterdir()) and not (output / DIGESTS).is_file():
        raise SystemExit(f"{output} is not empty and not a demo bundle; name another folder")
    part = output.with_name(f"{output.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    sources.fetch_all(lambda name, message: print(f"{name}: {message}", file=sys.stderr, flush=True))
    tasks = build_tasks(part, only)
    notice.write(part / "NOTICE.md", [task.recipe for task in tasks])
    table = digests(part)
    (part / DIGESTS).write_text(listing(table), encoding="utf-8")
    size = sum(path.stat().st_size for path in part.rglob("*") if path.is_file())
    if size > LIMIT_BYTES:
        raise SystemExit(f"the bundle has {size / 1e6:.1f} MB, over {LIMIT_BYTES / 1e6:.0f}")
    shutil.rmtree(output, ignore_errors=True)
    part.rename(output)
    print(f"{output}: {len(tasks)} tasks, {len(table)} files, {size / 1e6:.1f} MB, digest {bundle_digest(table)}")
    return table


def check(output: Path) -> int:
    """Compare a built bundle with its list of digests; return the exit code."""
    lines = (output / DIGESTS).read_text(encoding="utf-8").splitlines()
    listed = {name: digest for digest, _, name in (line.partition("  ") for line in lines)}
    found = digests(output)
    wrong = sorted(name for name in listed.keys() | found.keys() if listed.get(name) != found.get(name))
    for name in wrong:
        print(f"{output / name}: differs from {DIGESTS}", file=sys.stderr)
    print(f"{output}: {len(listed)} files, {len(wrong)} differ, digest {bundle_digest(found)}")
    return 3 if wrong else 0


def main(arguments: list[str] | None = None) -> int:
    """Command line of the builder."""
    parser = argparse.ArgumentParser(prog="python -m demo.build", description=__doc__)
    parser.add_argument("--output", type=Path, default=Path("build/demo"), help="folder of the bundle")
    parser.add_argument("--check", action="store_true", help="compare an existing bundle with its digests and leave")
    parser.add_argument("--only", action="append", metavar="TASK", help="build only this task (may be repeated)")
    options = parser.parse_args(arguments)
    if options.check:
        return check(options.output)
    build(options.output, options.only)
    return 0


if __name__ == "__main__":
    sys.exit(main())
