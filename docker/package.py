"""Runs inside an image build: our own distributions, built and laid out as they will lie in the virtual environment.

python package.py TARGET SOURCE...    (with setuptools and wheel beside it; asks no index)
"""

from __future__ import annotations

import compileall
import configparser
import py_compile
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

SITE = Path("lib") / f"python{sys.version_info.major}.{sys.version_info.minor}" / "site-packages"
SCRIPT = """#!/opt/genlevel/bin/python
import sys

from {module} import {function}

sys.exit({function}())
"""


def wheel(source: Path, folder: Path) -> Path:
    """Builds one distribution with the backend that its pyproject.toml names."""
    build = f"import setuptools.build_meta as backend; backend.build_wheel({str(folder)!r})"
    subprocess.run([sys.executable, "-c", build], cwd=source, check=True, stdout=subprocess.DEVNULL)
    (found,) = folder.glob("*.whl")
    return found


def scripts(target: Path) -> None:
    """Writes the commands that the installed distributions name."""
    for entry_points in (target / SITE).glob("*.dist-info/entry_points.txt"):
        parser = configparser.ConfigParser(delimiters=["="])
        parser.optionxform = str  # type: ignore[assignment,method-assign]
        parser.read(entry_points, encoding="utf-8")
        for name, value in parser.items("console_scripts") if parser.has_section("console_scripts") else []:
            module, function = value.split(":")
            path = target / "bin" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(SCRIPT.format(module=module, function=function), encoding="utf-8")
            path.chmod(0o755)


def main() -> None:
    """Command line."""
    target = Path(sys.argv[1])
    for source in map(Path, sys.argv[2:]):
        with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(wheel(source, Path(folder))) as archive:
            archive.extractall(target / SITE)
    scripts(target)
    # By hash, unchecked: the copy into the image may change times, and nothing may be written there later.
    good = compileall.compile_dir(target / SITE, quiet=1, stripdir=str(target), prependdir="/opt/genlevel",
                                  invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)  # fmt: skip
    if not good:
        sys.exit("package.py: a module does not compile")


if __name__ == "__main__":
    main()
