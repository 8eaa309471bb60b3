"""A private PostgreSQL server for tests, which can be stopped and started."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import time
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import psycopg

PASSWORD = "s3cret/pass@word"
ENCODED = "s3cret%2Fpass%40word"


def _binaries() -> Path:
    """The newest server's programs: Debian keeps them outside the search path."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: float(path.parts[-3]))
    on_path = shutil.which("initdb")
    if found or on_path:
        return (found[-1] if found else Path(str(on_path))).parent
    raise RuntimeError("these tests need a PostgreSQL server: apt-get install postgresql")


def _user() -> pwd.struct_passwd | None:
    """PostgreSQL does not run as root: the user its package makes, else nobody; None where tests are not root's."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise RuntimeError("there is neither a user postgres nor nobody")


def _command(program: Path, *options: str) -> list[str]:
    """The program as that user. By another program: a child that changes its user itself is a copy of this process with all its networks and threads."""
    user = _user()
    change = [] if user is None else ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]
    return [*change, str(program), *options]


@dataclass
class PostgresServer:
    """One cluster on a loopback port, with a password."""

    folder: Path
    port: int = 0
    binaries: Path = field(default_factory=_binaries)
    _numbers: count[int] = field(default_factory=count)
    _process: subprocess.Popen[bytes] | None = None

    def make(self) -> None:
        """Make the cluster and start it."""
        self.folder.mkdir(parents=True)
        (self.folder / "password").write_text(PASSWORD)
        if user := _user():
            for path in (self.folder, self.folder / "password"):
                os.chown(path, user.pw_uid, user.pw_gid)
        options = ["-D", str(self.data), "-U", "genlevel", "--auth=scram-sha-256", "--no-sync", "-E", "UTF8"]
        initdb = _command(self.binaries / "initdb", *options, "--locale=C.UTF-8", f"--pwfile={self.folder / 'password'}")
        subprocess.run(initdb, check=True, capture_output=True, cwd=self.folder)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.start()

    @property
    def data(self) -> Path:
        return self.folder / "data"

    def start(self) -> None:
        """Start the server, and wait until it answers."""
        options = [
            "-D", str(self.data), "-p", str(self.port), "-h", "127.0.0.1", "-k", "", "-c", "fsync=off", "-c", "shared_buffers=16MB",
            "-c", "deadlock_timeout=100ms",
        ]  # fmt: skip
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(_command(self.binaries / "postgres", *options), stdout=log, stderr=log, cwd=self.folder)
        end = time.monotonic() + 30
        while True:
            try:
                self._connect().close()
                return
            except psycopg.OperationalError:
                if time.monotonic() > end:
                    raise
                time.sleep(0.05)

    def stop(self) -> None:
        """Stop the server at once; connections are cut."""
        assert self._process is not None
        self._process.send_signal(2)  # fast shutdown
        self._process.wait(30)

    def _connect(self) -> psycopg.Connection:
        return psycopg.connect(
            host="127.0.0.1", port=self.port, user="genlevel", password=PASSWORD, dbname="postgres", autocommit=True, connect_timeout=5
        )

    def database(self) -> str:
        """The URL of a new, empty database."""
        name = f"test_{next(self._numbers)}"
        with self._connect() as connection:
            connection.execute(f"create database {name}")
        return f"postgresql+psycopg://genlevel:{ENCODED}@127.0.0.1:{self.port}/{name}"
