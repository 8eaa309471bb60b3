"""What media may be read: folders, and places below URLs of other storage. Nothing here opens a connection."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from genlevel_evaluator.errors import SampleError

VARIABLE = "GENLEVEL_ROOTS"
_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://(.*)", re.DOTALL)
_LOCAL = ("file", "local")
# What some storage would decode, expand or take for something else than a part of the name.
_REFUSED = re.compile(r"[%?#\\\x00-\x1f\x7f]|::")


@dataclass(frozen=True)
class UrlRoot:
    """A place in other storage.

    Attributes:
        scheme: fsspec protocol, in lower case.
        place: bucket or host, and the prefix; no slash at the end.
    """

    scheme: str
    place: str

    @property
    def url(self) -> str:
        """As it is written."""
        return f"{self.scheme}://{self.place}"


@dataclass(frozen=True)
class MediaRoots:
    """Folders and URLs below which media may be read."""

    folders: tuple[Path, ...] = ()
    urls: tuple[UrlRoot, ...] = ()

    @classmethod
    def of(cls, roots: Sequence[str | Path]) -> MediaRoots:
        """Roots as they are given to `--roots`: folders, `file://` URLs of folders, or URLs that fsspec knows.

        >>> MediaRoots.of(["/data", "s3://bucket/media/"]).urls
        (UrlRoot(scheme='s3', place='bucket/media'),)

        Raises:
            ValueError: a URL cannot be a root; names it and the remedy.
        """
        folders: list[Path] = []
        urls: list[UrlRoot] = []
        for root in roots:
            found = _URL.fullmatch(root) if isinstance(root, str) else None
            if found is None and isinstance(root, str) and "://" in root:
                raise ValueError(f"root {root}: write a folder or scheme://bucket/prefix; chained URLs are not taken")
            if found is None:
                folders.append(Path(root))
            elif found[1].lower() in _LOCAL:
                folders.append(_folder(str(root)))
            else:
                urls.append(_url_root(found[1].lower(), found[2]))
        return cls(tuple(folders), tuple(urls))

    def locate(self, uri: str, shown: str) -> str:
        """The URI of a file below one of the URL roots, with its scheme in lower case.

        Raises:
            SampleError: MEDIA_SCHEME or MEDIA_OUTSIDE_ROOT.
        """
        found = _URL.fullmatch(uri)
        scheme, place = (found[1].lower(), found[2]) if found else ("", uri)
        if scheme not in {root.scheme for root in self.urls}:
            raise SampleError(
                "MEDIA_SCHEME", f"{shown}: {f'{scheme}://' if scheme else 'a URI without ://'} is not read here, only {self._schemes()}",
                remedy="start the evaluator with a root of that scheme (--roots s3://bucket/prefix), pass inline bytes, or send a stream",
            )
        if _REFUSED.search(place) or not _plain(place) or not any(_below(place, root) for root in self.urls if root.scheme == scheme):
            raise SampleError(
                "MEDIA_OUTSIDE_ROOT", f"{shown} lies outside the evaluator's allowed roots",
                remedy="name it by bucket and key as they are, without .., // or percent-encoding, below one of the evaluator's --roots",
            )
        return f"{scheme}://{place}"

    def _schemes(self) -> str:
        return ", ".join(dict.fromkeys(["file://", *(f"{root.scheme}://" for root in self.urls)]))


def configured() -> list[str]:
    """Roots that the environment names, separated by blanks or commas."""
    return [root for root in re.split(r"[\s,]+", os.environ.get(VARIABLE, "")) if root]


def is_local(uri: str) -> bool:
    """Whether a URI has the scheme `file` of this machine."""
    try:
        parts = urlsplit(uri)
    except ValueError:  # a host in brackets that is none
        return False
    return parts.scheme == "file" and parts.netloc in ("", "localhost")


def _plain(place: str) -> bool:
    return all(part not in ("", ".", "..") for part in place.split("/"))


def _below(place: str, root: UrlRoot) -> bool:
    # Bucket and key are compared as they are: storage tells `A` from `a`.
    return place.startswith(f"{root.place}/")


def _folder(url: str) -> Path:
    parts = urlsplit(url)
    if parts.netloc not in ("", "localhost") or not parts.path:
        raise ValueError(f"root {url}: names another machine; write file:///folder")
    return Path(unquote(parts.path))


def _url_root(scheme: str, place: str) -> UrlRoot:
    import fsspec

    user = place.split("/", 1)[0].rpartition("@")[0]
    place = place.rstrip("/")
    if ":" in user:
        raise ValueError(f"root {scheme}://***: credentials do not belong into a root; give them by environment variables")
    if _REFUSED.search(place) or not _plain(place) or "[" in place.split("/")[0]:
        raise ValueError(f"root {scheme}://{place}: write scheme://bucket/prefix, without .., //, %, ? or chained URLs")
    if scheme not in fsspec.available_protocols() and scheme not in fsspec.registry:
        raise ValueError(f"root {scheme}://{place}: fsspec knows no scheme {scheme!r}; install the package that provides it")
    return UrlRoot(scheme, place)
