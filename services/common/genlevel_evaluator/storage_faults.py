"""What an error of fsspec's file systems means. Texts are our own: those of the libraries may hold addresses with secrets."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from urllib.parse import urlsplit

from genlevel_evaluator.errors import Code, EvaluatorError

_CREDENTIALS = "NoCredentialsError PartialCredentialsError CredentialRetrievalError TokenRetrievalError ProfileNotFound NoAuthTokenError"
_NETWORK = (
    "EndpointConnectionError ConnectTimeoutError ReadTimeoutError ConnectionClosedError HTTPClientError ConnectionError ProxyConnectionError "
    "ClientConnectorError ClientConnectionError ClientOSError ClientPayloadError ServerDisconnectedError ServerTimeoutError FSTimeoutError "
    "TimeoutError IncompleteRead ResponseParserError ResponseStreamingError SSLError gaierror"
)
_BUSY = (errno.EBUSY, getattr(errno, "EREMOTEIO", errno.EIO), errno.EIO, errno.ETIMEDOUT)


def storage_fault(error: Exception, url: str) -> EvaluatorError | None:
    """Why storage cannot be used; None when it can, and only the file is not there.

    Args:
        error: as the file system raised it.
        url: of the file; its bucket and the endpoint are named.
    """
    place = _place(url)
    names = {name for item in _chain(error) for name in (kind.__name__ for kind in type(item).__mro__)}
    responses = [getattr(item, "response", None) for item in _chain(error)]
    codes = {str(item.get("Error", {}).get("Code", "")) for item in responses if isinstance(item, dict)}
    if "NoSuchBucket" in codes:
        return EvaluatorError(Code.FAILED_PRECONDITION, "MEDIA_STORE_MISSING", f"there is no bucket for {place}", "create it, or correct the URL")
    if isinstance(error, FileNotFoundError):
        return None
    if names & set(_CREDENTIALS.split()):
        return EvaluatorError(
            Code.FAILED_PRECONDITION, "MEDIA_STORE_NO_CREDENTIALS", f"no credentials for {place}",
            "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or what the storage asks for, where this evaluator runs",
        )
    if isinstance(error, PermissionError):
        return EvaluatorError(
            Code.FAILED_PRECONDITION, "MEDIA_STORE_DENIED", f"access to {place} is denied{_in_words(codes)}",
            "check the credentials of this evaluator and their right to read and list the bucket",
        )
    if isinstance(error, ImportError):
        return EvaluatorError(
            Code.FAILED_PRECONDITION, "MEDIA_STORE_UNSUPPORTED", f"the package that reads {urlsplit(url).scheme}:// is not installed",
            "install it where this evaluator runs (s3fs for s3://)",
        )
    if names & set(_NETWORK.split()) or (isinstance(error, OSError) and error.errno in _BUSY):
        return EvaluatorError(
            Code.UNAVAILABLE, "MEDIA_STORE_UNREACHABLE", f"{place} cannot be reached ({type(error).__name__}{_in_words(codes)})",
            "check AWS_ENDPOINT_URL, the network between this evaluator and the storage, and that the storage runs",
        )
    return EvaluatorError(
        Code.FAILED_PRECONDITION, "MEDIA_STORE_REFUSED", f"{place} refuses to be read ({type(error).__name__}{_in_words(codes)})",
        "check the URL, AWS_ENDPOINT_URL and the region",
    )


def _place(url: str) -> str:
    """Bucket and endpoint, without user names and passwords."""
    parts = urlsplit(url)
    endpoint = urlsplit(os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL") or "")
    at = f" at {endpoint.scheme}://{endpoint.netloc.rpartition('@')[2]}" if parts.scheme in ("s3", "s3a") and endpoint.netloc else ""
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{at}"


def _in_words(codes: set[str]) -> str:
    # The service's own word for it, such as InvalidAccessKeyId; never its text.
    known = sorted(code for code in codes if code.isalnum() and len(code) < 60)
    return f": {known[0]}" if known else ""


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    seen = 0
    while error is not None and seen < 8:
        yield error
        error = error.__cause__ or error.__context__
        seen += 1
