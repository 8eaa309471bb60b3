"""What is done with one container: files in and out, commands, time it has used, its end."""

from __future__ import annotations

import tarfile
from io import BytesIO
from pathlib import Path
from typing import Any

from container_system.engine import Broken, inspected


def put(container: Any, path: str, content: bytes, mode: int = 0o644) -> None:
    """Write a file into a container."""
    buffer = BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        entry = tarfile.TarInfo(Path(path).name)
        entry.size, entry.mode = len(content), mode
        archive.addfile(entry, BytesIO(content))
    assert container.put_archive(str(Path(path).parent), buffer.getvalue())


def get(container: Any, path: str) -> bytes:
    """Read a file out of a container."""
    stream, _ = container.get_archive(path)
    with tarfile.open(fileobj=BytesIO(b"".join(stream))) as archive:
        member = archive.extractfile(archive.next())  # type: ignore[arg-type]
        assert member is not None
        return member.read()


def execute(container: Any, *command: str, environment: dict[str, str] | None = None) -> str:
    """Output of a command in a running container.

    Raises:
        Broken: it ended with another status than 0.
    """
    status, output = container.exec_run(list(command), environment=environment)
    text = output.decode(errors="replace")
    if status:
        raise Broken(f"{container.name}: {' '.join(command)} ended with {status}: {text[-2000:]}")
    return text


def processor_seconds(container: Any) -> float:
    """Processor time a container has used."""
    usage = container.stats(stream=False)["cpu_stats"]["cpu_usage"]["total_usage"]
    return float(usage) / 1e9


def kill_main_process(engine: Any, container: Any, image: str) -> None:
    """SIGKILL to a container's first process, from outside: a `docker kill` would switch the restart policy off."""
    number = inspected(container)["Pid"]
    engine.containers.run(
        image, ["-c", f"kill -9 {number}"], entrypoint="sh", remove=True, pid_mode="host", user="0", cap_drop=["ALL"], cap_add=["KILL"],
        network_mode="none",
    )  # fmt: skip
