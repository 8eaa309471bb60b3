"""The public face: the manifest as shipped, look-ups, verification, and what importing it costs."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from genlevel_evaluator import media, weights
from genlevel_evaluator.errors import Code
from genlevel_evaluator.weights import manifest
from genlevel_evaluator.weights.convert import CONVERTERS

OFFLINE = (
    "i3d-kinetics-400", "inception-v3-nsfwjs", "efficientnet-lite0", "whisper-tiny-en", "aisfx-cnn9", "dnsmos", "minilm-l6-v2", "imagenet-classes",
    "clip-vocabulary", "lpips-heads-alex", "lpips-heads-vgg", "niqe-pristine", "rife-4.0", "known-sounds", "resemblyzer",
)  # fmt: skip


def test_every_entry_says_what_it_is() -> None:
    for entry in weights.list_entries():
        assert entry.architecture, entry.name
        assert entry.role, entry.name
        assert entry.licence, entry.name
        assert entry.preprocessing, entry.name
        assert (entry.converter in CONVERTERS) == bool(entry.converter), entry.name
        assert bool(entry.conversion) == bool(entry.converter), entry.name
    assert [entry.name for entry in weights.list_entries() if entry.available] == list(OFFLINE)


def test_stand_ins_are_marked() -> None:
    stand_ins = {entry.name for entry in weights.list_entries() if not entry.reference}
    assert stand_ins == {
        "inception-v3-nsfwjs", "efficientnet-lite0", "whisper-tiny-en", "aisfx-cnn9", "minilm-l6-v2", "imagenet-classes", "niqe-pristine",
        "rife-4.0", "known-sounds", "owlv2-base-patch16-ensemble", "blip-captioning-base",
    }


def test_all_faults_of_a_manifest_come_at_once() -> None:
    source = {"kind": "pypi", "artifact": "x.whl", "sha256": None, "size": 1}
    body = {"architecture": "", "role": "", "reference": True, "licence": "", "preprocessing": ""}
    text = json.dumps(
        {
            "sources": {"a": source, "b": {**source, "kind": "ftp", "sha256": "XYZ"}},
            "entries": {
                "one": {"source": "a", "files": [{"name": "../w", "sha256": None, "size": 1}], **body},
                "two": {"source": "nowhere", "files": [], **body},
            },
        }
    )
    with pytest.raises(ValueError) as caught:
        manifest.parse(text, "test")
    message = str(caught.value)
    for part in ("/sources/a: a package needs the SHA-256", "'ftp' is not one of", "64 lower-case", "'../w'", "'nowhere'"):
        assert part in message


def test_an_unknown_name_offers_the_nearest() -> None:
    with pytest.raises(weights.UnknownWeights) as caught:
        weights.path("i3d-kinetics")
    assert "i3d-kinetics-400" in caught.value.remedy


def test_missing_weights_are_a_failed_precondition(cache: Path) -> None:
    with pytest.raises(weights.WeightsMissing) as caught:
        weights.path("i3d-kinetics-400")
    assert caught.value.code is Code.FAILED_PRECONDITION
    assert caught.value.remedy == "run `genlevel weights fetch i3d-kinetics-400`."
    assert not weights.is_present("i3d-kinetics-400")
    assert {result.state for result in weights.verify()} == {"missing"}


def test_bytes_are_read_once_per_process(monkeypatch: pytest.MonkeyPatch) -> None:
    reads: list[Path] = []
    original = media.digest_of

    def counting(path: Path) -> str:
        reads.append(path)
        return original(path)

    monkeypatch.setattr(media, "digest_of", counting)
    monkeypatch.setattr(weights, "_verified", {})
    first, second = weights.path("dnsmos"), weights.path("dnsmos")
    assert first == second
    assert len(reads) == len(weights.entry("dnsmos").files)


@pytest.mark.weights
def test_fetched_weights_are_the_pinned_ones() -> None:
    assert [(result.name, result.state) for result in weights.verify(OFFLINE)] == [(name, "ok") for name in OFFLINE]


@pytest.mark.weights
def test_converted_weights_have_the_tensors_of_their_network() -> None:
    video = weights.arrays("i3d-kinetics-400")
    assert sum(a.size for n, a in video.items() if n.startswith("params/")) + sum(
        a.size for n, a in video.items() if n.startswith("batch_stats/")
    ) == sum(a.size for a in video.values())
    assert video["params/Conv3d_1a_7x7/Conv_0/kernel"].shape == (7, 7, 7, 3, 64)
    image = weights.arrays("inception-v3-nsfwjs")
    assert sum(name.endswith("moving_mean") for name in image) == 94
    assert sum(name.startswith("conv2d") and name.endswith("kernel") for name in image) == 94


def test_importing_brings_neither_torch_nor_ray() -> None:
    code = "import sys; from genlevel_evaluator import weights; print(sorted({'torch','ray','grpc'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
