"""save and load: everything comes back as it was, and other libraries can read it too."""

from __future__ import annotations

import json
import math
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as nps

import pellucid
from pellucid import Tensor
from pellucid.errors import ArgumentError, CheckpointError, DataError
from pellucid.io.tensors import read, write
from pellucid.io.tree import pack, unpack

KINDS = ["f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "?"]


def same(a: Any, b: Any) -> bool:
    """Equal in value, kind and type, all the way down."""
    if type(a) is not type(b):
        return False
    if isinstance(a, Tensor):
        return same(a.data, b.data)
    if isinstance(a, np.ndarray):
        return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
    if isinstance(a, dict):
        return list(a) == list(b) and all(same(a[key], b[key]) for key in a)
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(same, a, b))
    return bool(a == b or (a != a and b != b))


arrays = st.sampled_from(KINDS).flatmap(
    lambda kind: nps.arrays(np.dtype(kind), nps.array_shapes(min_dims=0, min_side=0, max_dims=3))
)
keys = st.text(max_size=4) | st.integers() | st.tuples(st.integers(), st.text(max_size=2))
leaves = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | arrays
    | arrays.map(Tensor)
)  # fmt: skip
trees = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(keys, inner, max_size=3)
    ),
    max_leaves=10,
)


@given(trees)
def test_packing_and_unpacking(tree: Any) -> None:
    arrays, text = pack(tree)
    json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    assert same(unpack(arrays, text), tree)


@given(st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), trees, max_size=3))
def test_saving_and_loading(tmp_path_factory: pytest.TempPathFactory, tree: dict[str, Any]) -> None:
    path = tmp_path_factory.mktemp("saved") / "tree.safetensors"
    pellucid.save(tree, path)
    back = pellucid.load(path)
    if all(hasattr(value, "shape") for value in tree.values()):
        # a plain file of tensors, whose order the format decides
        back = {name: back[name] for name in tree}
        tree = {name: Tensor(value) for name, value in tree.items()}
    assert same(back, tree)


def test_a_state_dict_is_a_plain_safetensors_file(tmp_path: Path) -> None:
    from safetensors.numpy import load_file

    path = tmp_path / "net.safetensors"
    state = {"weight": pellucid.ones(2, 3), "bias": Tensor(np.arange(3.0)), "n": Tensor(7)}
    pellucid.save(state, path)
    found = load_file(path)
    assert found["weight"].tolist() == [[1, 1, 1], [1, 1, 1]]
    assert found["bias"].dtype == np.float64
    assert read(path)[1] == {}
    back = pellucid.load(path)
    assert back["n"].item() == 7
    back["weight"].data[0, 0] = 5  # what was read can be written to
    (tmp_path / "usual").touch()
    assert path.stat().st_mode == (tmp_path / "usual").stat().st_mode


def test_arrays_in_any_order_in_memory(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    square = np.arange(6.0).reshape(2, 3)
    for array in (
        square.T,
        square[:, ::2],
        square[::-1],
        np.asfortranarray(square),
        square.astype(">f8"),
    ):
        pellucid.save({"a": array}, path)
        assert pellucid.load(path)["a"].tolist() == array.tolist()


def test_bfloat16_is_read_as_float32(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    header = json.dumps({"a": {"dtype": "BF16", "shape": [2], "data_offsets": [0, 4]}}).encode()
    values = np.array([1.5, -2.0], np.float32).view(np.uint32) >> 16
    path.write_bytes(struct.pack("<Q", len(header)) + header + values.astype("<u2").tobytes())
    assert pellucid.load(path)["a"].tolist() == [1.5, -2]


def test_a_kind_that_numpy_lacks_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    header = json.dumps({"a": {"dtype": "F8_E4M3", "shape": [2], "data_offsets": [0, 2]}}).encode()
    path.write_bytes(struct.pack("<Q", len(header)) + header + b"\0\0")
    with pytest.raises(DataError, match="a is of the kind F8_E4M3"):
        pellucid.load(path)


def test_what_cannot_be_saved_is_named(tmp_path: Path) -> None:
    class Net:
        pass

    with pytest.raises(
        ArgumentError, match=r"parts\.1\.net is a Net, (.|\n)*model\.state_dict\(\)"
    ):
        pellucid.save({"parts": [1, {"net": Net()}]}, tmp_path / "a")
    with pytest.raises(ArgumentError, match="a is complex128"):
        pellucid.save({"a": np.zeros(2, complex)}, tmp_path / "a")
    assert list(tmp_path.iterdir()) == []


def test_numbers_survive_exactly() -> None:
    numbers = [0.1, 1e-323, 1.7976931348623157e308, -0.0, math.inf, -math.inf, 2**200]
    back = unpack(*pack(numbers))
    assert [repr(n) for n in back] == [repr(n) for n in numbers]


# -------------------------------------------------------------------------------------- bad files


def whole(tmp_path: Path) -> tuple[Path, bytes]:
    path = tmp_path / "net.safetensors"
    pellucid.save({"weight": pellucid.ones(4), "epoch": 3}, path)
    return path, path.read_bytes()


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda b: b"", "expected at least 8 bytes, found 0"),
        (lambda b: b[:5], "expected at least 8 bytes, found 5"),
        (lambda b: b[:20], "promises a header of .* bytes, and 12 follow"),
        (lambda b: b[:-1], r"expected (\d+) bytes, found \d+"),
        (lambda b: b + b"x", "bytes, found"),
        (lambda b: b"PK\x03\x04" + b, "torch.save"),
        (lambda b: b[:8] + b"[" + b[9:], "header cannot be read"),
        (lambda b: b.replace(b'"F32"', b'"F99"'), r"net\.safetensors is no whole"),
        (lambda b: b"veight".join(b.rsplit(b"weight", 1)), "'weight' is described but not there"),
    ],
)
def test_bad_files_are_named_for_what_they_are(spoil: Any, words: str, tmp_path: Path) -> None:
    path, content = whole(tmp_path)
    path.write_bytes(spoil(content))
    with pytest.raises(DataError, match=words) as caught:
        pellucid.load(path)
    assert str(path) in caught.value.message


def test_no_file_and_a_folder(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="missing"):
        pellucid.load(tmp_path / "missing")
    with pytest.raises(DataError, match="is a folder"):
        pellucid.load(tmp_path)


def test_an_empty_description_is_none(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    part = {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}
    header = json.dumps({"__metadata__": None, "a": part}).encode()
    path.write_bytes(struct.pack("<Q", len(header)) + header + struct.pack("<f", 2.5))
    assert pellucid.load(path)["a"].tolist() == [2.5]


odd = st.sampled_from(
    ["F32", "F64", "BOOL", "U16", "BF16", "C64", "F8_E5M2", "", None, [], {}, -1, 1e300, 2**64,
     [0, 16], [0, 4], [4, 16], [16, 0], [-4, 0], [0], [4], [2, 2], [1 << 62, 4], [1.5], True]
)  # fmt: skip
headers = st.dictionaries(
    st.sampled_from(["a", "b", "__metadata__"]),
    st.fixed_dictionaries(
        {}, optional={"dtype": odd, "shape": odd, "data_offsets": odd, "pellucid": odd, "x": odd}
    )
    | st.just({"dtype": "F32", "shape": [4], "data_offsets": [0, 16]})
    | odd,
    max_size=3,
)


@given(header=headers | odd, length=st.sampled_from([0, 4, 16, 32]))
def test_no_header_at_all_breaks_the_reader(
    header: Any, length: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("spoilt") / "a.safetensors"
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + b"\0" * length)
    for reader in (pellucid.load, pellucid.io.load_checkpoint):
        try:
            reader(path)
            continue
        except (DataError, CheckpointError) as error:
            told = error.message
        assert str(path) in told


@given(st.data())
def test_no_file_at_all_breaks_the_reader(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    path, content = whole(tmp_path_factory.mktemp("spoilt"))
    spoilt = bytearray(content)
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, max(len(spoilt) - 1, 0)))
        how = data.draw(st.sampled_from(["cut", "change", "insert"]))
        if how == "cut":
            del spoilt[place:]
        elif how == "change" and spoilt:
            spoilt[place] = data.draw(st.integers(0, 255))
        else:
            spoilt[place:place] = data.draw(st.binary(max_size=9))
    path.write_bytes(spoilt)
    try:
        found = pellucid.load(path)
    except DataError:
        return
    assert isinstance(found, (dict, list, int, float, str, type(None), Tensor))


json_trees = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.sampled_from(["tensor", "a", "tuple"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["$", "name", "items", "value", "x"]), inner, max_size=4)
    ),
    max_leaves=10,
)


@given(text=st.text(max_size=30) | json_trees.map(json.dumps))
def test_no_description_at_all_breaks_the_reader(text: str) -> None:
    try:
        unpack({"a": np.zeros(2)}, text)
    except DataError:
        return
    json.loads(text)


def test_a_file_with_a_description_that_does_not_fit(tmp_path: Path) -> None:
    path = tmp_path / "net.safetensors"
    write({}, path, {"pellucid": '{"w": {"$": "tensor", "name": "w"}}'})
    with pytest.raises(
        DataError, match=r"net\.safetensors is damaged: the array 'w' is described but not"
    ):
        pellucid.load(path)
