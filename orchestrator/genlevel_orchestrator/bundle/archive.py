"""Bundles in a zip: checked as a whole before anything is written, then unpacked into a private folder."""

from __future__ import annotations

import os
import re
import shutil
import stat
import unicodedata
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from genlevel_orchestrator.bundle.violations import Fault, Violations
from genlevel_orchestrator.errors import ExitCode, UserError
from genlevel_orchestrator.runs.results import to_plain

_CHUNK = 1 << 20
_COMPLETE = ".genlevel-complete"
_DRIVE = re.compile(r"^[A-Za-z]:")


@dataclass(frozen=True)
class ArchiveLimits:
    """What a zip may hold.

    Attributes:
        entries: number of files and folders.
        total_bytes: all files unpacked.
        ratio: unpacked over packed size of one file, where it is larger than ``ratio_from`` bytes.
    """

    entries: int = 500_000
    total_bytes: int = 256 << 30
    ratio: int = 200
    ratio_from: int = 8 << 20


def open_bundle(path: Path, work: Path, name: str = "bundle", limits: ArchiveLimits | None = None) -> Path:
    """The folder of a bundle: itself, or where its zip was unpacked below ``work``.

    Raises:
        UserError: there is no such bundle, or the zip is unsafe; the details list every violation.
    """
    if path.is_dir():
        return path.resolve()
    if not path.is_file():
        raise UserError(f"{path}: no such bundle", "Give a folder or a zip file.")
    if not zipfile.is_zipfile(path):
        raise UserError(f"{path}: not a zip file, or cut off", "Give a folder, or write the zip again.")
    target = work / name
    if not (target / _COMPLETE).exists():
        shutil.rmtree(target, ignore_errors=True)
        work.mkdir(parents=True, exist_ok=True, mode=0o700)
        target.mkdir(mode=0o700)
        unpack(path, target, limits or ArchiveLimits())
        (target / _COMPLETE).touch()
    return target.resolve()


def unpack(path: Path, target: Path, limits: ArchiveLimits) -> None:
    """Unpack a zip.

    Raises:
        UserError: it is unsafe or damaged; nothing is left behind.
    """
    violations = Violations(path.parent)
    try:
        with zipfile.ZipFile(path) as archive:
            check(archive, limits, violations)
            if not violations.errors:
                _extract_all(archive, target, limits, violations)
    except zipfile.BadZipFile as error:
        violations.add(path, "BAD_ZIP", str(error), "write the zip again")
    if violations.errors:
        shutil.rmtree(target, ignore_errors=True)
        lines = "\n".join(f"  {item.file}: {item.message}" for item in list(violations)[:20])
        raise UserError(
            f"{path}: the zip cannot be used, {violations.errors} violation(s):\n{lines}",
            "Make a zip of plain files with relative names.",
            ExitCode.VIOLATIONS,
            details=[to_plain(item) for item in violations],
        )


def check(archive: zipfile.ZipFile, limits: ArchiveLimits, violations: Violations) -> None:
    """Note everything unsafe in the directory of a zip."""
    entries = archive.infolist()
    if len(entries) > limits.entries:
        violations.add("", "TOO_MANY_ENTRIES", f"{len(entries)} entries, at most {limits.entries}", "split the bundle")
        return
    total = sum(entry.file_size for entry in entries)
    if total > limits.total_bytes:
        violations.add("", "ZIP_BOMB", f"{total} bytes unpacked, at most {limits.total_bytes}", "split the bundle")
    seen: dict[str, str] = {}
    for entry in entries:
        for fault in _faults(entry, limits):
            violations.fault(entry.filename, fault)
        key = unicodedata.normalize("NFC", str(PurePosixPath(entry.filename)))
        if key in seen and not (entry.is_dir() and seen[key].endswith("/")):
            violations.add(entry.filename, "DUPLICATE_ENTRY", "the name occurs twice", "keep one of the two")
        seen[key] = entry.filename


def _faults(entry: zipfile.ZipInfo, limits: ArchiveLimits) -> Iterator[Fault]:
    # orig_filename keeps what zipfile itself cuts off behind a NUL byte.
    name = entry.orig_filename
    path = PurePosixPath(name)
    if path.is_absolute() or _DRIVE.match(name) or ".." in path.parts or "\\" in name or "\0" in name or not path.parts:
        yield Fault("UNSAFE_NAME", f"{name!r} leads out of the bundle", "use relative names with / and without ..")
    mode = entry.external_attr >> 16
    if stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR):
        kind = "a link" if stat.S_ISLNK(mode) else "not a plain file"
        yield Fault("SPECIAL_ENTRY", f"{name!r} is {kind}", "store the file itself")
    if entry.flag_bits & 1:
        yield Fault("ENCRYPTED", f"{name!r} is encrypted", "write the zip without a password")
    if entry.file_size > limits.ratio_from and entry.file_size > limits.ratio * max(entry.compress_size, 1):
        yield Fault(
            "ZIP_BOMB", f"{name!r} unpacks to {entry.file_size // max(entry.compress_size, 1)} times its size",
            f"store files that shrink more than {limits.ratio} times outside a zip",
        )  # fmt: skip


def _extract_all(archive: zipfile.ZipFile, target: Path, limits: ArchiveLimits, violations: Violations) -> None:
    left = limits.total_bytes
    for entry in archive.infolist():
        place = target.joinpath(*PurePosixPath(entry.filename).parts)
        try:
            if entry.is_dir():
                place.mkdir(parents=True, exist_ok=True)
                continue
            place.parent.mkdir(parents=True, exist_ok=True)
            # The directory of a zip may lie about sizes, so what really comes out is counted too.
            left -= _extract(archive, entry, place, left)
        except Fault as fault:
            violations.fault(entry.filename, fault)
            return
        except (OSError, EOFError, zipfile.BadZipFile, NotImplementedError, ValueError) as error:
            violations.add(entry.filename, "BAD_ENTRY", f"cannot be unpacked: {error}", "write the zip again")
        except Exception as error:  # zlib.error, lzma.LZMAError and what else decompressors raise
            violations.add(entry.filename, "BAD_ENTRY", f"{type(error).__name__}: {error}", "write the zip again")


def _extract(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, place: Path, left: int) -> int:
    size = 0
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    with archive.open(entry) as source, os.fdopen(os.open(place, flags, 0o600), "wb") as sink:
        while chunk := source.read(_CHUNK):
            size += len(chunk)
            if size > entry.file_size or size > left:
                raise Fault("ZIP_BOMB", "more comes out than the zip says", "write the zip again")
            sink.write(chunk)
    return size
