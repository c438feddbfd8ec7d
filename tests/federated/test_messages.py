"""Messages: there and back, and everything that is refused."""

from __future__ import annotations

import struct
from contextlib import suppress
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays_of

import pellucid
from pellucid.errors import MessageError
from pellucid.federated import pack, unpack

arrays = arrays_of.arrays(
    st.sampled_from(["<f4", "<f8", "<i4", "<i8", "u1", "<u8", "?"]),
    arrays_of.array_shapes(min_dims=0, min_side=0, max_side=4),
)
plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.binary(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=8,
)


def same(a: Any, b: Any) -> bool:
    if isinstance(a, np.ndarray):
        return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
    if isinstance(a, dict):
        return list(a) == list(b) and all(same(a[key], b[key]) for key in a)
    if isinstance(a, list):
        return len(a) == len(b) and all(map(same, a, b))
    return type(a) is type(b) and (a == b or (a != a and b != b))


@given(st.dictionaries(st.text(max_size=5), plain | arrays, max_size=4))
def test_what_is_sent_arrives(message: dict[str, Any]) -> None:
    assert same(unpack(pack(message)), message)


def test_arrays_that_lie_oddly_in_memory() -> None:
    table = np.arange(12.0).reshape(3, 4)
    arrived = unpack(pack({"t": table.T, "gaps": table[:, ::2], "number": np.float64(2)}))
    assert np.array_equal(arrived["t"], table.T)
    assert np.array_equal(arrived["gaps"], table[:, ::2])
    assert arrived["number"] == 2.0


def test_what_arrived_shares_no_memory() -> None:
    data = pack({"w": np.ones(3)})
    unpack(data)["w"][0] = 5
    assert unpack(data)["w"].tolist() == [1, 1, 1]


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ({"weights": {"w": object()}}, r"weights\.w is a object"),
        ({"w": {1, 2}}, "w is a set"),
        ({"w": np.array(["a"])}, "<U1 is none of numbers"),
        ({"w": np.array([None])}, "object is none of numbers"),
        ([1, 2], "a message is a dict, not a list"),
    ],
)
def test_what_is_no_plain_data_is_not_sent(message: Any, words: str) -> None:
    with pytest.raises(MessageError, match=words):
        pack(message)


def test_a_message_that_goes_round_in_circles() -> None:
    circle: dict[str, Any] = {}
    circle["me"] = circle
    with pytest.raises(MessageError, match="cannot be sent"):
        pack(circle)


def test_too_large_on_either_side() -> None:
    message = {"w": np.ones(1000)}
    with pytest.raises(MessageError, match=r"has 8,\d{3} bytes, and at most 4,000 are allowed"):
        pack(message, most_bytes=4000)
    data = pack(message)
    with pytest.raises(MessageError, match="at most 4,000 are allowed"):
        unpack(data, most_bytes=4000)


def test_another_version() -> None:
    data = bytearray(pack({"x": 1}))
    data[4:6] = struct.pack("<H", 2)
    with pytest.raises(MessageError, match="of version 2, and this Pellucid reads version 1"):
        unpack(bytes(data))


def test_no_message_at_all() -> None:
    for data in (b"", b"PFE", b"\x80\x04\x95pickle", b"GET / HTTP/1.1"):
        with pytest.raises(MessageError, match="no message of Pellucid"):
            unpack(data)


@given(st.data())
def test_cut_off_anywhere(data: st.DataObject) -> None:
    whole = pack({"name": "w", "w": np.arange(6.0), "tag": b"123"})
    end = data.draw(st.integers(0, len(whole) - 1))
    with pytest.raises(MessageError):
        unpack(whole[:end])


@given(st.data())
def test_damage_is_an_error_of_ours_or_another_message_but_nothing_else(
    data: st.DataObject,
) -> None:
    whole = bytearray(pack({"name": "w", "w": np.arange(6.0), "tag": b"123"}))
    for _ in range(3):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    with suppress(MessageError):
        unpack(bytes(whole))


def test_nested_too_deep_to_read() -> None:
    text = b'{"a":' * 50_000 + b"1" + b"}" * 50_000
    data = struct.pack("<4sHI", b"PFED", 1, len(text)) + text
    with pytest.raises(MessageError, match="damaged"):
        unpack(data)


def test_a_list_is_no_message() -> None:
    data = struct.pack("<4sHI", b"PFED", 1, 2) + b"[]"
    with pytest.raises(MessageError, match="a message is a dict, and this one is a list"):
        unpack(data)


def test_tensors_are_not_sent_by_themselves() -> None:
    assert isinstance(unpack(pack({"w": pellucid.ones(2).numpy()}))["w"], np.ndarray)
