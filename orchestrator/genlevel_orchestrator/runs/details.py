"""What lies behind the value of a task, sample by sample, as the journal keeps it beside the outcome."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

from genlevel.v1 import evaluator_pb2 as pb

ASKED = pb.DetailSpec(worst=10, scores=True, replicates=True)
"""What a run asks for beside a value."""
LEFT_OUT = "sample_scores_left_out"
"""Warning of a value that was made of too many samples."""


@dataclass(frozen=True)
class SampleDetails:
    """What lies behind the value of a task.

    Attributes:
        signature: digest of the value's signature.
        samples: how many the value was made of.
        keys_digest: of their keys in order; equal where the samples are the same.
        scores: value of each, NaN for one that alone has none; empty where the metric has none.
        replicates: value of each bootstrap replicate, NaN where undefined; empty where there are none.
    """

    signature: str
    samples: int
    keys_digest: str
    scores: tuple[float, ...] = ()
    replicates: tuple[float, ...] = ()


def of_message(signature: str, message: pb.ValueDetails) -> SampleDetails:
    """Details as plain data."""
    return SampleDetails(signature, message.samples, message.keys_digest, tuple(message.scores), tuple(message.replicates))


def pack(details: SampleDetails) -> bytes:
    """Details as the journal keeps them: the message of the contract, compressed."""
    message = pb.ValueDetails(
        samples=details.samples, keys_digest=details.keys_digest, scores=details.scores, replicates=details.replicates
    )
    return zlib.compress(message.SerializeToString(deterministic=True))


def unpack(signature: str, packed: bytes) -> SampleDetails:
    """The inverse of ``pack``."""
    return of_message(signature, pb.ValueDetails.FromString(zlib.decompress(packed)))
