"""What can go wrong between a manifest and a file of weights."""

from __future__ import annotations

from pathlib import Path

from genlevel_evaluator.errors import Code, EvaluatorError


class WeightsError(EvaluatorError):
    """A fault of the weights of one entry; a call that needs them cannot be served."""

    def __init__(self, reason: str, message: str, remedy: str) -> None:
        super().__init__(Code.FAILED_PRECONDITION, reason, message, remedy)


class UnknownWeights(WeightsError):
    """The manifest has no entry of that name."""

    def __init__(self, name: str, nearest: list[str]) -> None:
        hint = f"did you mean {', '.join(nearest)}?" if nearest else "see `genlevel weights list`."
        super().__init__("WEIGHTS_UNKNOWN", f"no weights are named {name!r}", hint)


class WeightsMissing(WeightsError):
    """The weights are not in the cache."""

    def __init__(self, name: str, message: str, remedy: str = "") -> None:
        super().__init__("WEIGHTS_MISSING", message, remedy or f"run `genlevel weights fetch {name}`.")
        self.name = name


class WeightsDigestMismatch(WeightsError):
    """A file is not the one that the manifest pins."""

    def __init__(self, name: str, what: str, expected: str, found: str, remedy: str = "") -> None:
        super().__init__(
            "WEIGHTS_DIGEST_MISMATCH",
            f"{name}: {what} has SHA-256 {found}, expected {expected}",
            remedy or f"delete the file and run `genlevel weights fetch {name}`.",
        )
        self.name = name


class FetchFailed(WeightsError):
    """A source could not be brought here."""

    def __init__(self, name: str, message: str, remedy: str) -> None:
        super().__init__("WEIGHTS_FETCH_FAILED", f"{name}: {message}", remedy)
        self.name = name


class DigestNeeded(FetchFailed):
    """The manifest has no SHA-256, and none was given."""

    def __init__(self, name: str, archive: Path | None) -> None:
        source = "--allow-url" if archive is None else f"--from {archive}"
        remedy = f"run `genlevel weights fetch {name} {source} --sha256 DIGEST`."
        super().__init__(name, "no public source states its SHA-256, so you must give it", remedy)
