"""How the files of a shard travel: by the evaluator's own sight of our disk, inline, through the media store, or as blobs of a stream."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from genlevel.v1 import evaluator_pb2 as pb
from genlevel.v1 import sample_pb2
from genlevel_orchestrator.bundle.content import Sample
from genlevel_orchestrator.bundle.media import MediaFile
from genlevel_orchestrator.failures import CallFailed, Failure, Kind
from genlevel_orchestrator.runs.media_store import FileChanged, MediaStore, changed, content
from genlevel_orchestrator.runs.storage import StorageError

SMALL_BYTES = 1 << 16
"""Files up to this size go inline: a request of their own would cost more than their bytes (docs/design/media.md)."""
SHARD_INLINE_BYTES = 24 << 20
"""What may go inline in one shard, base64 included, so that a message never comes near its limit."""
# What an evaluator says of a file that did not reach it as it was sent. The last two it also says of files that are at fault themselves.
_LOST = frozenset({"MEDIA_MISSING", "MEDIA_DIGEST_MISMATCH", "MEDIA_SCHEME", "MEDIA_NO_DIGEST", "BLOB_MISSING", "BAD_MEDIA"})
_MAYBE_LOST = frozenset({"MEDIA_TRUNCATED", "MEDIA_OUTSIDE_ROOT"})


@dataclass(frozen=True)
class Carriage:
    """How the files of one shard travel.

    Attributes:
        near: the evaluator reads our files where they lie.
        uris: where files lie in the media store, by digest.
        blobs: files sent before the samples, by digest.
    """

    near: bool = True
    uris: Mapping[str, str] = field(default_factory=dict)
    blobs: Mapping[str, MediaFile] = field(default_factory=dict)

    def media(self, file: MediaFile) -> sample_pb2.Media:
        """A file as a message.

        Raises:
            FileChanged: its bytes are others by now.
        """
        message = sample_pb2.Media(sha256=file.sha256, size_bytes=file.size, name=file.name)
        if (uri := self._uri(file)) is not None:
            message.uri = uri
        elif file.sha256 in self.blobs:
            message.blob = file.sha256
        else:
            message.inline = content(file)
        return message

    def in_json(self, file: MediaFile) -> dict[str, Any]:
        """A file inside JSON.

        Raises:
            FileChanged: its bytes are others by now.
        """
        if (uri := self._uri(file)) is not None:
            return {"name": file.name, "uri": uri, "sha256": file.sha256, "size_bytes": file.size}
        if file.sha256 in self.blobs:
            return {"name": file.name, "blob": file.sha256, "size_bytes": file.size}
        return {"name": file.name, "base64": base64.b64encode(content(file)).decode("ascii")}

    def _uri(self, file: MediaFile) -> str | None:
        if self.near and file.path is not None:
            return file.path.as_uri()
        return self.uris.get(file.sha256)


NEAR = Carriage()
"""To an evaluator that reads our files where they lie."""


def by_reference(samples: Iterable[Sample]) -> dict[str, MediaFile]:
    """Files of a shard that do not go inline to a far evaluator, by digest."""
    away: dict[str, MediaFile] = {}
    left = SHARD_INLINE_BYTES
    for sample in samples:
        for side in (sample.prediction, *sample.references):
            for file in side.files() if side is not None else ():
                cost = file.size * 4 // 3  # as base64 inside JSON
                if file.size > SMALL_BYTES or cost > left:
                    away[file.sha256] = file
                elif file.sha256 not in away:
                    left -= cost
    return away


class FilesLost(CallFailed):
    """Files did not reach the evaluator as they were sent."""


@dataclass(frozen=True)
class Carrier:
    """Brings the files of shards to one evaluator.

    Attributes:
        evaluator: its name.
        near: it reads our files where they lie.
        store: where files are put for it, if anywhere.
    """

    evaluator: str
    near: bool = True
    store: MediaStore | None = None

    async def load(self, samples: Sequence[Sample], anew: bool = False) -> Carriage:
        """Decide how the files of a shard travel, and upload those that need it.

        Args:
            samples: of the shard.
            anew: the evaluator did not find what was uploaded: look again.

        Raises:
            CallFailed: the media store cannot be used, or a file was changed.
        """
        if self.near:
            return NEAR
        away = by_reference(samples)
        if self.store is None:
            return Carriage(False, blobs=away)
        if anew:
            self.store.forget(away.values())
        try:
            return Carriage(False, await self.store.put(away.values()))
        except StorageError as error:
            kind = Kind.UNAVAILABLE if error.transient else Kind.REFUSED
            raise CallFailed(self.evaluator, Failure(kind, error.reason, error.message, error.remedy or "")) from None
        except FileChanged as error:
            raise self.changed([error.name]) from None

    def changed(self, names: Sequence[str]) -> CallFailed:
        """The failure of a shard whose files are others by now."""
        shown = ", ".join(names[:3]) + (" ..." if len(names) > 3 else "")
        remedy = "Leave the files alone while a run is on; resume it: what is scored already is kept."
        return CallFailed(self.evaluator, Failure(Kind.REFUSED, "FILE_CHANGED", f"{shown} changed while the run was on", remedy))

    async def check(self, issues: Iterable[pb.Issue], samples: Sequence[Sample]) -> None:
        """Every file was read before it was sent, so what is missing or another one over there is no fault of the model.

        Raises:
            CallFailed: an issue tells of a file that was changed here.
            FilesLost: an issue tells of a file that did not reach the evaluator as it was sent.
        """
        files = {sample.key: sample.files() for sample in samples}
        for issue in issues:
            mine = files.get(issue.sample_id)
            if mine and await self._is_lost(issue, mine):
                if names := await asyncio.to_thread(changed, mine):
                    raise self.changed(names)
                raise FilesLost(self.evaluator, Failure(Kind.REFUSED, issue.code, issue.message, self._remedy(issue)))

    async def _is_lost(self, issue: pb.Issue, files: Sequence[MediaFile]) -> bool:
        if issue.code in _LOST:
            return True
        if issue.code not in _MAYBE_LOST or issue.file:  # a decoder names the file, what fails before it does not
            return False
        if issue.code == "MEDIA_OUTSIDE_ROOT":
            return True
        # A decoder of JSON may say it of a file that is cut off: then it is here as it is there.
        return bool(await asyncio.to_thread(changed, files)) or (self.store is not None and not await self.store.holds(files))

    def _remedy(self, issue: pb.Issue) -> str:
        if issue.code in ("MEDIA_OUTSIDE_ROOT", "MEDIA_SCHEME"):
            where = self.store.url if self.store is not None and not self.near else "the folder of the bundle"
            return f"Start evaluator {self.evaluator} with --roots {where}, or mark it `remote` in the settings."
        return issue.remedy
