"""Conversion: pickles may hold arrays and nothing else; tensor files keep every bit and are written alike each time."""

from __future__ import annotations

import base64
import io
import json
import os
import pickle
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from genlevel_evaluator.weights import convert, tensors

KINDS = st.sampled_from([np.float32, np.float64, np.float16, np.int64, np.int32, np.int16, np.int8, np.uint8])


@settings(max_examples=40)
@given(
    st.dictionaries(
        st.text("abc/._1", min_size=1), KINDS.flatmap(lambda k: arrays.arrays(k, arrays.array_shapes(max_dims=3))), max_size=4
    )
)
def test_tensor_files_keep_every_bit(table: dict[str, np.ndarray]) -> None:  # type: ignore[type-arg]
    content = b"".join(tensors.blocks(table))
    assert content == b"".join(tensors.blocks(dict(reversed(table.items()))))
    path = Path(os.environ.get("TMPDIR", "/tmp")) / f"tensors-{os.getpid()}.bin"
    try:
        path.write_bytes(content)
        found = tensors.read(path)
        assert list(found) == sorted(table)
        for name, array in table.items():
            assert found[name].dtype == array.dtype
            assert found[name].shape == array.shape
            assert found[name].tobytes() == array.tobytes()
    finally:
        path.unlink(missing_ok=True)


def test_a_header_that_lies_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "w"
    path.write_bytes(struct.pack("<Q", 1 << 40))
    with pytest.raises(ValueError, match="header"):
        tensors.read(path)
    header = json.dumps({"a": {"dtype": "F32", "shape": [4], "data_offsets": [0, 16]}}).encode()
    path.write_bytes(struct.pack("<Q", len(header)) + header + b"1234")
    with pytest.raises(ValueError, match="outside the file"):
        tensors.read(path)


def test_numpy_pickle_becomes_named_tensors(tmp_path: Path) -> None:
    tree = {
        "params": {"conv": {"kernel": np.arange(6, dtype=np.float32).reshape(2, 3)}},
        "stats": {"mean": np.ones(2, np.float32)},
    }
    source, target = tmp_path / "w.ckpt", tmp_path / "w"
    source.write_bytes(pickle.dumps(tree))
    target.write_bytes(b"".join(convert.numpy_pickle([source])))
    found = tensors.read(target)
    assert sorted(found) == ["params/conv/kernel", "stats/mean"]
    np.testing.assert_array_equal(found["params/conv/kernel"], tree["params"]["conv"]["kernel"])


class Evil:
    """Would run a command when it is loaded."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, ("false",)


@pytest.mark.parametrize("value", [Evil(), len, io.BytesIO()])
def test_a_pickle_that_asks_for_more_than_arrays_is_refused(value: object, tmp_path: Path) -> None:
    source = tmp_path / "w.ckpt"
    source.write_bytes(pickle.dumps({"a": value}))
    with pytest.raises(pickle.UnpicklingError, match="arrays do not need"):
        list(convert.numpy_pickle([source]))


def tensorflowjs_model(folder: Path, shards: list[bytes]) -> list[Path]:
    script = (
        'module.exports={modelTopology:{},weightsManifest:[{paths:["a"],weights:['
        '{name:"conv/kernel",shape:[2,2],dtype:"float32",quantization:{min:-.5,scale:.25,dtype:"uint8"}},'
        '{name:"bias",shape:[1],dtype:"float32",quantization:{min:1,scale:.5,dtype:"uint8"}}]}]}}'
    )
    (folder / "model.js").write_text(script)
    paths = [folder / "model.js"]
    for number, shard in enumerate(shards):
        paths.append(folder / f"shard{number}.js")
        paths[-1].write_text(f'var x="short";module.exports="{base64.b64encode(shard).decode()}"')
    return paths


def test_quantised_shards_become_floats(tmp_path: Path) -> None:
    paths = tensorflowjs_model(tmp_path, [bytes([0, 1, 2]) + bytes(0), bytes([4, 6])])
    for path in paths[1:]:
        # The reader takes the longest literal of at least 64 characters, as real shards are.
        path.write_text(path.read_text().replace("short", "s" * 10))
    with pytest.raises(ValueError, match="max"):
        list(convert.tensorflowjs_quantised(paths))
    whole = bytes([0, 1, 2, 4, 6])
    weights = convert._weight_specifications(paths[0].read_text())
    assert [entry["quantization"] for entry in weights] == [
        {"min": -0.5, "scale": 0.25, "dtype": "uint8"},
        {"min": 1, "scale": 0.5, "dtype": "uint8"},
    ]
    padded = tmp_path / "long.js"
    padded.write_text(f'module.exports="{base64.b64encode(whole + bytes(60)).decode()}"')
    with pytest.raises(ValueError, match="60 bytes of the shards belong to no tensor"):
        list(convert.tensorflowjs_quantised([paths[0], padded]))


def test_quanta_are_scaled_and_shifted(tmp_path: Path) -> None:
    count = 100
    script = tmp_path / "model.js"
    script.write_text(
        f'weightsManifest:[{{weights:[{{name:"k",shape:[{count}],dtype:"float32",quantization:{{min:-.5,scale:.25,dtype:"uint8"}}}}]}}]'
    )
    shard = tmp_path / "shard.js"
    shard.write_text(f'"{base64.b64encode(bytes(range(count))).decode()}"')
    target = tmp_path / "w"
    target.write_bytes(b"".join(convert.tensorflowjs_quantised([script, shard])))
    np.testing.assert_array_equal(tensors.read(target)["k"], np.arange(count, dtype=np.float32) * 0.25 - 0.5)
